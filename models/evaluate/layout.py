"""Layout-to-image: does a single object fill the box it was asked in?"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from engine.ldm.classes import read_names
from engine.ldm.conditioners.layout import Box, Rectangle
from engine.ldm.layouts import layout_tokenizer
from engine.ldm.training.pictures import as_input, list_pictures
from engine.ldm.training.scenes import compose_scenes
from models.evaluate.report import GREEN, RED, Example, Report, with_box
from models.evaluate.subject import Subject

THRESHOLD = 0.25
"""How far from white, of a channel in [-1, 1], a pixel of an object is at least: an eighth of the range."""
ENOUGH = 0.5
UNSEEN_SEED = 900_001
"""Of the scenes; training composes its own from small seeds."""


@torch.inference_mode()
def layout(subject: Subject) -> Report:
    """Ask for one object in one box, in places training never had, and find the box of what is not white.

    IoU of the two boxes; good from 0.5 on. The same is measured of the true scene sent through the autoencoder, which
    bounds what can be reached.
    """
    names = read_names(subject.file)
    things = {picture.caption: picture for picture in list_pictures(subject.data, subject.groups)}
    scenes = compose_scenes([things[name] for name in names], 4 * subject.count, subject.size, UNSEEN_SEED)
    single = [row for row, boxes in enumerate(scenes.boxes) if len(boxes) == 1][: subject.count]
    asked = [scenes.boxes[row][0] for row in single]
    tokenizer = layout_tokenizer(len(names))
    wanted = subject.model.encode_condition(torch.stack([tokenizer.encode([box]) for box in asked]))
    nothing = subject.model.encode_condition(tokenizer.encode([])[None])
    made = subject.make(len(asked), wanted, nothing)
    true = as_input(scenes.pixels[single])
    through = subject.through(true)
    overlaps = _overlaps(made, asked)
    good = [overlap >= ENOUGH for overlap in overlaps]
    ceiling = [overlap >= ENOUGH for overlap in _overlaps(through, asked)]
    figures = {
        "single objects": float(len(asked)),
        "share with IoU >= 0.5": _mean(good),
        "mean IoU": _mean(overlaps),
        "share of true scenes through the autoencoder": _mean(ceiling),
        "share of true scenes compared with another's box": _mean(
            [overlap >= ENOUGH for overlap in _overlaps(through, [*asked[1:], asked[0]])]
        ),
    }
    examples = [
        Example((with_box(true[i], box.rectangle, RED), with_box(made[i], box.rectangle, GREEN)), good[i])
        for i, box in enumerate(asked)
    ]
    return Report(figures, examples)


def foreground_box(x: Tensor) -> Rectangle | None:
    """The box of what is not white in a picture [3, H, W] in [-1, 1]; None where all is white.

    Rows and columns with less than two such pixels are left out, for the specks that decoders leave.
    """
    seen = (1 - x).amax(dim=0) > THRESHOLD  # [H, W]
    rows, columns = (torch.nonzero(seen.sum(dim=axis) >= 2)[:, 0] for axis in (1, 0))
    if not len(rows) or not len(columns):
        return None
    height, width = seen.shape
    top, left = int(rows[0]), int(columns[0])
    return left / width, top / height, (int(columns[-1]) + 1 - left) / width, (int(rows[-1]) + 1 - top) / height


def overlap(a: Rectangle, b: Rectangle) -> float:
    """Intersection over union of two rectangles."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(0.0, width) * max(0.0, height)
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)


def _overlaps(pictures: Tensor, asked: Sequence[Box]) -> list[float]:
    found = [foreground_box(picture) for picture in pictures]
    return [0.0 if box is None else overlap(box, each.rectangle) for box, each in zip(found, asked, strict=True)]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
