"""What a picture says about how it was made: the `prompt` and `workflow` that Darkroom and ComfyUI write into it.

Nothing here is trusted: it is text of limited size, read as JSON under limits, and only ever shown or offered to open.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import JsonValue

from engine.errors import WorkflowError
from engine.graph.reading import Limits, check_json, read_json
from engine.pictures import picture_file, upright_size

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

KEPT_TEXTS = ("prompt", "workflow")
_EXIF_TAGS = range(0x0110, 0x0100, -1)
"""ComfyUI writes `prompt:<json>` into the tag 0x0110 of a WebP, and one more text into each tag below."""
_NOT_FINITE = re.compile(r"\b(?:NaN|Infinity)\b")


@dataclass(frozen=True, slots=True)
class Metadata:
    """Width and height in pixels, and the documents a picture carries; None where it carries none that can be read."""

    width: int
    height: int
    prompt: JsonValue
    workflow: JsonValue


def read_metadata(path: Path) -> Metadata:
    """Read what a picture file carries, without decoding its pixels.

    Raises:
        FileProblem: it is missing, or no picture.
    """
    with picture_file(path, path.name) as opened:
        texts = texts_in(opened)
        width, height = upright_size(opened)
    return Metadata(width, height, _document(texts.get("prompt")), _document(texts.get("workflow")))


def texts_in(opened: ImageFile) -> dict[str, str]:
    """The `prompt` and `workflow` of an open picture: text chunks of a PNG, EXIF of a WebP."""
    if opened.format == "PNG":
        found = {key: text for key, text in opened.info.items() if isinstance(text, str)}
    elif opened.format == "WEBP":
        exif = opened.getexif()
        tags = [str(exif[tag]) for tag in _EXIF_TAGS if tag in exif]
        found = {key: text for key, colon, text in (tag.partition(":") for tag in tags) if colon}
    else:
        return {}
    return {key: str(found[key]) for key in KEPT_TEXTS if key in found and len(found[key]) <= Limits().size_bytes}


def _document(text: str | None) -> JsonValue:
    if text is None:
        return None
    try:
        return read_json(text)
    except WorkflowError:
        return _with_nulls(text) if _NOT_FINITE.search(text) else None


def _with_nulls(text: str) -> JsonValue:
    """Read JSON as Python writes it by default, where numbers that are not finite stand as bare words."""
    try:
        value: JsonValue = json.loads(text, parse_constant=lambda _: None)
        check_json(value)
    except (ValueError, RecursionError, WorkflowError):
        return None
    return value
