"""Single flight: who needs a result that somebody else is computing right now waits for it instead (promise P11)."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from engine.run.outcome import Outcome

Landing = Callable[[Outcome | None], None]
"""Told the result once it is there, or None when its computation failed or was cancelled. Called on any thread."""


class Flights:
    """The results being computed in this process, by key, and who waits for each."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[Landing]] = {}
        self._lock = Lock()

    def board(self, key: str, landing: Landing) -> bool:
        """Tell the caller to compute `key` (True: it must `land` later), or have `landing` called when another has."""
        with self._lock:
            if (waiting := self._waiting.get(key)) is None:
                self._waiting[key] = []
                return True
            waiting.append(landing)
            return False

    def leave(self, key: str, landing: Landing) -> bool:
        """Stop waiting. False when the landing has been called, or is about to be."""
        with self._lock:
            waiting = self._waiting.get(key, [])
            if landing not in waiting:
                return False
            waiting.remove(landing)
            return True

    def land(self, key: str, outcome: Outcome | None) -> None:
        """End the computation of `key`; after None, those who waited board again, and one of them computes it."""
        with self._lock:
            waiting = self._waiting.pop(key)
        for landing in waiting:
            landing(outcome)
