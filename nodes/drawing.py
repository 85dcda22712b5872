"""Pictures, masks and colour maps that are drawn in the editor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import Field

from engine.errors import InputProblem
from engine.ldm.palette import PALETTE
from engine.node import Canvas, Context, Drawing, node
from engine.values import Image, Mask

if TYPE_CHECKING:
    from PIL.Image import Image as Picture
    from torch import Tensor

Side = Annotated[int, Field(ge=16, le=4096)]


class Drawn(NamedTuple):
    image: Image
    mask: Mask


@node(category="image", title="Draw Image", aliases=("Paint", "Canvas"))
def DrawImage(
    ctx: Context,
    drawing: Annotated[Drawing, Canvas(transparent=True)] = "",
    width: Side = 512,
    height: Side = 512,
) -> Drawn:
    """Draw a picture by hand: a sketch to start from.

    Link it to VAE Encode and sample with a denoise below 1, and the model paints over your sketch.

    Args:
        drawing: Press Draw. What is left empty becomes white in the picture.
        width: Of the picture, in pixels. A drawing of another size is stretched to it.
        height: Of the picture, in pixels.

    Returns:
        image: The drawing, on white.
        mask: 1 where you drew, 0 where the canvas is empty.
    """
    import torch

    rgba = _pixels(_opened(ctx, drawing, "RGBA"), width, height, smooth=True)
    alpha = rgba[..., 3:]
    return Drawn(Image(torch.lerp(torch.ones_like(alpha), rgba[..., :3], alpha)), Mask(alpha[..., 0].contiguous()))


@node(category="mask", title="Draw Mask", aliases=("Paint Mask",))
def DrawMask(
    ctx: Context,
    drawing: Annotated[Drawing, Canvas(mask=True)] = "",
    width: Side = 512,
    height: Side = 512,
) -> Mask:
    """Draw a mask by hand: where a picture is to be repainted.

    To paint over a picture of yours, use the Mask button of Load Image instead: there the picture lies beneath.

    Args:
        drawing: Press Draw. What you paint becomes 1, the rest 0.
        width: Of the mask, in pixels. A drawing of another size is stretched to it.
        height: Of the mask, in pixels.
    """
    return Mask(_pixels(_opened(ctx, drawing, "L"), width, height, smooth=True)[..., 0].contiguous())


@node(category="image", title="Draw Colour Map", aliases=("Paint Labels", "Segmentation Map"))
def DrawColourMap(
    ctx: Context,
    drawing: Annotated[Drawing, Canvas(palette=PALETTE, width=256, height=256)] = "",
    width: Side = 256,
    height: Side = 256,
) -> Image:
    """Draw a map of plain colours that says what goes where, for models that paint pictures after such maps.

    Each pixel has one of twelve colours and none in between, also when the map is stretched.

    Args:
        drawing: Press Draw, choose a colour, and paint or fill.
        width: Of the map, in pixels. A drawing of another size is stretched to it.
        height: Of the map, in pixels.
    """
    import torch

    from engine.ldm.palette import nearest_colours

    # A PNG from another program may hold other colours; to the model each is the nearest of the palette.
    pixels = _pixels(_opened(ctx, drawing, "RGB"), width, height, smooth=False)
    colours = torch.tensor([rgb for _, rgb in PALETTE]) / 255.0  # [K, 3]
    return Image(colours[nearest_colours(pixels.movedim(-1, 1) * 2 - 1)])


def _opened(ctx: Context, drawing: str, mode: str) -> Picture:
    from engine.pictures import eight_bits, open_picture

    if not drawing:
        raise InputProblem("nothing is drawn yet; press Draw in the editor, or name a picture", "drawing")
    return eight_bits(open_picture(ctx.folders.resolve("input", drawing))).convert(mode)


def _pixels(picture: Picture, width: int, height: int, smooth: bool) -> Tensor:
    """A picture's pixels as [1, height, width, C] in [0, 1]."""
    import numpy as np
    import torch
    from PIL import Image as Pillow

    if picture.size != (width, height):
        picture = picture.resize((width, height), Pillow.Resampling.BICUBIC if smooth else Pillow.Resampling.NEAREST)
    array = np.asarray(picture, dtype=np.float32).reshape(height, width, -1)
    return torch.from_numpy(array / 255.0)[None]
