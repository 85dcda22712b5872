"""Pictures from strangers, made anew: decoded, and encoded again without anything but their pixels (promise S5).

What is stored is therefore a plain picture, whatever else the file that came was. Pillow is imported only when called.
All of this computes; call it in a thread.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from engine.errors import FileProblem
from engine.http.metadata import KEPT_TEXTS, texts_in
from engine.pictures import eight_bits, has_alpha, picture_file, upright, upright_size

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
"""Pillow's names of what may be uploaded."""
PICTURE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".jfif", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif"})
JPEG_SUFFIXES = (".jpg", ".jpeg", ".jfif")
THUMBNAIL_QUALITY = 80


@dataclass(frozen=True, slots=True)
class Remade:
    """A picture that was decoded and encoded again."""

    data: bytes
    suffix: str
    width: int
    height: int


def remake(file: IO[bytes], name: str, *, keep_texts: bool = False) -> Remade:
    """Decode a picture and encode it again, in its own format where that loses nothing to speak of, else as PNG.

    Its first frame is kept, turned upright, with the depth and transparency it has. PNG and WebP keep every pixel; a
    JPEG stays one, at a quality that moves values by a level or two.

    Args:
        name: what the picture is called; its suffix is kept where it fits the content.
        keep_texts: keep the workflow and the prompt that it carries.

    Raises:
        FileProblem: it is no picture of a known format, truncated, or larger than 64 megapixels.
    """
    with picture_file(file, name, FORMATS) as opened:
        texts = texts_in(opened) if keep_texts else {}
        kind = opened.format
        picture = _plain(upright(opened), name)
    if kind in ("JPEG", "MPO"):
        given = Path(name).suffix
        return Remade(_jpeg(picture), given if given.lower() in JPEG_SUFFIXES else ".jpg", *picture.size)
    if kind == "WEBP":
        return Remade(_webp(picture, texts), ".webp", *picture.size)
    return Remade(_png(picture, texts), ".png", *picture.size)


def with_alpha_of(original: Path, mask: IO[bytes], mask_name: str) -> Remade:
    """The original picture as PNG, with the alpha of another one as large, and with the texts it carries.

    That is how a mask painted in the editor is kept: 1 - alpha is the mask that `LoadImage` gives.

    Raises:
        FileProblem: one of them cannot be read, or they differ in size.
    """
    with picture_file(mask, mask_name, FORMATS) as opened:
        alpha = upright(opened).convert("RGBA").getchannel("A")
    with picture_file(original, original.name, FORMATS) as opened:
        texts = texts_in(opened)
        picture = eight_bits(upright(opened)).convert("RGB")
    if picture.size != alpha.size:
        raise FileProblem(
            f"the mask has {alpha.width}x{alpha.height} pixels and {original.name} has "
            f"{picture.width}x{picture.height}; paint it at the size of the picture"
        )
    picture.putalpha(alpha)
    return Remade(_png(picture, texts), ".png", *picture.size)


def thumbnail(path: Path, side: int) -> bytes:
    """A small WebP of a picture, at most `side` pixels a side. What is smaller keeps its size.

    Raises:
        FileProblem: it is no picture of a known format, truncated, or larger than 64 megapixels.
    """
    with picture_file(path, path.name, FORMATS) as opened:
        opened.draft(None, (side, side))  # a JPEG is decoded at an eighth of its size where that is enough
        picture = eight_bits(upright(opened))
    picture = picture.convert("RGBA" if has_alpha(picture) else "RGB")
    picture.thumbnail((side, side))
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=THUMBNAIL_QUALITY, method=2)
    return buffer.getvalue()


def picture_size(path: Path) -> tuple[int, int] | None:
    """Width and height by the header alone, as it is shown; None for what is no picture."""
    try:
        with path.open("rb") as file:
            head = file.read(24)
    except OSError:
        return None
    if head.startswith(b"\x89PNG\r\n\x1a\n") and head[12:16] == b"IHDR":  # nearly all; needs no Pillow
        return int.from_bytes(head[16:20]), int.from_bytes(head[20:24])
    if path.suffix.lower() not in PICTURE_SUFFIXES:
        return None
    try:
        with picture_file(path, path.name, FORMATS) as opened:
            return upright_size(opened)
    except FileProblem:
        return None


def _plain(picture: Picture, name: str) -> Picture:
    """The same pixels in a mode that PNG has: no palettes, inks or premultiplied colours."""
    if picture.mode in ("L", "LA", "RGB", "RGBA", "I;16") and "transparency" not in picture.info:
        return picture
    if picture.mode == "F" or picture.mode == "I":
        raise FileProblem(f"{name} has more than 16 bits a channel; save it with 8 or 16 bits")
    if picture.mode.startswith("I;16"):
        return picture.convert("I").convert("I;16")
    if has_alpha(picture):
        return picture.convert("RGBA")
    return picture.convert("L" if picture.mode == "1" else "RGB")


def _png(picture: Picture, texts: Mapping[str, str]) -> bytes:
    from PIL import PngImagePlugin

    info = PngImagePlugin.PngInfo()
    for key, text in texts.items():
        info.add_text(key, text)
    buffer = io.BytesIO()
    # Level 1 with run lengths: twice as fast at the same size for what models make (promise P12).
    _bare(picture).save(buffer, "PNG", pnginfo=info, compress_level=1, compress_type=3)
    return buffer.getvalue()


def _webp(picture: Picture, texts: Mapping[str, str]) -> bytes:
    from PIL import Image

    exif = Image.Exif()
    for place, key in enumerate(key for key in KEPT_TEXTS if key in texts):
        exif[0x0110 - place] = f"{key}:{texts[key]}"  # where ComfyUI puts them
    buffer = io.BytesIO()
    _bare(picture).save(buffer, "WEBP", lossless=True, exact=True, quality=0, method=0, exif=exif.tobytes())
    return buffer.getvalue()


def _jpeg(picture: Picture) -> bytes:
    buffer = io.BytesIO()
    _bare(picture).save(buffer, "JPEG", quality=98, subsampling=0)
    return buffer.getvalue()


def _bare(picture: Picture) -> Picture:
    """The picture without what Pillow would write beside its pixels: colour profile, EXIF, comments."""
    bare = picture.copy()
    bare.info = {}
    return bare
