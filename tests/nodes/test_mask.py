"""Masks: made, grown, faded, combined."""

from __future__ import annotations

import pytest
import torch
from PIL import Image as Pillow
from torch import Tensor

from engine.node import NullContext
from engine.values import Image, Mask
from nodes.mask import (
    CropMask,
    FeatherMask,
    GrowMask,
    ImageToMask,
    InvertMask,
    LoadImageMask,
    MaskComposite,
    MaskToImage,
    SolidMask,
    ThresholdMask,
)


def dot(side: int = 7) -> Mask:
    values = torch.zeros(1, side, side)
    values[0, side // 2, side // 2] = 1
    return Mask(values)


def mask(*rows: list[float]) -> Mask:
    return Mask(torch.tensor([rows]))


def test_a_solid_mask_has_one_value():
    values = SolidMask(0.25, 3, 2).values
    assert values.shape == (1, 2, 3) and (values == 0.25).all()


def test_a_mask_grows_as_a_diamond_or_a_square_and_shrinks_back():
    diamond, square = GrowMask(dot(), 2), GrowMask(dot(), 2, tapered_corners=False)
    assert diamond.values.sum() == 13 and square.values.sum() == 25
    assert torch.equal(GrowMask(square, -2, tapered_corners=False).values, dot().values)
    assert torch.equal(GrowMask(dot(), 0).values, dot().values)


def test_growing_by_more_than_the_picture_fills_it():
    assert GrowMask(dot(), 16384).values.all()


def test_a_feathered_mask_fades_in_equal_steps_at_the_edges_asked_for():
    values = FeatherMask(SolidMask(1.0, 6, 4), left=2, bottom=4).values[0]
    assert values[0].tolist() == [0.5, 1, 1, 1, 1, 1]
    assert values[:, 5].tolist() == [1, 0.75, 0.5, 0.25]


def test_feathering_wider_than_the_mask_is_cut():
    assert FeatherMask(SolidMask(1.0, 2, 2), left=100).values[0, 0].tolist() == [0.5, 1.0]


def test_a_crop_ends_where_the_mask_does():
    assert CropMask(dot(), 2, 2, 3, 100).values.shape == (1, 5, 3)
    assert CropMask(dot(), 100, 100, 3, 3).values.shape == (1, 1, 1)


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ("multiply", [[1, 0.5], [0, 0]]),
        ("add", [[1, 1], [1, 0]]),
        ("subtract", [[0, 0.5], [0, 0]]),
        ("and", [[1, 0], [0, 0]]),
        ("or", [[1, 1], [1, 0]]),
        ("xor", [[0, 1], [1, 0]]),
    ],
)
def test_masks_are_combined(operation: str, expected: list[list[float]]):
    below, above = mask([1.0, 1.0], [0.0, 0.0]), mask([1.0, 0.5], [1.0, 0.0])
    before = below.values.clone()
    result = MaskComposite(below, above, operation=operation)  # type: ignore[arg-type]
    assert result.values[0].tolist() == expected
    assert torch.equal(below.values, before)


def test_a_mask_laid_over_an_edge_counts_only_inside():
    result = MaskComposite(SolidMask(0.0, 3, 3), SolidMask(1.0, 3, 3), 2, 1, "add").values[0]
    assert result.tolist() == [[0, 0, 0], [0, 0, 1], [0, 0, 1]]


def test_masks_turn_into_pictures_and_back():
    picture = MaskToImage(dot())
    assert picture.pixels.shape == (1, 7, 7, 3)
    assert torch.equal(ImageToMask(picture, "blue").values, dot().values)
    assert ImageToMask(picture, "alpha").values.all()
    clear = Image(torch.cat([picture.pixels, torch.full((1, 7, 7, 1), 0.5)], dim=-1))
    assert (ImageToMask(clear, "alpha").values == 0.5).all()


def test_a_mask_is_inverted_and_made_hard():
    assert InvertMask(mask([0.25, 1.0])).values.tolist() == [[[0.75, 0.0]]]
    assert ThresholdMask(mask([0.5, 0.6])).values.tolist() == [[[0.0, 1.0]]]


@pytest.mark.parametrize(("channel", "expected"), [("alpha", 1 - 51 / 255), ("red", 1.0), ("green", 0.0)])
def test_a_channel_of_a_file_is_a_mask(ctx: NullContext, channel: str, expected: float):
    ctx.folders.input.mkdir(parents=True)
    Pillow.new("RGBA", (4, 3), (255, 0, 0, 51)).save(ctx.folders.input / "m.png")
    values: Tensor = LoadImageMask("m.png", ctx, channel).values  # type: ignore[arg-type]
    assert values.shape == (1, 3, 4)
    assert float(values[0, 0, 0]) == pytest.approx(expected)
