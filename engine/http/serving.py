"""Handing out the user's files: found by the one function that resolves names, sent as one of a fixed list of types.

What a browser would run or lay out (HTML, SVG, scripts) is never on that list: it is sent as a download (promise S5).
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from aiohttp import web

from engine.errors import NoSuchFile
from engine.node.folders import Folders
from engine.node.names import safe_parts

MEDIA = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".jfif": "image/jpeg",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".avif": "image/avif",
    ".bmp": "image/bmp",
    ".txt": "text/plain; charset=utf-8",
    ".json": "application/json",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".mp3": "audio/mpeg",
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".ogg": "audio/ogg",
}
UNKNOWN = "application/octet-stream"


def find_file(folders: Folders, folder: str, name: str) -> Path:
    """The user's file of that name in `input`, `output` or `temp`.

    Raises:
        NoSuchFile: there is none, or it is hidden, or there is no such folder.
        FileProblem: the name leads elsewhere.
    """
    if folder not in ("input", "output", "temp"):
        raise NoSuchFile(f"there is no folder {folder[:40]!r}; the folders are input, output and temp")
    if any(part.startswith(".") for part in safe_parts(name, folder)):
        raise NoSuchFile(f"{folder}: there is no {name[:200]!r}")
    found = folders.resolve(folder, name)
    inside = (found.is_relative_to(root.resolve()) for root in folders.roots(folder))
    if not any(inside):  # `x.png [input]` leads to another folder
        raise NoSuchFile(f"{folder}: there is no {name[:200]!r}")
    return found


def file_response(path: Path, *, forever: bool = False) -> web.FileResponse:
    """A file as an answer, with ranges and an entity tag.

    Args:
        forever: the address changes when the file does, so that a browser need not ask again.
    """
    media = MEDIA.get(path.suffix.lower(), UNKNOWN)
    shown = "attachment" if media == UNKNOWN else "inline"
    headers = {
        "Content-Type": media,
        "Content-Disposition": f"{shown}; filename*=UTF-8''{quote(path.name, safe='')}",
        "Cache-Control": cache_control(forever=forever),
        "X-Content-Type-Options": "nosniff",
    }
    return web.FileResponse(path, headers=headers)


def cache_control(*, forever: bool) -> str:
    """How long a browser may keep the user's files: until it asked again, or a year under an address with a stamp."""
    return "private, max-age=31536000, immutable" if forever else "private, no-cache"
