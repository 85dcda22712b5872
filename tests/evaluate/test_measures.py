"""The measures of models/evaluate on pictures whose figures are known."""

from __future__ import annotations

import math

import pytest
import torch

from models.evaluate.inpainting import hole_psnr, square_holes
from models.evaluate.layout import foreground_box, overlap
from models.evaluate.report import Example, Report, mixed, sheet, with_box
from models.evaluate.semantic import colour_ratios
from models.evaluate.super_resolution import psnr
from models.evaluate.synthesis import near_copies


def test_the_box_of_a_dark_object_on_white_is_found_and_specks_are_not() -> None:
    x = torch.ones(3, 32, 32)
    x[1, 8:16, 4:20] = -0.5
    x[:, 30, 1] = -1
    assert foreground_box(x) == (4 / 32, 8 / 32, 16 / 32, 8 / 32)
    assert foreground_box(torch.ones(3, 32, 32)) is None


def test_overlap_is_the_shared_area_over_the_joined_one() -> None:
    assert overlap((0, 0, 0.5, 0.5), (0, 0, 0.5, 0.5)) == 1
    assert overlap((0, 0, 0.5, 0.5), (0.25, 0, 0.5, 0.5)) == pytest.approx(1 / 3)
    assert overlap((0, 0, 0.2, 0.2), (0.5, 0.5, 0.2, 0.2)) == 0


def test_the_ratio_of_a_picture_is_the_mean_over_the_colours_asked_for() -> None:
    asked = torch.zeros(2, 4, 4, dtype=torch.int64)
    asked[:, :, 2:] = 3
    found = asked.clone()
    found[1, :, 1:] = 3  # white: 4 of 8, red: 8 of 12
    assert colour_ratios(asked, found).tolist() == pytest.approx([1, (4 / 8 + 8 / 12) / 2])


def test_a_colour_that_nobody_asked_for_costs_those_it_replaces() -> None:
    asked = torch.zeros(1, 2, 2, dtype=torch.int64)
    found = torch.tensor([[[0, 0], [0, 7]]])
    assert float(colour_ratios(asked, found)) == pytest.approx(3 / 4)


def test_holes_are_squares_of_the_share_asked_for_inside_the_picture() -> None:
    holes = square_holes(50, 64, 0.3, torch.Generator().manual_seed(0))
    side = 35
    assert holes.flatten(1).sum(dim=1).tolist() == [side * side] * 50
    assert all((hole[0].any(dim=0).sum(), hole[0].any(dim=1).sum()) == (side, side) for hole in holes)
    corners = {int(torch.nonzero(hole.flatten())[0]) for hole in holes}
    assert len(corners) > 40


def test_psnr_of_half_the_range_is_six_decibels_and_of_a_hole_that_of_its_pixels() -> None:
    a, b = torch.zeros(1, 3, 8, 8), torch.ones(1, 3, 8, 8)
    assert float(psnr(a, b)) == pytest.approx(20 * math.log10(2))
    holes = torch.zeros(1, 1, 8, 8)
    holes[..., :4, :4] = 1
    b[..., 4:, :] = 0
    assert float(hole_psnr(a, b, holes)) == pytest.approx(20 * math.log10(2), rel=1e-5)


def test_what_lies_beside_a_known_picture_is_a_near_copy_and_what_lies_between_two_is_not() -> None:
    known = torch.tensor([[0.0, 0.0], [1.0, 0.0], [5.0, 0.0]])
    made = torch.tensor([[0.1, 0.0], [0.0, 0.6], [2.9, 0.0], [4.0, 0.0]])
    assert near_copies(made, known) == 0.5


def test_a_sheet_shows_failures_as_long_as_there_are_some() -> None:
    picture = torch.zeros(3, 4, 4)
    examples = [Example((picture, picture), index > 2) for index in range(20)]
    shown = mixed(examples, 8)
    assert [each.good for each in shown] == [True] * 5 + [False] * 3
    assert [each.good for each in mixed(examples[:4], 8)] == [True] + [False] * 3
    assert (shown[0], shown[4]) == (examples[3], examples[-1])
    drawn = sheet(shown, columns=4)
    assert drawn.getpixel((7, 7)) == (46, 160, 67)
    colours = {colour for _, colour in drawn.getcolors() or []}  # type: ignore[misc]
    assert (218, 54, 51) in colours


def test_a_box_is_drawn_where_it_is() -> None:
    drawn = with_box(torch.ones(3, 32, 32), (0.25, 0.5, 0.5, 0.25), (255, 0, 0))
    assert foreground_box(drawn) == (0.25, 0.5, 0.5, 0.25)


def test_a_report_is_one_line() -> None:
    assert Report({"pictures": 3, "gain dB": 1.23456}, ()).line() == "pictures 3, gain dB 1.235"
