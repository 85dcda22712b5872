"""Keeps the workers: one process for each device, started, heard and replaced. See `engine.jobs.workers.Workers`."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import cast

from pydantic import JsonValue

from engine.jobs.errors import NoWorker
from engine.jobs.model import JobPlan
from engine.jobs.post import Post
from engine.jobs.process import Limits, Streams
from engine.jobs.protocol import (
    BrokenLine,
    FreeAsked,
    Hello,
    PlanAsked,
    Question,
    StatsAsked,
    read_frame,
)
from engine.jobs.worker_log import WorkerLog
from engine.jobs.workers import Order, Reports

HOST = "127.0.0.1"
PARALLEL = 8
"""Jobs that a worker runs at once: enough to fill a batch (promise P7)."""
HELLO_S = 10.0
MAX_HELLO_BYTES = 10_000


class Supervisor:
    """Implements `engine.jobs.workers.Workers`. Lives on the server's event loop.

    Args:
        reports: what is told of the jobs and the workers.
        command: starts a worker, but for `--device`.
        devices: one worker for each.
        log: file that takes what workers print.
        parallel: jobs that a worker runs at once.
        say: told in a sentence when a worker has ended.
        before_renewed: called when a worker was ended for `renew`, before the next one is started.
    """

    def __init__(
        self,
        reports: Reports,
        command: Sequence[str],
        devices: Sequence[str],
        log: Path,
        *,
        parallel: int = PARALLEL,
        limits: Limits | None = None,
        say: Callable[[str], None] = lambda sentence: None,
        before_renewed: Callable[[], None] = lambda: None,
    ) -> None:
        self._parallel = parallel
        self._limits = limits or Limits()
        suspects: set[str] = set()
        worker_log = WorkerLog(log)
        self._posts = [
            Post(each, command, reports, worker_log, self._limits, suspects, say, before_renewed) for each in devices
        ]
        self._server: asyncio.Server | None = None
        self._keepers: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Start the workers; returns before they are ready."""
        self._server = await asyncio.start_server(self._accept, HOST, 0)
        address: tuple[str, int] = self._server.sockets[0].getsockname()[:2]
        self._keepers = [asyncio.create_task(post.keep(address)) for post in self._posts]

    async def close(self) -> None:
        """End the workers. Of what they are doing nothing is reported: those jobs are still the queue's."""
        for post in self._posts:
            post.close()
        if self._keepers:
            await asyncio.wait(self._keepers, timeout=self._limits.stop_s)
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        if self._server is not None:
            self._server.close()

    # ---------------------------------------------------------------------------------------------- what is asked of it

    def free_places(self) -> Sequence[str]:
        rounds = [(post.places(self._parallel), len(post.jobs), post.device) for post in self._posts]
        # The emptiest worker first, each as often as it has places.
        places = [(jobs + index, device) for free, jobs, device in rounds for index in range(free)]
        return [device for _, device in sorted(places, key=lambda place: place[0])]

    async def start(self, order: Order) -> None:
        self._post(order.device).start(order)

    def cancel(self, job: str) -> None:
        for post in self._posts:
            if job in post.jobs:
                post.cancel(job)

    def others_wait(self, waiting: bool) -> None:
        for post in self._posts:
            post.tell_of_others(waiting)

    async def plan(self, workflow: JsonValue, outputs: Sequence[str] | None) -> JobPlan:
        wanted = None if outputs is None else tuple(outputs)
        post = next((post for post in self._posts if post.is_up), self._posts[0])
        found = await post.ask(lambda id: PlanAsked(id=id, workflow=workflow, outputs=wanted))
        lists = cast(Mapping[str, list[str]], found)
        return JobPlan(tuple(lists["runs"]), tuple(lists["cached"]))

    async def free(self, *, unload_models: bool, free_memory: bool) -> None:
        await self._ask_all(lambda id: FreeAsked(id=id, unload_models=unload_models, free_memory=free_memory))

    async def stats(self) -> Sequence[Mapping[str, JsonValue]]:
        found = await self._ask_all(lambda id: StatsAsked(id=id))
        return [cast(Mapping[str, JsonValue], each) for each in found]

    def renew(self) -> None:
        """Replace the workers when their jobs are done, so that changed nodes are known. Until then they start none."""
        for post in self._posts:
            post.renew()

    @property
    def problems(self) -> Mapping[str, str]:
        """By device: why there is no worker just now."""
        return {post.device: post.problem for post in self._posts if post.problem is not None}

    async def _ask_all(self, question: Callable[[int], Question]) -> list[JsonValue]:
        up = [post for post in self._posts if post.is_up]
        if not up:
            raise self._posts[0].no_worker()
        return await asyncio.gather(*(post.ask(question) for post in up))

    def _post(self, device: str) -> Post:
        found = next((post for post in self._posts if post.device == device), None)
        if found is None:
            raise NoWorker(f"There is no worker for {device}.")
        return found

    # ------------------------------------------------------------------------------------------------------ connections

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Let in who knows the token of a worker that was started here."""
        process = None
        try:
            message, _ = await asyncio.wait_for(read_frame(reader, MAX_HELLO_BYTES), HELLO_S)
            if isinstance(message, Hello):
                process = self._welcome(message, (reader, writer))
        except (asyncio.IncompleteReadError, OSError, BrokenLine, TimeoutError):
            pass
        if process is None:
            writer.close()

    def _welcome(self, hello: Hello, streams: Streams) -> Post | None:
        for post in self._posts:
            if post.process is not None and hmac.compare_digest(post.process.token.encode(), hello.token.encode()):
                post.device = hello.device
                post.process.connect(streams)
                return post
        return None
