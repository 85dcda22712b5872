"""One node's way through a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from engine.graph.graph import Graph, GraphNode, Source
from engine.node.results import Result
from engine.run.outcome import Outcome


class State(Enum):
    IDLE = "nobody asked for it yet"
    WAITING = "some of its inputs are being made"
    KNOWN = "its result is in the cache and is to be fetched"
    READY = "all it needs is there"
    RUNNING = "it is being computed or fetched, here or by another run"
    EXPANDED = "its subgraph is being computed"
    DONE = "its result is there, or was there until its last use"
    FAILED = "it raised"
    SKIPPED = "it will not run; `reason` says why"
    UNNEEDED = "it did not run, because whoever needed it ended; a lazy input may still call for it"


ENDED = frozenset({State.DONE, State.FAILED, State.SKIPPED, State.UNNEEDED})


class Feed(NamedTuple):
    """One link into a work, or an expanded work's hold on a node of its subgraph (whose `name` is empty)."""

    name: str
    work: Work
    output: int


Rank = tuple[int, ...]
"""Place in the depth-first order. What is found out during the run goes behind whoever asked: (4,) < (4, 0) < (5,)."""


@dataclass(slots=True, eq=False)
class Work:
    """What a run knows of one node.

    `missing` counts the feeds it waits for, `uses` those who may still want its outcome; `asked` are the lazy inputs
    that it asked for, `results` what its calls have returned so far, by call.
    """

    node: GraphNode
    key: str
    scope: Scope
    state: State = State.IDLE
    rank: Rank = ()
    feeds: list[Feed] = field(default_factory=list["Feed"])
    followers: list[Work] = field(default_factory=list["Work"])
    missing: int = 0
    uses: int = 0
    outcome: Outcome | None = None
    reason: str = ""
    leading: bool = False
    """Others may be waiting for this computation, and must be told how it ended."""
    asked: set[str] = field(default_factory=set[str])
    results: dict[int, Result] = field(default_factory=dict[int, Result])
    expansions: dict[int, tuple[Scope, Mapping[int, Source]]] = field(
        default_factory=dict[int, "tuple[Scope, Mapping[int, Source]]"]
    )
    """By call: the subgraph it returned, and which of the node's outputs are outputs of nodes in it."""
    seconds: float = 0.0

    @property
    def is_gone(self) -> bool:
        """Whether it has ended in a way that can be undone: its value was dropped, or it turned out to be needless."""
        return self.state is State.UNNEEDED or (self.state is State.DONE and self.outcome is None)

    def begin_again(self) -> None:
        """Be as if nobody had asked for it, except that those who now may are counted."""
        self.state, self.rank, self.reason, self.seconds, self.missing = State.IDLE, (), "", 0.0, 0
        self.feeds, self.followers, self.asked, self.results, self.expansions = [], [], set(), {}, {}

    @property
    def shown_as(self) -> str:
        """Id of the node of the workflow that this is, or is part of."""
        return self.scope.shown_as or self.node.id

    @property
    def visible(self) -> bool:
        """Whether it is a node of the workflow itself, not of an expansion."""
        return self.scope.parent is None


@dataclass(slots=True, eq=False)
class Scope:
    """A graph being run: the workflow's own, or one that a node expanded to."""

    graph: Graph
    keys: Mapping[str, str]
    parent: Work | None = None
    shown_as: str | None = None
    """Id of the node of the workflow that all of this is part of; None for the workflow's own graph."""
    depth: int = 0
    works: dict[str, Work] = field(default_factory=dict[str, Work])

    def work(self, id: str) -> Work:
        work = self.works.get(id)
        if work is None:
            work = self.works[id] = Work(self.graph.nodes[id], self.keys[id], self)
        return work


def is_lazy(work: Work, name: str) -> bool:
    """Whether the input that a link leads into is lazy; a growing input `images` has the links `images.0`, ..."""
    schema = work.node.schema.input(name) or work.node.schema.input(name.rpartition(".")[0])
    return schema is not None and schema.lazy
