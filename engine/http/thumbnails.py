"""Thumbnails of the user's pictures, kept in the cache folder by what the file was when they were made."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from engine.errors import FileProblem, NoSuchFile
from engine.http.pictures import thumbnail
from engine.node.files import write_atomically

SIDES = (64, 128, 256, 512, 1024)
"""What is asked for is rounded up to one of these, so that no caller can fill the cache with sizes."""
MOST_BYTES = 256 * 2**20
KEPT_SHARE = 0.8
"""How much of that is left when there was too much."""


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A WebP picture; `tag` is another one when the file or the size is."""

    data: bytes
    tag: str


class Thumbnails:
    """The thumbnails in a folder, which may be deleted at any time. Safe across threads.

    Args:
        most_bytes: the folder's bound; what was not looked at for longest goes first.
    """

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        self.folder = folder
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._bytes: int | None = None

    def tag(self, path: Path, side: int) -> str:
        """What identifies the thumbnail of a file as it is now.

        Raises:
            NoSuchFile: the file is gone.
        """
        try:
            status = path.stat()
        except OSError as error:
            raise NoSuchFile(f"{path.name} is not there any more") from error
        stamp = (str(path), status.st_size, status.st_mtime_ns, status.st_ctime_ns, rounded(side))
        return hashlib.blake2b(repr(stamp).encode(errors="surrogateescape"), digest_size=16).hexdigest()

    def get(self, path: Path, side: int) -> Thumbnail:
        """The thumbnail of a picture, at most `side` pixels a side (rounded up to one of `SIDES`).

        Raises:
            NoSuchFile: the file is gone.
            FileProblem: it is no picture that can be read.
        """
        tag = self.tag(path, side)
        kept = self.folder / tag[:2] / f"{tag}.webp"
        data = _whole(kept)
        if data is None:
            data = thumbnail(path, rounded(side))
            with suppress(FileProblem):  # a full disk: go without
                write_atomically(kept, data)
                self._count(len(data))
        return Thumbnail(data, tag)

    def _count(self, added: int) -> None:
        with self._lock:
            if self._bytes is None:
                self._bytes = sum(size for _, size, _ in self._all())
            else:
                self._bytes += added
            if self._bytes > self._most_bytes:
                self._bytes = self._evict()

    def _evict(self) -> int:
        """Delete the oldest until the rest is small enough; how many bytes that are."""
        found = sorted(self._all())
        left = sum(size for _, size, _ in found)
        for _, size, path in found:
            if left <= self._most_bytes * KEPT_SHARE:
                break
            path.unlink(missing_ok=True)
            left -= size
        return left

    def _all(self) -> list[tuple[float, int, Path]]:
        found: list[tuple[float, int, Path]] = []
        for path in self.folder.glob("??/*.webp"):
            with suppress(OSError):
                status = path.stat()
                found.append((status.st_mtime, status.st_size, path))
        return found


def rounded(side: int) -> int:
    """The smallest of `SIDES` that is not below `side`, or the largest there is."""
    return next((each for each in SIDES if each >= side), SIDES[-1])


def _whole(path: Path) -> bytes | None:
    """A kept thumbnail; None if there is none, or a damaged one."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    if data[:4] != b"RIFF" or int.from_bytes(data[4:8], "little") + 8 != len(data):
        return None
    with suppress(OSError):
        os.utime(path, (time.time(), time.time()))  # looked at just now
    return data
