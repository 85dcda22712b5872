"""Conditions that lie beside the latent: maps, masked pictures, small pictures.

Each ends as [B, C, h, w] at the latent's resolution and is concatenated after z_t.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.ldm.autoencoder import FirstStage


@dataclass(frozen=True)
class RescalerConfig:
    """`n_stages` scalings by `multiplier`, then a 1x1 convolution to `out_channels` (None: no convolution)."""

    n_stages: int = 1
    in_channels: int = 3
    out_channels: int | None = None
    bias: bool = False
    method: Literal["nearest", "bilinear", "bicubic", "area"] = "bilinear"
    multiplier: float = 0.5


class SpatialRescaler(nn.Module):
    """Shrink a one-hot semantic map to the latent's resolution and mix its channels.

    Source: `SpatialRescaler` of CompVis/latent-diffusion, ldm/modules/encoders/modules.py (no antialiasing).
    """

    def __init__(self, config: RescalerConfig) -> None:
        super().__init__()
        self.config = config
        self.channel_mapper = (
            None
            if config.out_channels is None
            else nn.Conv2d(config.in_channels, config.out_channels, 1, bias=config.bias)
        )

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, in_channels, H, W] float. Returns [B, out_channels, H * multiplier^n, W * multiplier^n]."""
        for _ in range(self.config.n_stages):
            x = F.interpolate(x, scale_factor=self.config.multiplier, mode=self.config.method)
        return x if self.channel_mapper is None else self.channel_mapper(x)


def one_hot_map(labels: Tensor, classes: int) -> Tensor:
    """labels: [B, H, W] integers in [0, classes). Returns [B, classes, H, W] float32, 1 where the label is."""
    return F.one_hot(labels.long(), classes).movedim(-1, 1).float()


def inpainting_condition(image: Tensor, hole: Tensor, first_stage: FirstStage) -> Tensor:
    """Tell an inpainting model what is around the hole and where the hole is.

    The hole becomes 0 in [0, 1], then -1. The masked picture's latent is taken before the codebook and is NOT
    multiplied by the scale factor; the mask is +-1, its nearest cells.

    Args:
        image: [B, 3, H, W] in [0, 1].
        hole: [B, 1, H, W] in [0, 1]; 0.5 and more is the hole (of 8-bit masks: 128 and more).
        first_stage: The model's own autoencoder, of downsampling f.

    Returns:
        [B, C + 1, H/f, W/f].

    Source: scripts/inpaint.py of CompVis/latent-diffusion.
    """
    mask = binary_hole(hole)
    masked = first_stage.encode_mode((1 - mask) * image * 2 - 1)
    return torch.cat([masked, F.interpolate(mask * 2 - 1, size=masked.shape[-2:])], dim=1)


def paste_into_hole(image: Tensor, hole: Tensor, painted: Tensor) -> Tensor:
    """Keep the picture outside the hole: (1 - mask) image + mask painted, all [B, C, H, W] in [0, 1]."""
    mask = binary_hole(hole)
    return (1 - mask) * image + mask * painted


def binary_hole(hole: Tensor) -> Tensor:
    """Return 1 where `hole` is at least 0.5, otherwise 0, float32."""
    return (hole >= 0.5).float()


def superresolution_condition(image: Tensor) -> Tensor:
    """Scale a small picture [B, 3, h, w] from [0, 1] to [-1, 1]; its sides are those of the latent.

    Source: `get_cond` in the super-resolution notebook of CompVis/latent-diffusion.
    """
    return image * 2 - 1
