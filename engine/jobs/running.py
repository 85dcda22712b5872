"""Jobs that run now: how far each has come, as its events tell. Kept in memory, and stored when the job ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pydantic import JsonValue

from engine.errors import Problem
from engine.jobs.events import JobNodeErrored, JobNodeFinished, JobNodeSkipped, JobNodeStarted, JobRunStarted, RunEvent
from engine.jobs.history import Ending
from engine.jobs.model import Job, JobDetail, NodeState


@dataclass(slots=True)
class Running:
    """One attempt."""

    job: Job
    nodes_total: int | None = None
    nodes_cached: int | None = None
    node_states: dict[str, NodeState] = field(default_factory=dict[str, NodeState])
    stopping: bool = False
    """Whether somebody wished it to stop since it was taken."""
    ended: bool = False
    """Whether it is over, though not yet written down."""

    def hear(self, event: RunEvent) -> None:
        """Note what an event tells."""
        match event:
            case JobRunStarted():
                self.nodes_total, self.nodes_cached = len(event.nodes), len(event.cached)
            case JobNodeStarted():
                self.node_states[event.node] = NodeState(state="running")
            case JobNodeFinished():
                self.node_states[event.node] = NodeState(state="done", seconds=event.seconds, cached=event.cached)
            case JobNodeErrored():
                self.node_states[event.node] = NodeState(state="errored")
            case JobNodeSkipped():
                self.node_states[event.node] = NodeState(state="skipped")
            case _:
                pass  # progress is not kept

    def ending(
        self,
        status: Literal["done", "failed", "cancelled"],
        seconds: float,
        outputs: Mapping[str, Mapping[str, JsonValue]],
        problems: Sequence[Problem],
    ) -> Ending:
        """How the attempt ended, with what was heard of it."""
        return Ending(status, seconds, outputs, problems, self.nodes_total, self.nodes_cached, self.node_states)

    def progress(self, job: Job) -> dict[str, object]:
        """What is known of a job that runs beyond what is stored, as its fields."""
        known: dict[str, object] = {"nodes_total": self.nodes_total, "nodes_cached": self.nodes_cached}
        return {**known, "node_states": dict(self.node_states)} if isinstance(job, JobDetail) else known
