"""A worker: runs the jobs it is handed on one event loop, so that their samplings meet in batches."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import socket
import sys
import traceback
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Literal, NoReturn

from pydantic import JsonValue

from engine.errors import DarkroomError, Problem, WorkflowError
from engine.graph.document import dumps, from_json
from engine.graph.graph import Graph
from engine.graph.keys import Keys
from engine.graph.prompt import to_prompt
from engine.jobs.journal import SaveJournal, open_journal
from engine.jobs.line import Line
from engine.jobs.model import PluginState
from engine.jobs.orphan import end_with_parent
from engine.jobs.protocol import (
    HEARTBEAT_S,
    CancelJob,
    CatalogueSent,
    FreeAsked,
    Heartbeat,
    Hello,
    JobDone,
    JobEvent,
    JobPreview,
    OthersWait,
    PlanAsked,
    Question,
    Rendezvous,
    Reply,
    RunJob,
    StatsAsked,
    Stop,
    ToWorker,
)
from engine.jobs.shown import Wire, problems_of, shown, to_wire
from engine.jobs.throttle import Throttle
from engine.run.cancel import Cancel
from engine.run.darkroom import Darkroom
from engine.run.events import Event, NodePreview
from engine.run.result import Status

STOP_S = 2.0
"""How long running jobs may take to stop when the server asks for the end."""


class Worker:
    """Serves one server until it says stop.

    Args:
        darkroom: what runs the jobs.
        warm: whether to import the libraries of models before the first job needs them.
    """

    def __init__(self, darkroom: Darkroom, line: Line, inbox: asyncio.Queue[ToWorker], *, warm: bool) -> None:
        self._darkroom = darkroom
        self._line = line
        self._inbox = inbox
        self._is_warm = warm
        self._is_loading = True
        self._running: dict[str, Cancel] = {}
        self._queue_waits = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Describe the nodes, then do as the server says until it says stop."""
        beating = asyncio.create_task(self._beat())
        try:
            self._line.send(await asyncio.to_thread(self._describe))
            self._begin(self._warm())
            while not isinstance(message := await self._inbox.get(), Stop):
                self._take(message)
            await self._stop()
        finally:
            beating.cancel()

    def _take(self, message: ToWorker) -> None:
        match message:
            case RunJob():
                # Noted here and not in the task: a cancel may be the next message.
                cancel = self._running[message.job] = Cancel(self._others_wait)
                self._begin(self._run(message, cancel))
            case CancelJob():
                if (running := self._running.get(message.job)) is not None:
                    running.set()
            case OthersWait():
                self._queue_waits = message.waiting
            case PlanAsked() | FreeAsked() | StatsAsked():
                self._begin(self._answer(message))
            case Stop():
                pass

    def _others_wait(self) -> bool:
        """Whether a job may be asked to stop for others: for some in the queue, or that wait here for the device."""
        return self._queue_waits or len(self._running) > 1

    # ------------------------------------------------------------------------------------------------------------ jobs

    async def _run(self, order: RunJob, cancel: Cancel) -> None:
        started = perf_counter()
        try:
            done = await self._result(order, cancel, started)
        except Exception as error:
            if not isinstance(error, WorkflowError):
                traceback.print_exception(error)
            done = self._done(order, "failed", started, problems=problems_of(error))
        finally:
            del self._running[order.job]
        if done.status == "failed":
            gc.collect()  # errors hold the frames they came through, and those what the job had in memory
        self._line.send(done)

    async def _result(self, order: RunJob, cancel: Cancel, started: float) -> JobDone:
        engine, folders = self._darkroom.engine, self._darkroom.folders
        prepared = await asyncio.to_thread(self._prepare, order)
        if cancel.is_set:
            return self._done(order, "cancelled", started)
        throttle = Throttle(partial(self._tell, order))
        try:
            result = await engine.arun(
                prepared.graph,
                throttle,
                cancel,
                prompt_json=prepared.prompt_json,
                workflow_json=prepared.workflow_json,
                wants_preview=order.wants_preview,
                keys=prepared.keys,
                saves=prepared.saves,
            )
        finally:
            throttle.close()
        for error in result.errors:
            if error.__cause__ is not None and not isinstance(error.__cause__, DarkroomError):
                traceback.print_exception(error)
        outputs = {node: shown(ui, folders) for node, ui in result.ui.items()}
        problems = tuple(problem for error in result.errors for problem in problems_of(error))
        yielded = cancel.made_way and result.status == "cancelled"
        return self._done(order, "yielded" if yielded else result.status, started, outputs, problems)

    def _prepare(self, order: RunJob) -> Prepared:
        """All that takes time before the first node: reading, checking, hashing the files that are named.

        Raises:
            WorkflowError: with every problem.
        """
        document = from_json(order.workflow)
        graph = self._darkroom.engine.build(document, order.outputs)
        keys = self._darkroom.engine.keys(graph)
        prompt = order.prompt_json
        return Prepared(
            graph,
            keys,
            open_journal(self._darkroom.folders, order.job),
            prompt if prompt is not None else json.dumps(to_prompt(graph), ensure_ascii=False),
            order.workflow_json if order.workflow_json is not None else dumps(document),
        )

    def _tell(self, order: RunJob, event: Event) -> None:
        if isinstance(event, NodePreview):
            preview = JobPreview(job=order.job, attempt=order.attempt, node=event.node, media_type=event.media_type)
            self._line.send(preview, event.image)
        elif (wire := to_wire(event, self._darkroom.folders)) is not None:
            self._line.send(JobEvent(job=order.job, attempt=order.attempt, event=wire))

    def _done(
        self,
        order: RunJob,
        status: Status | Literal["yielded"],
        started: float,
        outputs: dict[str, Wire] | None = None,
        problems: tuple[Problem, ...] = (),
    ) -> JobDone:
        return JobDone(
            job=order.job,
            attempt=order.attempt,
            status=status,
            seconds=perf_counter() - started,
            outputs=outputs or {},
            problems=problems,
        )

    async def _stop(self) -> None:
        for cancel in self._running.values():
            cancel.set()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=STOP_S)

    # ------------------------------------------------------------------------------------------------------- questions

    async def _answer(self, question: Question) -> None:
        try:
            reply = Reply(id=question.id, result=await asyncio.to_thread(self._result_of, question))
        except WorkflowError as error:
            reply = Reply(id=question.id, problems=error.problems)
        except Exception as error:
            if not isinstance(error, DarkroomError):
                traceback.print_exception(error)
            reply = Reply(id=question.id, error=str(error) or type(error).__name__)
        self._line.send(reply)

    def _result_of(self, question: Question) -> JsonValue:
        engine, machine = self._darkroom.engine, self._darkroom.machine
        match question:
            case PlanAsked():
                plan = engine.plan(engine.build(from_json(question.workflow), question.outputs))
                return {"runs": list(plan.runs), "cached": list(plan.cached)}
            case FreeAsked():
                if question.free_memory:
                    engine.cache.memory.clear()
                if question.unload_models:
                    machine.unload()
                return None
            case StatsAsked():
                return {**machine.stats(), "cache_bytes": engine.cache.memory.bytes, "pid": os.getpid()}

    # ------------------------------------------------------------------------------------------------------- the worker

    def _describe(self) -> CatalogueSent:
        """The nodes; imports those whose schemas are not noted."""
        registry = self._darkroom.registry
        plugins = tuple(
            PluginState(name=each.name, nodes=each.nodes, problems=each.problems) for each in registry.plugins
        )
        return CatalogueSent(nodes=tuple(registry.catalogue), plugins=plugins)

    async def _warm(self) -> None:
        try:
            if self._is_warm:
                await asyncio.to_thread(self._darkroom.machine.warm)
        except Exception as error:  # a job that needs no model can run all the same; one that does will say why not
            traceback.print_exception(error)
        self._is_loading = False
        self._line.send(Heartbeat())

    async def _beat(self) -> None:
        while True:
            self._line.send(Heartbeat(loading=self._is_loading))
            await asyncio.sleep(HEARTBEAT_S)

    def _begin(self, job: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(job)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A job that can begin."""

    graph: Graph
    keys: Keys
    saves: SaveJournal
    prompt_json: str
    workflow_json: str


def serve(open: Callable[[], Darkroom], server: Rendezvous, *, warm: bool) -> NoReturn:
    """Be a worker of a server until it says stop or is gone. Ends the process.

    Args:
        open: makes what runs the jobs.
        warm: whether to import the libraries of models before the first job needs them.

    Raises:
        OSError: there is no server.
        DarkroomError: `open` does.
    """
    end_with_parent(server.parent)
    connection = socket.create_connection((server.host, server.port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        inbox: asyncio.Queue[ToWorker] = asyncio.Queue()

        def heard(message: ToWorker) -> None:
            loop.call_soon_threadsafe(inbox.put_nowait, message)

        line = Line(connection, heard)
        darkroom = open()
        line.open()
        line.send(Hello(token=server.token, device=darkroom.machine.device_name))
        await Worker(darkroom, line, inbox, warm=warm).serve()
        line.flush(STOP_S)
        sys.stderr.flush()
        os._exit(0)  # a node that does not stop must not keep the process

    asyncio.run(main())
    raise AssertionError("the worker has ended")
