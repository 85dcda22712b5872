"""Noise, always drawn on the CPU from a seed, so that a picture does not depend on the device or on its neighbours."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

SEEDS = 2**64


def initial_noise(shape: Sequence[int], seed: int, batch_index: Sequence[int] | None = None) -> Tensor:
    """Draw the noise a sampling starts from, float32 on the CPU.

    A batch is one draw: its second picture is not that of `seed + 1`. With `batch_index`, each row is the row of that
    number in the batch of a larger draw, so that one picture of a batch can be made again alone.

    Args:
        shape: [B, C, h, w].
        seed: Taken modulo 2^64.
    """
    generator = torch.Generator().manual_seed(seed % SEEDS)
    if batch_index is None:
        return torch.randn(tuple(shape), generator=generator)
    rows = [torch.randn((1, *shape[1:]), generator=generator) for _ in range(max(batch_index) + 1)]
    return torch.cat([rows[i] for i in batch_index])


class SeededNoise:
    """Fresh noise for stochastic samplers, in the shape and on the device of `like`.

    Its generator starts from `seed + 1` (as ComfyUI's), so it does not repeat the initial noise.
    """

    def __init__(self, like: Tensor, seed: int) -> None:
        self._shape, self._device, self._dtype = like.shape, like.device, like.dtype
        self._generator = torch.Generator().manual_seed((seed + 1) % SEEDS)

    def __call__(self) -> Tensor:
        return torch.randn(self._shape, generator=self._generator).to(self._device, self._dtype)


def noised(latent: Tensor, noise: Tensor, sigma: float, sigma_max: float) -> Tensor:
    """Make the x a sampling starts from: the latent plus noise of level sigma.

    From the schedule's top, noise is scaled by sqrt(1 + sigma^2), so that the network sees it with unit variance, as at
    the end of the forward process; below it by sigma.
    """
    full = sigma > sigma_max or math.isclose(sigma, sigma_max, rel_tol=1e-5)
    return latent + noise * (math.sqrt(1 + sigma**2) if full else sigma)


def from_vp(x_t: Tensor, sigma: float) -> Tensor:
    """Convert the papers' x_t = sqrt(abar) x0 + sqrt(1 - abar) eps to x = x0 + sigma eps."""
    return x_t * math.sqrt(1 + sigma**2)


def to_vp(x: Tensor, sigma: float) -> Tensor:
    """Convert x = x0 + sigma eps to the papers' x_t, which has unit variance where x0 has."""
    return x * (1 / math.sqrt(1 + sigma**2))
