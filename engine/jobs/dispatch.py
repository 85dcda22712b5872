"""Jobs handed to workers as places become free, and what comes of them written down."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal, TypeVar

import orjson
from pydantic import JsonValue

from engine.errors import FileProblem, Problem
from engine.jobs import history, queue
from engine.jobs.errors import NoWorker
from engine.jobs.events import RUN_EVENT, Preview
from engine.jobs.events_log import EventLog, Transaction
from engine.jobs.hub import Hub
from engine.jobs.records import Stored
from engine.jobs.running import Running
from engine.jobs.workers import Order, Workers

T = TypeVar("T")

RETRY_S = 1.0
"""How long to wait when the disk or the workers refused."""

logger = logging.getLogger(__name__)


class Dispatch:
    """Starts jobs and hears of them.

    Args:
        paused: whether no more jobs are to be started now.
        over: told of each job that ended and will not run again.
        others_wait: whether there are jobs in the queue that a running one may make way for.
    """

    def __init__(
        self,
        log: EventLog,
        hub: Hub,
        workers: Workers,
        paused: Callable[[], bool],
        over: Callable[[str], None],
        others_wait: Callable[[], Awaitable[bool]],
    ) -> None:
        self.running: dict[str, Running] = {}
        self._log, self._hub, self._workers, self._paused = log, hub, workers, paused
        self._over, self._others_wait = over, others_wait
        self._awake = asyncio.Event()
        self._closing = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._spawn(self._start_all())

    def wake(self) -> None:
        """Look for jobs that could start now."""
        self._awake.set()

    def cancel(self, jobs: Sequence[str]) -> None:
        """Ask the workers to stop jobs that are noted as to be stopped."""
        for id in jobs:
            if (running := self.running.get(id)) is not None:
                running.stopping = True
            self._workers.cancel(id)

    def event(self, job: str, attempt: int, event: Mapping[str, JsonValue]) -> None:
        """Log what a running job tells; of an attempt that does not count any more, nothing."""
        if (running := self._of(job, attempt)) is None:
            return
        heard = RUN_EVENT.validate_python({**event, "job": job})
        running.hear(heard)
        self._log.add(heard, running.job.client)

    def preview(self, job: str, attempt: int, node: str, media_type: str, image: bytes) -> None:
        if (running := self._of(job, attempt)) is not None:
            self._hub.preview(Preview(job, node, media_type, image, running.job.client))

    def done(
        self,
        job: str,
        attempt: int,
        status: Literal["done", "failed", "cancelled"],
        seconds: float,
        outputs: Mapping[str, Mapping[str, JsonValue]],
        problems: Sequence[Problem],
    ) -> None:
        if (running := self._of(job, attempt)) is not None:
            ending = running.ending(status, seconds, outputs, problems)
            self._end(job, lambda tx: history.end(tx, job, attempt, ending), self._over)

    def yielded(self, job: str, attempt: int) -> None:
        if self._of(job, attempt) is not None:
            self._end(job, lambda tx: queue.step_back(tx, job, attempt))

    def lost(self, job: str, attempt: int, reason: Problem) -> None:
        if self._of(job, attempt) is not None:
            self._end(job, lambda tx: queue.lose(tx, job, attempt, reason))

    async def close(self) -> None:
        """Start nothing more, and put back what runs: the workers are about to be stopped."""
        self._closing = True
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        left, self.running = list(self.running), {}
        if left:
            await self._log.change(lambda tx: queue.give_back(tx, left))

    async def _start_all(self) -> None:
        while True:
            await self._awake.wait()
            self._awake.clear()
            while await self._start_next():
                pass
            await self._tell_of_others()

    async def _tell_of_others(self) -> None:
        """Tell what runs now whether anybody waits for it; when the disk refuses, it is told the next time."""
        if self.running:
            with suppress(FileProblem):
                self._workers.others_wait(await self._others_wait())

    async def _start_next(self) -> bool:
        """Start one job; False when none can start now."""
        places = self._workers.free_places()
        if not places or self._paused():
            return False
        try:
            taken = await self._log.change(lambda tx: queue.take(tx, places[0]))
        except FileProblem as problem:
            logger.error("the next job cannot be started: %s", problem)
            self._wake_later()
            return False
        if taken is None:
            return False
        running = self.running[taken.job.id] = Running(taken.job)
        try:
            await self._workers.start(_order(taken, places[0]))
        except NoWorker:
            del self.running[taken.job.id]
            await self._insist(lambda tx: queue.give_back(tx, [taken.job.id]))
            self._wake_later()
            return False
        if running.stopping:  # wished while the order was on its way, when no worker knew of the job
            self._workers.cancel(taken.job.id)
        return True

    def _end(self, job: str, work: Callable[[Transaction], object], then: Callable[[str], None] | None = None) -> None:
        """Write down that an attempt is over; from now on nothing more is heard of it."""
        self.running[job].ended = True

        async def end() -> None:
            await self._insist(work)
            del self.running[job]
            if then is not None:
                then(job)
            self.wake()

        self._spawn(end())

    async def _insist(self, work: Callable[[Transaction], T]) -> T:
        """Make a change that has happened in the world already, however long the disk refuses to note it."""
        while True:
            try:
                return await self._log.change(work)
            except FileProblem as problem:
                logger.error("the queue cannot be written, trying again: %s", problem)
                await asyncio.sleep(RETRY_S)

    def _of(self, job: str, attempt: int) -> Running | None:
        running = self.running.get(job)
        return running if running and running.job.attempts == attempt and not running.ended else None

    def _wake_later(self) -> None:
        asyncio.get_running_loop().call_later(RETRY_S, self.wake)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _order(taken: Stored, device: str) -> Order:
    return Order(
        job=taken.job.id,
        attempt=taken.job.attempts,
        device=device,
        workflow=taken.workflow(),
        outputs=taken.requested,
        prompt_json=None if taken.prompt is None else orjson.dumps(taken.prompt).decode(),
        workflow_json=_workflow_json(taken),
        wants_preview=taken.previews,
    )


def _workflow_json(taken: Stored) -> str | None:
    """What ComfyUI's editor wants to find in the picture: its own document, sent beside the prompt."""
    match taken.extra:
        case {"extra_pnginfo": {"workflow": dict() as document}}:
            return orjson.dumps(document).decode()
        case _:
            return None
