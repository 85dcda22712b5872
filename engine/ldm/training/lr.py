"""Learning-rate schedules: multipliers of the base rate, as functions of the step, for `LambdaLR`.

Source: CompVis/latent-diffusion, ldm/lr_scheduler.py (classes of similar names, with the same arguments).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class WarmUpCosine:
    """Rise linearly from `lr_start` to `lr_max`, then fall along half a cosine to `lr_min` at `max_decay_steps`.

    The inpainting model used 1000 steps, 0.001 -> 0.1 -> 0.0001, until step 50,000.
    """

    warm_up_steps: int
    lr_min: float
    lr_max: float
    lr_start: float
    max_decay_steps: int

    def __call__(self, step: int) -> float:
        if step < self.warm_up_steps:
            return _rise(self.lr_start, self.lr_max, step, self.warm_up_steps)
        return _cosine(self.lr_max, self.lr_min, step - self.warm_up_steps, self.max_decay_steps - self.warm_up_steps)


@dataclass(frozen=True)
class _Cycles:
    """Cycles one after the other, each with its own warm-up; every sequence holds one value for each cycle."""

    warm_up_steps: Sequence[int]
    f_min: Sequence[float]
    f_max: Sequence[float]
    f_start: Sequence[float]
    cycle_lengths: Sequence[int]

    def __post_init__(self) -> None:
        counts = {len(values) for values in vars(self).values()}
        if len(counts) != 1 or 0 in counts:
            raise ValueError(f"every list needs one value for each cycle, got lengths {sorted(counts)}")

    def __call__(self, step: int) -> float:
        cycle = 0
        while step > self.cycle_lengths[cycle] and cycle < len(self.cycle_lengths) - 1:
            step -= self.cycle_lengths[cycle]
            cycle += 1
        if step < self.warm_up_steps[cycle]:
            return _rise(self.f_start[cycle], self.f_max[cycle], step, self.warm_up_steps[cycle])
        return self._fall(cycle, step)

    def _fall(self, cycle: int, step: int) -> float:
        raise NotImplementedError


class CosineCycles(_Cycles):
    """`WarmUpCosine` in cycles: after its warm-up each falls along half a cosine to `f_min` at its end."""

    def _fall(self, cycle: int, step: int) -> float:
        warm_up = self.warm_up_steps[cycle]
        return _cosine(self.f_max[cycle], self.f_min[cycle], step - warm_up, self.cycle_lengths[cycle] - warm_up)


class LinearCycles(_Cycles):
    """Cycles that fall linearly: f_min + (f_max - f_min) (length - step) / length.

    LSUN-Churches used one endless cycle with 10,000 steps of warm-up and f_max = f_min = 1. As in the original the line
    starts at step 0 of the cycle, so that with f_max > f_min the multiplier drops at the end of the warm-up.
    """

    def _fall(self, cycle: int, step: int) -> float:
        low, high, length = self.f_min[cycle], self.f_max[cycle], self.cycle_lengths[cycle]
        return low + (high - low) * max(length - step, 0) / length


def _rise(start: float, end: float, step: int, steps: int) -> float:
    return (end - start) / steps * step + start


def _cosine(start: float, end: float, step: int, steps: int) -> float:
    done = min(step / steps, 1.0) if steps > 0 else 1.0
    return end + 0.5 * (start - end) * (1 + math.cos(done * math.pi))
