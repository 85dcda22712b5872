"""Stopping a run from outside."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock


class Cancel:
    """A switch that stops the runs it is given to. `set` it from any thread, a signal handler or a listener.

    Args:
        others_wait: says whether somebody waits for what the runs hold; asked on any thread.
    """

    def __init__(self, others_wait: Callable[[], bool] = lambda: False) -> None:
        self._listeners: list[Callable[[], None]] = []
        self._lock = Lock()
        self._others_wait = others_wait
        self.is_set = False
        self.made_way = False
        """Whether it was a run itself that stopped, for others; it is to be started again."""

    def make_way(self) -> None:
        """Set the switch if others wait: a run says that it could stop here without loss."""
        if not self.is_set and self._others_wait():
            self.made_way = True
            self.set()

    def set(self) -> None:
        with self._lock:
            self.is_set = True
            listeners, self._listeners = self._listeners, []
        for listener in listeners:
            listener()

    def listen(self, listener: Callable[[], None]) -> None:
        """Call `listener` once when the switch is set, or now if it is."""
        with self._lock:
            if not self.is_set:
                self._listeners.append(listener)
                return
        listener()

    def forget(self, listener: Callable[[], None]) -> None:
        with self._lock:
            if listener in self._listeners:
                self._listeners.remove(listener)
