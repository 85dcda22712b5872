"""What travels along edges: immutable values whose shapes are checked when they are made.

A value holds tensors, and nobody changes a tensor in place: a cache and several consumers share it. Nodes name these
classes in their signatures, so this module is imported to describe a graph and must not import torch when it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from engine.errors import InputProblem

if TYPE_CHECKING:
    from torch import Tensor


def _check(tensor: Tensor, what: str, *dims: str) -> None:
    if tensor.ndim != len(dims):
        raise InputProblem(f"{what} wants a tensor [{', '.join(dims)}], got shape {list(tensor.shape)}")


@dataclass(frozen=True, eq=False)
class Image:
    """Pictures. `pixels`: [B, H, W, C] float32 in [0, 1], C = 3 or 4 (alpha last)."""

    port: ClassVar[str] = "IMAGE"
    pixels: Tensor

    def __post_init__(self) -> None:
        _check(self.pixels, "an image", "B", "H", "W", "C")
        if self.pixels.shape[-1] not in (3, 4):
            raise InputProblem(f"an image has 3 or 4 channels, got shape {list(self.pixels.shape)}")

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the pixels, to be shown."""
        return tuple(self.pixels.shape)


@dataclass(frozen=True, eq=False)
class Mask:
    """`values`: [B, H, W] float32 in [0, 1]; 1 = repaint, 0 = keep."""

    port: ClassVar[str] = "MASK"
    values: Tensor

    def __post_init__(self) -> None:
        _check(self.values, "a mask", "B", "H", "W")

    @property
    def shape(self) -> tuple[int, ...]:
        """To be shown."""
        return tuple(self.values.shape)


@dataclass(frozen=True, eq=False)
class Latent:
    """Latents as the autoencoder writes them, not multiplied by the model's scale factor.

    `samples`: [B, C, H/f, W/f] float32. `noise_mask`: [B or 1, H, W] of any size, 1 = repaint; resized by the sampler.
    `batch_index`: which noise of a larger batch each sample takes, so that one picture of a batch can be made again.
    """

    port: ClassVar[str] = "LATENT"
    samples: Tensor
    noise_mask: Tensor | None = None
    batch_index: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        _check(self.samples, "a latent", "B", "C", "H/f", "W/f")
        if self.noise_mask is not None:
            _check(self.noise_mask, "a latent's noise mask", "B", "H", "W")

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the samples, to be shown."""
        return tuple(self.samples.shape)


@dataclass(frozen=True, eq=False)
class ConditioningPart:
    """One condition, in the places a network takes it, and where, when and how strongly it counts.

    `context`: [1 or B, S, D] for cross-attention. `concat`: [1 or B, C, H/f, W/f] beside the latent. `y`: [1 or B]
    classes or [1 or B, D]. `strength` weighs the part against others. `area`: (height, width, y, x) in pixels.
    `mask`: [1 or B, H, W] of any size, in [0, 1]. `start`, `end`: shares of the sampling, 0 is pure noise.
    """

    context: Tensor | None = None
    concat: Tensor | None = None
    y: Tensor | None = None
    strength: float = 1.0
    area: tuple[int, int, int, int] | None = None
    mask: Tensor | None = None
    start: float = 0.0
    end: float = 1.0

    def __post_init__(self) -> None:
        if self.context is not None:
            _check(self.context, "a context", "B", "S", "D")
        if self.concat is not None:
            _check(self.concat, "a concatenated condition", "B", "C", "H/f", "W/f")


@dataclass(frozen=True, eq=False)
class Conditioning:
    """What to make: one or more parts, whose predictions are averaged by strength."""

    port: ClassVar[str] = "CONDITIONING"
    parts: tuple[ConditioningPart, ...]

    def __post_init__(self) -> None:
        if not self.parts:
            raise InputProblem("a conditioning needs at least one part, this one has no parts")

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the first context, to be shown; () without one."""
        return next((tuple(part.context.shape) for part in self.parts if part.context is not None), ())


@dataclass(frozen=True, eq=False)
class Sigmas:
    """Noise levels of a sampling, highest first, usually ending in 0. `values`: [steps + 1]."""

    port: ClassVar[str] = "SIGMAS"
    values: Tensor

    def __post_init__(self) -> None:
        _check(self.values, "sigmas", "steps + 1")

    @property
    def shape(self) -> tuple[int, ...]:
        """To be shown."""
        return tuple(self.values.shape)


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """Latents with their captions, what the second stage learns from.

    `mean`, `std`: [N, C, h, w], the autoencoder's q(z|x) of each picture; `captions[i]` are the texts of picture i, the
    first its name; `groups[i]` its group or "". `pixels`: [N, 3, H, W] uint8, the pictures themselves, where the model
    is to be told of them. `boxes[i]`: for scenes, what is where: (category, x, y, width, height), the last four as
    shares of the picture; `categories`: their names.
    """

    port: ClassVar[str] = "TRAINING_SET"
    mean: Tensor
    std: Tensor
    captions: tuple[tuple[str, ...], ...]
    groups: tuple[str, ...]
    pixels: Tensor | None = None
    boxes: tuple[tuple[tuple[int, float, float, float, float], ...], ...] = ()
    categories: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check(self.mean, "a training set's mean", "N", "C", "h", "w")
        if not len(self.mean) == len(self.std) == len(self.captions) == len(self.groups):
            raise InputProblem("a training set needs one mean, std, caption list and group for each picture")

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the latents, to be shown."""
        return tuple(self.mean.shape)
