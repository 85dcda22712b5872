"""Second stage: learn to denoise latents, with the conditioner trained along (L_LDM).

Source: Rombach et al. 2022 (arXiv:2112.10752), eq. 2 and 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace

import torch
from torch import Tensor, nn

from engine.ldm.condition import Condition
from engine.ldm.latent_diffusion import DiffusionWrapper
from engine.ldm.training.conditions import Conditions
from engine.ldm.training.objective import DiffusionObjective


class Learner(nn.Module):
    """What the second stage trains: the U-Net, the conditioner where there is one, and so the variances."""

    def __init__(self, model: DiffusionWrapper, conditioner: nn.Module | None, logvar: nn.Parameter | None) -> None:
        super().__init__()
        self.model = model
        self.conditioner = conditioner
        self.logvar = logvar


class DiffusionTask:
    """Denoise latents of pictures, told the condition of each.

    Args:
        model: The U-Net, trained in place.
        conditions: What the U-Net is told; their conditioner is trained along.
        mean, std: [N, C, h, w], the first stage's q(z|x) of each picture, unscaled; a fresh z is drawn at each visit.
        scale_factor: Gives latents unit standard deviation.
        objective: Schedule, target and norm.
        crop: Cells of a side to learn from at a time, at a random place; 0 takes all. What lies beside the latent is
            cut with it, so it must have the latent's size.
        high_noise: Share of each batch whose timestep is drawn from the noisiest two fifths alone, where the caption
            and not the latent decides what the picture is. 0 is the paper's uniform draw.
        part: What to train instead of the whole model: something that the model or its conditioner calls while it
            answers. The rest stays as it is.
        logvar: [T], log variance of each timestep's error, learned along.
        mixed_precision: Compute in bfloat16 on a GPU; weights and loss stay float32. Elsewhere it changes nothing.
    """

    def __init__(
        self,
        model: DiffusionWrapper,
        conditions: Conditions,
        mean: Tensor,
        std: Tensor,
        scale_factor: float,
        objective: DiffusionObjective,
        high_noise: float = 0.0,
        crop: int = 0,
        part: nn.Module | None = None,
        logvar: nn.Parameter | None = None,
        mixed_precision: bool = False,
    ) -> None:
        self.module: nn.Module = Learner(model, conditions.conditioner, logvar) if part is None else part
        self._model, self._logvar, self._mixed_precision = model, logvar, mixed_precision
        self.mean = mean * scale_factor
        self.std = std * scale_factor
        self.conditions = conditions
        self.objective = objective
        self.high_noise = high_noise
        self.crop = crop

    @property
    def rows(self) -> int:
        return len(self.mean)

    def loss(self, indices: Tensor, draw: torch.Generator) -> Mapping[str, Tensor]:
        mean, std = self.mean[indices], self.std[indices]
        z = mean + std * torch.randn(mean.shape, generator=draw)
        device = next(self.module.parameters()).device
        mixed = self._mixed_precision and device.type == "cuda"
        with torch.autocast(device.type, torch.bfloat16) if mixed else nullcontext():
            return self._loss(z.to(device), self.conditions.draw(indices, draw).to(device), draw)

    def _loss(self, z: Tensor, condition: Condition, draw: torch.Generator) -> Mapping[str, Tensor]:
        if self.crop:
            z, condition = _cut(z, condition, self.crop, draw)
        t = self._timesteps(len(z), draw)
        losses = self.objective.step(lambda x, t: self._model(x, t, condition), z, draw, self._logvar, t)
        return {"loss": losses.total, "simple": losses.simple}

    def _timesteps(self, rows: int, draw: torch.Generator) -> Tensor:
        total = self.objective.schedule.timesteps
        lowest = torch.where(torch.rand(rows, generator=draw) < self.high_noise, total * 3 // 5, 0)
        return lowest + (torch.rand(rows, generator=draw) * (total - lowest)).long()


def _cut(z: Tensor, condition: Condition, side: int, draw: torch.Generator) -> tuple[Tensor, Condition]:
    """The same random square of `side` cells of a latent and of what lies beside it."""
    top, left = (int(torch.randint(size - side + 1, (1,), generator=draw)) for size in z.shape[2:])
    window = (..., slice(top, top + side), slice(left, left + side))
    concat = None if condition.concat is None else condition.concat[window]
    return z[window], replace(condition, concat=concat)
