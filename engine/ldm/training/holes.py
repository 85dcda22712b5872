"""Random holes to learn inpainting from: boxes and thick strokes, as people draw them."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor


def random_holes(count: int, side: int, draw: torch.Generator) -> Tensor:
    """Draw one hole for each picture: half of them boxes, half strokes, a twentieth to about two thirds of the area.

    Args:
        side: S, of the square pictures, in pixels.

    Returns:
        [count, 1, S, S] float32, 1 in the hole.

    Source: the mixture follows the free-form masks of LaMa (Suvorov et al. 2021, arXiv:2109.07161), on whose data
    generation Rombach et al. 2022, sec. 4.5, train inpainting.
    """
    return torch.stack([_box(side, draw) if row % 2 else _stroke(side, draw) for row in range(count)])[:, None]


def _box(side: int, draw: torch.Generator) -> Tensor:
    width, height = (int(side * (0.25 + 0.55 * float(share))) for share in torch.rand(2, generator=draw))
    left, top = (int(torch.randint(side - size + 1, (1,), generator=draw)) for size in (width, height))
    hole = torch.zeros(side, side)
    hole[top : top + height, left : left + width] = 1
    return hole


def _stroke(side: int, draw: torch.Generator) -> Tensor:
    """A path of 2 to 5 straight lines of one thickness."""
    corners = int(torch.randint(3, 7, (1,), generator=draw))
    points = torch.rand(corners, 2, generator=draw) * side
    radius = side * (0.05 + 0.07 * float(torch.rand(1, generator=draw)))
    cells = torch.stack(torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij"), dim=-1) + 0.5
    hole = torch.zeros(side, side)
    for start, end in itertools.pairwise(points):
        along = end - start
        share = ((cells - start) @ along / along.square().sum().clamp(min=1e-6)).clamp(0, 1)  # [S, S]
        distance = (cells - start - share[..., None] * along).square().sum(dim=-1).sqrt()
        hole[distance <= radius] = 1
    return hole
