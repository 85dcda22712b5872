"""Noise schedules: how much of a latent is left at each of the T training steps.

A `NoiseSchedule` is the table of betas and what follows from it. The forward process mixes a clean latent x0 with
noise,

    x_t = sqrt(abar_t) x0 + sqrt(1 - abar_t) eps,        abar_t = prod_{s <= t} (1 - beta_s),

and the samplers see the same thing divided by sqrt(abar_t): x = x0 + sigma eps, sigma_t = sqrt((1 - abar_t) / abar_t).
Tables are float64 on the CPU; whoever needs them elsewhere converts.

Sources: DDPM = Ho et al. 2020 (arXiv:2006.11239), DDIM = Song et al. 2020 (arXiv:2010.02502), iDDPM = Nichol & Dhariwal
2021 (arXiv:2102.09672), LDM = CompVis/latent-diffusion, files named where used.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor

from engine.errors import InputProblem

BetaScheduleName = Literal["linear", "cosine", "sqrt_linear", "sqrt"]
GridName = Literal["uniform", "quad", "exact"]


def beta_schedule(
    name: BetaScheduleName = "linear",
    timesteps: int = 1000,
    linear_start: float = 1e-4,
    linear_end: float = 2e-2,
    cosine_s: float = 8e-3,
) -> Tensor:
    """Make the betas of a named schedule, [timesteps] float64.

    "linear" is linear in sqrt(beta), as LDM has it; "sqrt_linear" is linear in beta (DDPM); "sqrt" is the square root
    of that; "cosine" is iDDPM eq. 17 with betas at most 0.999.

    Source: LDM ldm/modules/diffusionmodules/util.py, make_beta_schedule.
    """
    match name:
        case "linear":
            ends = math.sqrt(linear_start), math.sqrt(linear_end)
            return torch.linspace(*ends, timesteps, dtype=torch.float64).square()
        case "sqrt_linear":
            return torch.linspace(linear_start, linear_end, timesteps, dtype=torch.float64)
        case "sqrt":
            return torch.linspace(linear_start, linear_end, timesteps, dtype=torch.float64).sqrt()
        case "cosine":
            time = torch.arange(timesteps + 1, dtype=torch.float64) / timesteps + cosine_s
            alphas_cumprod = torch.cos(time / (1 + cosine_s) * math.pi / 2).square()
            return (1 - alphas_cumprod[1:] / alphas_cumprod[:-1]).clamp(0, 0.999)


@dataclass(frozen=True, eq=False)
class NoiseSchedule:
    """The noise levels a network was trained on.

    betas: [T] float64, each in (0, 1).
    v_posterior: share of beta_t in the variance of the reverse step; 0 is DDPM's beta-tilde, 1 is beta itself.
    """

    betas: Tensor
    v_posterior: float = 0.0

    @classmethod
    def named(
        cls,
        name: BetaScheduleName = "linear",
        timesteps: int = 1000,
        linear_start: float = 1e-4,
        linear_end: float = 2e-2,
        cosine_s: float = 8e-3,
    ) -> NoiseSchedule:
        """Make the schedule of a model's configuration (arguments as `beta_schedule`)."""
        return cls(beta_schedule(name, timesteps, linear_start, linear_end, cosine_s))

    @property
    def timesteps(self) -> int:
        return len(self.betas)

    @cached_property
    def alphas_cumprod(self) -> Tensor:
        """abar_t, [T]."""
        return torch.cumprod(1 - self.betas, dim=0)

    @cached_property
    def alphas_cumprod_prev(self) -> Tensor:
        """abar_{t-1}, [T]; 1 before the first step."""
        return torch.cat([torch.ones_like(self.betas[:1]), self.alphas_cumprod[:-1]])

    # The reverse step q(x_{t-1} | x_t, x0), DDPM eq. 6 and 7.

    @cached_property
    def posterior_variance(self) -> Tensor:
        """Variance of q(x_{t-1} | x_t, x0), [T]; 0 at t = 0."""
        tilde = self.betas * (1 - self.alphas_cumprod_prev) / (1 - self.alphas_cumprod)
        return (1 - self.v_posterior) * tilde + self.v_posterior * self.betas

    @cached_property
    def posterior_log_variance_clipped(self) -> Tensor:
        """Its logarithm, kept finite at t = 0 by a floor of 1e-20 (LDM ddpm.py, register_schedule)."""
        return self.posterior_variance.clamp(min=1e-20).log()

    @cached_property
    def posterior_mean_coef1(self) -> Tensor:
        """Weight of x0 in the mean of q(x_{t-1} | x_t, x0), [T]."""
        return self.betas * self.alphas_cumprod_prev.sqrt() / (1 - self.alphas_cumprod)

    @cached_property
    def posterior_mean_coef2(self) -> Tensor:
        """Weight of x_t in the same mean, [T]."""
        return (1 - self.alphas_cumprod_prev) * (1 - self.betas).sqrt() / (1 - self.alphas_cumprod)

    def lvlb_weights(self, parameterization: Literal["eps", "x0"] = "eps") -> Tensor:
        """Weights that turn the simple loss into the variational bound, [T].

        The first, which diverges, repeats the second.

        Source: LDM ldm/models/diffusion/ddpm.py, register_schedule. For "x0" the original takes abar where the bound
        has other factors; kept, since its logged values are what one compares with.
        """
        alphas, abar = 1 - self.betas, self.alphas_cumprod
        if parameterization == "eps":
            weights = self.betas.square() / (2 * self.posterior_variance * alphas * (1 - abar))
        else:
            weights = 0.5 * abar.sqrt() / (2 - abar)
        return torch.cat([weights[1:2], weights[1:]])

    # Time and sigma.

    @cached_property
    def sigmas(self) -> tuple[float, ...]:
        """sigma_t for t = 0 ... T-1, rising."""
        return tuple(float(sigma) for sigma in ((1 - self.alphas_cumprod) / self.alphas_cumprod).sqrt())

    @cached_property
    def log_sigmas(self) -> tuple[float, ...]:
        return tuple(math.log(sigma) for sigma in self.sigmas)

    @property
    def sigma_min(self) -> float:
        return self.sigmas[0]

    @property
    def sigma_max(self) -> float:
        return self.sigmas[-1]

    def sigma(self, t: float) -> float:
        """Find the sigma at a time that may lie between steps: linear in log sigma, t held to [0, T-1].

        Source: k-diffusion external.py, DiscreteSchedule.t_to_sigma (Karras et al. 2022, arXiv:2206.00364).
        """
        t = min(max(t, 0.0), self.timesteps - 1.0)
        below = math.floor(t)
        above = math.ceil(t)
        part = t - below
        return math.exp((1 - part) * self.log_sigmas[below] + part * self.log_sigmas[above])

    def timestep(self, sigma: float) -> int:
        """Find the training step whose log sigma is nearest; half-way between two it is the later one.

        Half-way happens: "sgm_uniform" with an even count of steps visits t = 499.5, where ComfyUI also goes to 500.

        Source: k-diffusion external.py, DiscreteSchedule.sigma_to_t with quantize.
        """
        if sigma <= self.sigmas[0]:
            return 0
        above = bisect_left(self.sigmas, sigma)
        if above == self.timesteps:
            return above - 1
        low, high = self.log_sigmas[above - 1], self.log_sigmas[above]
        # 0.5 within what exp and log lose
        return above - 1 if (math.log(sigma) - low) / (high - low) < 0.5 - 1e-9 else above

    # The forward process.

    def add_noise(self, x0: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        """Noise clean latents to step t: sqrt(abar_t) x0 + sqrt(1 - abar_t) noise.

        Args:
            x0: [B, *].
            t: [B] int64 in [0, T-1].
            noise: like x0, standard normal.

        Source: DDPM eq. 4.
        """
        abar = self.alphas_cumprod.to(t.device)[t]
        signal, spread = (_per_row(root, x0) for root in (abar.sqrt(), (1 - abar).sqrt()))
        return signal * x0 + spread * noise

    def posterior(self, x0: Tensor, x_t: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """Mean (like x0) and log variance ([B, 1, ...]) of q(x_{t-1} | x_t, x0); arguments as `add_noise`.

        Source: DDPM eq. 6 and 7.
        """
        coef1, coef2, log_variance = (
            _per_row(table.to(t.device)[t], x0)
            for table in (self.posterior_mean_coef1, self.posterior_mean_coef2, self.posterior_log_variance_clipped)
        )
        return coef1 * x0 + coef2 * x_t, log_variance

    def buffers(self) -> dict[str, Tensor]:
        """Make the twelve float32 tables that LDM checkpoints carry, under their names there."""
        abar = self.alphas_cumprod
        tables = {
            "betas": self.betas,
            "alphas_cumprod": abar,
            "alphas_cumprod_prev": self.alphas_cumprod_prev,
            "sqrt_alphas_cumprod": abar.sqrt(),
            "sqrt_one_minus_alphas_cumprod": (1 - abar).sqrt(),
            "log_one_minus_alphas_cumprod": (1 - abar).log(),
            "sqrt_recip_alphas_cumprod": (1 / abar).sqrt(),
            "sqrt_recipm1_alphas_cumprod": (1 / abar - 1).sqrt(),
            "posterior_variance": self.posterior_variance,
            "posterior_log_variance_clipped": self.posterior_log_variance_clipped,
            "posterior_mean_coef1": self.posterior_mean_coef1,
            "posterior_mean_coef2": self.posterior_mean_coef2,
        }
        return {name: table.float() for name, table in tables.items()}


def ddim_timesteps(steps: int, timesteps: int = 1000, grid: GridName = "uniform") -> list[int]:
    """Choose the training steps that DDIM visits, rising.

    "uniform" and "quad" are LDM's (ldm/modules/diffusionmodules/util.py, make_ddim_timesteps). "uniform" strides by
    timesteps // steps, so a count that does not divide `timesteps` comes out larger than asked (45 of 1000 gives 46).
    For 300, 333, 999 or 1000 of 1000 the original runs off the end of its table; here the one step beyond it is left
    out. "exact" always gives `steps` of them, and LDM's where `steps` divides `timesteps` (except all: from 0).
    """
    if not 1 <= steps <= timesteps:
        raise InputProblem(f"{steps} steps asked of a model trained on {timesteps}; use 1 to {timesteps}.", "steps")
    match grid:
        case "uniform":
            chosen = [t + 1 for t in range(0, timesteps, timesteps // steps)]
        case "quad":
            stride = math.sqrt(timesteps * 0.8) / max(steps - 1, 1)
            chosen = [int((i * stride) ** 2) + 1 for i in range(steps)]
        case "exact":
            chosen = [i * timesteps // steps + (1 if steps < timesteps else 0) for i in range(steps)]
    return [t for t in chosen if t < timesteps]


def _per_row(values: Tensor, like: Tensor) -> Tensor:
    """Shape one number per row to multiply `like`: [B] -> [B, 1, ...] in its dtype."""
    return values.to(like.dtype).reshape(-1, *[1] * (like.ndim - 1))
