"""Pictures in and out: load, save, preview, and small changes."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from pydantic import Field, JsonValue

from engine.node import Context, FilenamePrefix, InputImage, Shown, node
from engine.values import Image, Mask

UpscaleMethod = Literal["nearest-exact", "bilinear", "area", "bicubic", "lanczos"]
Side = Annotated[int, Field(ge=0, le=16384)]


class LoadedImage(NamedTuple):
    image: Image
    mask: Mask


@node(category="image", title="Load Image")
def LoadImage(image: InputImage, ctx: Context) -> LoadedImage:
    """Load a picture from the input folder.

    Args:
        image: The picture's file. A transparent picture also gives a mask of what is transparent.

    Returns:
        image: The picture, its first frame if it is animated.
        mask: 1 where the picture is transparent; 64x64 of zeros where it has no transparency.
    """
    from engine.pixels import read_picture

    pixels, mask = read_picture(ctx.folders.resolve("input", image))
    return LoadedImage(Image(pixels), Mask(mask))


@node(category="image", title="Save Image", output=True)
def SaveImage(images: Image, ctx: Context, filename_prefix: FilenamePrefix = "Darkroom") -> Shown:
    """Save pictures to the output folder as PNG, with the workflow inside.

    Args:
        images: The pictures to save.
        filename_prefix: Start of the file name; may hold folders and %date:yyyy-MM-dd%, %width%, %height%.
    """
    return Shown(ui={"images": _write(images, ctx, filename_prefix, "output")})


@node(category="image", title="Preview Image", output=True)
def PreviewImage(images: Image, ctx: Context) -> Shown:
    """Show pictures without keeping them: they go to the temp folder.

    Args:
        images: The pictures to show.
    """
    return Shown(ui={"images": _write(images, ctx, "preview", "temp")})


@node(category="image/upscaling", title="Upscale Image")
def ImageScale(
    image: Image,
    upscale_method: UpscaleMethod = "nearest-exact",
    width: Side = 512,
    height: Side = 512,
    crop: Literal["disabled", "center"] = "disabled",
) -> Image:
    """Resize a picture.

    Args:
        image: The picture to resize.
        upscale_method: How new pixels are made.
        width: New width in pixels; 0 keeps the proportions.
        height: New height in pixels; 0 keeps the proportions.
        crop: Cut the middle out first, so that nothing is stretched.
    """
    from engine.pixels import resize

    return Image(resize(image.pixels, upscale_method, width, height, crop == "center"))


@node(category="image", title="Batch Images")
def ImageBatch(image1: Image, image2: Image) -> Image:
    """Put pictures into one batch, to work on all of them at once.

    Args:
        image1: The first.
        image2: What comes after it; resized to the first's size, its edges cut where the proportions differ.
    """
    import torch

    from engine.pixels import resize

    _, height, width, channels = image1.pixels.shape
    second = image2.pixels
    if second.shape[1:3] != (height, width):
        second = resize(second, "bilinear", width, height, True)
    fewest = min(channels, second.shape[3])
    return Image(torch.cat([image1.pixels[..., :fewest], second[..., :fewest]]))


@node(category="image", title="Invert Image")
def ImageInvert(image: Image) -> Image:
    """Turn a picture into its negative.

    Args:
        image: The picture to invert.
    """
    return Image(1.0 - image.pixels)


def _write(images: Image, ctx: Context, prefix: str, folder: Literal["output", "temp"]) -> list[JsonValue]:
    """Write PNGs with the workflow inside; gives what the node shows, one entry a picture."""
    from engine.pixels import encode_png

    texts = {"prompt": ctx.prompt_json, "workflow": ctx.workflow_json}
    known = {key: text for key, text in texts.items() if text is not None}
    shown: list[JsonValue] = []
    for index, pixels in enumerate(images.pixels):
        ctx.check_cancelled()
        height, width = pixels.shape[:2]
        path = ctx.folders.save(
            encode_png(pixels, known), prefix, width=width, height=height, batch=index, folder=folder
        )
        shown.append({"path": str(path), "width": width, "height": height})
    return shown
