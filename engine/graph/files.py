"""Digests of files' contents, remembered as long as the file does not change.

A digest is known by (path, inode, size, mtime_ns, ctime_ns), the rule of ccache and git. A file touched in the last two
seconds is read anew, because it might change again within the clock's grain.

The memory is a small SQLite file that processes share. It can be deleted at any time; a damaged one is made anew.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG

from blake3 import blake3

from engine.errors import FileProblem

RACY_NS = 2_000_000_000
_CHUNK_BYTES = 4 * 2**20
_TABLE = """CREATE TABLE IF NOT EXISTS digests (
    path BLOB PRIMARY KEY, inode TEXT, size INTEGER, mtime_ns INTEGER, ctime_ns INTEGER, digest TEXT
) WITHOUT ROWID"""

_NOT_DAMAGE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_NOMEM,
}


class FileDigests:
    """Digests with a memory in `database`, such as `<cache folder>/digests.sqlite`. Safe across threads and processes.

    Without a memory (None, or a folder that cannot be written) every file is read each time it is asked for.
    """

    def __init__(self, database: Path | None, clock_ns: Callable[[], int] = time.time_ns) -> None:
        self._lock = threading.Lock()
        self._clock_ns = clock_ns
        self._database = database
        self._memory = _open(database) if database else None

    def digest(self, path: Path) -> str:
        """Return the blake3 digest of a file's content in hex.

        Raises:
            FileProblem: the file is missing, not a file, or unreadable.
        """
        try:
            path = Path(os.path.realpath(path))
            status = _regular(path)
            known = self._recall(path, status)
            if known is not None:
                return known
            digest, after = _read(path)
        except (OSError, ValueError) as error:
            raise FileProblem(_reason(path, error)) from error
        if _identity(after) == _identity(status) and self._clock_ns() - _latest(after) > RACY_NS:
            self._remember(path, after, digest)
        return digest

    def close(self) -> None:
        with self._lock:
            if self._memory is not None:
                self._memory.close()
                self._memory = None

    def _recall(self, path: Path, status: os.stat_result) -> str | None:
        if self._clock_ns() - _latest(status) <= RACY_NS:
            return None
        query = "SELECT digest FROM digests WHERE (path, inode, size, mtime_ns, ctime_ns) = (?, ?, ?, ?, ?)"
        rows = self._execute(query, (os.fsencode(path), *_identity(status)))
        return str(rows[0][0]) if rows else None

    def _remember(self, path: Path, status: os.stat_result, digest: str) -> None:
        query = "INSERT OR REPLACE INTO digests VALUES (?, ?, ?, ?, ?, ?)"
        self._execute(query, (os.fsencode(path), *_identity(status), digest))

    def _execute(self, query: str, values: tuple[object, ...]) -> list[tuple[object, ...]]:
        """Ask the memory. If it is damaged, make it anew; if it fails otherwise (a full disk), do without."""
        with self._lock:
            if self._memory is None or self._database is None:
                return []
            try:
                return self._memory.execute(query, values).fetchall()
            except sqlite3.DatabaseError as error:
                if not _unusable_now(error):
                    self._memory.close()
                    _remove(self._database)
                    self._memory = _open(self._database)
                return []


def _open(database: Path) -> sqlite3.Connection | None:
    for _ in range(2):
        try:
            database.parent.mkdir(parents=True, exist_ok=True)
            memory = sqlite3.connect(database, timeout=10, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.Error):
            return None
        try:
            # Losing the last digests in a power cut costs reading those files again, so no wait for the disk.
            memory.execute("PRAGMA synchronous = OFF")
            memory.execute(_TABLE)
            memory.execute("SELECT path, inode, size, mtime_ns, ctime_ns, digest FROM digests LIMIT 1").fetchall()
            return memory
        except sqlite3.DatabaseError as error:
            memory.close()
            if _unusable_now(error):
                return None
            _remove(database)
    return None


def _unusable_now(error: sqlite3.DatabaseError) -> bool:
    """Whether the disk or another process is the reason (locked for long, full, read-only), and not a damaged file."""
    return error.sqlite_errorcode & 0xFF in _NOT_DAMAGE


def _remove(database: Path) -> None:
    """Delete a damaged memory and its journal, which must not be applied to the next one."""
    for path in (database, database.with_name(database.name + "-journal")):
        with suppress(OSError):
            path.unlink()


def _regular(path: Path) -> os.stat_result:
    status = path.stat()
    if not S_ISREG(status.st_mode):
        raise IsADirectoryError("it is a folder" if path.is_dir() else "it is not a regular file")
    return status


def _read(path: Path) -> tuple[str, os.stat_result]:
    hash = blake3()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            hash.update(chunk)
        return hash.hexdigest(), os.fstat(file.fileno())


def _identity(status: os.stat_result) -> tuple[str, int, int, int]:
    # The inode as text: it may need all 64 bits, and SQLite's integers are signed.
    return str(status.st_ino), status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _latest(status: os.stat_result) -> int:
    return max(status.st_mtime_ns, status.st_ctime_ns)


def _reason(path: Path, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return f"There is no file '{path}'. Check the name, or put the file there."
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return f"'{path}' cannot be read: {text}. Check the name and the file's permissions."
