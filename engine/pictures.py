"""Opening picture files under limits: what a stranger's file may do is decided here.

Imports Pillow only when called. Must not import torch or either column.
"""

from __future__ import annotations

import contextlib
import struct
import warnings
import zlib
from collections.abc import Generator
from pathlib import Path
from typing import IO, TYPE_CHECKING

from engine.errors import FileProblem

if TYPE_CHECKING:
    from PIL.Image import Image as Picture
    from PIL.ImageFile import ImageFile

_DAMAGE = (
    *(OSError, EOFError, SyntaxError, ValueError, TypeError, AttributeError, LookupError, ArithmeticError),
    *(struct.error, zlib.error),
)
"""What Pillow raises on files that somebody damaged with intent."""
_ORIENTATION = 0x0112
_SIDEWAYS = 5
"""From this orientation on, width and height are exchanged."""

MAX_PIXELS = 64_000_000
"""Largest picture that is decoded, checked on the header: a small file can unpack to gigabytes (promise S10)."""


def open_picture(path: Path) -> Picture:
    """Decode the first frame of a picture file, turned upright.

    Raises:
        FileProblem: The file is missing, not a picture, truncated, or larger than 64 megapixels.
    """
    with picture_file(path, path.name) as opened:
        return upright(opened)


@contextlib.contextmanager
def picture_file(file: Path | IO[bytes], name: str, formats: tuple[str, ...] | None = None) -> Generator[ImageFile]:
    """Open a picture file; only its header is read, until its pixels are asked for.

    Errors of Pillow in the body become FileProblems, too: that is where damage in the pixels shows.

    Args:
        name: names the picture in errors.
        formats: Pillow's names of the formats that are read; all that it knows if None.

    Raises:
        FileProblem: It is missing, not a picture of such a format, truncated, or larger than 64 megapixels.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            # Of many pixels, where the limit below is lower, and of damaged EXIF, which says nothing about the pixels.
            warnings.filterwarnings("ignore", module=r"PIL\.")
            with Image.open(file, formats=formats) as opened:
                if opened.width * opened.height > MAX_PIXELS:
                    raise FileProblem(
                        f"{name} has {opened.width}x{opened.height} pixels, more than {MAX_PIXELS // 1_000_000} "
                        "megapixels; make it smaller first"
                    )
                yield opened
    except Image.DecompressionBombError as error:
        raise FileProblem(f"{name} is larger than 64 megapixels; make it smaller first") from error
    except UnidentifiedImageError as error:  # Pillow's words hold the whole path
        detail = "it is empty" if _is_empty(file) else "it is of no format known here"
        raise FileProblem(f"{name} cannot be read as a picture: {detail}; choose another file") from error
    except _DAMAGE as error:
        raise FileProblem(f"{name} cannot be read as a picture: {error}; choose another file") from error


def upright(opened: ImageFile) -> Picture:
    """Decode an open picture, turned as its EXIF says. To be called within `picture_file`."""
    from PIL.Image import Transpose

    turns = (
        *(None, Transpose.FLIP_LEFT_RIGHT, Transpose.ROTATE_180, Transpose.FLIP_TOP_BOTTOM),
        *(Transpose.TRANSPOSE, Transpose.ROTATE_270, Transpose.TRANSVERSE, Transpose.ROTATE_90),
    )
    opened.load()
    turn = turns[_orientation(opened) - 1]
    return opened.transpose(turn) if turn is not None else opened.copy()


def upright_size(opened: ImageFile) -> tuple[int, int]:
    """Width and height of an open picture once it is upright."""
    width, height = opened.size
    return (height, width) if _orientation(opened) >= _SIDEWAYS else (width, height)


def _orientation(opened: ImageFile) -> int:
    """1 to 8, as EXIF counts; 1, which is upright, where it says nothing sensible."""
    try:
        found = opened.getexif().get(_ORIENTATION, 1)
    except _DAMAGE:  # damaged EXIF says nothing about the pixels
        return 1
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def eight_bits(picture: Picture) -> Picture:
    """The picture with 8 bits a channel: 16-bit greyscale is scaled, where Pillow's own conversion would clip it."""
    if not picture.mode.startswith("I"):
        return picture
    return picture.convert("I").point(lambda value: value * (1 / 256)).convert("L")


def has_alpha(picture: Picture) -> bool:
    """Whether parts of a picture may be transparent: by a channel, or by a colour that stands for nothing."""
    return "A" in picture.getbands() or "transparency" in picture.info


def _is_empty(file: Path | IO[bytes]) -> bool:
    return file.stat().st_size == 0 if isinstance(file, Path) else file.seek(0, 2) == 0
