"""Label maps to conditioning, for semantic synthesis with any classes."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from engine.errors import InputProblem
from engine.models.handles import Model
from engine.node import node
from engine.values import Conditioning, ConditioningPart, Image, Latent, Mask


class LabelMap(NamedTuple):
    conditioning: Conditioning
    latent: Latent


@node(category="conditioning", title="Encode Label Map")
def EncodeLabelMap(labels: Image | Mask, model: Model) -> LabelMap:
    """Tell a model which class of things is to be where, by a picture whose grey values are the classes' numbers.

    The paper's sec. 4.3.2. Data sets keep their maps like this: a PNG in which a pixel's value, 0 to 255, is its class.
    Such a map looks nearly black. For a model that was trained on maps of colours use Encode Colour Map.

    Args:
        labels: The map, as an image (its red channel counts) or a mask. Its sides are those of the picture to make.
        model: The model that will sample; it knows how many classes there are.

    Returns:
        conditioning: The map, for both inputs of the sampler.
        latent: A blank latent of its size.
    """
    import torch

    from engine.ldm.conditioners.spatial import one_hot_map
    from engine.ldm.label_maps import read_rescaler

    rescaler = read_rescaler(model.weights.open(), model.config)
    values = labels.values if isinstance(labels, Mask) else labels.pixels[..., 0]  # [B, H, W]
    numbers = (values * 255).round().long()
    classes = rescaler.config.in_channels
    if numbers.max() >= classes or numbers.min() < 0:
        raise InputProblem(
            f"the map has values from {int(numbers.min())} to {int(numbers.max())}, this model knows the classes 0 to "
            f"{classes - 1}; save the map as grey values that are the numbers of classes",
            "labels",
        )
    with torch.inference_mode():
        concat = rescaler(one_hot_map(numbers, classes)).clone()  # [B, C, h, w]
    blank = torch.zeros(len(concat), model.config.unet.out_channels, *concat.shape[2:])
    return LabelMap(Conditioning((ConditioningPart(concat=concat),)), Latent(blank))


@node(category="conditioning", title="Join Conditions")
def JoinConditions(conditioning_1: Conditioning, conditioning_2: Conditioning) -> Conditioning:
    """Tell a model two things at once that it takes in different places: a map beside the noise and words, say.

    What lies beside the noise is stacked, the first above the second; words of both are lined up.

    Args:
        conditioning_1: The first; where, when and how strongly it counts is kept.
        conditioning_2: The second; its first part is taken.
    """
    from engine.ldm.condition import Condition, joined

    other = conditioning_2.parts[0]
    parts = list[ConditioningPart]()
    for part in conditioning_1.parts:
        both = joined(Condition(part.concat, part.context, part.y), Condition(other.concat, other.context, other.y))
        parts.append(replace(part, concat=both.concat, context=both.context, y=both.y))
    return Conditioning(tuple(parts))
