"""Pictures of training."""

from __future__ import annotations

import torch

from engine.ldm.training.plot import contact_sheet, plot_history, plot_losses
from engine.ldm.training.state import History


def test_a_loss_curve_falls_from_left_to_right():
    picture = plot_losses({"loss": [10.0 / (step + 1) for step in range(100)]})
    assert picture.shape == (1, 540, 960, 3)
    blue = (picture[0, :, :, 2] > 0.8) & (picture[0, :, :, 0] < 0.4)
    left, right = (blue[60:, column : column + 20].nonzero()[:, 0].float().mean() for column in (100, 900))
    assert left < right


def test_no_or_strange_losses_still_give_a_picture():
    for losses in ({}, {"loss": [1.0]}, {"loss": [0.0, 0.0, -1.0]}, {"loss": [1.0, 1.0, 1.0]}):
        assert plot_losses(losses).shape == (1, 540, 960, 3)


def test_what_began_later_is_drawn_at_the_end():
    picture = plot_losses({"loss": [1.0] * 100, "adversary_loss": [0.1] * 40})[0]
    red = (picture[60:, :, 0] > 0.8) & (picture[60:, :, 2] < 0.4)
    columns = red.any(dim=0).nonzero()[:, 0]
    assert columns.min() > 500 and columns.max() > 900


def test_each_measure_has_a_strip_of_its_own_below_the_losses():
    losses = {"loss": [1.0 / (step + 1) for step in range(100)]}
    plain = plot_history(History(100, 1.0, losses))
    measured = plot_history(History(100, 1.0, losses, {"perplexity": [float(s) for s in range(100)], "one": [1.0]}))
    assert torch.equal(plain, plot_losses(losses))
    assert torch.equal(measured[:, : plain.shape[1]], plain)
    strip = measured[0, plain.shape[1] :]
    assert strip.shape == (130, 960, 3)  # one value alone makes no line
    blue = (strip[:, :, 2] > 0.8) & (strip[:, :, 0] < 0.4)
    left, right = (blue[:, column : column + 20].nonzero()[:, 0].float().mean() for column in (100, 900))
    assert left > right


def test_a_contact_sheet_lays_pictures_out_in_rows():
    sheet = contact_sheet(torch.zeros(5, 8, 6, 3), columns=2, gap=1)
    assert sheet.shape == (1, 3 * 9 + 1, 2 * 7 + 1, 3)
    assert sheet[0, 1:9, 1:7].eq(0).all()
    assert sheet[0, 0].eq(1).all()
