"""LDM's own samplers, written as their papers are: x_t = sqrt(abar) x0 + sqrt(1 - abar) eps.

At the door they speak sigma space like all others: x = x_t sqrt(1 + sigma^2), abar = 1 / (1 + sigma^2). LDM's own list
of sigmas ends above 0, at sigma(t = 0), and its result is x_t there: take `to_vp` of what these return.

A `Hook` is a chance to change x_t at a step, given sigma: LDM's inpainting pastes the known part there (`KeepKnown`).

Sources: DDPM = Ho et al. 2020 (arXiv:2006.11239), DDIM = Song et al. 2020 (arXiv:2010.02502), PNDM = Liu et al. 2022
(arXiv:2202.09778), and CompVis/latent-diffusion ldm/models/diffusion/{ddim,plms,ddpm}.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from torch import Tensor

from engine.ldm.sampling.multistep import ADAMS_BASHFORTH, weighted_sum
from engine.ldm.sampling.noise import from_vp, to_vp
from engine.ldm.sampling.protocol import Evaluation, Noise, Sampler, Steps

Hook = Callable[[Tensor, float], Tensor]


def unchanged(x_t: Tensor, sigma: float) -> Tensor:
    """The hook that does nothing."""
    return x_t


def ddim(
    x: Tensor,
    sigmas: Sequence[float],
    noise: Noise,
    eta: float = 0.0,
    before_step: Hook = unchanged,
    correct_x0: Callable[[Tensor], Tensor] | None = None,
) -> Steps:
    """Predict x0, then point back to the next noise level: DDIM eq. 12; eta 0 is deterministic, 1 is DDPM (eq. 16).

    `correct_x0` (LDM's `quantize_x0`) changes the predicted x0, but not the noise direction found with it.
    """
    x_t = to_vp(x, sigmas[0])
    for i, (sigma, sigma_next) in enumerate(pairwise(sigmas)):
        x_t = before_step(x_t, sigma)
        x = from_vp(x_t, sigma)
        x0 = yield Evaluation(x, sigma, i)
        eps = (x - x0) / sigma
        if correct_x0 is not None:
            x0 = correct_x0(x0)
        abar, abar_next = _abar(sigma), _abar(sigma_next)
        spread = eta * math.sqrt((1 - abar_next) / (1 - abar) * max(1 - abar / abar_next, 0.0))
        x_t = x0 * math.sqrt(abar_next) + eps * math.sqrt(max(1 - abar_next - spread**2, 0.0))
        if spread:
            x_t = x_t + noise() * spread
    return from_vp(x_t, sigmas[-1])


def plms(x: Tensor, sigmas: Sequence[float], noise: Noise, before_step: Hook = unchanged) -> Steps:
    """Extrapolate the last four eps: PNDM's pseudo linear multistep, its eq. 9 and 12; the first step asks twice."""
    x_t = to_vp(x, sigmas[0])
    history: list[Tensor] = []
    for i, (sigma, sigma_next) in enumerate(pairwise(sigmas)):
        x_t = before_step(x_t, sigma)
        x = from_vp(x_t, sigma)
        eps = (x - (yield Evaluation(x, sigma, i))) / sigma
        if not history and sigma_next:  # pseudo improved Euler
            ahead = x + eps * (sigma_next - sigma)
            eps_ahead = (ahead - (yield Evaluation(ahead, sigma_next, i))) / sigma_next
            blend = (eps + eps_ahead) / 2
        else:
            blend = weighted_sum([eps, *history], ADAMS_BASHFORTH[len(history)])
        history = [eps, *history[:2]]
        x_t = to_vp(x + blend * (sigma_next - sigma), sigma_next)
    return from_vp(x_t, sigmas[-1])


def ddpm(
    x: Tensor, sigmas: Sequence[float], noise: Noise, after_step: Hook = unchanged, v_posterior: float = 0.0
) -> Steps:
    """Draw from the posterior q(x_{t-1} | x_t, x0): DDPM algorithm 2, which with every step of the table is ancestral
    sampling. Eq. 7 for the mean, beta-tilde for the variance, no noise on the way to sigma 0.

    `v_posterior` is the share of beta itself in the variance (sec. 3.2 has both), as `NoiseSchedule.v_posterior`.
    """
    x_t = to_vp(x, sigmas[0])
    for i, (sigma, sigma_next) in enumerate(pairwise(sigmas)):
        x0 = yield Evaluation(from_vp(x_t, sigma), sigma, i)
        abar, abar_next = _abar(sigma), _abar(sigma_next)
        alpha = abar / abar_next
        mean_x0 = math.sqrt(abar_next) * (1 - alpha) / (1 - abar)
        mean_xt = math.sqrt(alpha) * (1 - abar_next) / (1 - abar)
        x_t = x0 * mean_x0 + x_t * mean_xt
        if sigma_next:
            tilde = (1 - alpha) * (1 - abar_next) / (1 - abar)
            x_t = x_t + noise() * math.sqrt((1 - v_posterior) * tilde + v_posterior * (1 - alpha))
        x_t = after_step(x_t, sigma)
    return from_vp(x_t, sigmas[-1])


@dataclass(frozen=True, eq=False)
class KeepKnown:
    """LDM's inpainting hook: x_t := q(x_t | x0) where mask is 1, with fresh noise each time. Note: 1 keeps.

    `Masked` is the other convention, of ComfyUI, where 1 repaints.

    x0: [B or 1, C, h, w]; mask: [B or 1, 1 or C, h, w] in [0, 1].
    Source: CompVis/latent-diffusion ldm/models/diffusion/ddim.py, ddim_sampling (before each step); ddpm.py,
    p_sample_loop (after).
    """

    x0: Tensor
    mask: Tensor
    noise: Noise

    def __call__(self, x_t: Tensor, sigma: float) -> Tensor:
        known = to_vp(self.x0 + self.noise() * sigma, sigma)
        return known * self.mask + x_t * (1 - self.mask)


def with_posterior(sampler: Sampler, v_posterior: float) -> Sampler:
    """DDPM with the variance that a model's schedule names; other samplers as they are."""
    return partial(ddpm, v_posterior=v_posterior) if sampler is ddpm else sampler


def _abar(sigma: float) -> float:
    return 1 / (1 + sigma**2)
