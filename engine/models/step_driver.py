"""Steps every live sampling of a device together, between other work on the same lane."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import Cancelled

if TYPE_CHECKING:
    from torch import Tensor

    from engine.ldm.sampling.drive import Live, Sampling


def never() -> bool:
    """Nobody asks to stop."""
    return False


@dataclass(eq=False)
class Ticket:
    """A sampling, who waits for it, and how they ask to stop."""

    live: Live
    done: asyncio.Future[Tensor]
    cancelled: Callable[[], bool]


class StepDriver:
    """Runs samplings for async callers: each step of everything live is one job on the lane.

    A sampling that comes later joins at the next step. Between two steps the lane does whatever else was queued.

    Args:
        lane: The device's thread. Samplings start, are stepped, report and end there.
        max_rows: Rows of one forward pass at most; None for `engine.ldm.sampling.drive.MAX_ROWS`.
        relieve: Told of a forward pass that failed alone; says whether to try it again (`ModelManager.relieve`).
        after_step: Called on the lane after each step (`Fence`).
    """

    def __init__(
        self,
        lane: Executor,
        max_rows: int | None = None,
        relieve: Callable[[Exception], bool] | None = None,
        after_step: Callable[[], None] | None = None,
    ) -> None:
        self._lane, self._max_rows = lane, max_rows
        self._relieve, self._after_step = relieve, after_step
        self._live: list[Ticket] = []
        self._task: asyncio.Task[None] | None = None

    async def sample(self, sampling: Sampling, cancelled: Callable[[], bool] = never) -> Tensor:
        """Run a sampling to its end.

        Args:
            sampling: Not started yet. Its first part, up to the first call, also runs on the lane, so a generator may
                bring its model to the device itself: `with manager.use(model) as network: ... yield from begin(...)`.
            cancelled: Asked before each step, on the lane.

        Returns:
            What the sampling returns.

        Raises:
            Cancelled: `cancelled` said so.
            Exception: whatever the sampling raises; other samplings go on.
        """
        from engine.ldm.sampling.drive import Live

        ticket = Ticket(Live(sampling), asyncio.get_running_loop().create_future(), cancelled)
        self._live.append(ticket)
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return await ticket.done

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._live:
                tickets = list(self._live)
                await loop.run_in_executor(self._lane, self._step, tickets)
                self._live = [ticket for ticket in self._live if not _deliver(ticket)]
        except Exception as error:  # the lane is gone, or the device: nothing can go on
            for ticket in self._live:
                ticket.live.stop(error)
                _deliver(ticket)
            self._live = []
        finally:
            self._task = None

    def _step(self, tickets: list[Ticket]) -> None:
        """On the lane: stop who wants to stop, then one step of the others."""
        from engine.ldm.sampling.drive import MAX_ROWS, advance

        for ticket in tickets:
            # `done` is done early when its waiter was cancelled by the event loop
            if ticket.done.done() or ticket.cancelled():
                ticket.live.stop(Cancelled("stopped between two steps"))
        advance([ticket.live for ticket in tickets], self._max_rows or MAX_ROWS, self._relieve)
        if self._after_step is not None:
            self._after_step()


def _deliver(ticket: Ticket) -> bool:
    """Hand the outcome, if there is one, to whoever waits."""
    outcome = ticket.live.outcome
    if outcome is None:
        return False
    if not ticket.done.done():
        if isinstance(outcome, Exception):
            ticket.done.set_exception(outcome)
        else:
            ticket.done.set_result(outcome)
    return True
