"""Label maps of plain colours, for semantic synthesis without a labelled data set.

Each pixel's label is the nearest of twelve named colours. So a map can be derived from any picture, painted by hand
in any paint program, and derived again from what a model made of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

PALETTE: tuple[tuple[str, tuple[int, int, int]], ...] = (
    ("white", (255, 255, 255)),
    ("black", (20, 20, 24)),
    ("grey", (140, 140, 148)),
    ("red", (214, 40, 48)),
    ("orange", (246, 138, 30)),
    ("yellow", (252, 210, 60)),
    ("green", (72, 160, 60)),
    ("cyan", (60, 196, 214)),
    ("blue", (40, 96, 210)),
    ("purple", (124, 66, 190)),
    ("pink", (246, 130, 178)),
    ("brown", (122, 72, 44)),
)
"""Names and sRGB values; a label is an index into this list."""


def nearest_colours(pixels: Tensor) -> Tensor:
    """Label every pixel with the nearest colour of the palette.

    Args:
        pixels: [B, 3, H, W] in [-1, 1].

    Returns:
        [B, H, W] int64. Distances are Euclidean in sRGB.
    """
    import torch  # here, so that the names can be had without it

    colours = torch.tensor([rgb for _, rgb in PALETTE], device=pixels.device) / 127.5 - 1.0  # [K, 3]
    flat = pixels.movedim(1, -1)  # [B, H, W, 3]
    return torch.cdist(flat.reshape(-1, 3), colours).argmin(dim=1).reshape(flat.shape[:-1])


def paint(labels: Tensor) -> Tensor:
    """labels: [B, H, W]. Returns the map as a picture: [B, 3, H, W] in [-1, 1]."""
    import torch

    colours = torch.tensor([rgb for _, rgb in PALETTE], device=labels.device) / 127.5 - 1.0
    return colours[labels].movedim(-1, 1)
