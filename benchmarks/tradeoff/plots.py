"""The comparison as pictures, drawn with Pillow alone, in the manner of engine/ldm/training/plot.py."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from benchmarks.tradeoff.outcome import Judged
from engine.ldm.training.plot import COLOURS, GRID, GROUND, TEXT

WIDTH, HEIGHT = 560, 420
LEFT, TOP, RIGHT, BOTTOM = 78, 64, 24, 56
SHOWN, GAP, LABEL = 12, 4, 44
TICKS = (1, 2, 5)


def curves(judged: Sequence[Judged]) -> Image.Image:
    """Two plots side by side: the distance by CPU seconds of training, and by pictures a second of sampling."""
    plot = Image.new("RGB", (2 * WIDTH, HEIGHT), GROUND)
    last = max(each.point.seconds for each in judged)
    by_time = _lines(judged, lambda each: each.point.seconds)
    by_speed = _lines([each for each in judged if each.point.seconds == last], lambda each: each.point.sampling_rate)
    plot.paste(_plot(by_time, "Frechet distance by seconds of training", "CPU seconds"), (0, 0))
    plot.paste(_plot(by_speed, "... by speed of sampling, at the end", "pictures a CPU second"), (WIDTH, 0))
    return plot


def samples(made: Mapping[int, Tensor]) -> Image.Image:
    """The first pictures of each factor, a row for each; pictures are [N, 3, S, S] in [-1, 1]."""
    side = 2 * next(iter(made.values())).shape[-1]
    sheet = Image.new("RGB", (LABEL + SHOWN * (side + GAP), len(made) * (side + GAP)), "white")
    draw = ImageDraw.Draw(sheet)
    for row, (factor, pictures) in enumerate(made.items()):
        top = row * (side + GAP)
        draw.text((4, top + side / 2), f"f = {factor}", TEXT, ImageFont.load_default(13), anchor="lm")
        for column, picture in enumerate(pictures[:SHOWN]):
            pixels = ((picture.movedim(0, -1) + 1) * 127.5).round().clamp(0, 255).byte().numpy()
            small = Image.fromarray(np.ascontiguousarray(pixels))
            sheet.paste(small.resize((side, side), Image.Resampling.NEAREST), (LABEL + column * (side + GAP), top))
    return sheet


Points = Mapping[int, Sequence[tuple[float, float]]]


def _lines(judged: Sequence[Judged], across: Callable[[Judged], float]) -> Points:
    factors = sorted({each.point.factor for each in judged})
    return {f: [(across(each), each.frechet) for each in judged if each.point.factor == f] for f in factors}


def _plot(lines: Points, title: str, below: str) -> Image.Image:
    """Both axes logarithmic; a line and a colour for each factor."""
    picture = Image.new("RGB", (WIDTH, HEIGHT), GROUND)
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(14)
    xs, ys = ([point[axis] for line in lines.values() for point in line] for axis in (0, 1))
    across, up = _Axis(xs, LEFT, WIDTH - RIGHT), _Axis(ys, HEIGHT - BOTTOM, TOP)
    draw.text((LEFT, 14), title, TEXT, ImageFont.load_default(16))
    for value in up.ticks():
        draw.line((LEFT, up(value), WIDTH - RIGHT, up(value)), GRID)
        draw.text((LEFT - 8, up(value)), f"{value:g}", TEXT, font, anchor="rm")
    for value in across.ticks():
        draw.text((across(value), HEIGHT - BOTTOM + 8), f"{value:g}", TEXT, font, anchor="mt")
    draw.text(((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12), below, TEXT, font, anchor="mb")
    for index, (factor, line) in enumerate(lines.items()):
        colour = COLOURS[index % len(COLOURS)]
        places = [(across(x), up(y)) for x, y in line]
        draw.line(places, colour, 3)
        for x, y in places:
            draw.ellipse((x - 4, y - 4, x + 4, y + 4), colour)
        left = LEFT + index * 80
        draw.rectangle((left, 40, left + 12, 52), colour)
        draw.text((left + 18, 46), f"f = {factor}", TEXT, font, anchor="lm")
    return picture


class _Axis:
    """Positive values to pixels, logarithmically, with a little room at both ends."""

    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        floor = 1e-6
        low, high = (math.log10(max(floor, bound)) for bound in (min(values), max(values)))
        room = max(0.05, (high - low) * 0.06)
        self._low, self._high, self._start, self._end = low - room, high + room, start, end

    def __call__(self, value: float) -> float:
        share = (math.log10(max(1e-6, value)) - self._low) / (self._high - self._low)
        return self._start + (self._end - self._start) * share

    def ticks(self) -> list[float]:
        """1, 2 and 5 times powers of ten within the axis; its ends where there are fewer than two."""
        exponents = range(math.floor(self._low), math.ceil(self._high) + 1)
        inside = [m * 10.0**e for e in exponents for m in TICKS if self._low <= math.log10(m * 10.0**e) <= self._high]
        return inside if len(inside) > 1 else [round(10**self._low, 3), round(10**self._high, 3)]
