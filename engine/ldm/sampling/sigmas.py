"""Which noise levels a sampler visits: the lists of sigmas ("schedulers").

Each falls from the first noise level to the last and usually ends in 0, the clean latent. The names, and what each
does with few steps, are ComfyUI's, so that saved workflows give the pictures they gave.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

from engine.errors import InputProblem
from engine.ldm.schedules import GridName, NoiseSchedule, ddim_timesteps

Scheduler = Callable[[NoiseSchedule, int], list[float]]


def normal(schedule: NoiseSchedule, steps: int) -> list[float]:
    """Evenly spaced in time, both ends included."""
    return [schedule.sigma(t) for t in _linspace(schedule.timesteps - 1, 0, steps)] + [0.0]


def sgm_uniform(schedule: NoiseSchedule, steps: int) -> list[float]:
    """Evenly spaced in time, the last point left out (Stability AI generative-models, discretizer)."""
    return [schedule.sigma(t) for t in _linspace(schedule.timesteps - 1, 0, steps + 1)[:-1]] + [0.0]


def simple(schedule: NoiseSchedule, steps: int) -> list[float]:
    """Every (T / steps)-th entry of the table, from the top."""
    stride = schedule.timesteps / steps
    return [schedule.sigmas[-(1 + int(i * stride))] for i in range(steps)] + [0.0]


def ddim_uniform(schedule: NoiseSchedule, steps: int) -> list[float]:
    """LDM's DDIM grid, ending in 0; like the grid it may be longer than asked."""
    stride = max(schedule.timesteps // steps, 1)
    return [schedule.sigmas[t] for t in reversed(range(1, schedule.timesteps, stride))] + [0.0]


def karras(schedule: NoiseSchedule, steps: int, rho: float = 7.0) -> list[float]:
    """Evenly spaced in sigma^(1/rho): Karras et al. 2022 (arXiv:2206.00364), eq. 5, rho from there."""
    roots = schedule.sigma_max ** (1 / rho), schedule.sigma_min ** (1 / rho)
    return [root**rho for root in _linspace(*roots, steps)] + [0.0]


def exponential(schedule: NoiseSchedule, steps: int) -> list[float]:
    """Evenly spaced in log sigma."""
    return [math.exp(log) for log in _linspace(math.log(schedule.sigma_max), math.log(schedule.sigma_min), steps)] + [
        0.0
    ]


def beta(schedule: NoiseSchedule, steps: int, alpha: float = 0.6) -> list[float]:
    """Times at the quantiles of the distribution Beta(0.6, 0.6): dense at both ends, duplicates dropped.

    Source: "Beta Sampling is All You Need" (arXiv:2407.12173); alpha = beta = 0.6 as there.
    """
    times = [round(beta_quantile(1 - i / steps, alpha) * (schedule.timesteps - 1)) for i in range(steps)]
    return [schedule.sigmas[t] for i, t in enumerate(times) if i == 0 or t != times[i - 1]] + [0.0]


def linear_quadratic(schedule: NoiseSchedule, steps: int, threshold: float = 0.025) -> list[float]:
    """Remove the first `threshold` of the noise linearly in half the steps, then speed up quadratically.

    Source: Genmo Mochi (github.com/genmoai/mochi), linear_quadratic_schedule; written here as a parabola that leaves
    (half, threshold) with the line's slope and reaches 1 at the last step.
    """
    half = steps // 2
    if half == 0:
        return [schedule.sigma_max, 0.0]
    slope = threshold / half
    bend = (1 - slope * steps) / (steps - half) ** 2
    removed = [slope * i + (bend * (i - half) ** 2 if i > half else 0.0) for i in range(steps)]
    return [schedule.sigma_max * (1 - part) for part in removed] + [0.0]


def kl_optimal(schedule: NoiseSchedule, steps: int) -> list[float]:
    """Evenly spaced in arctan sigma: Sabour et al. 2024, "Align Your Steps" (arXiv:2404.14507), theorem 3.1."""
    angles = _linspace(math.atan(schedule.sigma_max), math.atan(schedule.sigma_min), steps)
    return [math.tan(angle) for angle in angles] + [0.0]


SCHEDULERS: Mapping[str, Scheduler] = MappingProxyType(
    {
        "normal": normal,
        "karras": karras,
        "exponential": exponential,
        "sgm_uniform": sgm_uniform,
        "simple": simple,
        "ddim_uniform": ddim_uniform,
        "beta": beta,
        "linear_quadratic": linear_quadratic,
        "kl_optimal": kl_optimal,
    }
)

SKIP_LAST_BUT_ONE = frozenset({"dpm_2", "dpm_2_ancestral"})
"""Samplers that ComfyUI asks for one step more and whose last sigma above 0 it drops: their midpoint of the last step
would fall almost onto it."""


def sampler_sigmas(
    schedule: NoiseSchedule, scheduler: str, steps: int, denoise: float = 1.0, sampler: str = "euler"
) -> list[float]:
    """Make the sigmas that a sampler runs through.

    Args:
        steps: At least 1.
        denoise: Share of the noise to add and remove, in [0, 1]. Below 1 the list is the tail, `steps` long, of a
            schedule of floor(steps / denoise); at 0 it is empty: nothing to do.

    Raises:
        InputProblem: Unknown scheduler, fewer than one step, or `denoise` outside its range.
    """
    if scheduler not in SCHEDULERS:
        raise InputProblem(f"no scheduler '{scheduler}'; use one of {', '.join(SCHEDULERS)}.", "scheduler")
    if steps < 1:
        raise InputProblem(f"{steps} steps asked; use at least 1.", "steps")
    if not 0 <= denoise <= 1:
        raise InputProblem(f"denoise is {denoise}; use a number from 0 to 1.", "denoise")
    if denoise == 0:
        return []
    whole = steps if denoise > 0.9999 else int(steps / denoise)
    if sampler in SKIP_LAST_BUT_ONE:
        sigmas = SCHEDULERS[scheduler](schedule, whole + 1)
        sigmas = [*sigmas[:-2], sigmas[-1]]
    else:
        sigmas = SCHEDULERS[scheduler](schedule, whole)
    return sigmas if denoise > 0.9999 else sigmas[-(steps + 1) :]


def ldm_sigmas(schedule: NoiseSchedule, steps: int, grid: GridName = "uniform") -> list[float]:
    """Make the sigmas of LDM's DDIM and PLMS, which end at sigma(t = 0) instead of 0 (ldm util.py: alphas_prev[0])."""
    chosen = ddim_timesteps(steps, schedule.timesteps, grid)
    return [schedule.sigmas[t] for t in reversed(chosen)] + [schedule.sigmas[0]]


def beta_quantile(q: float, alpha: float) -> float:
    """Find x in [0, 1] below which a share q of the symmetric distribution Beta(alpha, alpha) lies.

    Bisects the incomplete beta function, summed as a power series that converges fast up to 1/2 (Abramowitz & Stegun
    26.5.4); the other half is its mirror image.
    """
    if q == 0.5:  # exactly: times half-way between two steps must round as they do elsewhere
        return 0.5
    if q > 0.5:
        return 1 - beta_quantile(1 - q, alpha)

    def area(x: float) -> float:
        term, total = 1.0, 0.0
        for k in range(60):
            total += term / (alpha + k)
            term *= (1 - alpha + k) / (k + 1) * x
            if term < 1e-17:
                break
        return x**alpha * total

    wanted = q * 2 * area(0.5)
    low, high = 0.0, 0.5
    while high - low > 1e-12:
        middle = (low + high) / 2
        low, high = (middle, high) if area(middle) < wanted else (low, middle)
    return (low + high) / 2


def _linspace(start: float, stop: float, count: int) -> list[float]:
    """`count` evenly spaced numbers from start to stop; one of them is the start."""
    return [start + (stop - start) * i / max(count - 1, 1) for i in range(count)]
