"""Boxes on a picture, read from a literal: `[{"label": "cat", "box": [x, y, width, height]}, ...]`, in shares of it.

A problem names the box it is about, counted from 1 as people count, and its label.
"""

from __future__ import annotations

import math
from typing import cast

from pydantic import JsonValue

from engine.graph.literal_error import LiteralError
from engine.graph.reading import is_text
from engine.graph.wording import describe, shorten
from engine.node.schema import InputSchema

LONGEST_LABEL = 200
_SIDES = ("x", "y", "width", "height")
_SHAPE = '{"label": "cat", "box": [x, y, width, height]}'
_SLACK = 1e-6
"""By so much a box may stick out: what sums of decimal fractions are off. It is cut off."""


def read_boxes(schema: InputSchema, value: JsonValue) -> JsonValue:
    """Return boxes with their numbers as floats, labels without surrounding space, none sticking out.

    Raises:
        LiteralError: `wrong_kind`, `too_many_boxes` or `bad_box`.
    """
    if not isinstance(value, list):
        got = describe(value)
        fix = f"write [{_SHAPE}, ...]"
        raise LiteralError("wrong_kind", f"This must be a list of boxes, not {got}.", "a list of boxes", got, fix)
    if schema.maximum is not None and len(value) > schema.maximum:
        raise LiteralError(
            "too_many_boxes",
            f"There are {len(value)} boxes.",
            f"at most {schema.maximum} boxes",
            f"{len(value)} boxes",
            f"remove {len(value) - int(schema.maximum)}",
        )
    return [_read(number, each) for number, each in enumerate(value, 1)]


def _read(number: int, value: JsonValue) -> JsonValue:
    if not isinstance(value, dict) or value.keys() != {"label", "box"}:
        raise _bad(f"Box {number} is no box.", _SHAPE, value, f"write it like {_SHAPE}")
    label, box = value["label"], value["box"]
    if not isinstance(label, str) or not label.strip() or len(label) > LONGEST_LABEL or not is_text(label):
        wanted = f"a label of 1 to {LONGEST_LABEL} letters"
        raise _bad(f"Box {number} does not say what is in it.", wanted, label, "label it")
    called = f"Box {number} ({shorten(label.strip(), 40)})"
    if not isinstance(box, list) or len(box) != len(_SIDES):
        raise _bad(f"{called} has no place.", "four numbers: x, y, width, height", box, "write them as shares, 0 to 1")
    for side, share in zip(_SIDES, box, strict=True):
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1 + _SLACK:
            fix = "write shares of the picture, such as 0.25, not pixels"
            raise _bad(f"{called}: its {side} is not within the picture.", "a number from 0 to 1", share, fix)
    x, y, width, height = (float(cast(float, share)) for share in box)
    if width == 0 or height == 0:
        raise _bad(f"{called} has no extent.", "width and height above 0", box, "draw it larger")
    for side, start, length in (("right", x, width), ("lower", y, height)):
        if start + length > 1 + _SLACK:
            said = f"{called} sticks out over the picture's {side} edge."
            raise _bad(said, "at most 1", round(start + length, 6), "move it, or make it smaller")
    return {"label": label.strip(), "box": [x, y, _within(x, width), _within(y, height)]}


def _within(start: float, length: float) -> float:
    """The length with what would stick out by rounding cut off."""
    return length if start + length <= 1 else math.nextafter(1 - start, 0)


def _bad(message: str, wanted: str, got: JsonValue, fix: str) -> LiteralError:
    return LiteralError("bad_box", message, wanted, describe(got), fix)
