"""A small convolutional classifier of pictures, whose features also tell how different two pictures look.

The perceptual loss of the paper and the Fréchet distance stand on networks trained on ImageNet (VGG16, Inception).
Where these cannot be had, this one is trained on the user's own pictures; the file says on which.

Source of the design: VGG (Simonyan & Zisserman 2015, arXiv:1409.1556), two 3x3 convolutions a level, with batch norm
(Ioffe & Szegedy 2015, arXiv:1502.03167) and global average pooling (Lin et al. 2014, arXiv:1312.4400).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.errors import ModelFileError
from engine.ldm.skeleton import Skeleton
from engine.ldm.weights import ModelFile, load_strict, save_model

CONFIG_KEY = "darkroom.classifier"


@dataclass(frozen=True)
class ClassifierConfig:
    """Shape of a classifier.

    `groups`: names of what it tells apart. `widths`: channels of the levels, each of half the side of the one before.
    `resolution`: side of the pictures it was trained on, in pixels.
    """

    groups: tuple[str, ...]
    widths: tuple[int, ...] = (16, 32, 64, 128)
    resolution: int = 64


class Classifier(nn.Module):
    """Pictures [B, 3, H, W] in [-1, 1] to feature maps, to vectors, or to groups. Sides are multiples of 8."""

    def __init__(self, config: ClassifierConfig) -> None:
        super().__init__()
        self.config = config
        before = (3, *config.widths[:-1])
        self.levels = nn.ModuleList(_level(a, b) for a, b in zip(before, config.widths, strict=True))
        self.head = nn.Linear(config.widths[-1], len(config.groups))

    @property
    def width(self) -> int:
        """D, numbers in a picture's vector."""
        return self.config.widths[-1]

    def features(self, x: Tensor) -> list[Tensor]:
        """The output of each level, at the picture's own size: [B, C_l, H / 2^l, W / 2^l], l = 0, 1, ..."""
        maps: list[Tensor] = []
        for index, level in enumerate(self.levels):
            x = level(x if index == 0 else F.max_pool2d(x, 2))
            maps.append(x)
        return maps

    def embed(self, x: Tensor) -> Tensor:
        """The mean of the last level over a picture of any size, seen at `resolution`: [B, D]."""
        return self.features(self._seen(x))[-1].mean(dim=(2, 3))

    def logits(self, x: Tensor) -> Tensor:
        """Unnormalised log-probabilities of the groups, [B, groups], in the order of `config.groups`."""
        return self.head(self.embed(x))

    def forward(self, x: Tensor) -> Tensor:
        return self.logits(x)

    def _seen(self, x: Tensor) -> Tensor:
        """Squares larger than those it was trained on are shrunk by area, smaller ones enlarged."""
        side = self.config.resolution
        if x.shape[2:] == (side, side):
            return x
        return F.interpolate(x, (side, side), mode="area" if min(x.shape[2:]) >= side else "bilinear")


def _level(channels: int, out: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width in (channels, out):
        # The batch norm's shift makes a bias superfluous.
        layers += [nn.Conv2d(width, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU()]
    return nn.Sequential(*layers)


def save_classifier(path: str | Path, classifier: Classifier, metadata: Mapping[str, str] | None = None) -> None:
    """Write a classifier, its configuration in the metadata."""
    own = {CONFIG_KEY: json.dumps(asdict(classifier.config))}
    save_model(path, classifier.state_dict(), {**own, **(metadata or {})})


def load_classifier(file: ModelFile) -> Classifier:
    """Load a classifier in float32, ready for use.

    Raises:
        ModelFileError: the file holds none, or another than it says.
    """
    try:
        fields = json.loads(file.metadata[CONFIG_KEY])
        groups, widths = tuple(map(str, fields["groups"])), tuple(map(int, fields["widths"]))
        config = ClassifierConfig(groups, widths, int(fields["resolution"]))
        with Skeleton():
            classifier = Classifier(config)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ModelFileError(f"{file.path} is no classifier; train one with Train Classifier") from error
    tensors = {name: value.float() if value.is_floating_point() else value for name, value in file.tensors().items()}
    load_strict(classifier, tensors, str(file.path))
    return classifier.eval().requires_grad_(False)


@torch.inference_mode()
def embed_all(classifier: Classifier, pictures: Tensor, batch_size: int = 64) -> Tensor:
    """Vectors of many pictures, [N, 3, H, W] in [-1, 1], a batch at a time: [N, D]."""
    starts = range(0, len(pictures), batch_size)
    return torch.cat([classifier.embed(pictures[start : start + batch_size]) for start in starts])
