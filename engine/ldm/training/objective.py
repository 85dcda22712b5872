"""The training objective of the second stage: L_LDM = E |eps - eps_theta(z_t, t, tau(y))|, and its variants.

Source: Rombach et al. 2022 (arXiv:2112.10752), eq. 1-3; `p_losses` of CompVis/latent-diffusion,
ldm/models/diffusion/ddpm.py; the learned log variance and the variational weights are of the same file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from engine.ldm.config import LatentDiffusionConfig, LossType, Parameterization
from engine.ldm.schedules import NoiseSchedule


@dataclass(frozen=True)
class Losses:
    """`total` is what to minimise; the others are its parts, for the log.

    `simple`: the mean error; `gamma`: the mean of error / exp(logvar) + logvar; `vlb`: the mean error weighted by the
    variational bound.
    """

    total: Tensor
    simple: Tensor
    gamma: Tensor
    vlb: Tensor


@dataclass(frozen=True, eq=False)
class DiffusionObjective:
    """How a denoising network is trained.

    Args:
        schedule: Noise levels.
        parameterization: What the network predicts: the noise, the clean latent, or v.
        loss_type: Absolute ("l1") or squared ("l2") error.
        l_simple_weight: Weight of the simple loss.
        original_elbo_weight: Weight of the variational bound.
    """

    schedule: NoiseSchedule
    parameterization: Parameterization = "eps"
    loss_type: LossType = "l2"
    l_simple_weight: float = 1.0
    original_elbo_weight: float = 0.0

    @classmethod
    def of(cls, config: LatentDiffusionConfig) -> DiffusionObjective:
        """The objective a model's configuration names."""
        return cls(
            config.schedule(),
            config.parameterization,
            config.loss_type,
            config.l_simple_weight,
            config.original_elbo_weight,
        )

    @cached_property
    def vlb_weights(self) -> Tensor:
        """Weight of each timestep in the variational bound, [T] float32; all 1 for v (Stable Diffusion 2)."""
        if self.parameterization == "v":
            return torch.ones(self.schedule.timesteps)
        return self.schedule.lvlb_weights(self.parameterization).float()

    def target(self, x0: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        """What the network should predict at x_t, shaped like x0.

        v = sqrt(abar) eps - sqrt(1 - abar) x0: Salimans & Ho 2022 (arXiv:2202.00512), sec. 4.
        """
        match self.parameterization:
            case "eps":
                return noise
            case "x0":
                return x0
            case "v":
                # The same mixture with the roles exchanged: add_noise(eps, -x0).
                return self.schedule.add_noise(noise, t, -x0)

    def losses(self, prediction: Tensor, x0: Tensor, t: Tensor, noise: Tensor, logvar: Tensor | None = None) -> Losses:
        """Compare a prediction with its target.

        Args:
            prediction: [B, C, h, w], the network's answer to x_t = `schedule.add_noise(x0, t, noise)`.
            x0: [B, C, h, w], clean latents, scaled.
            t: [B] int64 in [0, T).
            noise: like x0, standard normal.
            logvar: [T], log variance of each timestep's error, learned or fixed; None is 0 everywhere.
        """
        difference = prediction - self.target(x0, t, noise)
        error = difference.abs() if self.loss_type == "l1" else difference.square()
        per_image = error.flatten(1).mean(dim=1)  # [B]
        logvar_t = torch.zeros_like(per_image) if logvar is None else logvar.to(per_image.device)[t]
        gamma = (per_image / logvar_t.exp() + logvar_t).mean()
        vlb = (self.vlb_weights.to(per_image.device)[t] * per_image).mean()
        total = self.l_simple_weight * gamma + self.original_elbo_weight * vlb
        return Losses(total, per_image.mean(), gamma, vlb)

    def step(
        self,
        predict: Callable[[Tensor, Tensor], Tensor],
        x0: Tensor,
        generator: torch.Generator | None = None,
        logvar: Tensor | None = None,
        t: Tensor | None = None,
    ) -> Losses:
        """Draw a timestep and noise for every image of a batch and return its losses (DDPM, algorithm 1).

        Args:
            predict: (x_t, t) -> prediction, the network with its condition.
            x0: [B, C, h, w], clean latents, scaled.
            generator: Source of t and noise, on the CPU, so that a run repeats on every device.
            logvar: As for `losses`.
            t: [B] int64, timesteps drawn by other rules than the uniform one.
        """
        if t is None:
            t = torch.randint(self.schedule.timesteps, (len(x0),), generator=generator)
        t = t.to(x0.device)
        noise = torch.randn(x0.shape, generator=generator, dtype=x0.dtype).to(x0.device)
        return self.losses(predict(self.schedule.add_noise(x0, t, noise), t), x0, t, noise, logvar)


def scale_from_std(latents: Tensor) -> float:
    """The scale factor that gives latents unit standard deviation, from a first batch [B, C, h, w].

    Source: Rombach et al. 2022, appendix G; `on_train_batch_start` of CompVis/latent-diffusion, ddpm.py.
    """
    return 1.0 / float(latents.flatten().std())
