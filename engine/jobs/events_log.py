"""The log of all events: numbered, written before anybody is told, read again by listeners that come back.

What a state change tells is in the change's own transaction. What a run tells is gathered for a few milliseconds and
written together; it always comes before the next state change, as it was told before.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from engine.errors import FileProblem
from engine.jobs.database import Database
from engine.jobs.events import Event, WireEvent

T = TypeVar("T")

GATHER_S = 0.03
"""How long events of a run are gathered before they are written; with the disk's own time, well below 50 ms."""
RETRY_S = 1.0
"""How long to wait when the disk refused them."""
MOST_WAITING = 20_000
"""Events kept in memory while the disk refuses; then the oldest are given up."""
KEPT = 200_000
"""Events kept in the log."""
PRUNE_EVERY = 2_000
"""Events between two looks for old ones, so that pruning costs nothing each time."""


@dataclass(slots=True)
class Transaction:
    """A change in the making: the connection, and what is told if it succeeds."""

    connection: sqlite3.Connection
    _next: Callable[[], int]
    at: float = field(default_factory=time.time)
    """When it happens, in seconds since 1970."""
    told: list[WireEvent] = field(default_factory=list[WireEvent])

    def tell(self, event: Event, client: str | None = None, at: float | None = None) -> None:
        """Log an event as part of this change; listeners hear it once the change is on the disk."""
        seq, at = self._next(), self.at if at is None else at
        # The rest of the message is there as text already; reading it to write it again would double the cost.
        body = b'{"seq":%d,"at":%.3f,' % (seq, at) + event.model_dump_json().encode()[1:]
        self.connection.execute(
            "INSERT INTO events (seq, at, type, job, client, body) VALUES (?, ?, ?, ?, ?, ?)",
            (seq, at, event.type, event.job, client, body),
        )
        self.told.append(WireEvent(seq, at, event.type, event.job, client, body))


class EventLog:
    """Writes events, and changes that tell events.

    Args:
        last: `seq` of the newest event that was ever written.
        oldest: `seq` of the oldest event that is still there, or the one after `last`.
        publish: called on the event loop with events, in their order, once they are on the disk.
        kept: how many events stay in the log.
    """

    def __init__(
        self,
        database: Database,
        last: int,
        oldest: int,
        publish: Callable[[list[WireEvent]], None],
        kept: int = KEPT,
    ) -> None:
        self.oldest = oldest
        self._database, self._publish, self._kept = database, publish, kept
        self._last = last  # touched by the writer thread only
        self._pruned_at = last
        self._waiting: list[tuple[Event, str | None, float]] = []
        self._timer: asyncio.TimerHandle | None = None

    @classmethod
    async def open(
        cls, database: Database, publish: Callable[[list[WireEvent]], None], kept: int = KEPT
    ) -> tuple[EventLog, int]:
        """The log of a database, and the `seq` of its newest event."""
        last, oldest = await database.read(_bounds)
        return cls(database, last, oldest, publish, kept), last

    def add(self, event: Event, client: str | None = None) -> None:
        """Log an event soon, in the order of the calls."""
        self._waiting.append((event, client, time.time()))
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(GATHER_S, self.flush)

    def flush(self) -> None:
        """Hand what waits to the writer, now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []

        def work(tx: Transaction) -> None:
            for event, client, at in waiting:
                tx.tell(event, client, at)

        self._send(work).add_done_callback(lambda done: self._keep_unwritten(done, waiting))

    async def change(self, work: Callable[[Transaction], T]) -> T:
        """Change the database and tell of it: all of it, or, if `work` raises, nothing.

        Raises:
            FileProblem: the disk refuses; nothing was changed.
        """
        self.flush()
        return await self._send(work)

    async def read(
        self, after: int, upto: int | None = None, job: str | None = None, limit: int = 1_000
    ) -> list[WireEvent]:
        """The first events after `after`, oldest first, of one job or of all."""
        sql = "SELECT seq, at, type, job, client, body FROM events WHERE seq > ?"
        values: list[object] = [after]
        for clause, value in (("seq <= ?", upto), ("job = ?", job)):
            if value is not None:
                sql += f" AND {clause}"
                values.append(value)
        values.append(limit)
        rows = await self._database.read(
            lambda connection: connection.execute(f"{sql} ORDER BY seq LIMIT ?", values).fetchall()
        )
        return [WireEvent(*row) for row in rows]

    def _send(self, work: Callable[[Transaction], T]) -> asyncio.Future[T]:
        told: list[WireEvent] = []

        def write(connection: sqlite3.Connection) -> T:
            tx = Transaction(connection, self._next)
            result = work(tx)
            self._prune(connection)
            told.extend(tx.told)
            return result

        return self._database.send(write, lambda _: self._publish(told) if told else None)

    def _next(self) -> int:
        self._last += 1
        return self._last

    def _prune(self, connection: sqlite3.Connection) -> None:
        if self._last - self._pruned_at < PRUNE_EVERY:
            return
        self._pruned_at = self._last
        connection.execute("DELETE FROM events WHERE seq <= ?", (self._last - self._kept,))
        self.oldest = max(self.oldest, self._last - self._kept + 1)

    def _keep_unwritten(self, done: asyncio.Future[None], events: Iterable[tuple[Event, str | None, float]]) -> None:
        """Try again later with events that could not be written: a full disk must not cost the listeners theirs."""
        if done.cancelled() or done.exception() is None:
            return
        if not isinstance(done.exception(), FileProblem):
            raise RuntimeError("events could not be logged") from done.exception()
        self._waiting = [*events, *self._waiting][-MOST_WAITING:]
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(RETRY_S, self.flush)


def _bounds(connection: sqlite3.Connection) -> tuple[int, int]:
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
    last = int(row[0]) if row else 0
    oldest = connection.execute("SELECT min(seq) FROM events").fetchone()[0]
    return last, int(oldest) if oldest is not None else last + 1
