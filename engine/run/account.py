"""What is told of a run: to its listener as it goes, and in its result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from engine.errors import DarkroomError, FileProblem, InputProblem, NodeFailed
from engine.graph.graph import Graph
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
from engine.run.outcome import Record
from engine.run.result import NodeReport, Status
from engine.run.work import State, Work

BLOCKED = "a node before it blocked this branch"


class Account:
    """Keeps the account of a run. Of the nodes of a subgraph it tells nothing but their errors, on the node that
    expanded to them."""

    def __init__(self, run: str, graph: Graph, keys: Mapping[str, str], listener: Listener) -> None:
        self.nodes: dict[str, NodeReport] = {}
        self.ui: dict[str, Mapping[str, JsonValue]] = {}
        self.errors: list[NodeFailed] = []
        self.called: list[str] = []
        """Ids of the nodes that were called, in order."""
        self._run = run
        self._graph = graph
        self._keys = keys
        self._listener = listener
        self._wanted = frozenset(graph.outputs)
        self._told: set[str] = set()
        """Requested nodes that were known from the start."""

    def emit(self, event: Event) -> None:
        self._listener(event)

    def fall_silent(self) -> None:
        """Tell the listener nothing more."""
        self._listener = _nobody

    def run_started(self, may_run: set[str], known: Mapping[str, Record], shapes: Mapping[str, Sequence[str]]) -> None:
        """Tell which nodes may run, and of those requested what is known of the others."""
        cached = [id for id in self._graph.nodes if id not in may_run]
        self.nodes = dict.fromkeys(cached, NodeReport("cached"))
        self.emit(RunStarted(self._run, list(self._graph.nodes), cached, shapes))
        for id, record in known.items():
            if id not in may_run:
                self._told.add(id)
                self.ui[id] = record.ui
                self.emit(NodeFinished(id, True, 0.0, record.ui, self._keys[id], record.shapes))

    def run_finished(self, status: Status, seconds: float) -> None:
        self.emit(RunFinished(self._run, status, seconds))

    def started(self, work: Work) -> None:
        if work.visible:
            self.called.append(work.node.id)
            self.emit(NodeStarted(work.node.id, work.node.schema.name))

    def finished(self, work: Work, record: Record, *, cached: bool) -> None:
        if not work.visible:
            return
        id, seconds = work.node.id, 0.0 if cached else record.seconds
        self.nodes[id] = NodeReport("cached" if cached else "ran", seconds)
        if record.ui:
            self.ui[id] = record.ui
        # A value that was only fetched is no news: RunStarted said that it is there.
        if not cached or (id in self._wanted and id not in self._told):
            self.emit(NodeFinished(id, cached, seconds, record.ui, work.key, record.shapes))

    def blocked(self, work: Work, messages: Sequence[str | None]) -> None:
        """Tell that calls of a node do not take place, by the messages of their blockers."""
        if work.visible:
            for message in dict.fromkeys(message or BLOCKED for message in messages):
                self.skipped(work, message)

    def skipped(self, work: Work, reason: str) -> None:
        if work.visible and work.state is not State.FAILED:
            self.nodes[work.node.id] = NodeReport("skipped", reason=reason)
            self.emit(NodeSkipped(work.node.id, reason))

    def failed(self, work: Work, error: BaseException) -> str:
        """Tell that a node failed; returns the reason as users read it."""
        reason = str(error) if isinstance(error, DarkroomError) else f"raised {type(error).__name__}: {error}"
        failed = NodeFailed(work.shown_as, work.node.schema.name, reason, _input_at_fault(work, error))
        failed.__cause__ = error
        self.errors.append(failed)
        self.nodes[work.shown_as] = NodeReport("failed", reason=reason)
        self.emit(NodeErrored(work.shown_as, work.node.schema.name, failed))
        return reason


def _input_at_fault(work: Work, error: BaseException) -> str | None:
    """The input that a node could not use: the one it names, or for a bad file the only one that names a file."""
    if isinstance(error, InputProblem):
        return error.input
    files = [each.name for each in work.node.schema.inputs if each.folder is not None]
    return files[0] if isinstance(error, FileProblem) and len(files) == 1 else None


def _nobody(event: Event) -> None:
    """Nobody listens."""
