"""Learn to tell groups of pictures apart, with some pictures held out to say how well.

Few pictures are seen often, so every visit turns, scales, shifts and flips them anew.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.errors import FileProblem
from engine.ldm.training.classifier import Classifier, ClassifierConfig
from engine.ldm.training.loop import FitSettings, Listener, fit, step_generator
from engine.ldm.training.pictures import PictureSet, as_input
from engine.ldm.training.state import History

TURN, SCALE, SHIFT, CONTRAST = math.radians(12), 0.2, 0.12, 0.15
SMOOTHING = 0.1
"""Share of certainty taken from the right answer (Szegedy et al. 2016, arXiv:1512.00567, sec. 7)."""


class ClassifierTask:
    """Predict the group of pictures.

    Args:
        pixels: [N, 3, S, S] uint8.
        labels: [N] indices of the module's groups.
    """

    def __init__(self, module: Classifier, pixels: Tensor, labels: Tensor) -> None:
        self.module = module
        self.pixels = pixels
        self.labels = labels

    @property
    def rows(self) -> int:
        return len(self.pixels)

    def loss(self, indices: Tensor, draw: torch.Generator) -> Mapping[str, Tensor]:
        device = next(self.module.parameters()).device
        x, labels = vary(as_input(self.pixels[indices]), draw).to(device), self.labels[indices].to(device)
        logits = self.module.logits(x)
        wrong = (logits.argmax(dim=1) != labels).float().mean()
        return {"loss": F.cross_entropy(logits, labels, label_smoothing=SMOOTHING), "share wrong": wrong}


def vary(x: Tensor, draw: torch.Generator) -> Tensor:
    """Flip, turn, scale and shift each picture, and change its contrast, by chance. x: [B, 3, H, W], same out."""
    angle, zoom, right, down, contrast = (2 * torch.rand(5, len(x), generator=draw) - 1).unbind()
    flip = torch.where(torch.rand(len(x), generator=draw) < 0.5, -1.0, 1.0)
    angle, zoom = angle * TURN, 1 + zoom * SCALE
    top = torch.stack([flip * zoom * angle.cos(), -zoom * angle.sin(), right * 2 * SHIFT], dim=1)
    bottom = torch.stack([flip * zoom * angle.sin(), zoom * angle.cos(), down * 2 * SHIFT], dim=1)
    grid = F.affine_grid(torch.stack([top, bottom], dim=1), list(x.shape), align_corners=False)
    moved = F.grid_sample(x, grid, padding_mode="border", align_corners=False)
    # Around white, because the ground of cut-out pictures stays what it is.
    return 1 - (1 - moved) * (1 + contrast * CONTRAST)[:, None, None, None]


def train_classifier(
    pictures: PictureSet,
    widths: tuple[int, ...],
    settings: FitSettings,
    held_out: float = 0.15,
    state: Path | None = None,
    on_step: Listener | None = None,
    device: torch.device | str = "cpu",
) -> tuple[Classifier, History, Mapping[str, float]]:
    """Train a classifier of the pictures' groups.

    Args:
        held_out: Share of the pictures that are not learnt from.
        state: Where training is saved and resumed from.

    Returns:
        The classifier, ready to use; the history; and its accuracy, the share of right answers in [0, 1], on pictures
        held out and on those learnt from.

    Raises:
        FileProblem: the pictures are not of two groups at least. Else as `fit`.
    """
    groups = tuple(sorted({picture.group for picture in pictures.pictures}))
    if len(groups) < 2:
        raise FileProblem("all pictures are of one group; a classifier needs two: add groups to captions.jsonl")
    labels = torch.tensor([groups.index(picture.group) for picture in pictures.pictures])
    order = torch.randperm(len(pictures), generator=step_generator(settings.seed, -1))
    kept = order[: len(order) - round(held_out * len(order))]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        module = Classifier(ClassifierConfig(groups, widths, pictures.pixels.shape[-1]))
    task = ClassifierTask(module, pictures.pixels[kept], labels[kept])
    _, history = fit(task, settings, state, on_step, device)
    module.eval().requires_grad_(False)
    parts = {"held out": order[len(kept) :], "learnt from": kept}
    accuracy = {name: _accuracy(module, pictures, labels, rows) for name, rows in parts.items() if len(rows)}
    return module, history, accuracy


@torch.inference_mode()
def _accuracy(module: Classifier, pictures: PictureSet, labels: Tensor, rows: Tensor) -> float:
    device = next(module.parameters()).device
    right = 0
    for start in range(0, len(rows), 64):
        part = rows[start : start + 64]
        right += int((module.logits(pictures.batch(part).to(device)).argmax(dim=1).cpu() == labels[part]).sum())
    return right / len(rows)
