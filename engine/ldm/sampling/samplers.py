"""Samplers in sigma space: x = latent + sigma * noise, from the first sigma down to the last.

d = (x - denoised) / sigma is the slope dx/dsigma of the probability-flow ODE. The names are k-diffusion's.

Sources: EDM = Karras et al. 2022 (arXiv:2206.00364), DPM = Lu et al. 2022 (arXiv:2206.00927), DPM++ = Lu et al. 2022
(arXiv:2211.01095), and k-diffusion `sampling.py` for the ancestral forms.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType

import torch
from torch import Tensor

from engine.ldm.sampling.ancestral import ancestral_step
from engine.ldm.sampling.multistep import adams_weights, weighted_sum
from engine.ldm.sampling.protocol import Evaluation, Noise, Sampler, Steps
from engine.ldm.sampling.vp import ddim, ddpm, plms


def euler(x: Tensor, sigmas: Sequence[float], noise: Noise) -> Steps:
    """Follow the slope: EDM algorithm 1 without its second-order correction; DDIM with eta 0."""
    for i, (sigma, sigma_next) in enumerate(pairwise(sigmas)):
        denoised = yield Evaluation(x, sigma, i)
        x = x + (x - denoised) * ((sigma_next - sigma) / sigma)
    return x


def euler_ancestral(x: Tensor, sigmas: Sequence[float], noise: Noise, eta: float = 1.0) -> Steps:
    """Euler to a lower sigma, then noise back up to the next one; DDIM with this eta, DDPM with eta 1."""
    for i, (sigma, sigma_next) in enumerate(pairwise(sigmas)):
        denoised = yield Evaluation(x, sigma, i)
        down, up = ancestral_step(sigma, sigma_next, eta)
        x = x + (x - denoised) * ((down - sigma) / sigma)
        if up:
            x = x + noise() * up
    return x


def heun(x: Tensor, sigmas: Sequence[float], noise: Noise) -> Steps:
    """Average the slopes at both ends of the step: EDM algorithm 1."""
    for i, (sigma, sigma_next) in enumerate(pairwise(sigmas)):
        d = (x - (yield Evaluation(x, sigma, i))) / sigma
        x_next = x + d * (sigma_next - sigma)
        if sigma_next:
            d_next = (x_next - (yield Evaluation(x_next, sigma_next, i))) / sigma_next
            x_next = x + (d + d_next) * ((sigma_next - sigma) / 2)
        x = x_next
    return x


def dpm_2(x: Tensor, sigmas: Sequence[float], noise: Noise) -> Steps:
    """Take the slope at the step's geometric midpoint: DPM-Solver-2, DPM algorithm 1 with r1 = 1/2."""
    return (yield from dpm_2_ancestral(x, sigmas, noise, eta=0.0))


def dpm_2_ancestral(x: Tensor, sigmas: Sequence[float], noise: Noise, eta: float = 1.0) -> Steps:
    """DPM-Solver-2 to a lower sigma, then noise back up."""
    for i, (sigma, sigma_next) in enumerate(pairwise(sigmas)):
        d = (x - (yield Evaluation(x, sigma, i))) / sigma
        down, up = ancestral_step(sigma, sigma_next, eta)
        if down:
            middle = math.sqrt(sigma * down)
            x_middle = x + d * (middle - sigma)
            d = (x_middle - (yield Evaluation(x_middle, middle, i))) / middle
        x = x + d * (down - sigma)
        if up:
            x = x + noise() * up
    return x


def lms(x: Tensor, sigmas: Sequence[float], noise: Noise, order: int = 4) -> Steps:
    """Extrapolate the last four slopes: linear multistep (Adams-Bashforth with uneven steps)."""
    slopes: list[Tensor] = []
    for i, (sigma, sigma_next) in enumerate(pairwise(sigmas)):
        denoised = yield Evaluation(x, sigma, i)
        slopes = [(x - denoised) / sigma, *slopes[: order - 1]]
        if not sigma_next:
            return denoised
        nodes = [sigmas[i - j] for j in range(len(slopes))]
        x = x + weighted_sum(slopes, adams_weights(nodes, sigma, sigma_next))
    return x


def dpmpp_2s_ancestral(x: Tensor, sigmas: Sequence[float], noise: Noise, eta: float = 1.0) -> Steps:
    """DPM-Solver++(2S) to a lower sigma, then noise back up: DPM++ algorithm 1 with r = 1/2."""
    for i, (sigma, sigma_next) in enumerate(pairwise(sigmas)):
        denoised = yield Evaluation(x, sigma, i)
        down, up = ancestral_step(sigma, sigma_next, eta)
        if down:
            middle = math.sqrt(sigma * down)
            x_middle = torch.lerp(denoised, x, middle / sigma)
            denoised = yield Evaluation(x_middle, middle, i)
        x = torch.lerp(denoised, x, down / sigma)
        if up:
            x = x + noise() * up
    return x


def dpmpp_2m(x: Tensor, sigmas: Sequence[float], noise: Noise) -> Steps:
    """Extrapolate the last two denoised latents: DPM-Solver++(2M), DPM++ algorithm 2, with h = log(sigma / sigma')."""
    previous, h_previous = None, math.inf
    for i, (sigma, sigma_next) in enumerate(pairwise(sigmas)):
        denoised = yield Evaluation(x, sigma, i)
        h = math.log(sigma / sigma_next) if sigma_next else math.inf
        target = denoised
        if previous is not None and sigma_next:
            target = denoised + (denoised - previous) * (h / h_previous / 2)
        x = torch.lerp(target, x, sigma_next / sigma)
        previous, h_previous = denoised, h
    return x


SAMPLERS: Mapping[str, Sampler] = MappingProxyType(
    {
        "euler": euler,
        "euler_ancestral": euler_ancestral,
        "heun": heun,
        "dpm_2": dpm_2,
        "dpm_2_ancestral": dpm_2_ancestral,
        "lms": lms,
        "dpmpp_2s_ancestral": dpmpp_2s_ancestral,
        "dpmpp_2m": dpmpp_2m,
        "ddim": ddim,
        "plms": plms,
        "ddpm": ddpm,
    }
)
