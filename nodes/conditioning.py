"""Combine conditioning, and lay pictures and masks beside the noise."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from engine.errors import InputProblem
from engine.node import Fraction, Step, node
from engine.values import Conditioning, Image, Latent, Mask

if TYPE_CHECKING:
    from torch import Tensor

Strength = Annotated[float, Field(ge=0, le=10), Step(0.01)]
AreaSide = Annotated[int, Field(ge=64, le=16384, multiple_of=8)]
AreaPlace = Annotated[int, Field(ge=0, le=16384, multiple_of=8)]


def _words(conditioning: Conditioning, input: str) -> Tensor:
    """The first part's context [B, S, D], where every part has one."""
    context = conditioning.parts[0].context
    if context is None or any(part.context is None for part in conditioning.parts):
        raise InputProblem(f"{input} holds no words; connect Encode Text", input)
    return context


@node(category="conditioning")
def ConcatCondition(
    conditioning: Conditioning, latent: Latent | None = None, image: Image | None = None, mask: Mask | None = None
) -> Conditioning:
    """Lay a latent, a small picture or a mask beside the noise, for models that were trained with them.

    They are stacked in the order latent, picture, mask. Super-resolution models take the small picture; inpainting
    models the latent of the picture with its hole blackened, and the mask of the hole.

    Args:
        conditioning: What to add to; an empty prompt where the model takes no words.
        latent: A picture's latent, in the size of the one to sample.
        image: A picture whose pixels are as many as the latent's cells.
        mask: 1 where to paint; resized to the others by nearest neighbour.
    """
    import torch
    import torch.nn.functional as F

    planes = [] if latent is None else [latent.samples]
    if image is not None:
        planes.append(image.pixels[..., :3].movedim(-1, 1) * 2 - 1)
    if mask is not None:
        hole = mask.values[:, None].ge(0.5).float() * 2 - 1  # [B, 1, H, W]
        planes.append(F.interpolate(hole, size=planes[0].shape[2:]) if planes else hole)
    if not planes:
        raise InputProblem("nothing to concatenate; connect a latent, an image or a mask", "latent")
    sides = {tuple(plane.shape[2:]) for plane in planes}
    if len(sides) > 1:
        raise InputProblem(f"latent and image differ in size: {sorted(sides)}; resize the image to the latent", "image")
    rows = max(map(len, planes))
    if {len(plane) for plane in planes} - {1, rows}:
        raise InputProblem(
            f"batches of {' and '.join(str(len(plane)) for plane in planes)} do not go together; give one for all, or "
            "one for each",
        )
    concat = torch.cat([plane.expand(rows, -1, -1, -1) for plane in planes], dim=1)  # [B, C, h, w]
    return Conditioning(tuple(replace(part, concat=concat) for part in conditioning.parts))


@node(category="conditioning", title="Conditioning (Combine)")
def ConditioningCombine(conditioning_1: Conditioning, conditioning_2: Conditioning) -> Conditioning:
    """Follow two prompts at once: what the model says to each is averaged at every step.

    Args:
        conditioning_1: The first.
        conditioning_2: The second.
    """
    return Conditioning(conditioning_1.parts + conditioning_2.parts)


@node(category="conditioning", title="Conditioning (Strength)")
def ConditioningSetStrength(conditioning: Conditioning, strength: Strength = 1.0) -> Conditioning:
    """Weigh a prompt against those it is combined with.

    Args:
        conditioning: The prompt.
        strength: Its weight; 1 is as much as any other.
    """
    return Conditioning(tuple(replace(part, strength=strength) for part in conditioning.parts))


@node(category="conditioning", title="Conditioning (Set Area)")
def ConditioningSetArea(
    conditioning: Conditioning,
    width: AreaSide = 64,
    height: AreaSide = 64,
    x: AreaPlace = 0,
    y: AreaPlace = 0,
    strength: Strength = 1.0,
) -> Conditioning:
    """Follow a prompt only inside a rectangle, fading at its edges.

    Args:
        conditioning: The prompt.
        width: Width of the rectangle in pixels.
        height: Height of the rectangle in pixels.
        x: Left edge in pixels.
        y: Upper edge in pixels.
        strength: Weight against other prompts that cover the same place.
    """
    area = (height, width, y, x)
    return Conditioning(tuple(replace(part, area=area, strength=strength) for part in conditioning.parts))


@node(category="conditioning", title="Conditioning (Set Mask)")
def ConditioningSetMask(conditioning: Conditioning, mask: Mask, strength: Strength = 1.0) -> Conditioning:
    """Follow a prompt only where a mask is 1.

    Args:
        conditioning: The prompt.
        mask: Where it counts, and how much.
        strength: Weight against other prompts that cover the same place.
    """
    return Conditioning(tuple(replace(part, mask=mask.values, strength=strength) for part in conditioning.parts))


@node(category="advanced/conditioning")
def ConditioningSetTimestepRange(
    conditioning: Conditioning, start: Fraction = 0.0, end: Fraction = 1.0
) -> Conditioning:
    """Follow a prompt only for a part of the sampling.

    Args:
        conditioning: The prompt.
        start: Share of the sampling at which it begins; 0 is pure noise.
        end: Share at which it ends; 1 is the finished picture.
    """
    return Conditioning(tuple(replace(part, start=start, end=end) for part in conditioning.parts))


@node(category="conditioning", title="Conditioning (Concat)")
def ConditioningConcat(conditioning_to: Conditioning, conditioning_from: Conditioning) -> Conditioning:
    """Append the words of one prompt to those of another.

    Args:
        conditioning_to: What to append to.
        conditioning_from: What to append; its first part is taken.
    """
    import torch

    more = _words_to_join(conditioning_to, conditioning_from)
    parts = tuple(
        replace(part, context=torch.cat([part.context, more], dim=1))
        for part in conditioning_to.parts
        if part.context is not None
    )
    return Conditioning(parts)


@node(category="advanced/conditioning")
def ConditioningZeroOut(conditioning: Conditioning) -> Conditioning:
    """Replace all numbers of a prompt by zeros, which some models use for "nothing".

    Args:
        conditioning: The prompt to empty.
    """
    parts = tuple(
        replace(part, context=None if part.context is None else part.context * 0) for part in conditioning.parts
    )
    return Conditioning(parts)


@node(category="conditioning", title="Conditioning (Average)")
def ConditioningAverage(
    conditioning_to: Conditioning, conditioning_from: Conditioning, conditioning_to_strength: Fraction = 1.0
) -> Conditioning:
    """Mix two prompts into one by averaging the numbers that stand for their words.

    Args:
        conditioning_to: The prompt at a strength of 1.
        conditioning_from: The prompt at a strength of 0; its first part is taken.
        conditioning_to_strength: Share of `conditioning_to`.
    """
    import torch
    import torch.nn.functional as F

    other = _words_to_join(conditioning_to, conditioning_from)

    def mixed(context: Tensor) -> Tensor:
        length = context.shape[1]  # cut `other` to it, or fill it with zeros, as ComfyUI does
        padded = F.pad(other[:, :length], (0, 0, 0, max(0, length - other.shape[1])))
        return torch.lerp(padded, context, conditioning_to_strength)

    parts = tuple(
        replace(part, context=mixed(part.context)) for part in conditioning_to.parts if part.context is not None
    )
    return Conditioning(parts)


def _words_to_join(to: Conditioning, other: Conditioning) -> Tensor:
    """The context [B, S, D] of `other`, once it is sure that it goes together with the words of `to`."""
    context, onto = _words(other, "conditioning_from"), _words(to, "conditioning_to")
    if context.shape[2] != onto.shape[2]:
        raise InputProblem(
            f"the words are {onto.shape[2]} and {context.shape[2]} wide; use one text encoder for both",
            "conditioning_from",
        )
    return context
