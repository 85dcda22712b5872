"""Results that need not be computed here: those in the cache, and those that another run is computing right now."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import Future

from engine.graph.graph import Graph
from engine.run.equipment import Equipment
from engine.run.flights import Landing
from engine.run.outcome import Outcome, Record
from engine.run.verify import check_equal, choose_hits
from engine.run.work import Work


class Shelf:
    """The cache and the other runs, as one run sees them. For the event loop's thread.

    Args:
        frozen: results that nodes are frozen at, by key. Held here, so that none of them leaves the cache during the
            run: a frozen node is never computed, since what its inputs make now belongs under another key.
    """

    def __init__(self, equipment: Equipment, frozen: Mapping[str, Outcome]) -> None:
        self._frozen = frozen
        self._cache = equipment.cache
        self._flights = equipment.flights
        self._disk_lane = equipment.lanes.disk
        self._codec = equipment.codec
        self._verify_share = equipment.verify_share
        self._to_verify: set[str] = set()
        """Keys whose results are computed although they are known."""
        self._waiting: dict[Work, Landing] = {}
        self._has_written = False
        self._write_error: BaseException | None = None

    # ----------------------------------------------------------------------------------------------------- the cache

    def find(self, key: str) -> Record | None:
        """What the cache knows of a result."""
        return self._frozen[key].record if key in self._frozen else self._cache.find(key)

    def is_known(self, key: str) -> bool:
        """Whether a result is in the cache and is to be used."""
        return key not in self._to_verify and self.find(key) is not None

    def at_hand(self, key: str) -> Outcome | None:
        """A result that is in memory."""
        return self._frozen.get(key) or self._cache.memory.get(key)

    def shapes(self, key: str) -> tuple[str, ...]:
        """What a result measures, if it is in memory: not worth looking for on the disk."""
        outcome = self._frozen.get(key) or self._cache.memory.peek(key)
        return () if outcome is None else outcome.record.shapes

    def load(self, key: str) -> Outcome | None:
        """A result from wherever it is. Slow: for another thread."""
        return self._cache.load(key)

    def keep(self, key: str, outcome: Outcome) -> None:
        """Remember a result, and have it written."""
        self._cache.keep(key, outcome)
        if self._cache.disk is not None:
            self._has_written = True
            self._disk_lane.submit(self._cache.write, key, outcome).add_done_callback(self._wrote)

    async def written(self) -> None:
        """Wait until the disk has what was remembered: its lane works in order."""
        if self._has_written:
            await asyncio.wrap_future(self._disk_lane.submit(_nothing))
        if self._write_error is not None:
            raise self._write_error

    def _wrote(self, future: Future[None]) -> None:
        self._write_error = self._write_error or future.exception()

    # ------------------------------------------------------------------------------------------------- verifying hits

    def choose_hits(self, graph: Graph, keys: Mapping[str, str], run: str) -> list[str]:
        """The nodes whose known results this run computes again to compare."""
        if not self._verify_share:
            return []
        chosen = choose_hits(graph, keys, self._cache, self._verify_share, run)
        ids = [id for id in chosen if keys[id] not in self._frozen]
        self._to_verify = {keys[id] for id in ids}
        return ids

    def verify(self, work: Work, outcome: Outcome) -> None:
        """Compare a result with the one in the cache, if it was computed for that.

        Raises:
            DarkroomError: they differ.
        """
        if work.key in self._to_verify:
            self._to_verify.discard(work.key)
            check_equal(work.node.schema, self._cache.load(work.key), outcome, self._codec)

    # ------------------------------------------------------------------------------------------------------ other runs

    @property
    def is_waiting(self) -> bool:
        """Whether others are computing something for this run."""
        return bool(self._waiting)

    def board(self, work: Work, landing: Landing) -> bool:
        """Whether this run is to compute a work; else `landing` is called, on any thread, when another run has."""
        if self._flights.board(work.key, landing):
            work.leading = True
            return True
        self._waiting[work] = landing
        return False

    def landed(self, work: Work) -> bool:
        """Stop waiting for a work; False when that was done before."""
        return self._waiting.pop(work, None) is not None

    def stop_waiting(self) -> None:
        """Wait for others no longer. What has landed, and whose landing is on its way, is still waited for."""
        self._waiting = {
            work: landing for work, landing in self._waiting.items() if not self._flights.leave(work.key, landing)
        }

    def land(self, work: Work, outcome: Outcome | None) -> None:
        """Tell those who wait for a work how it ended."""
        if work.leading:
            work.leading = False
            self._flights.land(work.key, outcome)


def _nothing() -> None:
    pass
