"""Maps of colours to conditioning, for semantic synthesis."""

from __future__ import annotations

from typing import NamedTuple

from engine.errors import InputProblem
from engine.models.handles import Model
from engine.node import node
from engine.values import Conditioning, ConditioningPart, Image, Latent


class ColourMap(NamedTuple):
    conditioning: Conditioning
    latent: Latent
    map: Image


@node(category="conditioning", title="Encode Colour Map")
def EncodeColourMap(image: Image, model: Model) -> ColourMap:
    """Tell a model what colour is to be where: white, black, grey, red, orange and seven more.

    The paper's sec. 4.3.2 with colours for classes: each pixel of the map is one label, and a learned rescaler shrinks
    the labels to the latent.

    Args:
        image: The map, or any picture: each pixel counts as the nearest of the twelve colours. Its edges are cut so
            that its sides fit the model.
        model: A model trained on maps of these colours.

    Returns:
        conditioning: The map, for both inputs of the sampler.
        latent: A blank latent of its size.
        map: The map in the twelve colours, as the model sees it.
    """
    import torch

    from engine.ldm.conditioners.spatial import one_hot_map
    from engine.ldm.label_maps import read_rescaler
    from engine.ldm.palette import PALETTE, nearest_colours, paint

    rescaler = read_rescaler(model.weights.open(), model.config)
    if rescaler.config.in_channels != len(PALETTE):
        raise InputProblem(
            f"this model was trained on maps of {rescaler.config.in_channels} labels, not on the {len(PALETTE)} "
            "colours; use Encode Label Map",
            "model",
        )
    factor = model.config.first_stage.downsampling if model.config.first_stage else 1
    multiple = factor * 2 ** (len(model.config.unet.channel_mult) - 1)
    count, height, width, _ = image.pixels.shape
    if min(height, width) < multiple:
        raise InputProblem(
            f"the map has {width}x{height} pixels, this model takes at least {multiple} a side; enlarge it first",
            "image",
        )
    top, left = height % multiple // 2, width % multiple // 2
    height, width = height // multiple * multiple, width // multiple * multiple
    pixels = image.pixels[:, top : top + height, left : left + width, :3].movedim(-1, 1)  # [B, 3, H, W]
    labels = nearest_colours(pixels * 2 - 1)
    with torch.inference_mode():
        concat = rescaler(one_hot_map(labels, len(PALETTE)))
    blank = torch.zeros(count, model.config.unet.out_channels, height // factor, width // factor)
    shown = Image(((paint(labels) + 1) / 2).movedim(1, -1).contiguous())
    return ColourMap(Conditioning((ConditioningPart(concat=concat.clone()),)), Latent(blank), shown)
