"""Sends jobs to the lanes and brings word back to the event loop.

Whatever ends anywhere leaves a note, and notes are read one by one on the loop's thread: so there are no locks, and the
order of notes is the order of things.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, Future
from functools import partial
from threading import get_ident
from typing import Any

from engine.errors import Cancelled
from engine.node.schema import Lane
from engine.run.lanes import Lanes

Done = Callable[["Future[Any]"], None]


class Crew:
    """The lanes as one run sees them. Made on the event loop that the run lives on.

    Args:
        lanes: shared by all runs; `disk` is not given jobs here.
    """

    def __init__(self, lanes: Lanes) -> None:
        self.busy = 0
        """How many jobs have been sent whose end is not known."""
        self._pools: dict[Lane, Executor] = {"device": lanes.device, "cpu": lanes.cpu}
        self._room: dict[Lane, int] = {"device": 1, "cpu": lanes.cpu_width, "loop": lanes.loop_width}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._notes: deque[Callable[[], None]] = deque()
        self._loop = asyncio.get_running_loop()
        self._thread = get_ident()
        self._wake = asyncio.Event()

    def has_room(self, lane: Lane) -> bool:
        return self._room[lane] > 0

    def send(self, lane: Lane, job: Callable[[], Any], done: Done) -> None:
        """Run a job on a pool; `done` is called on the event loop."""
        self._begin(lane)
        self._pools[lane].submit(job).add_done_callback(
            lambda future: self.post(partial(self._end, lane, done, future))
        )

    def send_async(self, job: Coroutine[Any, Any, Any], done: Done) -> None:
        """Run a coroutine on the event loop, then call `done`."""
        self._begin("loop")
        future: Future[Any] = Future()

        async def run() -> None:
            try:
                future.set_result(await job)
            except BaseException as error:  # handed to `done`, which knows whose it is
                future.set_exception(error)

        def ended(task: asyncio.Task[Any]) -> None:
            self._tasks.discard(task)
            if not future.done():  # cancelled before its first step
                job.close()
                future.set_exception(Cancelled("the run was cancelled"))
            self.post(partial(self._end, "loop", done, future))

        task = self._loop.create_task(run())
        self._tasks.add(task)
        task.add_done_callback(ended)

    def cancel_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()

    def post(self, note: Callable[[], None]) -> None:
        """Leave a note, from any thread."""
        self._notes.append(note)
        if get_ident() == self._thread:
            self._wake.set()
            return
        try:
            self._loop.call_soon_threadsafe(self._wake.set)
        except RuntimeError:
            # The loop is closed: a thread of a node's own outlived the run, and nobody is there to be told.
            self._notes.clear()

    async def read(self) -> None:
        """Wait for notes and act on them. What a note raises comes out; the notes behind it are read next time."""
        if not self._notes:
            await self._wake.wait()
        self._wake.clear()
        while self._notes:
            self._notes.popleft()()

    def _begin(self, lane: Lane) -> None:
        self._room[lane] -= 1
        self.busy += 1

    def _end(self, lane: Lane, done: Done, future: Future[Any]) -> None:
        self._room[lane] += 1
        self.busy -= 1
        done(future)
