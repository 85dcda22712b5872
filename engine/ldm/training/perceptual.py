"""LPIPS: how different two pictures look, by the features of a classifier.

Attribute names are the checkpoint keys of taming-transformers (`perceptual_loss.*`). The weights (a VGG16 trained on
ImageNet and the linear layers of LPIPS) are not shipped; without them use a loss without perceptual part.

Source: Zhang et al. 2018 (arXiv:1801.03924), eq. 1; `LPIPS` of CompVis/taming-transformers,
taming/modules/losses/lpips.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import torch
from torch import Tensor, nn

VGG_WIDTHS = (64, 128, 256, 512, 512)
CONVOLUTIONS = (2, 2, 3, 3, 3)  # of each of VGG16's five blocks
# Mean and deviation of ImageNet for pictures in [-1, 1].
SHIFT = (-0.030, -0.088, -0.188)
SCALE = (0.458, 0.448, 0.450)


class ScalingLayer(nn.Module):
    """Normalise pictures in [-1, 1] as the classifier was trained."""

    shift: Tensor
    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("shift", torch.tensor(SHIFT)[None, :, None, None])
        self.register_buffer("scale", torch.tensor(SCALE)[None, :, None, None])

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.shift) / self.scale


class VGGFeatures(nn.Module):
    """The convolutions of VGG16, cut after each block's last activation; layers are numbered as in torchvision."""

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        channels, number = 3, 0
        for block, (width, count) in enumerate(zip(widths, CONVOLUTIONS, strict=True)):
            layers = nn.Sequential()
            if block > 0:
                layers.add_module(str(number), nn.MaxPool2d(2))
                number += 1
            for _ in range(count):
                layers.add_module(str(number), nn.Conv2d(channels, width, 3, padding=1))
                layers.add_module(str(number + 1), nn.ReLU())
                channels = width
                number += 2
            self.add_module(f"slice{block + 1}", layers)

    def forward(self, x: Tensor) -> list[Tensor]:
        features: list[Tensor] = []
        for layers in self.children():
            x = layers(x)
            features.append(x)
        return features


class ChannelWeights(nn.Module):
    """A 1x1 convolution without bias; the dropout before it, off here, gives the checkpoint's key."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.model = nn.Sequential(nn.Identity(), nn.Conv2d(channels, 1, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)


class LPIPS(nn.Module):
    """Perceptual distance. Its weights are fixed, and it stays in evaluation mode.

    Args:
        widths: Channels of the five blocks; smaller ones make a stand-in for tests.
    """

    def __init__(self, widths: Sequence[int] = VGG_WIDTHS) -> None:
        super().__init__()
        self.scaling_layer = ScalingLayer()
        self.net = VGGFeatures(widths)
        for index, width in enumerate(widths):
            self.add_module(f"lin{index}", ChannelWeights(width))
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> Self:
        return super().train(False)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """x, y: [B, 3, H, W] in [-1, 1]. Returns [B, 1, 1, 1], 0 for equal pictures."""
        pairs = zip(self.net(self.scaling_layer(x)), self.net(self.scaling_layer(y)), strict=True)
        total = torch.zeros(len(x), 1, 1, 1, dtype=x.dtype, device=x.device)
        for index, (a, b) in enumerate(pairs):
            weighted = self.get_submodule(f"lin{index}")((_unit(a) - _unit(b)).square())  # [B, 1, h, w]
            total = total + weighted.mean(dim=(2, 3), keepdim=True)
        return total


def _unit(x: Tensor) -> Tensor:
    """Scale every cell's features to length 1."""
    return x / (x.square().sum(dim=1, keepdim=True).sqrt() + 1e-10)
