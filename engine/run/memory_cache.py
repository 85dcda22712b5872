"""The memory tier: results by key, bounded in bytes, keeping what is dear to make and light to hold."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from threading import Lock

from engine.run.outcome import Codec, Outcome

ENTRY_BYTES = 700
"""What an entry costs beside its values (measured with tracemalloc: 670 for a node with one number)."""


@dataclass(slots=True)
class _Entry:
    outcome: Outcome
    size: int
    worth: float
    floor: float
    hits: int = 1

    @property
    def priority(self) -> float:
        return self.floor + self.hits * self.worth


class MemoryCache:
    """Results by key. Safe to use from several threads.

    What goes first is what has the lowest `floor + hits x seconds to remake / bytes`. The floor is the priority of what
    was evicted last when the entry was last used, so that old favourites age: "GreedyDual-Size with frequency",
    Cherkasova 1998 (HP Labs HPL-98-69R1).
    """

    def __init__(self, limit_bytes: int, codec: Codec) -> None:
        self.limit_bytes = limit_bytes
        self.bytes = 0
        self._codec = codec
        self._entries: dict[str, _Entry] = {}
        self._order: list[tuple[float, str]] = []
        """A heap with one pair for each entry, whose priority may have grown since."""
        self._floor = 0.0
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def peek(self, key: str) -> Outcome | None:
        """Look without counting it as a use."""
        entry = self._entries.get(key)
        return entry.outcome if entry else None

    def get(self, key: str) -> Outcome | None:
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            entry.hits += 1
            entry.floor = self._floor
            return entry.outcome

    def put(self, key: str, outcome: Outcome) -> None:
        """Keep a result, if it is not larger than all the room there is."""
        size = ENTRY_BYTES + sum(self._codec.size(value) for values in outcome.outputs for value in values)
        with self._lock:
            if size > self.limit_bytes:
                return
            if (old := self._entries.get(key)) is not None:
                self.bytes += size - old.size
                old.outcome, old.size = outcome, size
            else:
                # A node that takes no time still costs a call: a microsecond at least.
                worth = max(outcome.record.seconds, 1e-6) / size
                entry = self._entries[key] = _Entry(outcome, size, worth, self._floor)
                heapq.heappush(self._order, (entry.priority, key))
                self.bytes += size
            while self.bytes > self.limit_bytes:
                self._evict_one()

    def discard(self, key: str) -> None:
        with self._lock:
            if (entry := self._entries.pop(key, None)) is not None:
                self.bytes -= entry.size
                self._order = [pair for pair in self._order if pair[1] != key]
                heapq.heapify(self._order)

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
            self._order.clear()
            self.bytes = 0

    def _evict_one(self) -> None:
        while True:
            noted, key = self._order[0]
            entry = self._entries[key]
            if entry.priority <= noted:
                break
            # It was used since it was noted. Priorities only grow, so looking again when its turn comes is enough.
            heapq.heapreplace(self._order, (entry.priority, key))
        heapq.heappop(self._order)
        del self._entries[key]
        self.bytes -= entry.size
        self._floor = noted
