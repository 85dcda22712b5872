"""One SQLite file, written by one thread and read by another, so that the event loop never waits for a disk.

Changes that arrive while the disk is busy are committed together: each is all or nothing by a savepoint of its own, and
nobody hears that a change is done before it lies on the disk (WAL, `synchronous=FULL`).
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar, cast

from engine.errors import FileProblem
from engine.jobs.schema import MIGRATIONS

T = TypeVar("T")

MOST_TOGETHER = 64
"""Changes in one transaction at most, so that the first of them does not wait for long."""
DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


@dataclass(slots=True)
class _Change(Generic[T]):
    """What the writer is asked to do, and whom to tell."""

    work: Callable[[sqlite3.Connection], T]
    committed: Callable[[T], None] | None
    future: asyncio.Future[T]
    result: T | None = None
    error: Exception | None = None

    def settle(self) -> None:
        if self.error is None and self.committed is not None:
            self.committed(cast(T, self.result))
        if self.future.done():  # whoever waited was cancelled; the change stands
            return
        if self.error is None:
            self.future.set_result(cast(T, self.result))
        else:
            self.future.set_exception(self.error)


@dataclass
class Database:
    """The open database.

    Only this process may have it open: what runs next is decided in one place.
    """

    path: Path
    _writer: sqlite3.Connection
    _reader: sqlite3.Connection
    _lock: sqlite3.Connection
    _changes: SimpleQueue[_Change[Any] | None] = field(default_factory=SimpleQueue["_Change[Any] | None"])
    _reads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "queue-reader"))
    _thread: threading.Thread | None = None
    _closed: bool = False

    @classmethod
    async def open(cls, path: Path) -> Database:
        """Open or make the database, and lift it to the present version.

        Raises:
            FileProblem: it is damaged, a newer version wrote it, another process has it open, or the disk refuses.
        """
        connections = await asyncio.to_thread(_open, path)
        database = cls(path, *connections)
        database._thread = threading.Thread(
            target=database._write_all, args=(asyncio.get_running_loop(),), name="queue-writer", daemon=True
        )
        database._thread.start()
        return database

    async def write(self, work: Callable[[sqlite3.Connection], T], committed: Callable[[T], None] | None = None) -> T:
        """Change the database: all of `work`, or, if it raises, nothing.

        Changes are made in the order of the calls.

        Args:
            committed: called on the event loop once the change is on the disk, in the order of the changes, before
                this returns, and also if the caller was cancelled meanwhile.

        Raises:
            FileProblem: the disk is full or the database is damaged.
        """
        return await self.send(work, committed)

    def send(
        self, work: Callable[[sqlite3.Connection], T], committed: Callable[[T], None] | None = None
    ) -> asyncio.Future[T]:
        """The same, for callers that wait later; the change has its place in the order now."""
        if self._closed:
            raise FileProblem(f"{self.path} is closed; the server is stopping")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._changes.put(_Change(work, committed, future))
        return future

    async def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Ask the database. Sees every change that was done before the call.

        Raises:
            FileProblem: the disk refuses or the database is damaged.
        """
        try:
            return await asyncio.get_running_loop().run_in_executor(self._reads, query, self._reader)
        except sqlite3.Error as error:
            raise _problem(self.path, error) from error

    async def close(self) -> None:
        """Write what is waiting, then close. Later changes are refused."""
        if self._closed:
            return
        self._closed = True
        self._changes.put(None)
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)
        await asyncio.to_thread(self._close_connections)

    def _close_connections(self) -> None:
        self._reads.shutdown()
        with suppress(sqlite3.Error):
            self._writer.execute("UPDATE meta SET value = 1 WHERE key = 'closed'")
        for connection in (self._reader, self._writer, self._lock):
            connection.close()

    # ------------------------------------------------------------------------------------------------ the writer thread

    def _write_all(self, loop: asyncio.AbstractEventLoop) -> None:
        going = True
        while going:
            batch, going = self._next_changes()
            if batch:
                self._commit(batch)
                loop.call_soon_threadsafe(_settle, batch)

    def _next_changes(self) -> tuple[list[_Change[Any]], bool]:
        """The changes that wait, at least one, and whether more may come."""
        batch: list[_Change[Any]] = []
        change = self._changes.get()
        while change is not None:
            batch.append(change)
            if len(batch) == MOST_TOGETHER:
                return batch, True
            try:
                change = self._changes.get_nowait()
            except Empty:
                return batch, True
        return batch, False

    def _commit(self, batch: Sequence[_Change[Any]]) -> None:
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            for change in batch:
                self._apply(change)
            self._writer.execute("COMMIT")
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):
                self._writer.execute("ROLLBACK")
            for change in batch:
                change.error = change.error or _problem(self.path, error)

    def _apply(self, change: _Change[Any]) -> None:
        """Do one change within the transaction. What it raises is its caller's, but an error of SQLite's ends all."""
        self._writer.execute("SAVEPOINT change")
        try:
            change.result = change.work(self._writer)
        except Exception as error:
            if isinstance(error, sqlite3.Error) and not isinstance(error, sqlite3.IntegrityError):
                raise
            change.error = error
            self._writer.execute("ROLLBACK TO change")
        self._writer.execute("RELEASE change")


def _settle(batch: Sequence[_Change[Any]]) -> None:
    for change in batch:
        change.settle()


def _open(path: Path) -> tuple[sqlite3.Connection, sqlite3.Connection, sqlite3.Connection]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileProblem(f"cannot make the folder {path.parent}: {error.strerror or error}") from error
    lock = _take_lock(path.with_suffix(".lock"))
    opened = [lock]
    try:
        writer = _connect(path)
        opened.append(writer)
        _prepare(writer, path)
        reader = _connect(path)
        reader.execute("PRAGMA query_only = ON")
    except sqlite3.Error as error:
        for connection in opened:
            connection.close()
        raise _problem(path, error) from error
    except FileProblem:
        for connection in opened:
            connection.close()
        raise
    return writer, reader, lock


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _take_lock(path: Path) -> sqlite3.Connection:
    """Hold a lock that the operating system lets go of when this process ends, however it ends."""
    lock = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0)
    try:
        lock.execute("PRAGMA journal_mode = MEMORY")
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as error:
        lock.close()
        if error.sqlite_errorcode in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise FileProblem(
                f"another Darkroom server uses {path.parent}; stop it, or give this one a folder of its own "
                "by DARKROOM_HOME"
            ) from error
        raise _problem(path, error) from error
    return lock


def _prepare(writer: sqlite3.Connection, path: Path) -> None:
    version = int(writer.execute("PRAGMA user_version").fetchone()[0])
    if version > len(MIGRATIONS):
        raise FileProblem(
            f"{path} was written by a newer Darkroom (its version is {version}, this one reads up to "
            f"{len(MIGRATIONS)}); update Darkroom, or move the file away to begin with an empty queue"
        )
    if version and not _was_closed(writer):
        _check(writer, path)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("PRAGMA synchronous = FULL")
    for step, script in enumerate(MIGRATIONS[version:], version + 1):
        writer.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {step}; COMMIT;")
    writer.execute("UPDATE meta SET value = 0 WHERE key = 'closed'")


def _was_closed(writer: sqlite3.Connection) -> bool:
    row = writer.execute("SELECT value FROM meta WHERE key = 'closed'").fetchone()
    return row is not None and bool(row[0])


def _check(writer: sqlite3.Connection, path: Path) -> None:
    """Look for damage; done after an end that was no orderly one, since it reads the whole file."""
    found = writer.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise _damaged(path, str(found))


def _problem(path: Path, error: sqlite3.Error) -> FileProblem:
    code = getattr(error, "sqlite_errorcode", 0)
    if code & 0xFF in DAMAGE:  # the upper bits only say where
        return _damaged(path, str(error))
    return FileProblem(f"cannot use {path}: {error}; check that the disk has room and the folder may be written")


def _damaged(path: Path, what: str) -> FileProblem:
    return FileProblem(
        f"{path} is damaged ({what}); bring back a copy of it, or move it away, with its -wal and -shm files, to begin "
        "with an empty queue. Nothing was changed, and saved workflows and pictures are files of their own"
    )
