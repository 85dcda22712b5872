"""Names of files as workflows spell them: checked before any file system sees them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import PurePosixPath, PureWindowsPath

from engine.errors import FileProblem

RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}
"""Names that Windows gives to devices, with any suffix."""
MAX_NAME_BYTES = 240
"""One part of a path; file systems allow 255 bytes, a counter and a suffix still have to fit."""
MAX_PATH_BYTES = 1024


def safe_parts(name: str, what: str) -> tuple[str, ...]:
    """Split a relative name into its parts.

    Args:
        name: relative to some root, with `/` or `\\` between folders.
        what: names the input in errors, e.g. "checkpoints".

    Raises:
        FileProblem: the name is empty, absolute, climbs with `..`, names a device, or holds control characters.
    """
    shown = repr(name[:80] + "..." if len(name) > 80 else name)
    if not name.strip():
        raise FileProblem(f"{what}: the file name is empty; choose a file")
    if any(ord(char) < 32 or 0xD800 <= ord(char) <= 0xDFFF for char in name):
        raise FileProblem(f"{what}: {shown} holds characters that no file name has; correct the name")
    path = name.replace("\\", "/")
    if path.startswith(("/", "~")) or PureWindowsPath(name).drive:
        raise FileProblem(f"{what}: {shown} is an absolute path; give a name inside the folder")
    parts = PurePosixPath(path).parts
    if ".." in parts:
        raise FileProblem(f"{what}: {shown} leads out of the folder with '..'; give a name inside the folder")
    if not parts:
        raise FileProblem(f"{what}: {shown} names no file; choose a file")
    for part in parts:
        if part.split(".")[0].strip().lower() in RESERVED or part.endswith((":", " ")):
            raise FileProblem(f"{what}: {shown} names a device or ends in ' ' or ':'; choose another name")
        if len(part.encode()) > MAX_NAME_BYTES:
            raise FileProblem(f"{what}: {shown} is {len(part.encode())} bytes long, {MAX_NAME_BYTES} are allowed")
    if len(path.encode()) > MAX_PATH_BYTES:
        raise FileProblem(f"{what}: {shown} is {len(path.encode())} bytes long, {MAX_PATH_BYTES} are allowed")
    return parts


def nearest(name: str, known: Iterable[str], count: int = 3) -> list[str]:
    """The known names most like `name`, best first. Case is ignored, and of a long name all but its beginning."""
    by_lower = {each.lower(): each for each in known}
    asked = name[:MAX_NAME_BYTES].lower()  # comparing takes time that grows with the square of the length
    return [by_lower[each] for each in difflib.get_close_matches(asked, by_lower, n=count, cutoff=0.55)]
