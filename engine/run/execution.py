"""One run of one graph: starts what is ready on its lane, takes in what ends, and says so in events.

Everything here happens on the event loop's thread. What ends elsewhere posts a note, and notes are read one by one, so
there are no locks and the order of events is the order of things.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from functools import partial
from time import perf_counter
from typing import Any, cast
from uuid import uuid4

from pydantic import JsonValue

from engine.errors import Cancelled, DarkroomError, InputProblem, NodeFailed
from engine.graph.graph import Graph, Source
from engine.node.results import Blocked, Result
from engine.node.schema import Lane
from engine.run.agenda import Agenda
from engine.run.calls import CallReport, Calls, call_async_node, call_node
from engine.run.cancel import Cancel
from engine.run.context import RunContext
from engine.run.effects import stamp_files
from engine.run.equipment import Equipment
from engine.run.events import (
    Event,
    Listener,
    NodeErrored,
    NodeFinished,
    NodeSkipped,
    NodeStarted,
    RunFinished,
    RunStarted,
)
from engine.run.expansion import open_scope
from engine.run.lists import join_outputs, split_calls
from engine.run.outcome import Outcome, Record
from engine.run.result import NodeReport, RunResult, Status
from engine.run.work import ENDED, Feed, Scope, State, Work

LANES: tuple[Lane, ...] = ("loop", "device", "cpu")
AHEAD = 8
"""While this many works wait for another lane, CPU nodes behind them do not start: their results would lie about."""


class Execution:
    """Runs a graph once.

    Args:
        keys: the content key of every node of the graph.
        listener: called with every event, on the thread of the event loop. One that raises ends the run: it is
            cancelled, and what was raised comes out of `run`.
        texts: the prompt and the workflow as JSON, for the metadata of saved pictures.
    """

    def __init__(
        self,
        equipment: Equipment,
        graph: Graph,
        keys: Mapping[str, str],
        listener: Listener,
        cancel: Cancel,
        texts: tuple[str | None, str | None] = (None, None),
    ) -> None:
        self.id = uuid4().hex
        self.called: list[str] = []
        """Ids of the workflow's nodes that were called, in order."""
        self._equipment = equipment
        self._graph = graph
        self._scope = Scope(graph, keys)
        self._listener = listener
        self._cancel = cancel
        self._texts = texts
        self._aborted = False
        self._agenda = Agenda(lambda key: equipment.cache.find(key) is not None)
        lanes = equipment.lanes
        self._pools: dict[Lane, Executor] = {"device": lanes.device, "cpu": lanes.cpu}
        self._width: dict[Lane, int] = {"device": 1, "cpu": lanes.cpu_width, "loop": lanes.loop_width}
        self._running: dict[Lane, int] = {"device": 0, "cpu": 0, "loop": 0}
        self._busy = 0
        """How many notes are still to come."""
        self._notes: deque[Callable[[], None]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting: dict[Work, Callable[[Outcome | None], None]] = {}
        """Works that other runs, or other nodes of this one, are computing for us."""
        self._complete_parents: deque[Work] = deque()
        self._wanted = frozenset(graph.outputs)
        self._told: set[str] = set()
        """Requested nodes that were found in the cache and whose event has been sent."""
        self._has_written = False
        self._write_error: BaseException | None = None
        self._reports: dict[str, NodeReport] = {}
        self._ui: dict[str, Mapping[str, JsonValue]] = {}
        self._errors: list[NodeFailed] = []

    async def run(self) -> RunResult:
        """Run the graph to its end.

        Returns:
            The result, also when nodes failed or the run was cancelled.
        """
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._cancel.listen(self._post_stop)
        started = perf_counter()
        try:
            wanted = self._plan()
            await self._work()
        except BaseException:
            await self._abort()
            raise
        finally:
            self._cancel.forget(self._post_stop)
            await self._written()
        if self._agenda.open and not self._stopped:
            raise RuntimeError(f"the run is stuck: {[work.node.id for work in self._agenda.open]} never became ready")
        status: Status = "cancelled" if self._agenda.open else "failed" if self._errors else "done"
        self._skip_open()
        seconds = perf_counter() - started
        self._emit(RunFinished(self.id, status, seconds))
        outcomes = {work.node.id: work.outcome for work in wanted if work.outcome is not None}
        return RunResult(
            status, seconds, self._reports, self._ui, self._errors, outcomes, self._scope.keys, self._equipment.cache
        )

    # ---------------------------------------------------------------------------------------------------- the course

    def _plan(self) -> list[Work]:
        wanted = [self._scope.work(id) for id in dict.fromkeys(self._graph.outputs)]
        known = {work.node.id: record for work in wanted if (record := self._equipment.cache.find(work.key))}
        unknown = [work for work in wanted if work.node.id not in known]
        for work in unknown:
            work.uses += 1
        self._agenda.demand(unknown)
        will_run = self._may_run()
        cached = [id for id in self._graph.nodes if id not in will_run]
        self._reports = dict.fromkeys(cached, NodeReport("cached"))
        self._emit(RunStarted(self.id, list(self._graph.nodes), cached))
        for id, record in known.items():
            if id not in will_run:
                self._ui[id] = record.ui
                self._told.add(id)
                self._emit(NodeFinished(id, True, 0.0, record.ui))
        return wanted

    def _may_run(self) -> set[str]:
        """The nodes that are planned to run, and those that lazy inputs may call for."""
        may_run = {work.node.id for work in self._agenda.open if work.state is not State.KNOWN}
        stack = [
            feed.work.node.id for work in self._agenda.open for feed in work.feeds if feed.work.state is State.IDLE
        ]
        while stack:
            id = stack.pop()
            if id not in may_run and self._equipment.cache.find(self._scope.keys[id]) is None:
                may_run.add(id)
                stack += [source.node for source in self._graph.nodes[id].links.values()]
        return may_run

    async def _work(self) -> None:
        while True:
            self._start_ready()
            if not self._busy:
                return
            await self._wake.wait()
            self._wake.clear()
            while self._notes:
                self._notes.popleft()()

    async def _abort(self) -> None:
        """Stop after an exception that is nobody's fault in the graph: a listener that raised, or Ctrl-C."""
        self._aborted = True
        self._listener = _nobody
        self._stop()
        while self._busy:
            await self._wake.wait()
            self._wake.clear()
            while self._notes:
                self._notes.popleft()()
        self._skip_open()

    async def _written(self) -> None:
        """Wait until the disk has what was remembered: the disk lane works in order."""
        if self._has_written:
            await asyncio.wrap_future(self._equipment.lanes.disk.submit(_nothing))
        if self._write_error is not None:
            raise self._write_error

    def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        for work, landing in list(self._waiting.items()):
            if self._equipment.flights.leave(work.key, landing):
                self._landed(work, None)

    def _skip_open(self) -> None:
        for work in sorted(self._agenda.open, key=lambda work: work.rank):
            if work.state not in ENDED:
                self._agenda.end(work, State.SKIPPED, "the run was cancelled")
        self._note_ended("the run was cancelled")

    @property
    def _stopped(self) -> bool:
        return self._aborted or self._cancel.is_set

    # ------------------------------------------------------------------------------------------------------ starting

    def _start_ready(self) -> None:
        started = True
        while started:
            started = False
            while self._complete_parents:
                self._complete(self._complete_parents.popleft())
            for lane in LANES:
                while not self._stopped and self._running[lane] < self._width[lane]:
                    work = self._agenda.ready(lane)
                    if work is None or (lane == "cpu" and self._is_too_early(work)):
                        break
                    self._agenda.take(lane)
                    self._start(work)
                    started = True

    def _is_too_early(self, work: Work) -> bool:
        for lane in ("device", "loop"):
            first = self._agenda.ready(lane)
            if first is not None and first.rank < work.rank and self._agenda.backlog(lane) >= AHEAD:
                return True
        return False

    def _start(self, work: Work) -> None:
        if work.state is State.READY and not work.leading:
            landing = partial(self._post_landing, work)
            if not self._equipment.flights.board(work.key, landing):
                work.state = State.RUNNING
                self._waiting[work] = landing
                self._busy += 1
                return
            work.leading = True
            # Another run may have computed it between our plan and now.
            if not work.results and self._equipment.cache.find(work.key) is not None:
                work.state = State.KNOWN
        if work.state is State.KNOWN:
            self._fetch(work)
        else:
            self._call(work)

    def _fetch(self, work: Work) -> None:
        work.state = State.RUNNING
        cache = self._equipment.cache
        if (outcome := cache.memory.get(work.key)) is not None:
            self._finish(work, outcome, cached=True)
        else:
            self._submit("cpu", partial(cache.load, work.key), partial(self._fetched, work))

    def _call(self, work: Work) -> None:
        work.state = State.RUNNING
        schema = work.node.schema
        try:
            calls = split_calls(schema, _inputs(work))
        except DarkroomError as error:
            self._fail(work, error)
            return
        for index, call in enumerate(calls):
            if isinstance(call, Blocked) and index not in work.results:
                work.results[index] = Result((Blocked(),) * len(schema.outputs))
                if call.message and work.visible:
                    self._emit(NodeSkipped(work.node.id, call.message))
        if all(isinstance(call, Blocked) for call in calls):
            self._block(work, cast(list[Blocked], calls))
            return
        if work.visible and not work.asked:
            self.called.append(work.node.id)
            self._emit(NodeStarted(work.node.id, schema.name))
        to_make = {
            index: cast(Mapping[str, Any], call) for index, call in enumerate(calls) if index not in work.results
        }
        ctx = self._context(work)
        if schema.lane == "loop":
            self._submit_async(work, to_make, ctx)
        else:
            job = partial(self._call_here, schema.name, to_make, ctx)
            self._submit(schema.lane, job, partial(self._called, work))

    def _call_here(self, name: str, calls: Calls, ctx: RunContext) -> CallReport:
        return call_node(self._equipment.types(name), calls, ctx, self._equipment.guard)

    def _submit(self, lane: Lane, job: Callable[[], Any], done: Callable[[Future[Any]], None]) -> None:
        self._running[lane] += 1
        self._busy += 1

        def ended(future: Future[Any]) -> None:
            self._running[lane] -= 1
            self._busy -= 1
            done(future)

        self._pools[lane].submit(job).add_done_callback(lambda future: self._post(partial(ended, future)))

    def _submit_async(self, work: Work, calls: Calls, ctx: RunContext) -> None:
        self._running["loop"] += 1
        self._busy += 1
        future: Future[CallReport] = Future()

        async def make() -> None:
            try:
                # Loading a node's code may import torch, for which the loop must not wait.
                node_type = await asyncio.to_thread(self._equipment.types, work.node.schema.name)
                future.set_result(await call_async_node(node_type, calls, ctx, self._equipment.guard))
            except BaseException as error:
                future.set_exception(error)

        def ended(task: asyncio.Task[None]) -> None:
            self._running["loop"] -= 1
            self._busy -= 1
            self._tasks.discard(task)
            # A task that was cancelled before its first step has set nothing.
            if not future.done():
                future.set_exception(Cancelled("the run was cancelled"))
            self._called(work, future)

        task = self._loop.create_task(make())
        self._tasks.add(task)
        task.add_done_callback(lambda task: self._post(partial(ended, task)))

    def _context(self, work: Work) -> RunContext:
        prompt, workflow = self._texts
        equipment = self._equipment
        return RunContext(
            work.shown_as,
            equipment.folders,
            equipment.services,
            lambda event: self._post(partial(self._emit, event)),
            lambda: self._stopped,
            prompt,
            workflow,
        )

    # -------------------------------------------------------------------------------------------------------- ending

    def _fetched(self, work: Work, future: Future[Outcome | None]) -> None:
        outcome = future.result()
        if outcome is not None:
            self._finish(work, outcome, cached=True)
            return
        # Damaged or evicted since the plan: compute it after all.
        self._agenda.compute(work)
        self._note_ended()

    def _landed(self, work: Work, outcome: Outcome | None) -> None:
        """Another computation of the same key has ended."""
        if self._waiting.pop(work, None) is None:
            return
        self._busy -= 1
        if outcome is not None:
            self._finish(work, outcome, cached=True)
        elif not self._stopped:
            self._agenda.again(work)

    def _called(self, work: Work, future: Future[CallReport]) -> None:
        error = future.exception()
        if error is not None:
            if self._stopped and isinstance(error, Cancelled | asyncio.CancelledError):
                return  # stays open, and is skipped at the end
            self._fail(work, error)
            return
        report = future.result()
        work.seconds += report.seconds
        work.results.update(report.results)
        if report.asked:
            self._ask(work, report.asked)
        elif any(result.expansion for result in work.results.values()):
            self._expand(work)
        else:
            self._complete(work)
        self._note_ended()

    def _ask(self, work: Work, names: set[str]) -> None:
        linked = {feed.name for feed in work.feeds}
        for name in names:
            if name not in linked or name in work.asked:
                message = f"asked for input '{name}', which is not a lazy input with a link"
                self._fail(work, InputProblem(message, input=name))
                return
        self._agenda.ask(work, names)

    def _expand(self, work: Work) -> None:
        try:
            feeds = self._open_scopes(work)
        except Exception as error:  # a subgraph may be anything that a plugin can return
            self._fail(work, error)
            return
        self._agenda.expand(work, feeds)
        if work.state is State.EXPANDED and work.missing == 0:
            self._complete(work)

    def _open_scopes(self, work: Work) -> list[Feed]:
        feeds: list[Feed] = []
        for call, result in work.results.items():
            if result.expansion is not None:
                scope, links = open_scope(self._equipment, work, call, result.expansion)
                work.expansions[call] = scope, links
                feeds += [Feed("", scope.work(id), 0) for id in scope.graph.outputs]
        return feeds

    def _complete(self, work: Work) -> None:
        """All calls have returned and all subgraphs have run: put the outcome together."""
        try:
            outcome = self._outcome(work)
        except (DarkroomError, OSError) as error:
            self._fail(work, error)
        else:
            self._finish(work, outcome, cached=False)

    def _outcome(self, work: Work) -> Outcome:
        results = [work.results[call] for call in sorted(work.results)]
        uis = [result.ui for result in results]
        returned = [result.outputs for result in results]
        for call, (scope, links) in work.expansions.items():
            returned[call] = _expanded(work, returned[call], scope, links)
            inner = [inner.outcome for inner in scope.works.values() if inner.node.schema.output]
            uis += [outcome.record.ui for outcome in inner if outcome is not None]
            work.seconds += sum(inner.seconds for inner in scope.works.values())
        ui = _merge(uis)
        files = stamp_files(ui, self._equipment.folders) if ui else ()
        record = Record(work.node.schema.name, work.seconds, ui, files)
        return Outcome(record, join_outputs(work.node.schema, returned))

    def _block(self, work: Work, calls: list[Blocked]) -> None:
        outputs = join_outputs(work.node.schema, [(Blocked(),) * len(work.node.schema.outputs) for _ in calls])
        if work.visible:
            if not any(call.message for call in calls):
                self._emit(NodeSkipped(work.node.id, "a node before it blocked this branch"))
            self._reports[work.node.id] = NodeReport("skipped", reason="blocked")
        self._settle(work, Outcome(Record(work.node.schema.name, 0.0), outputs))

    def _finish(self, work: Work, outcome: Outcome, *, cached: bool) -> None:
        record = outcome.record
        if not cached:
            self._keep(work.key, outcome)
        if work.visible:
            id = work.node.id
            seconds = 0.0 if cached else record.seconds
            self._reports[id] = NodeReport("cached" if cached else "ran", seconds)
            if record.ui:
                self._ui[id] = record.ui
            # A value that was only fetched is no news: RunStarted said that it is there.
            if not cached or (id in self._wanted and id not in self._told):
                self._emit(NodeFinished(id, cached, seconds, record.ui))
        self._settle(work, outcome, share=True)

    def _settle(self, work: Work, outcome: Outcome, *, share: bool = False) -> None:
        self._land(work, outcome if share else None)
        # Completed later and not here, so that deep expansions do not recurse.
        self._complete_parents += self._agenda.finish(work, outcome)

    def _keep(self, key: str, outcome: Outcome) -> None:
        cache = self._equipment.cache
        cache.keep(key, outcome)
        if cache.disk is not None:
            self._has_written = True
            self._equipment.lanes.disk.submit(cache.write, key, outcome).add_done_callback(self._wrote)

    def _wrote(self, future: Future[None]) -> None:
        self._write_error = self._write_error or future.exception()

    def _fail(self, work: Work, error: BaseException) -> None:
        reason = str(error) if isinstance(error, DarkroomError) else f"raised {type(error).__name__}: {error}"
        failed = NodeFailed(work.shown_as, work.node.schema.name, reason)
        failed.__cause__ = error
        self._errors.append(failed)
        self._reports[work.shown_as] = NodeReport("failed", reason=reason)
        self._emit(NodeErrored(work.shown_as, work.node.schema.name, failed))
        self._agenda.end(work, State.FAILED, reason)
        self._note_ended()

    def _note_ended(self, why: str = "") -> None:
        """Tell of the works that ended without an outcome."""
        ended, self._agenda.ended = self._agenda.ended, []
        for work in ended:
            self._land(work, None)
            if work.visible and work.state is State.SKIPPED:
                reason = why or work.reason
                self._reports[work.node.id] = NodeReport("skipped", reason=reason)
                self._emit(NodeSkipped(work.node.id, reason))

    def _land(self, work: Work, outcome: Outcome | None) -> None:
        if work.leading:
            work.leading = False
            self._equipment.flights.land(work.key, outcome)

    # --------------------------------------------------------------------------------------------------------- notes

    def _emit(self, event: Event) -> None:
        self._listener(event)

    def _post(self, note: Callable[[], None]) -> None:
        """Leave a note for the event loop, from any thread."""
        self._notes.append(note)
        try:
            self._loop.call_soon_threadsafe(self._wake.set)
        except RuntimeError:
            # The loop is closed: a node's own thread outlived its run, and nobody is there to be told.
            self._notes.clear()

    def _post_stop(self) -> None:
        self._post(self._stop)

    def _post_landing(self, work: Work, outcome: Outcome | None) -> None:
        self._post(partial(self._landed, work, outcome))


def _inputs(work: Work) -> dict[str, Any]:
    """The list at each input of a work; None at lazy ones that nobody has computed."""
    inputs: dict[str, Any] = {}
    for name, value in work.node.literals.items():
        schema = work.node.schema.input(name)
        inputs[name] = value if schema and schema.is_list and isinstance(value, list) else [value]
    for name, source, output in work.feeds:
        if name:
            inputs[name] = source.outcome.outputs[output] if source.outcome is not None else None
    return inputs


def _expanded(work: Work, outputs: tuple[object, ...], scope: Scope, links: Mapping[int, Source]) -> tuple[object, ...]:
    """What an expanding call returned, with its links replaced by the values they lead to."""
    values: list[object] = list(outputs)
    for index, source in links.items():
        outcome = scope.works[source.node].outcome
        found = list(outcome.outputs[source.output]) if outcome is not None else []
        port = work.node.schema.outputs[index]
        if port.is_list:
            values[index] = found
        elif len(found) == 1:
            values[index] = found[0]
        else:
            raise InputProblem(f"output '{port.name}' is one value, and the expansion gave a list of {len(found)}")
    return tuple(values)


def _merge(uis: list[Mapping[str, JsonValue]]) -> dict[str, JsonValue]:
    """Join what several calls show: lists are joined key by key; of anything else the last counts."""
    merged: dict[str, JsonValue] = {}
    for ui in uis:
        for name, shown in ui.items():
            before = merged.get(name)
            merged[name] = [*before, *shown] if isinstance(before, list) and isinstance(shown, list) else shown
    return merged


def _nobody(event: Event) -> None:
    pass


def _nothing() -> None:
    pass
