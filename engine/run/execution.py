"""One run of one graph: starts what is ready on its lane, takes in what ends, and says so in events.

Everything here happens on the event loop's thread; see `crew` for how word of other threads gets here, and `agenda` for
what is needed and ready.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future
from functools import partial
from time import perf_counter
from typing import Any, cast
from uuid import uuid4

from engine.errors import Cancelled, DarkroomError, InputProblem
from engine.graph.graph import Graph
from engine.node.folders import Saves
from engine.node.node_type import NodeType
from engine.node.results import Blocked, Result
from engine.node.schema import Lane
from engine.run.account import Account
from engine.run.agenda import Agenda
from engine.run.assemble import assemble, inputs_of
from engine.run.calls import CallReport, Calls, call_async_node, call_node
from engine.run.cancel import Cancel
from engine.run.context import RunContext
from engine.run.crew import Crew
from engine.run.equipment import Equipment
from engine.run.events import Listener
from engine.run.expansion import open_scope
from engine.run.lists import split_calls
from engine.run.outcome import Outcome
from engine.run.result import RunResult, Status
from engine.run.shelf import Shelf
from engine.run.work import ENDED, Feed, Scope, State, Work

LANES: tuple[Lane, ...] = ("loop", "device", "cpu")
AHEAD = 8
"""While this many works wait for another lane, CPU nodes behind them do not start: their results would lie about."""
MAX_SHAPES = 1000
"""Nodes whose known results are measured when a run starts."""


class Execution:
    """Runs a graph once.

    Args:
        keys: the content key of every node of the graph.
        listener: called with every event, on the thread of the event loop. One that raises ends the run: it is
            cancelled, and what was raised comes out of `run`.
        texts: the prompt and the workflow as JSON, for the metadata of saved pictures.
        wants_preview: whether anybody looks at previews.
        saves: remembers where nodes saved files, if another attempt at the same work may have.
        frozen: the results that nodes are frozen at, by key.
    """

    def __init__(
        self,
        equipment: Equipment,
        graph: Graph,
        keys: Mapping[str, str],
        listener: Listener,
        cancel: Cancel,
        texts: tuple[str | None, str | None] = (None, None),
        wants_preview: bool = True,
        saves: Saves | None = None,
        frozen: Mapping[str, Outcome] | None = None,
    ) -> None:
        self.id = uuid4().hex
        self.account = Account(self.id, graph, keys, listener)
        self._equipment = equipment
        self._graph = graph
        self._scope = Scope(graph, keys)
        self._cancel = cancel
        self._texts = texts
        self._wants_preview = wants_preview
        self._saves = saves
        self._aborted = False
        self._shelf = Shelf(equipment, frozen or {})
        self._agenda = Agenda(self._shelf.is_known)
        self._complete_parents: deque[Work] = deque()
        self._loaded: dict[str, NodeType] = {}
        """Types of async nodes."""
        self._known_outcomes: dict[str, Outcome] = {}

    async def run(self) -> RunResult:
        """Run the graph to its end.

        Returns:
            The result, also when nodes failed or the run was cancelled.
        """
        self._crew = Crew(self._equipment.lanes)
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
            await self._shelf.written()
        if self._agenda.open and not self._stopped:
            raise RuntimeError(f"the run is stuck: {[work.node.id for work in self._agenda.open]} never became ready")
        status: Status = "cancelled" if self._agenda.open else "failed" if self.account.errors else "done"
        self._skip_open()
        seconds = perf_counter() - started
        self.account.run_finished(status, seconds)
        outcomes = {work.node.id: work.outcome for work in wanted if work.outcome is not None} | self._known_outcomes
        account = self.account
        keys, cache = self._scope.keys, self._equipment.cache
        return RunResult(status, seconds, account.nodes, account.ui, account.errors, outcomes, keys, cache)

    # ---------------------------------------------------------------------------------------------------- the course

    def _plan(self) -> list[Work]:
        wanted = [self._scope.work(id) for id in dict.fromkeys(self._graph.outputs)]
        known = {work.node.id: record for work in wanted if (record := self._shelf.find(work.key))}
        unknown = [work for work in wanted if work.node.id not in known]
        for id in known:
            # Whatever this run evicts, what it promised to know can still be asked for.
            if (outcome := self._shelf.at_hand(self._scope.keys[id])) is not None:
                self._known_outcomes[id] = outcome
        for work in unknown:
            work.uses += 1
        unknown += map(self._scope.work, self._shelf.choose_hits(self._graph, self._scope.keys, self.id))
        self._agenda.demand(unknown)
        may_run = self._may_run()
        self.account.run_started(may_run, known, self._known_shapes(may_run))
        return wanted

    def _known_shapes(self, may_run: set[str]) -> dict[str, tuple[str, ...]]:
        """Of the nodes that do not run, as far as there are not too many to tell of."""
        others = [id for id in self._graph.nodes if id not in may_run][:MAX_SHAPES]
        return {id: shapes for id in others if (shapes := self._shelf.shapes(self._scope.keys[id]))}

    def _may_run(self) -> set[str]:
        """The nodes that are planned to run, and those that lazy inputs may call for."""
        may_run = {work.node.id for work in self._agenda.open if work.state is not State.KNOWN}
        stack = [
            feed.work.node.id for work in self._agenda.open for feed in work.feeds if feed.work.state is State.IDLE
        ]
        while stack:
            id = stack.pop()
            if id not in may_run and not self._shelf.is_known(self._scope.keys[id]):
                may_run.add(id)
                stack += [source.node for source in self._graph.nodes[id].links.values()]
        return may_run

    async def _work(self) -> None:
        while True:
            self._start_ready()
            if not self._crew.busy and not self._shelf.is_waiting:
                return
            await self._crew.read()

    async def _abort(self) -> None:
        """Stop after an exception that is nobody's fault in the graph: a listener that raised, or Ctrl-C."""
        self._aborted = True
        self.account.fall_silent()
        self._stop()
        while self._crew.busy or self._shelf.is_waiting:
            await self._crew.read()
        self._skip_open()

    def _stop(self) -> None:
        self._crew.cancel_tasks()
        self._shelf.stop_waiting()

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
                while not self._stopped and self._crew.has_room(lane):
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
            if not self._shelf.board(work, partial(self._post_landing, work)):
                work.state = State.RUNNING
                return
            # Another run may have computed it between our plan and now.
            if not work.results and self._shelf.is_known(work.key):
                work.state = State.KNOWN
        if work.state is State.KNOWN:
            self._fetch(work)
        else:
            self._call(work)

    def _fetch(self, work: Work) -> None:
        work.state = State.RUNNING
        if (outcome := self._shelf.at_hand(work.key)) is not None:
            self._finish(work, outcome, cached=True)
        else:
            self._crew.send("cpu", partial(self._shelf.load, work.key), partial(self._fetched, work))

    def _call(self, work: Work) -> None:
        work.state = State.RUNNING
        schema = work.node.schema
        try:
            calls = split_calls(schema, inputs_of(work))
        except DarkroomError as error:
            self._fail(work, error)
            return
        blocked = {index: call for index, call in enumerate(calls) if isinstance(call, Blocked)}
        if new := [call.message for index, call in blocked.items() if index not in work.results]:
            # Of a node that is called for other elements, only blockers with a message are worth a word.
            self.account.blocked(work, new if len(blocked) == len(calls) else list(filter(None, new)))
        work.results.update(dict.fromkeys(blocked, Result((Blocked(),) * len(schema.outputs))))
        if len(blocked) == len(calls):
            self._settle(work, assemble(work, self._equipment.folders))
            return
        if not work.asked:
            self.account.started(work)
        to_make = {
            index: cast(Mapping[str, Any], call) for index, call in enumerate(calls) if index not in work.results
        }
        ctx = self._context(work)
        if schema.lane == "loop":
            self._crew.send_async(self._call_async(schema.name, to_make, ctx), partial(self._called, work))
        else:
            self._crew.send(
                schema.lane, partial(self._call_here, schema.name, to_make, ctx), partial(self._called, work)
            )

    def _call_here(self, name: str, calls: Calls, ctx: RunContext) -> CallReport:
        return call_node(self._equipment.types(name), calls, ctx, self._equipment.guard)

    async def _call_async(self, name: str, calls: Calls, ctx: RunContext) -> CallReport:
        node_type = self._loaded.get(name)
        if node_type is None:
            # Loading a node's code may import torch, for which the loop must not wait.
            node_type = self._loaded[name] = await asyncio.to_thread(self._equipment.types, name)
        return await call_async_node(node_type, calls, ctx, self._equipment.guard)

    def _context(self, work: Work) -> RunContext:
        prompt, workflow = self._texts
        folders = self._equipment.folders
        return RunContext(
            work.shown_as,
            folders if self._saves is None else folders.saving(self._saves, work.key),
            self._equipment.services,
            lambda event: self._crew.post(partial(self.account.emit, event)),
            lambda: self._stopped,
            prompt,
            workflow,
            self._wants_preview,
            self._cancel.make_way,
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
        if not self._shelf.landed(work):
            return
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
            outcome = assemble(work, self._equipment.folders)
            self._shelf.verify(work, outcome)
        except (DarkroomError, OSError) as error:
            self._fail(work, error)
        else:
            self._finish(work, outcome, cached=False)

    def _finish(self, work: Work, outcome: Outcome, *, cached: bool) -> None:
        if not cached:
            self._shelf.keep(work.key, outcome)
        self.account.finished(work, outcome.record, cached=cached)
        self._settle(work, outcome, share=True)

    def _settle(self, work: Work, outcome: Outcome, *, share: bool = False) -> None:
        self._shelf.land(work, outcome if share else None)
        # Completed later and not here, so that deep expansions do not recurse.
        self._complete_parents += self._agenda.finish(work, outcome)

    def _fail(self, work: Work, error: BaseException) -> None:
        reason = self.account.failed(work, error)
        self._agenda.end(work, State.FAILED, reason)
        self._note_ended()

    def _note_ended(self, why: str = "") -> None:
        """Tell of the works that ended without an outcome."""
        ended, self._agenda.ended = self._agenda.ended, []
        for work in ended:
            self._shelf.land(work, None)
            self.account.skipped(work, why or work.reason)

    def _post_stop(self) -> None:
        self._crew.post(self._stop)

    def _post_landing(self, work: Work, outcome: Outcome | None) -> None:
        self._crew.post(partial(self._landed, work, outcome))
