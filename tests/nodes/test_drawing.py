"""What is drawn in the editor becomes pictures, masks and colour maps."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest
import torch
from PIL import Image as Pillow

from engine.errors import InputProblem
from engine.ldm.palette import PALETTE, nearest_colours
from engine.node import Context, NullContext
from engine.values import Image
from nodes.drawing import DrawColourMap, DrawImage, DrawMask

RED, BLUE = PALETTE[3][1], PALETTE[8][1]


def put(ctx: NullContext, picture: Pillow.Image) -> str:
    ctx.folders.input.mkdir(parents=True, exist_ok=True)
    picture.save(ctx.folders.input / "drawn.png")
    return "drawn.png"


def colours_of(image: Image) -> set[tuple[int, ...]]:
    pixels = (image.pixels * 255).round().int().reshape(-1, 3)
    return {(int(red), int(green), int(blue)) for red, green, blue in pixels}


def test_a_drawing_lies_on_white_and_its_mask_is_where_one_drew(ctx: NullContext) -> None:
    picture = Pillow.new("RGBA", (32, 16), (0, 0, 0, 0))
    picture.putpixel((5, 3), (255, 0, 0, 255))
    picture.putpixel((6, 3), (0, 0, 255, 51))
    image, mask = DrawImage(ctx, put(ctx, picture), width=32, height=16)
    assert image.pixels.shape == (1, 16, 32, 3)
    assert image.pixels[0, 0, 0].tolist() == [1, 1, 1]
    assert image.pixels[0, 3, 5].tolist() == [1, 0, 0]
    assert image.pixels[0, 3, 6].tolist() == pytest.approx([0.8, 0.8, 1])
    assert mask.values.shape == (1, 16, 32)
    assert mask.values[0, 3, 5:8].tolist() == pytest.approx([1, 0.2, 0])


def test_a_drawing_of_another_size_is_stretched(ctx: NullContext) -> None:
    image, mask = DrawImage(ctx, put(ctx, Pillow.new("RGB", (20, 20), (0, 255, 0))), width=64, height=48)
    assert image.pixels.shape == (1, 48, 64, 3)
    assert torch.equal(mask.values, torch.ones(1, 48, 64))
    assert torch.equal(image.pixels, torch.tensor([0.0, 1.0, 0.0]).expand(1, 48, 64, 3))


def test_what_is_painted_white_is_masked(ctx: NullContext) -> None:
    picture = Pillow.new("RGB", (32, 32), "black")
    picture.paste((255, 255, 255), (0, 0, 16, 32))
    picture.putpixel((20, 0), (51, 51, 51))
    mask = DrawMask(ctx, put(ctx, picture), width=32, height=32)
    assert mask.values.shape == (1, 32, 32)
    assert mask.values[0, 0, [0, 15, 16, 20]].tolist() == pytest.approx([1, 1, 0, 0.2])


def test_a_stretched_colour_map_holds_no_colour_in_between(ctx: NullContext) -> None:
    picture = Pillow.new("RGB", (64, 64), RED)
    picture.paste(BLUE, (32, 0, 64, 64))
    image = DrawColourMap(ctx, put(ctx, picture), width=96, height=64)
    assert colours_of(image) == {RED, BLUE}
    assert image.pixels.shape == (1, 64, 96, 3)


def test_a_colour_of_another_program_becomes_the_nearest_of_the_palette(ctx: NullContext) -> None:
    near_red = (RED[0] - 6, RED[1] + 5, RED[2])
    image = DrawColourMap(ctx, put(ctx, Pillow.new("RGB", (16, 16), near_red)), width=16, height=16)
    labels = nearest_colours(image.pixels.movedim(-1, 1) * 2 - 1)
    assert labels.unique().tolist() == [3]
    assert colours_of(image) == {RED}


@pytest.mark.parametrize("draw", [DrawImage, DrawMask, DrawColourMap])
def test_before_anything_is_drawn_a_node_says_what_to_do(draw: Callable[[Context], object], ctx: NullContext) -> None:
    with pytest.raises(InputProblem, match="press Draw"):
        draw(ctx)


def test_the_editor_is_told_what_is_drawn_on() -> None:
    picture, mask, colours = (each.type.schema.input("drawing") for each in (DrawImage, DrawMask, DrawColourMap))
    assert picture and picture.canvas and mask and mask.canvas and colours and colours.canvas
    assert (picture.widget, picture.folder, picture.canvas.transparent) == ("drawing", "input", True)
    assert mask.canvas.mask
    assert colours.canvas.palette is not None
    assert [(each.name, each.colour) for each in colours.canvas.palette][3] == ("red", "#d62830")


def test_describing_the_nodes_needs_no_torch() -> None:
    script = "import sys, nodes.drawing; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
