"""Keeping the disk tier within its bytes: what is dear to make, light to keep and often used stays."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from engine.run.content_store import TEMPORARY, remove

KEEP_SHARE = 0.9
"""An eviction makes room down to this share of the limit, so that it is not called for again at once."""
LOOK_SHARE = 1 / 16
"""After writing this share of the limit, the folder is measured again: other processes write to it, too."""
ABANDONED_AFTER_S = 3600.0
"""A blob that no record names, or a temporary file, is left alone for this long: its writer may be at work."""


@dataclass(frozen=True, slots=True)
class _Action:
    path: Path
    size: int
    worth: float
    """hits x seconds to remake / bytes, halved for every week since its last use."""
    blobs: frozenset[str]


class DiskBudget:
    """Measures and trims the folders of a disk cache. Several processes may do so at once: removing is idempotent, and
    a record that loses a blob to another process is a miss."""

    def __init__(self, actions: Path, contents: Path, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self._actions, self._contents = actions, contents
        self._lock = Lock()
        self._left: float = 0
        """Bytes that may be written before the folder is measured again."""

    def spend(self, size: int) -> None:
        """Note that bytes were written; evicts when there are too many."""
        with self._lock:
            self._left -= size
            if self._left > 0:
                return
            used = self.used_bytes()
            if used > self.limit_bytes:
                used = self._trim()
            self._left = max(min(self.limit_bytes * LOOK_SHARE, self.limit_bytes - used), 0)

    def used_bytes(self) -> int:
        return sum(size for _, size, _ in _files(self._actions)) + sum(size for _, size, _ in _files(self._contents))

    def entries(self) -> int:
        return sum(1 for _ in _files(self._actions))

    def _trim(self) -> int:
        """Remove what is worth least until there is room; returns the bytes that remain."""
        now = time.time()
        self._collect_temporary(now)
        sizes = {path.name: size for path, size, _ in _files(self._contents)}
        actions = [_read_action(path, size, used, now, sizes) for path, size, used in _files(self._actions)]
        users: dict[str, int] = {}
        for action in actions:
            for blob in action.blobs:
                users[blob] = users.get(blob, 0) + 1
        total = sum(sizes.values()) + sum(action.size for action in actions)
        for path, size, written in _files(self._contents):
            if path.name not in users and now - written > ABANDONED_AFTER_S:
                remove(path)
                total -= size
        for action in sorted(actions, key=lambda action: action.worth):
            if total <= self.limit_bytes * KEEP_SHARE:
                break
            remove(action.path)
            total -= action.size
            for blob in action.blobs:
                users[blob] -= 1
                if users[blob] == 0 and blob in sizes:
                    remove(self._contents / blob[:2] / blob)
                    total -= sizes[blob]
        return total

    def _collect_temporary(self, now: float) -> None:
        """Remove what processes that were killed in the middle of writing have left."""
        for path, _, written in [*_files(self._actions, temporary=True), *_files(self._contents, temporary=True)]:
            if now - written > ABANDONED_AFTER_S:
                remove(path)


def _read_action(path: Path, size: int, used: float, now: float, blob_sizes: dict[str, int]) -> _Action:
    try:
        _, line, hits = path.read_bytes().split(b"\n", 2)
        record = json.loads(line)
        blobs = frozenset(str(value) for values in record["outputs"] for kind, value in values if kind == "blob")
        seconds = float(record["seconds"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return _Action(path, size, 0.0, frozenset())  # damaged: the first to go
    held = size + sum(blob_sizes.get(blob, 0) for blob in blobs)
    age_weeks = max(now - used, 0.0) / (7 * 86_400)
    return _Action(path, size, (1 + len(hits)) * seconds / held * 0.5**age_weeks, blobs)


def _files(folder: Path, *, temporary: bool = False) -> Iterator[tuple[Path, int, float]]:
    """All finished (or all temporary) files two levels down, with their size and the time they were written last."""
    for inner in _scan(folder):
        if inner.is_dir(follow_symlinks=False):
            for entry in _scan(Path(inner.path)):
                if entry.name.endswith(TEMPORARY) is not temporary:
                    continue
                try:
                    stat = entry.stat(follow_symlinks=False)
                except OSError:
                    continue  # another process removed it
                yield Path(entry.path), stat.st_size, stat.st_mtime


def _scan(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []
