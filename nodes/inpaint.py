"""Painting into holes and beyond edges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import Field

from engine.models.handles import VAE
from engine.models.manager import ModelManager
from engine.node import Context, node
from engine.values import Conditioning, ConditioningPart, Image, Latent, Mask

if TYPE_CHECKING:
    from torch import Tensor

Padding = Annotated[int, Field(ge=0, le=16384)]
Growth = Annotated[int, Field(ge=0, le=64)]
GREY = 0.5
"""What a picture is where it is to be painted: as far from every colour as can be."""


class Padded(NamedTuple):
    image: Image
    mask: Mask


@node(category="conditioning/inpaint", title="Encode Hole", lane="device")
def EncodeHole(image: Image, mask: Mask, vae: VAE, ctx: Context) -> Conditioning:
    """Tell an inpainting model what is around a hole, and where the hole is.

    For models trained on holes, as the paper's (sec. 4.5). Paste what they paint back with Paste Picture.

    Args:
        image: The picture.
        mask: 1 in the hole.
        vae: The model's own autoencoder.
    """
    from engine.ldm.conditioners.spatial import inpainting_condition

    manager = ctx.service(ModelManager)
    device = manager.device.torch_device
    pixels = image.pixels[..., :3].movedim(-1, 1)  # [B, 3, H, W]
    hole = _fitted(mask, pixels)
    concat = manager.run(vae, lambda network: inpainting_condition(pixels.to(device), hole.to(device), network))
    return Conditioning((ConditioningPart(concat=concat.cpu()),))


@node(category="latent/inpaint", title="VAE Encode (for Inpainting)", lane="device")
def VAEEncodeForInpaint(pixels: Image, vae: VAE, mask: Mask, ctx: Context, grow_mask_by: Growth = 6) -> Latent:
    """Encode a picture without what is in a hole, to paint the hole with any model.

    Args:
        pixels: The picture; its edges are cut so that its sides divide into the latent's cells.
        vae: The autoencoder of the model that will sample.
        mask: 1 in the hole.
        grow_mask_by: Pixels by which what is repainted is larger than the hole, so that no seam shows.
    """
    import torch
    import torch.nn.functional as F

    factor = vae.config.downsampling
    height, width = (side // factor * factor for side in pixels.pixels.shape[1:3])
    top, left = ((side % factor) // 2 for side in pixels.pixels.shape[1:3])
    x = pixels.pixels[:, top : top + height, left : left + width, :3].movedim(-1, 1)
    whole = _fitted(mask, pixels.pixels.movedim(-1, 1))
    hole = whole[:, :, top : top + height, left : left + width]
    grown = hole
    if grow_mask_by:
        kernel = torch.ones(1, 1, grow_mask_by, grow_mask_by)
        grown = F.conv2d(hole.round(), kernel, padding=grow_mask_by // 2).clamp(0, 1)[:, :, :height, :width]
    emptied = (x - GREY) * (1 - hole.round()) + GREY
    manager = ctx.service(ModelManager)
    device = manager.device.torch_device
    samples = manager.run(vae, lambda network: network.encode_mode((emptied * 2 - 1).to(device))).cpu()
    return Latent(samples, grown.round()[:, 0])


@node(category="image", title="Pad Image for Outpainting")
def ImagePadForOutpaint(
    image: Image,
    left: Padding = 0,
    top: Padding = 0,
    right: Padding = 0,
    bottom: Padding = 0,
    feathering: Padding = 40,
) -> Padded:
    """Add empty edges to a picture, and a mask to paint them with.

    Args:
        image: The picture.
        left: Pixels to add at this edge.
        top: Pixels to add at this edge.
        right: Pixels to add at this edge.
        bottom: Pixels to add at this edge.
        feathering: Pixels of the picture over which the mask fades in, so that no seam shows.
    """
    import torch
    import torch.nn.functional as F

    _, height, width, _ = image.pixels.shape
    pixels = F.pad(image.pixels, (0, 0, left, right, top, bottom), value=GREY)
    inside = torch.zeros(height, width)
    if feathering > 0 and feathering * 2 < min(height, width):
        rows, columns = torch.arange(height)[:, None], torch.arange(width)
        far = height + width  # an edge at which nothing is added does not count
        distances = (
            rows if top else torch.full((height, 1), far),
            height - rows if bottom else torch.full((height, 1), far),
            columns if left else torch.full((width,), far),
            width - columns if right else torch.full((width,), far),
        )
        nearest = torch.stack([distance.expand(height, width) for distance in distances]).amin(dim=0)
        inside = ((feathering - nearest) / feathering).clamp(min=0).square()
    return Padded(Image(pixels), Mask(F.pad(inside, (left, right, top, bottom), value=1.0)[None]))


@node(category="image", title="Paste Picture")
def ImageCompositeMasked(
    destination: Image,
    source: Image,
    x: Padding = 0,
    y: Padding = 0,
    resize_source: bool = False,
    mask: Mask | None = None,
) -> Image:
    """Paste one picture into another.

    Args:
        destination: The picture below.
        source: The picture to paste; of a batch one for each picture below, from the first again if they are too few.
        x: Where its left edge lies, in pixels.
        y: Where its upper edge lies, in pixels.
        resize_source: Stretch it to the size of the picture below first.
        mask: 1 where to paste; resized to the pasted picture. Without it all is pasted.
    """
    import torch.nn.functional as F

    below = destination.pixels[..., :3].clone()
    above = _one_for_each(source.pixels[..., :3].movedim(-1, 1), len(below))  # [B, 3, h, w]
    if resize_source:
        above = F.interpolate(above, size=below.shape[1:3], mode="bilinear")
    share = above.new_ones(1, 1, *above.shape[2:]) if mask is None else _one_for_each(_fitted(mask, above), len(below))
    place = below[:, y : y + above.shape[2], x : x + above.shape[3]]
    above, share = (each[:, :, : place.shape[1], : place.shape[2]].movedim(1, -1) for each in (above, share))
    place.copy_(above * share + place * (1 - share))
    return Image(below)


def _one_for_each(rows: Tensor, count: int) -> Tensor:
    """As many rows as there are pictures, as ComfyUI counts them: cut, or repeated from the first."""
    return rows.repeat(-(-count // len(rows)), 1, 1, 1)[:count]


def _fitted(mask: Mask, pixels: Tensor) -> Tensor:
    """A mask in the size of pictures [B, C, H, W]: [M, 1, H, W], resized bilinearly."""
    import torch.nn.functional as F

    return F.interpolate(mask.values[:, None], size=pixels.shape[2:], mode="bilinear")
