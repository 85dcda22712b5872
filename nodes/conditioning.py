"""Combine conditioning, and lay pictures and masks beside the noise."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic import Field

from engine.errors import InputProblem
from engine.node import Fraction, node
from engine.values import Conditioning, Image, Latent, Mask


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
    concat = torch.cat(planes, dim=1)  # [B, C, h, w]
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
def ConditioningSetStrength(
    conditioning: Conditioning, strength: Annotated[float, Field(ge=0, le=10)] = 1.0
) -> Conditioning:
    """Weigh a prompt against those it is combined with.

    Args:
        conditioning: The prompt.
        strength: Its weight; 1 is as much as any other.
    """
    return Conditioning(tuple(replace(part, strength=strength) for part in conditioning.parts))


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

    other = conditioning_from.parts[0].context
    if other is None or any(part.context is None for part in conditioning_to.parts):
        raise InputProblem("only prompts can be averaged; connect Encode Text to both", "conditioning_from")
    parts = tuple(
        replace(part, context=torch.lerp(other, part.context, conditioning_to_strength))
        for part in conditioning_to.parts
        if part.context is not None
    )
    return Conditioning(parts)
