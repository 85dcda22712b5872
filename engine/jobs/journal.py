"""The save journal: a job that was killed between saving a picture and being recorded never leaves two.

Before a file appears, a line with its path and the digest of its bytes is on the disk. An attempt that follows gets the
same path back. The journal belongs to the job, so it goes when the job has ended.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock

from blake3 import blake3

from engine.errors import FileProblem
from engine.node.files import remove_abandoned, write_atomically, write_new
from engine.node.folders import Folders

SUFFIX = ".jsonl"


@dataclass(frozen=True, slots=True)
class SavedFile:
    """One line: who saved what, and where."""

    owner: str
    """Content key of the node."""
    slot: str
    digest: str
    path: str


class SaveJournal:
    """The files that one job saved, in earlier attempts and in this one. Safe across threads.

    Implements `engine.node.folders.Saves`. A file of an earlier attempt is taken up by the first save for the same slot
    with the same bytes, or else of the same node: what a GPU computes twice may differ in a bit.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._earlier = _read(path)
        for folder in {Path(each.path).parent for each in self._earlier}:
            remove_abandoned(folder)
        self._lock = Lock()

    def save(self, data: bytes, owner: str, slot: str, choose: Callable[[], Path]) -> Path:
        digest = _digest(data)
        with self._lock:
            earlier = self._claim(owner, slot, digest)
        if earlier is not None and self._restore(earlier, SavedFile(owner, slot, digest, earlier.path), data):
            return Path(earlier.path)
        while True:
            path = choose()
            self._note(SavedFile(owner, slot, digest, str(path)))
            if write_new(path, data, durable=True):
                return path

    def _claim(self, owner: str, slot: str, digest: str) -> SavedFile | None:
        """Take the file of an earlier attempt that this save repeats; no two saves get the same."""
        same_slot = [each for each in self._earlier if each.slot == slot]
        same = [each for each in same_slot if each.digest == digest] or [
            each for each in same_slot if each.owner == owner
        ]
        if not same:
            return None
        self._earlier.remove(same[0])
        return same[0]

    def _restore(self, earlier: SavedFile, now: SavedFile, data: bytes) -> bool:
        """Have the data where the earlier attempt put it, or was about to; False if something else is there now."""
        path = Path(earlier.path)
        try:
            there = _digest(path.read_bytes())
        except OSError:
            there = None
        if there == now.digest:
            return True
        self._note(now)
        if there is None:
            return write_new(path, data, durable=True)
        if there == earlier.digest:
            write_atomically(path, data, durable=True)
            return True
        return False

    def _note(self, saved: SavedFile) -> None:
        # The line before may have been cut off by a kill, so each begins a line of its own.
        line = b"\n" + json.dumps(asdict(saved)).encode("ascii") + b"\n"
        try:
            with self._lock:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                with self._path.open("ab") as file:
                    file.write(line)
                    file.flush()
                    os.fsync(file.fileno())
        except OSError as error:
            raise FileProblem(f"cannot write {self._path}: {error.strerror or error}") from error


def open_journal(folders: Folders, job: str) -> SaveJournal:
    """The journal of a job, with what earlier attempts noted in it."""
    return SaveJournal(_place(folders, job))


def remove_journals(folders: Folders, jobs: Iterable[str]) -> None:
    """Forget what jobs that have ended saved; the files themselves stay."""
    for job in jobs:
        _place(folders, job).unlink(missing_ok=True)


def keep_journals(folders: Folders, unfinished: Iterable[str]) -> None:
    """Forget the journals of all other jobs, as a server does that starts: it may have been killed before it could."""
    kept = {_place(folders, job) for job in unfinished}
    for path in (folders.user / "saves").glob(f"*{SUFFIX}"):
        if path not in kept:
            path.unlink(missing_ok=True)


def _place(folders: Folders, job: str) -> Path:
    is_plain = re.fullmatch(r"[0-9A-Za-z-]{1,64}", job)  # a client may have chosen it
    return folders.user / "saves" / f"{job if is_plain else _digest(job.encode())}{SUFFIX}"


def _read(path: Path) -> list[SavedFile]:
    """The last line for each path; a line that was cut off by a kill named a file that does not exist yet."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return []
    saved: dict[str, SavedFile] = {}
    for line in lines:
        try:
            entry = SavedFile(**json.loads(line))
        except (ValueError, TypeError):
            continue
        saved[entry.path] = entry
    return list(saved.values())


def _digest(data: bytes) -> str:
    return blake3(data).hexdigest()
