"""What a job is: the words that the queue, the workers, the HTTP routes and the editor share.

A job is one run of one workflow. It is stored before its submission is answered, and stays in the history until it is
deleted. Everything here is data; it is also what the OpenAPI document and the editor's types are made from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from engine.errors import Problem
from engine.graph.workflow import Workflow

Status = Literal["queued", "running", "done", "failed", "cancelled"]
Source = Literal["v1", "comfyui", "cli"]
NodeProgressState = Literal["running", "done", "errored", "skipped"]

MAX_SWEEP_JOBS = 10_000
MAX_ATTEMPTS = 3
"""A job whose worker died this often has failed."""
MAX_INTERRUPTIONS = 10
"""A job that ran this often when the whole server was killed has failed. More than above: a server is killed by people
and power cuts rather than by a job, and none of them may cost a job that needs an hour."""

UNFINISHED: frozenset[Status] = frozenset({"queued", "running"})
FINISHED: frozenset[Status] = frozenset({"done", "failed", "cancelled"})


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Job(_Data):
    """A job as it stands in lists and events: everything but its documents."""

    id: str
    """A UUID; also ComfyUI's `prompt_id`."""
    status: Status
    position: float
    """Its place in the queue: the smallest is next."""
    number: float
    """ComfyUI's `number`: the position it was submitted with."""
    client: str | None = None
    """Who asked. One client's jobs run one after another, those of a sweep and of different clients together."""
    name: str | None = None
    source: Source = "v1"
    sweep: str | None = None
    """The id that all jobs of one sweep share."""
    settings: dict[str, JsonValue] = {}
    """Inputs by `node.input` that differ from the document: what was asked for beside it, and the point of a sweep."""
    created_at: float
    """This and the next two in seconds since 1970."""
    started_at: float | None = None
    finished_at: float | None = None
    seconds: float | None = None
    """How long the last attempt ran."""
    attempts: int = 0
    device: str | None = None
    outputs: dict[str, dict[str, JsonValue]] = {}
    """What its output nodes show, by node: `{"images": [{"filename", "subfolder", "type", "width", "height"}]}`."""
    nodes_total: int | None = None
    nodes_cached: int | None = None
    """Of those, how many did not have to run; None until it ran."""
    problems: tuple[Problem, ...] = ()
    """Why it failed."""


class NodeState(_Data):
    """How far one node of a job has come."""

    state: NodeProgressState
    seconds: float | None = None
    cached: bool = False


class JobDetail(Job):
    """A job with its documents."""

    workflow: JsonValue
    """The document that runs: with `settings` in it."""
    prompt: JsonValue = None
    """The prompt in ComfyUI's API format, when it was submitted as one."""
    requested: tuple[str, ...] | None = None
    """Ids of the nodes it was asked to run; None for every output node."""
    extra: JsonValue = None
    """What the client wanted kept with the job: ComfyUI's `extra_data`."""
    node_states: dict[str, NodeState] = {}


class Range(_Data):
    """Evenly spaced numbers from `from` to `to`, both included: by `step`, or `count` of them."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    start: Annotated[int | float, Field(alias="from")]
    to: int | float
    step: int | float | None = None
    count: Annotated[int, Field(ge=1, le=MAX_SWEEP_JOBS)] | None = None


class Sweep(_Data):
    """One job for each combination of values.

    `product` combines every value with every other; `zip` takes the first of each, the second of each, and so on.
    """

    mode: Literal["product", "zip"] = "product"
    values: Annotated[dict[str, Range | list[JsonValue]], Field(min_length=1)]
    """By `node.input`. At most 10,000 jobs come of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit:
    """A wish to run a workflow, once or for every point of a sweep."""

    workflow: Workflow | JsonValue
    """A document, or the JSON of one in any format that `engine.graph.document` reads."""
    settings: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    """Inputs to set by `node.input` before it runs."""
    outputs: Sequence[str] | None = None
    """Ids of the nodes to run; None for every output node."""
    client: str | None = None
    name: str | None = None
    front: bool = False
    """Run it before everything that waits."""
    number: float | None = None
    """Its position, when it is neither the end nor the front (ComfyUI's `number`)."""
    id: str | None = None
    """Its id, when the client chose one; not for sweeps."""
    sweep: Sweep | None = None
    idempotency_key: str | None = None
    """Submitting again with the same key gives the jobs of the first time."""
    source: Source = "v1"
    extra: JsonValue = None
    prompt: JsonValue = None
    """The prompt to give back as it came (ComfyUI's); it is what saved pictures carry as `prompt`."""
    previews: bool = True
    """Whether anybody may look at pictures of work in progress."""


@dataclass(frozen=True, slots=True)
class Counts:
    queued: int
    running: int


@dataclass(frozen=True, slots=True)
class JobPlan:
    """What a run would do now: node ids."""

    runs: tuple[str, ...]
    cached: tuple[str, ...]


class PluginState(_Data):
    """A plugin of the worker's, and what is wrong with it."""

    name: str
    nodes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
