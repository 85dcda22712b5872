"""What the comparison measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.tradeoff.plan import Plan
from benchmarks.tradeoff.stages import Point


@dataclass(frozen=True)
class FirstStage:
    """What a factor's autoencoder costs and keeps: PSNR in dB and distance of the pictures it learnt from.

    `frechet` is of as many reconstructions as pictures are made. `numbers`: in a latent. f = 1 keeps all: its PSNR is
    infinite.
    """

    factor: int
    numbers: int
    parameters: int
    psnr: float
    frechet: float


@dataclass(frozen=True)
class Judged:
    """A point and the Frechet distance of what was made there to all pictures."""

    point: Point
    frechet: float


@dataclass(frozen=True)
class Outcome:
    """All that was measured; `floor` is the distance of as many true pictures to all of them."""

    plan: Plan
    pictures: int
    unet_parameters: int
    floor: float
    first_stages: Sequence[FirstStage]
    judged: Sequence[Judged]
