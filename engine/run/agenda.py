"""What is to be done next: which nodes are needed, which are ready, and which values nobody will ask for again.

This is the bookkeeping of a run, without time: no threads, no events, no cache. Nothing here recurses, so a chain may
be as long as it likes (promise P2).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence

from engine.node.schema import Lane
from engine.run.outcome import Outcome
from engine.run.work import ENDED, Feed, Rank, State, Work, is_lazy


class Agenda:
    """The works of one run and their order.

    Ready works are taken depth first: a work's rank is its place in the postorder of the walk from the outputs, so a
    branch is finished before the next is begun and few values are alive at once (promise P14).

    Args:
        is_known: whether the result for a key is in the cache.
    """

    def __init__(self, is_known: Callable[[str], bool]) -> None:
        self._is_known = is_known
        self._ready: dict[Lane, list[tuple[Rank, int, Work]]] = {"device": [], "cpu": [], "loop": []}
        self._serial = 0
        self.open: set[Work] = set()
        """Works that were asked for and have not ended."""
        self.ended: list[Work] = []
        """Works that ended without an outcome; whoever takes note of them empties the list."""

    def demand(self, roots: Iterable[Work], behind: Rank = ()) -> None:
        """Plan all that the roots need: everything upstream that is not cached, not crossing lazy inputs.

        Args:
            roots: works whose outcome is wanted now.
            behind: rank of whoever asks.
        """
        hopeless: list[Work] = []
        stack = [(root, False) for root in reversed(list(roots))]
        while stack:
            work, entered = stack.pop()
            if work.is_gone and not entered:  # only a lazy input asks for things this late
                work.begin_again()
            if entered:
                if not self._wait(work, _needed_feeds(work), behind):
                    hopeless.append(work)
            elif work.state is State.IDLE:
                self.open.add(work)
                if self._is_known(work.key):
                    work.state = State.KNOWN
                    self._push(work, behind)
                else:
                    work.state = State.WAITING
                    self._link(work)
                    stack.append((work, True))
                    stack += [(feed.work, False) for feed in reversed(_needed_feeds(work))]
        for work in hopeless:
            self._give_up(work)

    def compute(self, work: Work) -> None:
        """Plan to compute a work whose cached result turned out to be damaged or gone."""
        self._link(work)
        self._need(work, _needed_feeds(work), State.WAITING)

    def ask(self, work: Work, names: Iterable[str]) -> None:
        """Make lazy inputs of a work needed; it becomes ready again when they are there."""
        new = set(names) - work.asked
        work.asked |= new
        self._need(work, [feed for feed in work.feeds if feed.name in new], State.WAITING)

    def expand(self, work: Work, feeds: Sequence[Feed]) -> None:
        """Let a work wait for nodes of the subgraph it expanded to; `work.missing` is 0 if all are there already."""
        work.feeds += feeds
        for feed in feeds:
            feed.work.uses += 1
        self._need(work, feeds, State.EXPANDED)

    def ready(self, lane: Lane) -> Work | None:
        """The work to start next on a lane; it stays there until it is taken."""
        heap = self._ready[lane]
        while heap and heap[0][2].state not in (State.READY, State.KNOWN):
            heapq.heappop(heap)
        return heap[0][2] if heap else None

    def take(self, lane: Lane) -> Work:
        return heapq.heappop(self._ready[lane])[2]

    def backlog(self, lane: Lane) -> int:
        return len(self._ready[lane])

    def again(self, work: Work) -> None:
        """Put a work that was waiting for another run back among the ready ones."""
        work.state = State.READY
        self._push(work, work.rank)

    def finish(self, work: Work, outcome: Outcome) -> list[Work]:
        """Note a work's outcome and make ready whoever waited only for that.

        Returns:
            Expanded works whose subgraph is complete now.
        """
        self.open.discard(work)
        work.state = State.DONE
        work.outcome = outcome if work.uses else None
        complete: list[Work] = []
        followers, work.followers = work.followers, []
        for follower in followers:
            follower.missing -= 1
            if follower.missing == 0 and follower.state is State.WAITING:
                follower.state = State.READY
                self._push(follower, follower.rank)
            elif follower.missing == 0 and follower.state is State.EXPANDED:
                complete.append(follower)
        self._release(work)
        return complete

    def end(self, work: Work, state: State, reason: str) -> None:
        """End a work without an outcome, and all that depends on it. What ended is added to `ended`."""
        self._close(work, state, reason)
        causes = [work]
        while causes:
            cause = causes.pop()
            for follower in cause.followers:
                if follower.state in ENDED:
                    continue
                if cause.scope.parent is follower:  # a node fails with its subgraph
                    self._close(follower, state, reason)
                else:
                    self._close(follower, State.SKIPPED, _why(cause))
                causes.append(follower)
            self._release(cause)

    def _link(self, work: Work) -> None:
        for name, source in work.node.links.items():
            feed = Feed(name, work.scope.work(source.node), source.output)
            # A lazy input counts as a use from the start: it may be asked for after all others have let go.
            feed.work.uses += 1
            work.feeds.append(feed)

    def _need(self, work: Work, feeds: Sequence[Feed], state: State) -> None:
        work.state = state
        self.demand([feed.work for feed in feeds], work.rank)
        if not self._wait(work, feeds, work.rank):
            self._give_up(work)

    def _wait(self, work: Work, feeds: Sequence[Feed], behind: Rank) -> bool:
        """Count what a work still waits for; without anything it is ready. False: something will never be there."""
        if not work.rank:
            work.rank = self._rank(behind)
        if any(feed.work.state in (State.FAILED, State.SKIPPED) for feed in feeds):
            return False
        for feed in feeds:
            if feed.work.state is not State.DONE:
                work.missing += 1
                feed.work.followers.append(work)
        if work.missing == 0 and work.state is State.WAITING:
            work.state = State.READY
            self._push(work, behind)
        return True

    def _give_up(self, work: Work) -> None:
        if work.state in ENDED:
            return
        cause = next(feed.work for feed in work.feeds if feed.work.state in (State.FAILED, State.SKIPPED))
        inside = cause.scope.parent is work
        self.end(work, cause.state if inside else State.SKIPPED, cause.reason if inside else _why(cause))

    def _close(self, work: Work, state: State, reason: str) -> None:
        work.state, work.reason = state, reason
        self.open.discard(work)
        self.ended.append(work)

    def _release(self, work: Work) -> None:
        """Let go of everything a work held: values at their last use are dropped, needless works are not started."""
        ended = [work]
        while ended:
            each = ended.pop()
            feeds, each.feeds = each.feeds, []
            each.results.clear()
            for _, source, _ in feeds:
                source.uses -= 1
                if source.uses:
                    continue
                if source.state is State.DONE:
                    source.outcome = None
                elif source.state in (State.WAITING, State.READY, State.KNOWN):
                    self._close(source, State.UNNEEDED, "nothing needs it any more")
                    ended.append(source)

    def _push(self, work: Work, behind: Rank) -> None:
        if not work.rank:
            work.rank = self._rank(behind)
        lane: Lane = "cpu" if work.state is State.KNOWN else work.node.schema.lane
        self._serial += 1
        heapq.heappush(self._ready[lane], (work.rank, self._serial, work))

    def _rank(self, behind: Rank) -> Rank:
        self._serial += 1
        return (*behind, self._serial)


def _needed_feeds(work: Work) -> list[Feed]:
    return [feed for feed in work.feeds if feed.name in work.asked or not is_lazy(work, feed.name)]


def _why(cause: Work) -> str:
    return f"it needs '{cause.shown_as}', which {'failed' if cause.state is State.FAILED else 'did not run'}"
