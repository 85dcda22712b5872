"""Pictures of training."""

from __future__ import annotations

import torch

from engine.ldm.training.plot import contact_sheet, plot_losses


def test_a_loss_curve_falls_from_left_to_right():
    picture = plot_losses({"loss": [10.0 / (step + 1) for step in range(100)]})
    assert picture.shape == (1, 540, 960, 3)
    blue = (picture[0, :, :, 2] > 0.8) & (picture[0, :, :, 0] < 0.4)
    left, right = (blue[60:, column : column + 20].nonzero()[:, 0].float().mean() for column in (100, 900))
    assert left < right


def test_no_or_strange_losses_still_give_a_picture():
    for losses in ({}, {"loss": [1.0]}, {"loss": [0.0, 0.0, -1.0]}, {"loss": [1.0, 1.0, 1.0]}):
        assert plot_losses(losses).shape == (1, 540, 960, 3)


def test_a_contact_sheet_lays_pictures_out_in_rows():
    sheet = contact_sheet(torch.zeros(5, 8, 6, 3), columns=2, gap=1)
    assert sheet.shape == (1, 3 * 9 + 1, 2 * 7 + 1, 3)
    assert sheet[0, 1:9, 1:7].eq(0).all()
    assert sheet[0, 0].eq(1).all()
