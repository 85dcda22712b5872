"""Perceptual distances that need no VGG16: a pyramid of details, and the features of a classifier trained here.

Each is a module with nothing to learn that takes x, y: [B, 3, H, W] in [-1, 1] and returns [B, 1, 1, 1], 0 for equal
pictures, as `LPIPS` does; so any of them is a perceptual part of the first stage's loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.ldm.training.classifier import Classifier


class FeatureDistance(nn.Module):
    """Distance of what a classifier sees in two pictures: at every cell of every level, of unit-length features.

    This is LPIPS (Zhang et al. 2018, arXiv:1801.03924, eq. 1) without its learnt channel weights, which need people's
    judgements, and with the mean instead of the sum over levels: twice the mean of 1 - cosine, from 0 to 2.
    """

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self.classifier = classifier
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> Self:
        return super().train(False)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        with torch.no_grad():
            wanted = self.classifier.features(x)
        levels = [
            (_unit(a) - _unit(b)).square().sum(dim=1, keepdim=True).mean(dim=(2, 3), keepdim=True)
            for a, b in zip(wanted, self.classifier.features(y), strict=True)
        ]
        return torch.stack(levels).mean(dim=0)


class PyramidDistance(nn.Module):
    """The mean absolute difference of the detail that each of three halvings removes, and of what is left, summed.

    L1 at every scale of detail keeps edges that plain L1 blurs. What is left is colour: without it a small model first
    learns shapes in one hue and finds the others late. Sides are multiples of 8.

    Source: Ling & Okada 2006; used for generators by Bojanowski et al. 2018 (arXiv:1707.05776).
    """

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        total = x.new_zeros(len(x), 1, 1, 1)
        for _ in range(3):
            small_x, small_y = F.avg_pool2d(x, 2), F.avg_pool2d(y, 2)
            detail_x = x - F.interpolate(small_x, scale_factor=2.0, mode="nearest")
            detail_y = y - F.interpolate(small_y, scale_factor=2.0, mode="nearest")
            total = total + (detail_x - detail_y).abs().mean(dim=(1, 2, 3), keepdim=True)
            x, y = small_x, small_y
        return total + (x - y).abs().mean(dim=(1, 2, 3), keepdim=True)


class WeightedDistances(nn.Module):
    """The weighted sum of several distances."""

    def __init__(self, parts: Sequence[tuple[float, nn.Module]]) -> None:
        super().__init__()
        self.weights = tuple(weight for weight, _ in parts)
        self.parts = nn.ModuleList(part for _, part in parts)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        values = [weight * part(x, y) for weight, part in zip(self.weights, self.parts, strict=True)]
        return torch.stack(values).sum(dim=0)


def _unit(x: Tensor) -> Tensor:
    """Scale every cell's features to length 1. A cell without any, such as white ground's, stays 0, its gradient too.

    The square root of LPIPS has an infinite slope there; VGG16 never meets it, a level of 16 channels does.
    """
    return x * (x.square().sum(dim=1, keepdim=True) + 1e-8).rsqrt()
