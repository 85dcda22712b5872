"""Write files so that a reader never meets half of one."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

from engine.errors import FileProblem

_WRITING = ".writing-"


@contextlib.contextmanager
def _beside(path: Path, data: bytes, durable: bool) -> Generator[Path]:
    """A file in the folder of `path` that holds `data`, gone afterwards unless it was renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f"{_WRITING}{os.getpid()}-", suffix=path.suffix, dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    """The process's mask for new files: mkstemp ignores it and makes private files."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def remove_abandoned(folder: Path) -> None:
    """Remove what processes that were killed while they wrote into a folder have left there."""
    if sys.platform == "win32":  # asking whether a process lives may end it there
        return
    for path in folder.glob(f"{_WRITING}*"):
        pid = path.name.removeprefix(_WRITING).partition("-")[0]
        if pid.isdecimal() and not _is_alive(int(pid)):
            path.unlink(missing_ok=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is somebody else's
        pass
    return True


def write_atomically(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Put `data` at `path`, replacing what is there, all of it or nothing.

    Args:
        durable: wait until the disk has it, so that a power cut cannot leave an empty file.

    Raises:
        FileProblem: the disk is full, or the place cannot be written.
    """
    try:
        with _beside(path, data, durable) as temporary:
            os.replace(temporary, path)
            if durable:
                flush_folder(path.parent)
    except OSError as error:
        raise FileProblem(f"cannot write {path}: {error.strerror or error}") from error


def write_new(path: Path, data: bytes, *, durable: bool = False) -> bool:
    """Put `data` at `path` unless a file is there already, in which case nothing happens and the answer is False.

    Args:
        durable: wait until the disk has it.

    Raises:
        FileProblem: the disk is full, or the place cannot be written.
    """
    try:
        with _beside(path, data, durable) as temporary:
            is_new = _publish(temporary, path)
            if durable and is_new:
                flush_folder(path.parent)
            return is_new
    except OSError as error:
        raise FileProblem(f"cannot write {path}: {error.strerror or error}") from error


def flush_folder(folder: Path) -> None:
    """Have the disk note the names in a folder. Windows, where a folder cannot be opened as a file, does so itself."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:  # network file systems refuse to; the file's own content is safe
        pass
    finally:
        os.close(handle)


def _publish(temporary: Path, path: Path) -> bool:
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links, such as FAT: check first, and accept the tiny race
        if path.exists():
            return False
        os.replace(temporary, path)
    return True
