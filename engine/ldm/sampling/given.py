"""Sampling from noise that is given instead of drawn, to repeat exactly what another program made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from engine.errors import InputProblem
from engine.ldm.sampling.drive import OnStep, Sampling, sampling
from engine.ldm.sampling.noise import from_vp, to_vp
from engine.ldm.sampling.protocol import Denoiser, Sampler
from engine.ldm.sampling.vp import ddim


@dataclass(frozen=True, eq=False)
class GivenNoise:
    """Recorded noise, standard normal.

    start: [B, C, h, w], where sampling begins: the papers' x_T. later: [S * B, C, h, w], what a stochastic sampler
    adds, the B rows of its first draw, then those of its second; None where it draws nothing.
    """

    start: Tensor
    later: Tensor | None = None

    def begin(
        self,
        denoiser: Denoiser,
        sigmas: Sequence[float],
        sampler: Sampler,
        device: torch.device,
        on_step: OnStep | None = None,
    ) -> Sampling:
        """Prepare a sampling as LDM's scripts do it: from pure noise of unit variance, whatever the first sigma.

        Raises:
            InputProblem: while it runs, the sampler wants more noise than there is.
        """
        x_t = self.start.to(device)
        if len(sigmas) < 2:
            return x_t
        later = x_t[:0] if self.later is None else self.later.to(x_t)
        later = later.reshape(len(later) // len(x_t), *x_t.shape)  # [S, B, C, h, w]
        draws = (later[i] for i in range(len(later)))

        def noise() -> Tensor:
            drawn = next(draws, None)
            if drawn is None:
                raise InputProblem(
                    f"the sampler adds noise more often than the {len(later)} times it is given; connect "
                    "one latent for each step and picture, or choose a sampler that adds none",
                    "step_noise",
                )
            return drawn

        result = yield from sampling(sampler(from_vp(x_t, sigmas[0]), sigmas, noise), denoiser, on_step)
        return to_vp(result, sigmas[-1])


def with_eta(sampler: Sampler, eta: float) -> Sampler:
    """DDIM with this share of DDPM's noise (its eq. 16); other samplers as they are."""
    return partial(ddim, eta=eta) if sampler is ddim else sampler
