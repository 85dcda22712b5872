"""Pictures for tests."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw


def scene(width: int = 40, height: int = 24, mode: str = "RGB") -> Image.Image:
    """A picture whose four corners differ: a gradient with a red disc near one corner."""
    red = np.tile(np.linspace(0, 255, width, dtype=np.uint8), (height, 1))
    green = np.tile(np.linspace(0, 255, height, dtype=np.uint8)[:, None], (1, width))
    picture = Image.fromarray(np.stack([red, green, np.full_like(red, 80)], axis=-1))
    ImageDraw.Draw(picture).ellipse((2, 2, 10, 10), fill=(255, 0, 0))
    return picture.convert(mode)


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """A picture as a file of Pillow's format `kind`."""
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def pixels(data: bytes, mode: str = "RGBA") -> np.ndarray:
    """[H, W, C] of a picture file."""
    with Image.open(io.BytesIO(data)) as picture:
        return np.asarray(picture.convert(mode)).astype(int)
