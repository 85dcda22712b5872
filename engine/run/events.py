"""What a run says about itself. A run's only output is its events: the console, the browser and the tests listen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue


@dataclass(frozen=True, slots=True)
class RunStarted:
    run: str
    nodes: Sequence[str]
    """Ids of all nodes of the graph."""
    cached: Sequence[str]
    """Ids of those that will not run, because their result (or everything that needs it) is known."""
    shapes: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    """Of those, what travels from each output measures, as far as that is at hand: see `NodeFinished.shapes`."""


@dataclass(frozen=True, slots=True)
class NodeStarted:
    node: str
    node_type: str


@dataclass(frozen=True, slots=True)
class NodeProgress:
    node: str
    step: int
    total: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class NodePreview:
    """A picture of work in progress, already encoded."""

    node: str
    image: bytes
    media_type: str = "image/jpeg"


@dataclass(frozen=True, slots=True)
class NodeFinished:
    node: str
    cached: bool
    seconds: float
    ui: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    """What an output node shows: `{"images": [{"path": ..., "width": ..., ...}]}`."""
    key: str = ""
    """Content key of the result: what a node is frozen at."""
    shapes: Sequence[str] = ()
    """What travels from each output measures: `1x256x256x3`, "" for what has no shape; () when nothing has one."""


@dataclass(frozen=True, slots=True)
class NodeErrored:
    node: str
    node_type: str
    error: BaseException
    """The message is for the user; developers read the traceback."""


@dataclass(frozen=True, slots=True)
class NodeSkipped:
    """Not run because of `reason`: a node it needs failed, a branch was blocked, or the run was cancelled."""

    node: str
    reason: str


@dataclass(frozen=True, slots=True)
class RunFinished:
    run: str
    status: str
    """`done`, `failed` (some branch failed) or `cancelled`."""
    seconds: float


Event = RunStarted | NodeStarted | NodeProgress | NodePreview | NodeFinished | NodeErrored | NodeSkipped | RunFinished
Listener = Callable[[Event], None]
