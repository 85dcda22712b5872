"""Listeners to events: each gets every event once and in order, however slow it is and wherever it begins.

A listener reads from the log until it has caught up, then from memory. One that falls behind is sent back to the log,
so that its memory stays small; one that stops listening altogether is let go.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Literal, Self

from engine.jobs.events import Preview, WireEvent

MOST_QUEUED = 1_000
"""Events that a listener may have in memory; beyond that it reads them from the log."""
MOST_PREVIEWS = 16
"""Nodes whose newest picture may wait for a listener."""
PATIENCE_S = 30.0
PAGE = 500

Closed = Literal["too_slow", "shutdown", "closed"]
ReadLog = Callable[[int, int, int], Awaitable[list[WireEvent]]]
"""Reads events after a number, up to a number, at most so many."""


class Subscription:
    """What one listener is told: `async for message in subscription`. Ends when it is closed; `closed` says why."""

    def __init__(self, hub: Hub, after: int | None, client: str | None) -> None:
        self.closed: Closed | None = None
        """`too_slow`: it took nothing for half a minute, or fell behind by more than the log holds; it may come back
        with the last number it saw. `shutdown`: the server stops."""
        self.complete = after is None or hub.oldest() - 1 <= after <= hub.last_seq
        """Whether everything after `after` is still in the log; if not, the listener must load its state anew."""
        begin = hub.last_seq if after is None else min(max(after, hub.oldest() - 1), hub.last_seq)
        self._hub, self._client = hub, client
        self._live = begin == hub.last_seq
        self._seen = self._taken = begin
        self._events: deque[WireEvent] = deque()
        self._previews: dict[tuple[str, str], Preview] = {}
        self._something = asyncio.Event()
        self._asked_at = time.monotonic()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> WireEvent | Preview:
        while self.closed is None:
            self._asked_at = time.monotonic()
            if self._events:
                event = self._events.popleft()
                self._taken = event.seq
                return event
            self._taken = self._seen
            if not self._live:
                await self._catch_up()
            elif self._previews:
                return self._previews.pop(next(iter(self._previews)))
            else:
                self._something.clear()
                await self._something.wait()
        raise StopAsyncIteration

    def close(self) -> None:
        self._end("closed")

    def offer(self, events: list[WireEvent]) -> None:
        """Called by the hub: what was logged just now."""
        if not self._live:
            self._check_patience()
            return
        for event in events:
            self._seen = event.seq
            if self._concerns(event.client):
                self._events.append(event)
        if len(self._events) > MOST_QUEUED:
            self._live = False
            self._seen = self._taken
            self._events.clear()
            self._previews.clear()
        self._something.set()

    def offer_preview(self, preview: Preview) -> None:
        """Called by the hub. Of one node only the newest picture waits, and none for a listener that is behind."""
        if not self._live or not self._concerns(preview.client) or len(self._events) > MOST_QUEUED // 10:
            return
        key = (preview.job, preview.node)
        if key in self._previews or len(self._previews) < MOST_PREVIEWS:
            self._previews[key] = preview
            self._something.set()

    def end(self, reason: Closed) -> None:
        """Called by the hub."""
        self._end(reason)

    async def _catch_up(self) -> None:
        if self._hub.oldest() > self._seen + 1:
            self._end("too_slow")
            return
        upto = self._hub.last_seq
        page = await self._hub.read(self._seen, upto, PAGE)
        if page:
            self._seen = page[-1].seq
            self._events.extend(event for event in page if self._concerns(event.client))
        elif upto == self._hub.last_seq:  # nothing was told while the log was read
            self._seen = upto
            self._live = True

    def _concerns(self, client: str | None) -> bool:
        return self._client is None or client is None or client == self._client

    def _check_patience(self) -> None:
        if time.monotonic() - self._asked_at > self._hub.patience_s:
            self._end("too_slow")

    def _end(self, reason: Closed) -> None:
        if self.closed is None:
            self.closed = reason
            self._events.clear()
            self._previews.clear()
            self._something.set()
            self._hub.forget(self)


class Hub:
    """All listeners of one log.

    Args:
        last_seq: the number of the newest event.
        read: reads the log.
        oldest: the number of the oldest event that the log still has.
        patience_s: how long a listener may take nothing while there is something to take.
    """

    def __init__(self, last_seq: int, read: ReadLog, oldest: Callable[[], int], patience_s: float = PATIENCE_S) -> None:
        self.last_seq, self.read, self.oldest, self.patience_s = last_seq, read, oldest, patience_s
        self._listeners: set[Subscription] = set()
        self._closed = False

    def subscribe(self, after: int | None = None, client: str | None = None) -> Subscription:
        """Listen. None for `after` begins now; else everything after that event comes first."""
        subscription = Subscription(self, after, client)
        self._listeners.add(subscription)
        if self._closed:
            subscription.end("shutdown")
        return subscription

    def publish(self, events: list[WireEvent]) -> None:
        """Tell everybody what was logged."""
        self.last_seq = events[-1].seq
        for listener in tuple(self._listeners):
            listener.offer(events)

    def preview(self, preview: Preview) -> None:
        for listener in tuple(self._listeners):
            listener.offer_preview(preview)

    def forget(self, subscription: Subscription) -> None:
        self._listeners.discard(subscription)

    def close(self) -> None:
        """End all subscriptions, also those to come."""
        self._closed = True
        for listener in tuple(self._listeners):
            listener.end("shutdown")
