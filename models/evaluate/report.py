"""What a measurement gives: figures, and a sheet of examples with those that went wrong among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw
from torch import Tensor

GREEN, RED, GROUND = (46, 160, 67), (218, 54, 51), (255, 255, 255)
FRAME, GAP = 3, 6


@dataclass(frozen=True)
class Example:
    """Pictures that belong together, each [3, H, W] in [-1, 1]: what was asked first, what was made last.

    `good`: whether it counts as a success; None where a single picture has no verdict.
    """

    pictures: Sequence[Tensor]
    good: bool | None = None


@dataclass(frozen=True)
class Report:
    """`figures` by what they say, in the order to read them; shares in [0, 1]."""

    figures: Mapping[str, float]
    examples: Sequence[Example]

    def line(self) -> str:
        """The figures on one line."""
        return ", ".join(f"{name} {value:.4g}" for name, value in self.figures.items())


def mixed(examples: Sequence[Example], count: int) -> list[Example]:
    """At most `count` examples: successes first, then failures, as many of each as far as there are.

    They are taken at equal distances, so of examples in an order of merit neither the best nor the worst alone.
    """
    failed = [each for each in examples if each.good is False]
    others = [each for each in examples if each.good is not False]
    failures = min(len(failed), max(count // 2, count - len(others)))
    return _spread(others, count - failures) + _spread(failed, failures)


def _spread(examples: Sequence[Example], count: int) -> list[Example]:
    """Up to `count` of them, the first and the last among them where there are two."""
    if len(examples) <= count:
        return list(examples)
    return [examples[index * (len(examples) - 1) // max(1, count - 1)] for index in range(count)]


def sheet(examples: Sequence[Example], columns: int = 6, zoom: int = 1) -> Image.Image:
    """Lay examples out in rows: green frames round successes, red ones round failures.

    Args:
        examples: At least one; all of as many pictures of one size.
        zoom: Pixels a pixel.
    """
    drawn = [_strip(each, zoom) for each in examples]
    width, height = drawn[0].width + GAP, drawn[0].height + GAP
    columns = min(columns, len(drawn))
    laid = Image.new("RGB", (columns * width + GAP, -(-len(drawn) // columns) * height + GAP), GROUND)
    for index, strip in enumerate(drawn):
        row, column = divmod(index, columns)
        laid.paste(strip, (GAP + column * width, GAP + row * height))
    return laid


def _strip(example: Example, zoom: int) -> Image.Image:
    colour = {True: GREEN, False: RED, None: GROUND}[example.good]
    pictures = [_as_picture(each, zoom) for each in example.pictures]
    side, height = pictures[0].width, pictures[0].height
    strip = Image.new("RGB", (len(pictures) * (side + FRAME) + FRAME, height + 2 * FRAME), colour)
    for index, picture in enumerate(pictures):
        strip.paste(picture, (FRAME + index * (side + FRAME), FRAME))
    return strip


def _as_picture(x: Tensor, zoom: int) -> Image.Image:
    pixels = ((x.movedim(0, -1) + 1) * 127.5).round().clamp(0, 255).byte()
    picture = Image.fromarray(np.ascontiguousarray(pixels.numpy()))
    return picture.resize((picture.width * zoom, picture.height * zoom), Image.Resampling.NEAREST)


def with_box(x: Tensor, rectangle: tuple[float, float, float, float], colour: tuple[int, int, int]) -> Tensor:
    """A copy of a picture [3, H, W] in [-1, 1] with a rectangle (x, y, width, height, in shares) drawn on it."""
    picture = _as_picture(x, 1)
    left, top, width, height = rectangle
    corners = (left * picture.width, top * picture.height)
    ends = ((left + width) * picture.width - 1, (top + height) * picture.height - 1)
    ImageDraw.Draw(picture).rectangle((*corners, *ends), outline=colour)
    drawn = x.new_tensor(np.asarray(picture, dtype=np.float32) / 127.5 - 1)
    return drawn.movedim(-1, 0)
