"""Several conditions at once: each counts in its part of the picture, for its part of the sampling.

Source: ComfyUI's rules (areas, masks, strengths, time ranges), restated: comfy/samplers.py.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from engine.ldm.sampling.denoisers import together
from engine.ldm.sampling.protocol import Asking, Denoiser
from engine.ldm.schedules import NoiseSchedule

FEATHER = 8
"""Cells at most, and a quarter of its side, over which an area fades in at edges that are not the picture's."""

Area = tuple[int, int, int, int]
"""(height, width, y, x) in latent cells."""


@dataclass(frozen=True, eq=False)
class Region:
    """A denoiser and where, when and how strongly its answer counts.

    `mask`: [B or 1, 1, h, w] in [0, 1], the size of the whole latent. `area`: the denoiser sees only this rectangle,
    which fades in at its edges unless there is a mask. It is asked while sigma_start >= sigma >= sigma_end.
    """

    denoiser: Denoiser
    strength: float = 1.0
    mask: Tensor | None = None
    area: Area | None = None
    sigma_start: float = math.inf
    sigma_end: float = 0.0

    def crop(self, whole: Tensor) -> Tensor:
        """The part of [B, *, h, w] that lies in the area: a view."""
        if self.area is None:
            return whole
        height, width, y, x = self.area
        return whole[..., y : y + height, x : x + width]

    def weight(self, part: Tensor, whole: Tensor) -> Tensor:
        """How much the answer counts, [B or 1, 1, h', w'] for a part of the whole."""
        if self.mask is not None:
            return self.crop(self.mask) * self.strength
        rows, columns = (
            _fade(part.shape[axis], start, whole.shape[axis])
            for axis, start in ((-2, self.area[2] if self.area else 0), (-1, self.area[3] if self.area else 0))
        )
        weight = rows[:, None] * columns * self.strength  # [h', w']
        return weight[None, None].to(whole)


@dataclass(frozen=True, eq=False)
class Blended:
    """Averages the answers of several regions by their weights. Where nothing counts, the answer is 0."""

    regions: Sequence[Region]

    def __call__(self, x: Tensor, sigma: float) -> Asking:
        active = [region for region in self.regions if region.sigma_start >= sigma >= region.sigma_end]
        if len(active) == 1 and active[0].area is None and active[0].mask is None:
            return (yield from active[0].denoiser(x, sigma))
        answers = yield from together(*(region.denoiser(region.crop(x), sigma) for region in active))
        total, weights = torch.zeros_like(x), torch.full_like(x[:, :1], torch.finfo(x.dtype).tiny)
        for region, answer in zip(active, answers, strict=True):
            weight = region.weight(answer, x)
            region.crop(total).add_(answer * weight)
            region.crop(weights).add_(weight)
        return total / weights


def with_counterparts(regions: Sequence[Region], others: Sequence[Region]) -> list[Region]:
    """Give `regions` an area of its own for each that the other side of a guidance has and this side lacks.

    Guidance compares like with like: where one prompt is seen in a crop, so is the other. The new region takes its
    denoiser from the smallest one here that covers the area.
    """
    completed = list(regions)
    for other in others:
        covering = [each for each in completed if _covers(each.area, other.area)]
        if other.area is None or not covering:
            continue
        smallest = min(covering, key=lambda each: math.inf if each.area is None else each.area[0] * each.area[1])
        if smallest.area != other.area:
            completed.append(replace(other, denoiser=smallest.denoiser))
    return completed


def _covers(outer: Area | None, inner: Area | None) -> bool:
    if outer is None or inner is None:
        return outer is None
    return all(outer[i + 2] <= inner[i + 2] and inner[i + 2] + inner[i] <= outer[i + 2] + outer[i] for i in (0, 1))


def sigma_at(schedule: NoiseSchedule, share: float) -> float:
    """The sigma at which this share of the sampling is over: 0 is the start (infinity), 1 the end (0)."""
    if share <= 0:
        return math.inf
    return 0.0 if share >= 1 else schedule.sigma((1 - share) * (schedule.timesteps - 1))


def _fade(length: int, start: int, whole: int) -> Tensor:
    """Weights along one side of an area: rising to 1 from each end that is not the picture's edge."""
    weights = torch.ones(length)
    width = min(FEATHER, length // 4)
    ramp = (torch.arange(width) + 1) / max(width, 1)
    if start > 0:
        weights[:width] *= ramp
    if start + length < whole:
        weights[length - width :] *= ramp.flip(0)
    return weights
