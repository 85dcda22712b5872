"""What is seen of a training while it runs."""

from __future__ import annotations

import io

import pytest
import torch
from PIL import Image as Pillow
from torch import nn

from engine.ldm.training.ema import EMA
from engine.ldm.training.loop import StepReport
from engine.ldm.training.state import History
from engine.node import NullContext
from nodes.training_run import Live, in_words


class Watching(NullContext):
    wants_preview = True

    def __init__(self, ctx: NullContext) -> None:
        super().__init__(ctx.folders)
        self.said = list[str]()
        self.seen = list[tuple[int, int]]()

    def progress(self, step: int, total: int, text: str = "") -> None:
        self.said.append(text)

    def preview(self, image: bytes, media_type: str = "image/jpeg") -> None:
        with Pillow.open(io.BytesIO(image)) as picture:
            self.seen.append(picture.size)


@pytest.fixture
def report() -> StepReport:
    """The tenth of a hundred steps of two seconds each."""
    history = History(10, 20.0, {"loss": [0.5] * 10}, {"learning rate": [0.1] * 10})
    return StepReport(10, 100, {"loss": 0.5}, 4.0, EMA(nn.Linear(1, 1)), history)


def test_the_time_left_follows_from_the_time_taken(ctx: NullContext, report: StepReport) -> None:
    watching = Watching(ctx)
    Live(watching).report(report)
    assert watching.said == ["loss 0.5000, 4.0 pictures/s, 3 min left"]


@pytest.mark.parametrize(("seconds", "words"), [(0.4, "0 s"), (89, "89 s"), (120, "2 min"), (12_600, "3.5 h")])
def test_times_are_said_as_people_say_them(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


def test_curves_are_shown_below_the_newest_samples(ctx: NullContext, report: StepReport) -> None:
    watching = Watching(ctx)
    Live(watching, plot_every_s=0.0).report(report)
    ((width, height),) = watching.seen
    live = Live(watching, plot_every_s=0.0)
    live.samples("name", 10, torch.rand(8, 16, 16, 3))
    live.report(report)
    sheet, both = watching.seen[1:]
    assert both[1] * width > height * both[0], "previews are shrunk to one size, and this one is the taller"
    assert sheet[0] > sheet[1]
    assert (ctx.folders.output / "training" / "name" / "step 10_00001_.png").is_file()


def test_curves_are_drawn_seldom(ctx: NullContext, report: StepReport) -> None:
    watching = Watching(ctx)
    live = Live(watching, plot_every_s=0.0)
    for _ in range(5):
        live.report(report)
    assert len(watching.seen) == 1, "each drawing waits a hundred times as long as the last took"
