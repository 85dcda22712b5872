"""Pictures in and out of files, and small changes to them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from PIL import Image as Pillow
from PIL import PngImagePlugin

from engine.errors import Cancelled, FileProblem, InputProblem
from engine.node import NullContext, Shown
from engine.values import Image
from nodes.image import ImageInvert, ImageScale, LoadImage, PreviewImage, SaveImage

RED_HALF = (255, 0, 0, 128)


def put(ctx: NullContext, name: str, picture: Pillow.Image, **options: Any) -> None:
    path = ctx.folders.input / name
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, **options)


def files(shown: Shown) -> list[dict[str, Any]]:
    return cast(list[dict[str, Any]], shown.ui["images"])


# ------------------------------------------------------------------------------------------------------------- loading


def test_a_picture_is_loaded_row_by_row_in_0_to_1(ctx: NullContext) -> None:
    picture = Pillow.new("RGB", (3, 2), (0, 51, 255))
    picture.putpixel((2, 1), (255, 255, 255))
    put(ctx, "a.png", picture)
    image, mask = LoadImage("a.png", ctx)
    assert image.pixels.shape == (1, 2, 3, 3)
    assert image.pixels[0, 0, 0].tolist() == pytest.approx([0, 0.2, 1])
    assert image.pixels[0, 1, 2].tolist() == [1, 1, 1]
    assert mask.values.shape == (1, 64, 64)
    assert not mask.values.any()


def test_the_mask_is_what_is_transparent(ctx: NullContext) -> None:
    picture = Pillow.new("RGBA", (4, 2), RED_HALF)
    picture.putpixel((0, 0), (0, 255, 0, 0))
    put(ctx, "a.png", picture)
    image, mask = LoadImage("a.png", ctx)
    assert image.pixels.shape == (1, 2, 4, 3)
    assert image.pixels[0, 0, 0].tolist() == [0, 1, 0]
    assert mask.values.shape == (1, 2, 4)
    assert mask.values[0, 0, 0] == 1
    assert mask.values[0, 1, 3] == pytest.approx(1 - 128 / 255)


def test_a_palette_with_a_transparent_colour_gives_a_mask(ctx: NullContext) -> None:
    picture = Pillow.new("P", (2, 1))
    picture.putpalette([255, 0, 0, 0, 0, 255])
    picture.putpixel((1, 0), 1)
    put(ctx, "a.png", picture, transparency=1)
    image, mask = LoadImage("a.png", ctx)
    assert image.pixels[0, 0].tolist() == [[1, 0, 0], [0, 0, 1]]
    assert mask.values[0, 0].tolist() == [0, 1]


def test_greyscale_of_8_and_16_bits_becomes_the_same_grey(ctx: NullContext) -> None:
    put(ctx, "8.png", Pillow.new("L", (2, 2), 128))
    put(ctx, "16.png", Pillow.fromarray(np.full((2, 2), 128 * 257, np.uint16)))
    for name in ("8.png", "16.png"):
        image, _ = LoadImage(name, ctx)
        assert image.pixels.unique().tolist() == pytest.approx([128 / 255])


def test_a_photograph_taken_upright_is_loaded_upright(ctx: NullContext) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = 6  # orientation: turn by 90 degrees
    put(ctx, "a.jpg", Pillow.new("RGB", (4, 2)), exif=exif)
    assert LoadImage("a.jpg", ctx).image.pixels.shape == (1, 4, 2, 3)


def test_the_first_frame_of_an_animation_is_loaded(ctx: NullContext) -> None:
    frames = [Pillow.new("RGB", (2, 2), colour) for colour in ((255, 0, 0), (0, 0, 255))]
    put(ctx, "a.gif", frames[0], save_all=True, append_images=frames[1:])
    image, _ = LoadImage("a.gif", ctx)
    assert image.pixels[0, 0, 0].tolist() == [1, 0, 0]


def test_what_was_saved_can_be_loaded_from_the_output_folder(ctx: NullContext) -> None:
    SaveImage(Image(torch.ones(1, 8, 8, 3)), ctx, "a")
    assert LoadImage("a_00001_.png [output]", ctx).image.pixels.shape == (1, 8, 8, 3)


def huge_header(path: Path, side: int) -> None:
    """A PNG that claims `side` x `side` pixels and holds next to none."""
    small = path.with_name("small.png")
    Pillow.new("RGB", (8, 8)).save(small)
    data = bytearray(small.read_bytes())
    data[16:24] = side.to_bytes(4, "big") * 2
    import zlib

    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    path.write_bytes(data)


@pytest.mark.parametrize("side", [9_000, 10_000, 30_000, 2**31 - 1])
def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(ctx: NullContext, side: int) -> None:
    ctx.folders.input.mkdir()
    huge_header(ctx.folders.input / "huge.png", side)
    with pytest.raises(FileProblem, match=r"huge\.png .*64 megapixels; make it smaller"):
        LoadImage("huge.png", ctx)


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"\x89PNG\r\n\x1a\n", b"\x80\x04K\x01.", b"GIF89a", b"RIFF\0\0\0\0WEBP"]
)
def test_a_file_that_is_no_picture_is_refused_by_name(ctx: NullContext, data: bytes) -> None:
    ctx.folders.input.mkdir()
    (ctx.folders.input / "bad.png").write_bytes(data)
    with pytest.raises(FileProblem, match=r"bad\.png cannot be read as a picture: .+; choose another file"):
        LoadImage("bad.png", ctx)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "gif", "bmp"])
def test_a_picture_that_was_cut_short_is_refused(ctx: NullContext, suffix: str) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    put(ctx, f"cut.{suffix}", Pillow.fromarray(noise))
    path = ctx.folders.input / f"cut.{suffix}"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(FileProblem, match=r"cut\..*cannot be read as a picture"):
        LoadImage(path.name, ctx)


# -------------------------------------------------------------------------------------------------------------- saving


def test_pictures_are_saved_as_png_with_the_workflow_inside(ctx: NullContext) -> None:
    ctx.prompt_json, ctx.workflow_json = '{"1": "prompt"}', '{"name": "Ünïcode \U0001f34e"}'
    shown = files(SaveImage(Image(torch.zeros(2, 8, 16, 3)), ctx, "apples/red"))
    paths = [ctx.folders.output / "apples" / f"red_0000{number}_.png" for number in (1, 2)]
    assert [each["path"] for each in shown] == [str(path) for path in paths]
    assert [(each["width"], each["height"]) for each in shown] == [(16, 8), (16, 8)]
    for path in paths:
        with Pillow.open(path) as picture:
            assert isinstance(picture, PngImagePlugin.PngImageFile)
            assert json.loads(picture.text["prompt"]) == {"1": "prompt"}
            assert json.loads(picture.text["workflow"]) == {"name": "Ünïcode \U0001f34e"}
            assert (picture.mode, picture.size) == ("RGB", (16, 8))


def test_a_picture_without_a_workflow_has_none_inside(ctx: NullContext) -> None:
    (shown,) = files(SaveImage(Image(torch.zeros(1, 8, 8, 3)), ctx))
    with Pillow.open(shown["path"]) as picture:
        assert "prompt" not in picture.info
        assert "workflow" not in picture.info


def test_values_are_cut_off_not_rounded_and_clamped(ctx: NullContext) -> None:
    values = torch.tensor([-0.5, 0.0, 0.9999 / 255, 1.0001 / 255, 127.9 / 255, 254.99 / 255, 1.0, 1.5])
    (shown,) = files(SaveImage(Image(values[None, None, :, None].expand(1, 1, -1, 3)), ctx))
    with Pillow.open(shown["path"]) as picture:
        assert np.asarray(picture)[0, :, 0].tolist() == [0, 0, 0, 1, 127, 254, 255, 255]


def test_transparency_is_saved_and_comes_back_as_a_mask(ctx: NullContext) -> None:
    pixels = torch.ones(1, 4, 4, 4)
    pixels[..., 3] = 51 / 255
    SaveImage(Image(pixels), ctx, "a")
    assert LoadImage("a_00001_.png [output]", ctx).mask.values.unique().tolist() == pytest.approx([0.8])


def test_a_prefix_is_filled_with_the_size(ctx: NullContext) -> None:
    (shown,) = files(SaveImage(Image(torch.zeros(1, 8, 16, 3)), ctx, "%width%x%height%"))
    assert shown["path"] == str(ctx.folders.output / "16x8_00001_.png")


@pytest.mark.parametrize("prefix", ["../out", "/tmp/out", "a\0b", "..", "a/../../b"])
def test_a_prefix_that_leads_out_of_the_folder_writes_nothing(ctx: NullContext, tmp_path: Path, prefix: str) -> None:
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(FileProblem, match="filename_prefix"):
        SaveImage(Image(torch.zeros(1, 8, 8, 3)), ctx, prefix)
    assert sorted(tmp_path.rglob("*")) == before


def test_saving_stops_between_two_pictures(ctx: NullContext) -> None:
    ctx.cancelled = True
    with pytest.raises(Cancelled):
        SaveImage(Image(torch.zeros(2, 8, 8, 3)), ctx)
    assert not ctx.folders.output.exists()


def test_previews_go_to_the_temp_folder(ctx: NullContext) -> None:
    (shown,) = files(PreviewImage(Image(torch.zeros(1, 8, 8, 3)), ctx))
    assert Path(shown["path"]).parent == ctx.folders.temp
    assert not ctx.folders.output.exists()


# ------------------------------------------------------------------------------------------------------------ changing


def ramp(height: int, width: int) -> Image:
    """Brightness rises from left to right, the same in each row."""
    return Image(torch.linspace(0, 1, width)[None, None, :, None].expand(1, height, width, 3).contiguous())


@pytest.mark.parametrize("method", ["nearest-exact", "bilinear", "area", "bicubic", "lanczos"])
def test_a_picture_is_resized_by_every_method(method: Any) -> None:
    bigger = ImageScale(ramp(8, 16), method, 32, 24).pixels
    assert bigger.shape == (1, 24, 32, 3)
    means = bigger[0, :, :, 0].mean(0)
    assert means[0] < 0.1 and means[-1] > 0.9
    smaller = ImageScale(ramp(8, 16), method, 4, 4).pixels
    assert smaller.shape == (1, 4, 4, 3)
    assert float(smaller.mean()) == pytest.approx(0.5, abs=0.05)


def test_a_side_of_0_keeps_the_proportions() -> None:
    assert ImageScale(ramp(8, 16), width=0, height=4).pixels.shape == (1, 4, 8, 3)
    assert ImageScale(ramp(8, 16), width=32, height=0).pixels.shape == (1, 16, 32, 3)
    with pytest.raises(InputProblem, match="give at least one side"):
        ImageScale(ramp(8, 16), width=0, height=0)


def test_the_middle_is_cut_out_so_that_nothing_is_stretched() -> None:
    stretched = ImageScale(ramp(8, 16), "nearest-exact", 8, 8).pixels[0, 0, :, 0]
    cropped = ImageScale(ramp(8, 16), "nearest-exact", 8, 8, "center").pixels[0, 0, :, 0]
    assert float(stretched[0]) < 0.1
    assert cropped.tolist() == pytest.approx(ramp(8, 16).pixels[0, 0, 4:12, 0].tolist())


def test_a_batch_with_transparency_is_resized_too() -> None:
    assert ImageScale(Image(torch.rand(3, 8, 8, 4)), "lanczos", 4, 6).pixels.shape == (3, 6, 4, 4)


def test_a_negative_is_one_minus_the_picture_and_leaves_it_alone() -> None:
    picture = ramp(2, 3)
    assert ImageInvert(picture).pixels[0, 0, :, 0].tolist() == [1, 0.5, 0]
    assert picture.pixels[0, 0, :, 0].tolist() == [0, 0.5, 1]
