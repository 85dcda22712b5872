"""Opening picture files under limits: what a stranger's file may do is decided here.

Imports Pillow only when called. Must not import torch or either column.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import IO, TYPE_CHECKING

from engine.errors import FileProblem

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

MAX_PIXELS = 64_000_000
"""Largest picture that is decoded, checked on the header: a small file can unpack to gigabytes (promise S10)."""


def open_picture(path: Path) -> Picture:
    """Decode the first frame of a picture file, turned upright.

    Raises:
        FileProblem: The file is missing, not a picture, truncated, or larger than 64 megapixels.
    """
    return decode_picture(path, path.name)


def decode_picture(file: Path | IO[bytes], name: str, formats: tuple[str, ...] | None = None, side: int = 0) -> Picture:
    """Decode the first frame of a picture, turned upright.

    Args:
        name: names the picture in errors.
        formats: Pillow's names of the formats that are read; all that it knows if None.
        side: a picture that is at least this large, in pixels, is enough; JPEG then decodes faster. 0: full size.

    Raises:
        FileProblem: It is missing, not a picture of such a format, truncated, or larger than 64 megapixels.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            # Of many pixels, where the limit below is lower, and of damaged EXIF, which says nothing about the pixels.
            warnings.filterwarnings("ignore", module=r"PIL\.")
            with Image.open(file, formats=formats) as opened:
                check_pixels(opened.width, opened.height, name)
                if side:
                    opened.draft(None, (side, side))
                opened.load()
                return ImageOps.exif_transpose(opened)
    except Image.DecompressionBombError as error:
        raise FileProblem(f"{name} is larger than 64 megapixels; make it smaller first") from error
    except UnidentifiedImageError as error:  # Pillow's words hold the whole path
        detail = "it is empty" if _is_empty(file) else "it is of no format known here"
        raise FileProblem(f"{name} cannot be read as a picture: {detail}; choose another file") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise FileProblem(f"{name} cannot be read as a picture: {error}; choose another file") from error


def check_pixels(width: int, height: int, name: str) -> None:
    """Refuse a picture that is too large to decode.

    Raises:
        FileProblem: it has more than 64 megapixels.
    """
    if width * height > MAX_PIXELS:
        raise FileProblem(
            f"{name} has {width}x{height} pixels, more than {MAX_PIXELS // 1_000_000} megapixels; make it smaller first"
        )


def _is_empty(file: Path | IO[bytes]) -> bool:
    if isinstance(file, Path):
        return file.stat().st_size == 0
    return file.seek(0, 2) == 0
