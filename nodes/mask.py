"""Masks: made, drawn from pictures, grown, combined. 1 = repaint, 0 = keep."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from engine.node import Context, Fraction, InputImage, node
from engine.values import Image, Mask

Side = Annotated[int, Field(ge=1, le=16384)]
Place = Annotated[int, Field(ge=0, le=16384)]
Growth = Annotated[int, Field(ge=-16384, le=16384)]
Channel = Literal["red", "green", "blue", "alpha"]
CHANNELS = {"red": 0, "green": 1, "blue": 2, "alpha": 3}


@node(category="mask", title="Solid Mask")
def SolidMask(value: Fraction = 1.0, width: Side = 512, height: Side = 512) -> Mask:
    """Make a mask of one value.

    Args:
        value: 1 repaints everything, 0 nothing.
        width: In pixels.
        height: In pixels.
    """
    import torch

    return Mask(torch.full((1, height, width), value))


@node(category="mask", title="Load Image (as Mask)")
def LoadImageMask(image: InputImage, ctx: Context, channel: Literal["alpha", "red", "green", "blue"] = "alpha") -> Mask:
    """Take one channel of a picture in the input folder as a mask.

    Args:
        image: The picture's file.
        channel: `alpha`: 1 where the picture is transparent. A colour: 1 where it is brightest.
    """
    from engine.pixels import read_picture

    pixels, transparent = read_picture(ctx.folders.resolve("input", image))
    return Mask(transparent if channel == "alpha" else pixels[..., CHANNELS[channel]].contiguous())


@node(category="mask", title="Convert Image to Mask")
def ImageToMask(image: Image, channel: Channel = "red") -> Mask:
    """Take one channel of a picture as a mask.

    Args:
        image: The picture.
        channel: Which; a picture without alpha gives a mask of ones for `alpha`.
    """
    import torch

    if channel == "alpha" and image.pixels.shape[-1] == 3:
        return Mask(torch.ones(image.pixels.shape[:3]))
    return Mask(image.pixels[..., CHANNELS[channel]].contiguous())


@node(category="mask", title="Convert Mask to Image")
def MaskToImage(mask: Mask) -> Image:
    """Show a mask as a grey picture.

    Args:
        mask: The mask; 1 becomes white.
    """
    return Image(mask.values[..., None].expand(-1, -1, -1, 3).contiguous())


@node(category="mask", title="Invert Mask")
def InvertMask(mask: Mask) -> Mask:
    """Repaint what was kept and keep what was repainted.

    Args:
        mask: The mask to invert.
    """
    return Mask(1.0 - mask.values)


@node(category="mask", title="Threshold Mask")
def ThresholdMask(mask: Mask, value: Fraction = 0.5) -> Mask:
    """Make a mask of zeros and ones.

    Args:
        mask: The mask.
        value: What is above becomes 1.
    """
    return Mask((mask.values > value).float())


@node(category="mask", title="Grow Mask")
def GrowMask(mask: Mask, expand: Growth = 0, tapered_corners: bool = True) -> Mask:
    """Make the masked region larger or smaller.

    Args:
        mask: The mask.
        expand: By how many pixels; negative shrinks it.
        tapered_corners: Grow as a diamond instead of a square.
    """
    import torch
    import torch.nn.functional as F

    values = mask.values if expand >= 0 else -mask.values
    for _ in range(min(abs(expand), max(values.shape[1:]))):
        tall = F.max_pool2d(values[:, None], (3, 1), 1, (1, 0))[:, 0]
        if tapered_corners:
            values = torch.maximum(tall, F.max_pool2d(values[:, None], (1, 3), 1, (0, 1))[:, 0])
        else:
            values = F.max_pool2d(tall[:, None], (1, 3), 1, (0, 1))[:, 0]
    return Mask(values if expand >= 0 else -values)


@node(category="mask", title="Feather Mask")
def FeatherMask(mask: Mask, left: Place = 0, top: Place = 0, right: Place = 0, bottom: Place = 0) -> Mask:
    """Let a mask fade out towards the picture's edges.

    Args:
        mask: The mask.
        left: Pixels over which it fades at this edge.
        top: Pixels over which it fades at this edge.
        right: Pixels over which it fades at this edge.
        bottom: Pixels over which it fades at this edge.
    """
    import torch

    height, width = mask.values.shape[1:]
    columns, rows = torch.ones(width), torch.ones(height)
    for line, first, last in ((columns, left, right), (rows, top, bottom)):
        first, last = min(first, len(line)), min(last, len(line))
        line[:first] *= (torch.arange(first) + 1) / max(first, 1)
        line[len(line) - last :] *= ((torch.arange(last) + 1) / max(last, 1)).flip(0)
    return Mask(mask.values * rows[:, None] * columns)


@node(category="mask", title="Crop Mask")
def CropMask(mask: Mask, x: Place = 0, y: Place = 0, width: Side = 512, height: Side = 512) -> Mask:
    """Cut a rectangle out of a mask.

    Args:
        mask: The mask.
        x: Left edge of the rectangle, in pixels.
        y: Upper edge of the rectangle, in pixels.
        width: Of the rectangle; what lies outside the mask is left out.
        height: Of the rectangle; what lies outside the mask is left out.
    """
    rows, columns = mask.values.shape[1:]
    x, y = min(x, columns - 1), min(y, rows - 1)
    return Mask(mask.values[:, y : y + height, x : x + width].contiguous())


@node(category="mask", title="Combine Masks")
def MaskComposite(
    destination: Mask,
    source: Mask,
    x: Place = 0,
    y: Place = 0,
    operation: Literal["multiply", "add", "subtract", "and", "or", "xor"] = "multiply",
) -> Mask:
    """Combine one mask with another, laid over it.

    Args:
        destination: The mask below.
        source: The mask above.
        x: Where its left edge lies, in pixels.
        y: Where its upper edge lies, in pixels.
        operation: How values are combined; `and`, `or` and `xor` round them first.
    """
    import torch

    result = destination.values.clone()
    below = result[:, y : y + source.values.shape[1], x : x + source.values.shape[2]]
    above = source.values[:, : below.shape[1], : below.shape[2]]
    match operation:
        case "multiply":
            combined = below * above
        case "add":
            combined = below + above
        case "subtract":
            combined = below - above
        case "and":
            combined = torch.logical_and(below.round(), above.round()).float()
        case "or":
            combined = torch.logical_or(below.round(), above.round()).float()
        case "xor":
            combined = torch.logical_xor(below.round(), above.round()).float()
    below.copy_(combined)
    return Mask(result.clamp(0, 1))
