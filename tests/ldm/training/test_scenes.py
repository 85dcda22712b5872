"""Scenes: every object lies inside its box, boxes do not touch, and a seed gives the same scenes again."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

from engine.errors import FileProblem
from engine.ldm.conditioners.text import BERTEmbedder
from engine.ldm.layouts import layout_tokenizer
from engine.ldm.text.transformer import TextTransformerConfig
from engine.ldm.training.conditions import LayoutConditions
from engine.ldm.training.pictures import Picture
from engine.ldm.training.scenes import compose_scenes

COLOURS = {"red": (255, 0, 0), "green": (0, 160, 0), "blue": (0, 0, 255)}


@pytest.fixture
def things(tmp_path: Path) -> list[Picture]:
    """Three blocks of colour in the middle of transparent ground."""
    made: list[Picture] = []
    for name, colour in COLOURS.items():
        picture = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
        picture.paste((*colour, 255), (10, 5, 30, 35))
        picture.save(tmp_path / f"{name}.png")
        made.append(Picture(tmp_path / f"{name}.png", name))
    return made


def test_what_is_drawn_is_what_the_boxes_say(things: list[Picture]):
    scenes = compose_scenes(things, 30, 64, seed=1)
    assert scenes.pixels.shape == (30, 3, 64, 64)
    for pixels, boxes in zip(scenes.pixels, scenes.boxes, strict=True):
        expected = torch.full((3, 64, 64), 255, dtype=torch.uint8)
        for box in boxes:
            x, y, width, height = (round(64 * share) for share in box.rectangle)
            colour = torch.tensor(list(COLOURS.values())[box.category], dtype=torch.uint8)
            expected[:, y : y + height, x : x + width] = colour[:, None, None]
        assert torch.equal(pixels, expected)


def test_scenes_have_one_to_three_different_things_and_repeat_with_their_seed(things: list[Picture]):
    scenes = compose_scenes(things, 40, 32, seed=1)
    assert {len(boxes) for boxes in scenes.boxes} == {1, 2, 3}
    assert all(len({box.category for box in boxes}) == len(boxes) for boxes in scenes.boxes)
    assert torch.equal(compose_scenes(things, 40, 32, seed=1).pixels, scenes.pixels)
    assert not torch.equal(compose_scenes(things, 40, 32, seed=2).pixels, scenes.pixels)


def test_an_empty_picture_is_refused_by_name(tmp_path: Path):
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(tmp_path / "nothing.png")
    with pytest.raises(FileProblem, match=r"nothing\.png is all transparent"):
        compose_scenes([Picture(tmp_path / "nothing.png", "nothing")], 1, 16, 0)


def test_layouts_become_a_context_in_any_order_and_are_left_out_as_often_as_asked(things: list[Picture]):
    torch.manual_seed(0)
    layout = layout_tokenizer(3)
    encoder = BERTEmbedder(TextTransformerConfig(32, 1, layout.tokens, layout.length, 1, 32, logits=False))
    boxes = compose_scenes(things, 2, 32, seed=1).boxes
    rows = torch.arange(400) % 2
    context = LayoutConditions(encoder, layout, boxes, 0.25).draw(rows, torch.Generator().manual_seed(0)).context
    assert context is not None and context.shape == (400, 12, 32)
    nothing = encoder(layout.encode([])[None])
    left_out = (context - nothing).abs().amax(dim=(1, 2)) < 1e-6
    assert float(left_out.float().mean()) == pytest.approx(0.25, abs=0.06)
