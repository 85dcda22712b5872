"""What the values on a node's outputs measure, in a few characters: `1x256x256x3`, `4 of 1x64x64x4`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

MAX_OUTPUTS = 32
MAX_DIMENSIONS = 8


def shapes_of(outputs: Sequence[Sequence[Any]]) -> tuple[str, ...]:
    """The shape of what travels from each output, "" where a value has none; () where none has.

    A value has a shape when its `shape` is a tuple of whole numbers. Of a list that travels, the first counts.
    """
    shapes = tuple(_shape(values) for values in outputs[:MAX_OUTPUTS])
    return shapes if any(shapes) else ()


def _shape(values: Sequence[Any]) -> str:
    shape: object = getattr(values[0], "shape", None) if values else None
    if not isinstance(shape, tuple):
        return ""
    sizes = cast(tuple[object, ...], shape)
    if not 0 < len(sizes) <= MAX_DIMENSIONS or not all(isinstance(size, int) for size in sizes):
        return ""
    words = "x".join(map(str, sizes))
    return words if len(values) == 1 else f"{len(values)} of {words}"
