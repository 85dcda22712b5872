"""Scenes with known boxes: cut-out pictures laid on white, to learn layout-to-image from.

The original learns from OpenImages, whose boxes people drew. Here every object is a picture with transparent ground, so
its box is known to the pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from PIL.Image import Image as Cut
from torch import Tensor

from engine.errors import FileProblem
from engine.ldm.conditioners.layout import Box
from engine.ldm.training.pictures import Picture
from engine.pictures import open_picture

SMALLEST, LARGEST = 0.3, 0.75
"""Longer side of an object, as a share of the scene's."""


@dataclass(frozen=True)
class Scenes:
    """`pixels`: [N, 3, S, S] uint8; `boxes[i]`: what is where in scene i, categories being indices of the pictures."""

    pixels: Tensor
    boxes: Sequence[Sequence[Box]]


def compose_scenes(pictures: Sequence[Picture], count: int, size: int, seed: int) -> Scenes:
    """Lay one to four different pictures on white, each in a place of its own as far as there is room.

    Args:
        size: S, side of a scene in pixels.

    Raises:
        FileProblem: a picture cannot be decoded, or has nothing on it.
    """
    cut = [_cut_out(picture) for picture in pictures]
    pixels = torch.empty(count, 3, size, size, dtype=torch.uint8)
    boxes: list[list[Box]] = []
    for row in range(count):
        scene, found = _compose(cut, size, np.random.default_rng((seed, row)))
        pixels[row] = torch.from_numpy(np.asarray(scene).copy()).permute(2, 0, 1)
        boxes.append(found)
    return Scenes(pixels, boxes)


def _cut_out(picture: Picture) -> Cut:
    """The picture without its empty edges, RGBA."""
    rgba = open_picture(picture.file).convert("RGBA")
    seen = np.asarray(rgba)[..., 3] > 32
    rows, columns = (np.flatnonzero(seen.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        raise FileProblem(f"{picture.file.name} is all transparent; leave it out")
    return rgba.crop((int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1))


def _compose(cut: Sequence[Cut], size: int, draw: np.random.Generator) -> tuple[Cut, list[Box]]:
    scene = Image.new("RGB", (size, size), "white")
    boxes: list[Box] = []
    wanted = min(int(draw.choice([1, 1, 2, 2, 3, 4])), len(cut))
    for category in map(int, draw.permutation(len(cut))[:wanted]):
        thing = cut[category]
        scale = size * draw.uniform(SMALLEST, LARGEST if wanted == 1 else 0.5) / max(thing.width, thing.height)
        width, height = max(4, round(thing.width * scale)), max(4, round(thing.height * scale))
        for _ in range(20):
            left, top = (int(draw.integers(size - side + 1)) for side in (width, height))
            box = Box(category, (left / size, top / size, width / size, height / size))
            if not any(_touch(box, other) for other in boxes):
                small = thing.resize((width, height), Image.Resampling.LANCZOS)
                scene.paste(small, (left, top), small)
                boxes.append(box)
                break
    return scene, boxes


def _touch(a: Box, b: Box) -> bool:
    (ax, ay, aw, ah), (bx, by, bw, bh) = a.rectangle, b.rectangle
    return ax < bx + bw and bx < ax + aw and ay < by + bh and by < ay + ah
