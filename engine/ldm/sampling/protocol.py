"""What samplers, denoisers and the driver say to one another.

    sampler   -- Evaluation -->  denoiser  -- Call -->  driver  (one forward pass for many)
              <-- denoised ---             <-- output --

Samplers and denoisers are generators, so nothing below the driver ever runs a network.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import NamedTuple, Protocol

from torch import Tensor


class Evaluation(NamedTuple):
    """A sampler's question: which clean latent does x = latent + sigma * noise show?

    x: [B, C, h, w]. `step` counts the entries of the sigma list; solvers of second order ask twice in one step.
    """

    x: Tensor
    sigma: float
    step: int


Steps = Generator[Evaluation, Tensor, Tensor]
"""A sampler at work: yields evaluations, is sent denoised latents, returns the final x."""

Noise = Callable[[], Tensor]
"""Fresh standard normal noise in the latent's shape and on its device, another at each call."""


class Sampler(Protocol):
    """Takes x at sigmas[0] down to sigmas[-1]. `sigmas` fall; x [B, C, h, w] has any number of rows."""

    def __call__(self, x: Tensor, sigmas: Sequence[float], noise: Noise) -> Steps: ...


class Network(Protocol):
    """What is driven: a U-Net, or what stands in for it. Returns [B, C_out, h, w]."""

    def __call__(
        self, x: Tensor, timesteps: Tensor, context: Tensor | None = None, y: Tensor | None = None
    ) -> Tensor: ...


class Call(NamedTuple):
    """A denoiser's question to a network: x [B, C_in, h, w] at time t, `context` [B or 1, S, D], `y` [B or 1, *]."""

    network: Network
    x: Tensor
    t: float
    context: Tensor | None = None
    y: Tensor | None = None


Calls = tuple[Call, ...]
Asking = Generator[Calls, Sequence[Tensor], Tensor]
"""Yields calls that may be answered together, is sent one output for each, returns a latent."""


class Denoiser(Protocol):
    """Answers an evaluation: x [B, C, h, w] at sigma -> the clean latent, alike."""

    def __call__(self, x: Tensor, sigma: float) -> Asking: ...
