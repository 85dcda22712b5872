"""Small pictures to conditioning, for models that draw them larger."""

from __future__ import annotations

from typing import NamedTuple

from engine.errors import InputProblem
from engine.models.handles import Model
from engine.node import node
from engine.values import Conditioning, ConditioningPart, Image, Latent


class SmallPicture(NamedTuple):
    conditioning: Conditioning
    latent: Latent


@node(category="conditioning", title="Encode Small Picture")
def EncodeSmallPicture(image: Image, model: Model) -> SmallPicture:
    """Show a super-resolution model the picture it is to draw larger: one pixel for each cell of the latent.

    The paper's sec. 4.4: the small picture lies beside the noise. What is developed from the latent is larger by the
    autoencoder's factor, mostly 4.

    Args:
        image: The small picture; its edges are cut so that its sides fit the model's levels.
        model: The super-resolution model.

    Returns:
        conditioning: The small picture, for both inputs of the sampler.
        latent: A blank latent of its size.
    """
    import torch

    beside = model.config.unet.in_channels - model.config.unet.out_channels
    if beside != 3:
        raise InputProblem(
            f"this model takes {beside} channels beside the latent, not a picture's 3; choose a super-resolution model",
            "model",
        )
    multiple = 2 ** (len(model.config.unet.channel_mult) - 1)
    count, height, width, _ = image.pixels.shape
    if min(height, width) < multiple:
        raise InputProblem(
            f"the picture has {width}x{height} pixels, this model takes at least {multiple} a side; enlarge it first",
            "image",
        )
    top, left = height % multiple // 2, width % multiple // 2
    height, width = height // multiple * multiple, width // multiple * multiple
    small = image.pixels[:, top : top + height, left : left + width, :3].movedim(-1, 1) * 2 - 1  # [B, 3, h, w]
    blank = torch.zeros(count, model.config.unet.out_channels, height, width)
    return SmallPicture(Conditioning((ConditioningPart(concat=small),)), Latent(blank))
