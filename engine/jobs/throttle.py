"""Progress in portions: a node may report a thousand steps a second, and nobody can read more than ten."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic

from engine.run.events import Event, NodePreview, NodeProgress

INTERVAL_S = 0.1


class Throttle:
    """Passes a run's events on, of each node at most one progress and one preview each tenth of a second.

    What is held back is the newest, and is told when its time has come, or before whatever the node says next.
    For the event loop's thread.

    Args:
        tell: takes the events.
    """

    def __init__(self, tell: Callable[[Event], None]) -> None:
        self._tell = tell
        self._last: dict[tuple[type, str], float] = {}
        self._held: dict[tuple[type, str], tuple[Event, asyncio.TimerHandle]] = {}

    def __call__(self, event: Event) -> None:
        node = getattr(event, "node", None)
        if not isinstance(event, NodeProgress | NodePreview):
            if node is not None:
                for kind in (NodeProgress, NodePreview):
                    self._release((kind, node))
            self._tell(event)
            return
        key = (type(event), event.node)
        wait = self._last.get(key, 0.0) + INTERVAL_S - monotonic()
        if (held := self._held.pop(key, None)) is not None:
            self._held[key] = (event, held[1])
        elif wait > 0 and not _is_last(event):
            timer = asyncio.get_running_loop().call_later(wait, self._release, key)
            self._held[key] = (event, timer)
        else:
            self._pass(key, event)

    def close(self) -> None:
        """Tell nothing more."""
        for _, timer in self._held.values():
            timer.cancel()
        self._held.clear()

    def _release(self, key: tuple[type, str]) -> None:
        if (held := self._held.pop(key, None)) is not None:
            held[1].cancel()
            self._pass(key, held[0])

    def _pass(self, key: tuple[type, str], event: Event) -> None:
        self._last[key] = monotonic()
        self._tell(event)


def _is_last(event: Event) -> bool:
    return isinstance(event, NodeProgress) and event.step >= event.total
