"""Bounding boxes to tokens and back, for layout-to-image models.

A box is three tokens: what it is, its top-left and its bottom-right corner on an n x n grid. Unused places hold the
"none" token; two more tokens may tell which crop of the picture is meant.

Source: `ObjectsBoundingBoxConditionalBuilder` of CompVis/taming-transformers (taming/data/conditional_builder), used
for layout2img-openimages256 of CompVis/latent-diffusion. Its decoder reads the flag `inside` from the bit of
`depiction`; here every flag comes back from its own bit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.errors import InputProblem

Rectangle = tuple[float, float, float, float]
FULL: Rectangle = (0.0, 0.0, 1.0, 1.0)
FLAGS = ("group", "occluded", "depiction", "inside")


@dataclass(frozen=True)
class Box:
    """One object: its category number, its rectangle (x, y, width, height as shares of the picture) and four flags."""

    category: int
    rectangle: Rectangle
    group: bool = False
    occluded: bool = False
    depiction: bool = False
    inside: bool = False


@dataclass(frozen=True)
class LayoutTokenizer:
    """Encode boxes for a text transformer and decode them again.

    `classes`: categories of the data set (354 for OpenImages). `tokens`: the transformer's vocabulary (8192), which
    gives the grid's side n = floor(sqrt(tokens)). `max_objects`: places for boxes. `encode_crop` appends the crop's two
    corners. `group_flag` and `detail_flags` tell which flags the model was trained with.
    """

    classes: int = 354
    max_objects: int = 30
    tokens: int = 8192
    encode_crop: bool = True
    group_flag: bool = True
    detail_flags: bool = True

    @property
    def sections(self) -> int:
        """Side of the grid."""
        return math.isqrt(self.tokens)

    @property
    def none(self) -> int:
        """The token of an unused place."""
        return self.tokens - 1

    @property
    def length(self) -> int:
        """Tokens per picture: 92 with the defaults."""
        return 3 * self.max_objects + (2 if self.encode_crop else 0)

    def encode(self, boxes: Sequence[Box], crop: Rectangle = FULL, flip: bool = False) -> Tensor:
        """Return the tokens [length] int64 of the boxes that touch `crop`, in the order given.

        With `encode_crop` boxes stay relative to the whole picture and the crop is told by its tokens; without, they
        are made relative to the crop. Boxes beyond `max_objects` are left out, as in the original.

        Args:
            boxes: What is in the picture; shuffle them first when training.
            crop: The part of the picture that is shown.
            flip: Mirror left and right.

        Raises:
            InputProblem: a rectangle or category is out of range.
        """
        for box in boxes:
            _check_rectangle("box", box.rectangle)
        _check_rectangle("crop", crop)
        kept = [box for box in boxes[: self.max_objects] if _overlap(box.rectangle, crop) > 0]
        frame = FULL if self.encode_crop else crop
        ids: list[int] = []
        for box in kept:
            ids += [self.object_token(box), *self.corner_tokens(_relative(box.rectangle, frame, flip))]
        ids += [self.none] * (3 * (self.max_objects - len(kept)))
        if self.encode_crop:
            x, y, width, height = crop
            ids += self.corner_tokens((1 - (x + width), y, width, height) if flip else crop)
        return torch.tensor(ids, dtype=torch.int64)

    def decode(self, tokens: Tensor) -> tuple[list[Box], Rectangle | None]:
        """Return the boxes of tokens [length], and the crop if it is encoded; corners lie on the grid."""
        ids = [int(token) for token in tokens]
        if len(ids) != self.length:
            raise InputProblem(f"layout has {len(ids)} tokens, this tokenizer makes {self.length}")
        objects = ids[: 3 * self.max_objects]
        boxes = [
            self._box(objects[i], self.rectangle(objects[i + 1], objects[i + 2]))
            for i in range(0, len(objects), 3)
            if objects[i] != self.none
        ]
        return boxes, self.rectangle(ids[-2], ids[-1]) if self.encode_crop else None

    def object_token(self, box: Box) -> int:
        """Return category + classes * flags; the flags' bits are 1 group, 2 occluded, 4 depiction, 8 inside."""
        flags = sum(1 << bit for bit, name in enumerate(FLAGS) if self._uses(name) and getattr(box, name))
        token = box.category + self.classes * flags
        if not 0 <= box.category < self.classes or token >= self.none:
            raise InputProblem(
                f"category {box.category} with these flags has no token; categories are 0 to {self.classes - 1}, "
                f"tokens 0 to {self.none - 1}"
            )
        return token

    def corner_tokens(self, rectangle: Rectangle) -> list[int]:
        """Return the tokens of the top-left and the bottom-right corner: round(y (n-1)) n + round(x (n-1))."""
        x, y, width, height = rectangle
        return [self._point_token(x, y), self._point_token(x + width, y + height)]

    def rectangle(self, first: int, second: int) -> Rectangle:
        """Return the rectangle between two corner tokens."""
        (x0, y0), (x1, y1) = self._point(first), self._point(second)
        return x0, y0, x1 - x0, y1 - y0

    def _uses(self, flag: str) -> bool:
        return self.group_flag if flag == "group" else self.detail_flags

    def _box(self, token: int, rectangle: Rectangle) -> Box:
        flags, category = divmod(token, self.classes)
        return Box(
            category, rectangle, **{name: self._uses(name) and bool(flags >> bit & 1) for bit, name in enumerate(FLAGS)}
        )

    def _point_token(self, x: float, y: float) -> int:
        last = self.sections - 1
        return round(y * last) * self.sections + round(x * last)

    def _point(self, token: int) -> tuple[float, float]:
        y, x = divmod(token, self.sections)
        return x / (self.sections - 1), y / (self.sections - 1)


def _check_rectangle(what: str, rectangle: Rectangle) -> None:
    x, y, width, height = rectangle
    slack = 1e-6  # sums of shares such as 0.7 + 0.3 need not be 1 exactly
    inside = x >= 0 and y >= 0 and width > 0 and height > 0 and x + width <= 1 + slack and y + height <= 1 + slack
    if not inside:  # also when a value is NaN
        raise InputProblem(
            f"{what} is x {x}, y {y}, width {width}, height {height}; give shares of the picture between 0 and 1"
        )


def _overlap(a: Rectangle, b: Rectangle) -> float:
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return max(0.0, width) * max(0.0, height)


def _relative(rectangle: Rectangle, frame: Rectangle, flip: bool) -> Rectangle:
    """Express a rectangle in a frame; a box cut at the left keeps its width as far as it fits, as the original does."""
    x = min(max((rectangle[0] - frame[0]) / frame[2], 0.0), 1.0)
    y = min(max((rectangle[1] - frame[1]) / frame[3], 0.0), 1.0)
    width = min(rectangle[2] / frame[2], 1 - x)
    height = min(rectangle[3] / frame[3], 1 - y)
    return (1 - (x + width) if flip else x), y, width, height
