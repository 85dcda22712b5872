"""Small layers that both networks share: resampling, time embedding, zero initialisation."""

from __future__ import annotations

import math
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

M = TypeVar("M", bound=nn.Module)


def zero_init(module: M) -> M:
    """Zero a module's parameters, so that the residual branch it ends starts as the identity."""
    for parameter in module.parameters():
        nn.init.zeros_(parameter)
    return module


def timestep_embedding(t: Tensor, dim: int, max_period: float = 10_000.0) -> Tensor:
    """Embed timesteps as cosines and sines of geometrically spaced frequencies, cosines first.

    Args:
        t: [B], integers or fractions in [0, T).
        dim: Width D of the embedding; an odd D gets a last column of zeros.

    Returns:
        [B, D] float32.

    Source: Ho et al. 2020 (arXiv:2006.11239), after Vaswani et al. 2017 sec. 3.5; cosines first as in
    CompVis/latent-diffusion `ldm/modules/diffusionmodules/util.py`.
    """
    half = dim // 2
    frequencies = torch.exp(-math.log(max_period) * torch.arange(half, dtype=torch.float32, device=t.device) / half)
    angles = t[:, None].float() * frequencies[None]  # [B, D/2]
    return F.pad(torch.cat([angles.cos(), angles.sin()], dim=-1), (0, dim % 2))


class Upsample(nn.Module):
    """Double the sides of [B, C, H, W] by nearest neighbour, then convolve if `use_conv`."""

    def __init__(self, channels: int, use_conv: bool, out_channels: int | None = None) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, out_channels or channels, 3, padding=1) if use_conv else None

    def forward(self, x: Tensor) -> Tensor:
        x = F.interpolate(x, scale_factor=2.0, mode="nearest")  # [B, C, 2H, 2W]
        return x if self.conv is None else self.conv(x)


class Downsample(nn.Module):
    """Halve the sides of [B, C, H, W] by a convolution of stride 2 (or by averaging, without `use_conv`)."""

    def __init__(self, channels: int, use_conv: bool, out_channels: int | None = None) -> None:
        super().__init__()
        out = out_channels or channels
        self.op = nn.Conv2d(channels, out, 3, stride=2, padding=1) if use_conv else nn.AvgPool2d(2)

    def forward(self, x: Tensor) -> Tensor:
        return self.op(x)  # [B, C, H/2, W/2]
