"""A small engine with small nodes for the tests: numbers on the edges, and a journal of which nodes were called."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from engine.codec import ValueCodec
from engine.graph.files import FileDigests
from engine.graph.graph import Graph
from engine.graph.keys import Environment
from engine.graph.workflow import Link, Workflow, WorkflowNode
from engine.node.catalogue import Catalogue
from engine.node.context import Context, Services
from engine.node.decorator import NodeFunction, node
from engine.node.folders import Folders
from engine.node.node_type import NodeType
from engine.node.results import Blocked, Shown
from engine.run.cache import Cache
from engine.run.cancel import Cancel
from engine.run.disk_cache import DiskCache
from engine.run.engine import Engine
from engine.run.events import Event
from engine.run.lanes import Lanes
from engine.run.last_keys import LastKeys
from engine.run.memory_cache import MemoryCache
from engine.run.result import RunResult


class Journal:
    """The ids of the nodes that were called, in order."""

    def __init__(self) -> None:
        self._calls: list[str] = []
        self._lock = threading.Lock()

    def note(self, ctx: Context) -> None:
        with self._lock:
            self._calls.append(ctx.node_id)

    def take(self) -> list[str]:
        """The calls since the last time, in alphabetical order: which of two branches comes first is not promised."""
        return sorted(self.take_in_order())

    def take_in_order(self) -> list[str]:
        with self._lock:
            calls, self._calls = self._calls, []
        return calls


@node(category="test")
def Number(ctx: Context, value: int = 0) -> int:
    """A number."""
    ctx.service(Journal).note(ctx)
    return value


@node(category="test")
def Add(ctx: Context, a: int = 0, b: int = 0) -> int:
    """The sum."""
    ctx.service(Journal).note(ctx)
    return a + b


@node(category="test")
def Fail(ctx: Context, a: int = 0) -> int:
    """Raise."""
    ctx.service(Journal).note(ctx)
    raise ZeroDivisionError("as it was told to")


@node(category="test", output=True)
def Show(ctx: Context, value: Any = None) -> Shown:
    """Show a value."""
    ctx.service(Journal).note(ctx)
    return Shown(ui={"values": [value if isinstance(value, int) else str(value)]})


@node(category="test")
def Gate(ctx: Context, value: int = 0, is_open: bool = True, message: str = "") -> int | Blocked:
    """Let a value through, or block the branch."""
    ctx.service(Journal).note(ctx)
    return value if is_open else Blocked(message or None)


NODES: tuple[NodeFunction[..., Any], ...] = (Number, Add, Fail, Show, Gate)

Spec = tuple[str, Mapping[str, Any]]


def link(source: str, output: int = 0) -> Link:
    return Link(source, output)


def workflow(nodes: Mapping[str, Spec]) -> Workflow:
    """`{"sum": ("Add", {"a": link("one"), "b": 2})}` as a workflow."""
    return Workflow(nodes={id: WorkflowNode(type=kind, inputs=dict(inputs)) for id, (kind, inputs) in nodes.items()})


@dataclass
class Workshop:
    """An engine and what is around it, in a folder of its own."""

    folder: Path
    lanes: Lanes
    journal: Journal = field(default_factory=Journal)
    events: list[Event] = field(default_factory=list[Event])
    services: tuple[object, ...] = ()
    memory_bytes: int = 10**8
    disk_bytes: int = 0
    classes: Callable[[], Mapping[type, bool]] = dict[type, bool]
    code: str = "code 1"
    check_mutation: bool = False
    verify_share: float = 0.0

    def __post_init__(self) -> None:
        self.folders = Folders.under(self.folder)
        self.codec = ValueCodec(lambda: self.classes())

    def engine(self, *nodes: NodeFunction[..., Any]) -> Engine:
        types: dict[str, NodeType] = {}
        for each in (*NODES, *nodes):
            schema = each.type.schema.model_copy(update={"code": self.code})
            types[schema.name] = replace(each.type, schema=schema)
        disk = DiskCache(self.folders.cache, self.disk_bytes, self.codec) if self.disk_bytes else None
        return Engine(
            schemas=Catalogue(each.schema for each in types.values()),
            types=types.__getitem__,
            environment=Environment("torch 0", "cpu", "fp32"),
            cache=Cache(MemoryCache(self.memory_bytes, self.codec), disk, self.folders),
            codec=self.codec,
            lanes=self.lanes,
            folders=self.folders,
            digests=FileDigests(None),
            services=Services(self.journal, *self.services),
            last_keys=LastKeys(self.folders.cache / "last_keys") if disk else None,
            check_mutation=self.check_mutation,
            verify_share=self.verify_share,
        )

    def run(
        self,
        engine: Engine,
        nodes: Mapping[str, Spec],
        outputs: Iterable[str] | None = None,
        cancel: Cancel | None = None,
    ) -> RunResult:
        self.events.clear()
        return engine.run(self.graph(engine, nodes, outputs), self.events.append, cancel)

    def graph(self, engine: Engine, nodes: Mapping[str, Spec], outputs: Iterable[str] | None = None) -> Graph:
        return engine.build(workflow(nodes), None if outputs is None else list(outputs))
