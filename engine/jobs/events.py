"""What is told about jobs while they wait and run, as it goes over the wire and into the log.

Every event is a JSON object `{"seq", "at", "type", "job", ...}`: `seq` counts up over all events of this database, `at`
is in seconds since 1970, `job` is None for what concerns no single job. Pictures of work in progress are no events:
they are large, soon stale, and never logged.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter

from engine.errors import Problem
from engine.jobs.model import Job, Status

WorkerState = Literal["starting", "ready", "busy", "gone"]


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    job: str | None = None


class JobQueued(_Event):
    """A job was stored, moved or put back: `job_summary` is how it stands now."""

    type: Literal["job_queued"] = "job_queued"
    job_summary: Job


class JobStarted(_Event):
    type: Literal["job_started"] = "job_started"
    attempt: int
    device: str | None = None


class JobRunStarted(_Event):
    """The worker knows what there is to do. Nodes in `cached` will not run."""

    type: Literal["run_started"] = "run_started"
    nodes: tuple[str, ...]
    cached: tuple[str, ...] = ()
    shapes: dict[str, tuple[str, ...]] = {}
    """Of nodes in `cached`, what travels from each output measures, as far as that is at hand."""


class JobNodeStarted(_Event):
    type: Literal["node_started"] = "node_started"
    node: str
    node_type: str


class JobNodeProgress(_Event):
    """At most ten times a second for a node; the last step is always told."""

    type: Literal["node_progress"] = "node_progress"
    node: str
    step: int
    total: int
    text: str = ""


class JobNodeFinished(_Event):
    type: Literal["node_finished"] = "node_finished"
    node: str
    cached: bool = False
    seconds: float = 0.0
    ui: dict[str, JsonValue] = {}
    key: str | None = None
    """The key its results are cached under; freezing the node keeps them."""
    shapes: tuple[str, ...] = ()
    """What travels from each output measures, such as `1x256x256x3`; "" for what has no shape."""


class JobNodeErrored(_Event):
    type: Literal["node_errored"] = "node_errored"
    node: str
    node_type: str
    problem: Problem


class JobNodeSkipped(_Event):
    type: Literal["node_skipped"] = "node_skipped"
    node: str
    reason: str


class JobFinished(_Event):
    type: Literal["job_finished"] = "job_finished"
    status: Status
    seconds: float | None = None
    outputs: dict[str, dict[str, JsonValue]] = {}
    problems: tuple[Problem, ...] = ()


class JobRemoved(_Event):
    """A job was deleted, from the queue or the history."""

    type: Literal["job_removed"] = "job_removed"


class QueueChanged(_Event):
    type: Literal["queue_changed"] = "queue_changed"
    paused: bool
    queued: int
    running: int


class CatalogueChanged(_Event):
    type: Literal["catalogue_changed"] = "catalogue_changed"
    etag: str


class WorkerChanged(_Event):
    type: Literal["worker_changed"] = "worker_changed"
    device: str | None = None
    state: WorkerState


class WorkflowSaved(_Event):
    type: Literal["workflow_saved"] = "workflow_saved"
    name: str
    version: str


Event = (
    JobQueued
    | JobStarted
    | JobRunStarted
    | JobNodeStarted
    | JobNodeProgress
    | JobNodeFinished
    | JobNodeErrored
    | JobNodeSkipped
    | JobFinished
    | JobRemoved
    | QueueChanged
    | CatalogueChanged
    | WorkerChanged
    | WorkflowSaved
)
RunEvent = JobRunStarted | JobNodeStarted | JobNodeProgress | JobNodeFinished | JobNodeErrored | JobNodeSkipped
"""What a worker tells of a job; the rest is told by the server."""

EVENT: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="type")])
RUN_EVENT: TypeAdapter[RunEvent] = TypeAdapter(Annotated[RunEvent, Field(discriminator="type")])


@dataclass(frozen=True)
class WireEvent:
    """An event as it was logged. `json` is what every listener is sent."""

    seq: int
    at: float
    type: str
    job: str | None
    client: str | None
    """Whose job it is; not in the JSON."""
    json: bytes

    @cached_property
    def event(self) -> Event:
        """The event's fields, read from the JSON the first time somebody asks."""
        return EVENT.validate_json(self.json)


@dataclass(frozen=True, slots=True)
class Preview:
    """A picture of work in progress, already encoded."""

    job: str
    node: str
    media_type: str
    image: bytes
    client: str | None = None
