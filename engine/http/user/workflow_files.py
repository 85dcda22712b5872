"""Saved workflows: `<user>/workflows/<name>.json`, with the last versions of each and a bin for what was deleted.

    workflows/portraits/studio.json                                    the workflow `portraits/studio`
    workflows/.history/portraits/studio.json/<time>-<version>.json     what it was, the present version included
    workflows/.trash/<time>/portraits/studio.json                      deleted, with its history beside it

A version is the digest of the file's bytes: a file that is edited by hand has another one, and equal content has the
same. A save names the version it was made from and is refused when that is not the present one (promise R9).
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from blake3 import blake3

from engine.errors import DarkroomError, FileProblem, NoSuchFile
from engine.node.files import flush_folder, write_atomically, write_new
from engine.node.names import safe_parts

KEPT_VERSIONS = 50
HISTORY, TRASH = ".history", ".trash"
SUFFIX = ".json"
NEW: Literal["new"] = "new"
"""Expected of a workflow that is saved for the first time: nothing is there yet."""
ANY: Literal["any"] = "any"
"""Expected by those who overwrite whatever is there."""
_VERSION_FILE = re.compile(r"(\d{20})-([0-9a-f]{32})\.json")


class NameTaken(FileProblem):
    """Another workflow has that name."""


class StaleSave(DarkroomError):
    """Somebody saved in between. `current` is what is there now; None if it was deleted."""

    def __init__(self, name: str, current: Stored | None) -> None:
        self.name, self.current = name, current
        happened = "was saved by someone else since you opened it" if current else "is not there any more"
        super().__init__(f"{name!r} {happened}; compare both versions, then save again or under another name")


@dataclass(frozen=True, slots=True)
class Stored:
    """A version of a saved workflow. `modified` in seconds since 1970, `size` in bytes."""

    name: str
    version: str
    modified: float
    size: int
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Entry:
    """What a list of workflows or versions says about one."""

    name: str
    version: str
    modified: float
    size: int


class WorkflowFiles:
    """The saved workflows in a folder. Safe across threads; one process at a time uses it.

    Args:
        root: made when the first workflow is saved.
        clock_ns: nanoseconds since 1970.
    """

    def __init__(self, root: Path, clock_ns: Callable[[], int] = time.time_ns) -> None:
        self.root = root
        self._clock_ns = clock_ns
        self._lock = threading.RLock()
        self._known: dict[tuple[Path, int, int, int], str] = {}
        """Versions by (path, size, mtime_ns, ctime_ns), so that a list need not read every file."""

    # ------------------------------------------------------------------------------------------------------- reading

    def list(self) -> list[Entry]:
        """All saved workflows, by name."""
        found: list[Entry] = []
        for directory, folders, files in os.walk(self.root):
            folders[:] = [each for each in folders if not each.startswith(".")]
            for file in files:
                path = Path(directory, file)
                if file.endswith(SUFFIX) and not file.startswith(".") and path.is_file() and not path.is_symlink():
                    with suppress(OSError):  # deleted meanwhile
                        found.append(self._entry(path))
        return sorted(found, key=lambda entry: (entry.name.lower(), entry.name))

    def read(self, name: str) -> Stored:
        """A workflow as it is now.

        Raises:
            NoSuchFile: there is none of that name.
            FileProblem: that is no name for a workflow, or the disk refuses.
        """
        return self._read(self._path(name), name)

    def versions(self, name: str) -> list[Entry]:
        """The versions that are kept of a workflow, newest first.

        Raises:
            NoSuchFile: there is none of that name.
            FileProblem: that is no name for a workflow.
        """
        self.read(name)
        found: list[Entry] = []
        for path, stamp, version in reversed(list(self._history_of(self._path(name)))):
            with suppress(OSError):
                found.append(Entry(name, version, stamp / 1e9, path.stat().st_size))
        return found

    def read_version(self, name: str, version: str) -> Stored:
        """A workflow as it was.

        Raises:
            NoSuchFile: there is no such version of it.
            FileProblem: that is no name for a workflow.
        """
        for path, stamp, found in self._history_of(self._path(name)):
            if found == version:
                stored = self._read(path, name)
                return Stored(name, found, stamp / 1e9, stored.size, stored.data)
        raise NoSuchFile(f"there is no version {version[:40]!r} of {name!r}; choose one of those that are listed")

    # ------------------------------------------------------------------------------------------------------- writing

    def save(self, name: str, data: bytes, expected: str) -> Entry:
        """Save a workflow; when this returns, the disk has it.

        What is there already may be saved again, whatever is expected: a client that missed the answer asks twice.

        Args:
            expected: the version it was made from, `NEW` if none, or `ANY`.

        Raises:
            StaleSave: something else is there.
            FileProblem: that is no name for a workflow, or the disk refuses.
        """
        path = self._path(name)
        with self._lock:
            current = self._current(path, name)
            if current is not None and current.data == data:
                return _entry_of(current)
            matches = expected == ANY or expected == (current.version if current else NEW)
            if not matches:
                raise StaleSave(name, current)
            if current is not None:
                self._keep(path, current.data)  # it may have been edited by hand since it was saved
            self._keep(path, data)
            write_atomically(path, data, durable=True)
            self._forget_oldest(path)
            return self._entry(path)

    def delete(self, name: str, expected: str = ANY) -> None:
        """Move a workflow to the bin, with its history.

        Raises:
            NoSuchFile: there is none of that name.
            StaleSave: another version is there than the expected one.
            FileProblem: that is no name for a workflow, or the disk refuses.
        """
        path = self._path(name)
        with self._lock:
            current = self.read(name)
            if expected not in (ANY, current.version):
                raise StaleSave(name, current)
            target = self.root / TRASH / f"{self._clock_ns():020d}" / path.relative_to(self.root)
            with _refusals_of_disk(path):
                target.parent.mkdir(parents=True)
                if (history := self._history_folder(path)).is_dir():
                    os.replace(history, target.with_suffix(".history"))
                os.replace(path, target)
                flush_folder(target.parent)
                flush_folder(path.parent)
            self._remove_empty(path.parent)

    def rename(self, name: str, to: str) -> Entry:
        """Give a workflow another name; its versions go with it.

        Raises:
            NoSuchFile: there is none of that name.
            NameTaken: there is one of the new name.
            FileProblem: one of them is no name for a workflow, or the disk refuses.
        """
        path, target = self._path(name), self._path(to)
        with self._lock:
            stored = self.read(name)
            if path == target:
                return _entry_of(stored)
            if not write_new(target, stored.data, durable=True):
                raise NameTaken(f"there is a workflow {to!r} already; choose another name")
            with _refusals_of_disk(path):
                for version, _, _ in list(self._history_of(path)):
                    kept = self._history_folder(target) / version.name
                    kept.parent.mkdir(parents=True, exist_ok=True)
                    os.replace(version, kept)
                path.unlink()
                flush_folder(path.parent)
            self._remove_empty(self._history_folder(path))
            self._remove_empty(path.parent)
            return self._entry(target)

    # ---------------------------------------------------------------------------------------------------------- parts

    def _path(self, name: str) -> Path:
        parts = safe_parts(name.removesuffix(SUFFIX), "workflow")
        if any(part.startswith(".") for part in parts):
            raise FileProblem(f"workflow: {name!r} begins with a dot; choose a name without")
        parts = safe_parts("/".join(parts) + SUFFIX, "workflow")
        path = self.root.joinpath(*parts)
        root = self.root.resolve()
        if not path.parent.resolve().is_relative_to(root) or path.is_symlink():
            raise FileProblem(f"workflow: {name!r} is a link; choose another name")
        return path

    def _read(self, path: Path, name: str) -> Stored:
        try:
            data, status = path.read_bytes(), path.stat()
        except OSError as error:
            if isinstance(error, FileNotFoundError | NotADirectoryError | IsADirectoryError):
                raise NoSuchFile(f"there is no workflow {name!r}; choose one of those that are listed") from error
            raise FileProblem(f"cannot read {path}: {error.strerror or error}") from error
        return Stored(name, _digest(data), status.st_mtime, len(data), data)

    def _current(self, path: Path, name: str) -> Stored | None:
        try:
            return self._read(path, name)
        except NoSuchFile:
            return None

    def _entry(self, path: Path) -> Entry:
        status = path.stat()
        known = (path, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        version = self._known.get(known)
        if version is None:
            version = _digest(path.read_bytes())
            if self._clock_ns() - max(status.st_mtime_ns, status.st_ctime_ns) > 2_000_000_000:  # it may change again
                self._known[known] = version
        name = path.relative_to(self.root).as_posix().removesuffix(SUFFIX)
        return Entry(name, version, status.st_mtime, status.st_size)

    def _history_folder(self, path: Path) -> Path:
        return self.root / HISTORY / path.relative_to(self.root)

    def _history_of(self, path: Path) -> Iterator[tuple[Path, int, str]]:
        """The versions kept of a file, oldest first: path, when, version."""
        folder = self._history_folder(path)
        names = sorted(os.listdir(folder)) if folder.is_dir() else []
        for name in names:
            if match := _VERSION_FILE.fullmatch(name):
                yield folder / name, int(match[1]), match[2]

    def _keep(self, path: Path, data: bytes) -> None:
        """Add a version to the history, unless it is the newest there."""
        version = _digest(data)
        kept = list(self._history_of(path))
        if not kept or kept[-1][2] != version:
            stamp = max(self._clock_ns(), kept[-1][1] + 1 if kept else 0)  # clocks are set back
            write_new(self._history_folder(path) / f"{stamp:020d}-{version}.json", data, durable=True)

    def _forget_oldest(self, path: Path) -> None:
        for version, _, _ in list(self._history_of(path))[:-KEPT_VERSIONS]:
            version.unlink(missing_ok=True)

    def _remove_empty(self, folder: Path) -> None:
        while folder != self.root and folder.is_relative_to(self.root):
            try:
                folder.rmdir()
            except OSError:  # not empty
                return
            folder = folder.parent


@contextlib.contextmanager
def _refusals_of_disk(path: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise FileProblem(f"cannot change {path}: {error.strerror or error}") from error


def _digest(data: bytes) -> str:
    return blake3(data).hexdigest(length=16)


def _entry_of(stored: Stored) -> Entry:
    return Entry(stored.name, stored.version, stored.modified, stored.size)
