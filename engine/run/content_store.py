"""Blobs by digest: files whose name says what is in them, written atomically and checked when read."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

from blake3 import blake3

TEMPORARY = ".tmp"
"""Suffix of files that are being written."""


class ContentStore:
    """A folder of blobs. A damaged blob is a missing one; nobody is told wrong bytes.

    Several processes may use one folder: a blob appears whole or not at all, and equal names have equal content.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, digest: str) -> Path:
        return self.folder / digest[:2] / digest

    def put(self, data: bytes, *, durable: bool) -> str:
        """Store bytes and give their digest.

        Raises:
            OSError: they cannot be written.
        """
        digest = digest_of(data)
        path = self.path(digest)
        try:
            present = path.stat().st_size == len(data)
            os.utime(path)  # a young blob is safe from being collected before a record names it
        except OSError:
            present = False
        if not present:
            write_atomically(path, data, durable=durable)
        return digest

    def get(self, digest: str) -> bytes | None:
        """Read a blob; None when it is missing, unreadable or not what its name says, and then it is removed."""
        path = self.path(digest)
        try:
            data = path.read_bytes()
        except OSError:
            data = None
        if data is not None and digest_of(data) == digest:
            return data
        remove(path)
        return None


def digest_of(data: bytes) -> str:
    """BLAKE3 in hexadecimal: 3.1 GB/s where SHA-256 gives 0.87 (design, "Measured facts")."""
    return blake3(data).hexdigest()


def write_atomically(path: Path, data: bytes, *, durable: bool) -> None:
    """Write a file so that others see the old content or the new one, never a part.

    Args:
        durable: Wait until the disk has it. Without, a power cut may lose the file or leave it damaged, which readers
            that verify a digest survive; waiting costs milliseconds for each file.

    Raises:
        OSError: it cannot be written.
    """
    temporary = path.with_name(f".{token_hex(8)}{TEMPORARY}")
    try:
        try:
            file = temporary.open("wb")
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = temporary.open("wb")
        with file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        try:
            temporary.replace(path)
        except IsADirectoryError:
            remove(path)
            temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def remove(path: Path) -> None:
    """Remove a file, or whatever stands in its place, if it is there and we may."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        shutil.rmtree(path, ignore_errors=True)
