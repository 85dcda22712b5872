"""Denoisers: (x, sigma) -> the clean latent, by asking a network; guidance and masking wrap them.

x is a latent plus sigma times noise; networks were trained on x / sqrt(sigma^2 + 1), which has unit variance.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import torch
from torch import Tensor

from engine.ldm.condition import Condition
from engine.ldm.sampling.protocol import Asking, Call, Calls, Denoiser, Network
from engine.ldm.schedules import NoiseSchedule


@dataclass(frozen=True, eq=False)
class NetworkDenoiser(ABC):
    """A network, the schedule it was trained on, and what it is told about the picture.

    The network is asked at the training step nearest to sigma.
    """

    network: Network
    schedule: NoiseSchedule
    condition: Condition = field(default_factory=Condition)

    def __call__(self, x: Tensor, sigma: float) -> Asking:
        (output,) = yield (self._call(x, sigma),)
        return self.denoised(x, output, sigma)

    def _call(self, x: Tensor, sigma: float) -> Call:
        scaled = x * (1 / math.sqrt(sigma**2 + 1))
        if (concat := self.condition.concat) is not None:
            scaled = torch.cat([scaled, concat.expand(x.shape[0], -1, -1, -1)], dim=1)  # [B, C + C_cond, h, w]
        return Call(self.network, scaled, self.schedule.timestep(sigma), self.condition.context, self.condition.y)

    @abstractmethod
    def denoised(self, x: Tensor, output: Tensor, sigma: float) -> Tensor:
        """Make the clean latent from what the network said."""


class EpsDenoiser(NetworkDenoiser):
    """For a network that predicts the noise (Ho et al. 2020, arXiv:2006.11239)."""

    def denoised(self, x: Tensor, output: Tensor, sigma: float) -> Tensor:
        return x - output * sigma


class VDenoiser(NetworkDenoiser):
    """For a network that predicts v = sqrt(abar) eps - sqrt(1 - abar) x0 (Salimans & Ho 2022, arXiv:2202.00512)."""

    def denoised(self, x: Tensor, output: Tensor, sigma: float) -> Tensor:
        return x / (sigma**2 + 1) - output * (sigma / math.sqrt(sigma**2 + 1))


class X0Denoiser(NetworkDenoiser):
    """For a network that predicts the clean latent itself."""

    def denoised(self, x: Tensor, output: Tensor, sigma: float) -> Tensor:
        return output


DENOISERS: Mapping[str, type[NetworkDenoiser]] = MappingProxyType(
    {"eps": EpsDenoiser, "v": VDenoiser, "x0": X0Denoiser}
)
"""By what a network predicts: `LatentDiffusionConfig.parameterization`."""


@dataclass(frozen=True, eq=False)
class Guided:
    """Classifier-free guidance: from the unconditional answer towards, and past, the conditional one.

    Both are asked at once, so they are two rows of one batch. At a scale of 1 only the conditional one is asked.

    Source: Ho & Salimans 2022 (arXiv:2207.12598), eq. 6, with cfg_scale = 1 + w.
    """

    conditional: Denoiser
    unconditional: Denoiser
    cfg_scale: float

    def __call__(self, x: Tensor, sigma: float) -> Asking:
        if math.isclose(self.cfg_scale, 1.0):
            return (yield from self.conditional(x, sigma))
        without, towards = yield from together(self.unconditional(x, sigma), self.conditional(x, sigma))
        return without + (towards - without) * self.cfg_scale


@dataclass(frozen=True, eq=False)
class Masked:
    """Repaint where `mask` is 1 and keep `latent` where it is 0; in between, blend.

    Before the network looks, the kept part is replaced by the latent noised to the same sigma; after, by the latent.

    mask: [B or 1, 1 or C, h, w] in [0, 1]. latent, noise: [B or 1, C, h, w].
    Source: Lugmayr et al. 2022 (arXiv:2201.09865), eq. 8, in the two-sided form of ComfyUI.
    """

    denoiser: Denoiser
    mask: Tensor
    latent: Tensor
    noise: Tensor

    def __call__(self, x: Tensor, sigma: float) -> Asking:
        kept = self.latent + self.noise * sigma
        denoised = yield from self.denoiser(x * self.mask + kept * (1 - self.mask), sigma)
        return denoised * self.mask + self.latent * (1 - self.mask)


@dataclass(frozen=True, eq=False)
class Corrected:
    """Passes the clean latent through a function: clamping to [-1, 1] in pixel space, snapping to a codebook."""

    denoiser: Denoiser
    correct: Callable[[Tensor], Tensor]

    def __call__(self, x: Tensor, sigma: float) -> Asking:
        return self.correct((yield from self.denoiser(x, sigma)))


def together(*askings: Asking) -> Generator[Calls, Sequence[Tensor], list[Tensor]]:
    """Run askings side by side, their calls yielded as one; returns their results in order."""
    results: dict[int, Tensor] = {}
    pending: dict[int, Calls] = {}

    def resume(i: int, outputs: Sequence[Tensor] | None) -> None:
        try:
            pending[i] = next(askings[i]) if outputs is None else askings[i].send(outputs)
        except StopIteration as finished:
            results[i] = finished.value

    for i in range(len(askings)):
        resume(i, None)
    while pending:
        asked = dict(pending)
        pending.clear()
        outputs = iter((yield tuple(call for calls in asked.values() for call in calls)))
        for i, calls in asked.items():
            resume(i, [next(outputs) for _ in calls])
    return [results[i] for i in range(len(askings))]
