"""What the output folder holds, newest first: listed without opening a file, and without looking twice at a folder
that did not change. Call it in a thread.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.http.pictures import PICTURE_SUFFIXES

_GRAIN_NS = 2_000_000_000
"""A folder that changed this recently may change again without its time showing it."""


@dataclass(frozen=True, slots=True, order=True)
class OutputFile:
    """A file in the output folder; they sort by age."""

    modified_ns: int
    subfolder: str
    filename: str
    size: int

    @property
    def name(self) -> str:
        """Relative to the output folder, with `/` between folders."""
        return f"{self.subfolder}/{self.filename}" if self.subfolder else self.filename


@dataclass(frozen=True, slots=True)
class _Seen:
    """A folder as it was when it was last looked at."""

    modified_ns: int
    folders: tuple[str, ...]
    files: tuple[OutputFile, ...]


class Gallery:
    """The files in a folder. Hidden ones and links are left out. Safe across threads.

    Args:
        clock_ns: nanoseconds since 1970.
    """

    def __init__(self, root: Path, clock_ns: Callable[[], int] = time.time_ns) -> None:
        self.root = root
        self._clock_ns = clock_ns
        self._lock = threading.Lock()
        self._seen: dict[str, _Seen] = {}

    def page(
        self, limit: int, offset: int = 0, query: str = "", *, only_pictures: bool = True
    ) -> tuple[list[OutputFile], int]:
        """A page of files, newest first, and how many there are.

        Args:
            query: words that a file's name with its folders must hold, all of them, in any case.
        """
        words = query.lower().split()
        with self._lock:
            found = [
                file
                for file in self._walk()
                if (not only_pictures or os.path.splitext(file.filename)[1].lower() in PICTURE_SUFFIXES)
                and all(word in file.name.lower() for word in words)
            ]
        found.sort(reverse=True)
        return found[offset : offset + limit], len(found)

    def _walk(self) -> Iterator[OutputFile]:
        present: dict[str, _Seen] = {}
        rest = [""]
        while rest:
            folder = rest.pop()
            seen = self._look(folder)
            if seen is not None:
                present[folder] = seen
                rest.extend(seen.folders)
                yield from seen.files
        self._seen = present

    def _look(self, folder: str) -> _Seen | None:
        path = self.root / folder
        try:
            modified_ns = path.stat().st_mtime_ns
            known = self._seen.get(folder)
            if known is not None and known.modified_ns == modified_ns:
                return known
            looked_ns = self._clock_ns()
            with os.scandir(path) as entries:
                folders, files = _sorted_out(entries, folder)
        except OSError:  # gone meanwhile, or not ours to look at
            return None
        settled = looked_ns - modified_ns > _GRAIN_NS
        return _Seen(modified_ns if settled else -1, tuple(folders), tuple(files))


def _sorted_out(entries: Iterator[os.DirEntry[str]], folder: str) -> tuple[Sequence[str], Sequence[OutputFile]]:
    folders: list[str] = []
    files: list[OutputFile] = []
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            folders.append(f"{folder}/{entry.name}" if folder else entry.name)
        elif entry.is_file(follow_symlinks=False):
            status = entry.stat(follow_symlinks=False)
            files.append(OutputFile(status.st_mtime_ns, folder, entry.name, status.st_size))
    return folders, files
