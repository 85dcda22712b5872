"""The files that output nodes leave behind: a remembered result counts only while they are as they were."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from blake3 import blake3
from pydantic import JsonValue

from engine.node.folders import Folders
from engine.run.outcome import FileStamp


def stamp_files(ui: Mapping[str, JsonValue], folders: Folders) -> tuple[FileStamp, ...]:
    """Note the state of every file that `ui` shows by a `path` in the output or the temporary folder.

    A path is absolute, or relative to the output folder. A file elsewhere is not noted: it is not the node's own.
    """
    stamps: list[FileStamp] = []
    for shown in _paths(ui):
        path = folders.output / shown
        for name, root in _roots(folders).items():
            if path.is_relative_to(root) and path.is_file():
                state = path.stat()
                inside = path.relative_to(root).as_posix()
                stamps.append(FileStamp(name, inside, state.st_size, state.st_mtime_ns, _digest(path)))
    return tuple(stamps)


def are_unchanged(stamps: Iterable[FileStamp], folders: Folders) -> bool:
    """Whether all files are still there as they were. A touched file is read to see if its content is the same."""
    roots = _roots(folders)
    return all(stamp.folder in roots and _is_unchanged(stamp, roots[stamp.folder] / stamp.path) for stamp in stamps)


def _is_unchanged(stamp: FileStamp, path: Path) -> bool:
    try:
        state = path.stat()
        if state.st_size != stamp.size:
            return False
        return state.st_mtime_ns == stamp.modified_ns or _digest(path) == stamp.digest
    except OSError:
        return False


def _roots(folders: Folders) -> dict[str, Path]:
    return {"output": folders.output, "temp": folders.temp}


def _digest(path: Path) -> str:
    return blake3(path.read_bytes()).hexdigest()


def _paths(ui: Mapping[str, JsonValue]) -> list[str]:
    entries = [entry for shown in ui.values() if isinstance(shown, list) for entry in shown]
    paths = [entry.get("path") for entry in entries if isinstance(entry, dict)]
    return [path for path in paths if isinstance(path, str)]
