"""What the engine costs beside the nodes: nodes that add two numbers, in graphs of 20 to 10,000."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.row import Row, at_most, cpu_seconds, shown
from engine.codec import ValueCodec
from engine.graph.document import loads
from engine.graph.files import FileDigests
from engine.graph.keys import Environment
from engine.node.catalogue import Catalogue
from engine.node.decorator import node
from engine.node.folders import Folders
from engine.node.results import Shown
from engine.run.cache import Cache
from engine.run.disk_cache import DiskCache
from engine.run.engine import Engine
from engine.run.lanes import Lanes
from engine.run.memory_cache import MemoryCache

SIZES = (20, 100, 1_000, 10_000)
LIMIT_US = 40.0


@node(category="benchmark")
def Add(a: int = 0, b: int = 0, c: float = 1.0) -> int:  # noqa: N802  a node's name
    """The sum."""
    return a + b


@node(category="benchmark", output=True)
def Show(value: int = 0) -> Shown:  # noqa: N802
    """Show a number."""
    return Shown(ui={"values": [value]})


@contextmanager
def open_engine(home: Path, disk_bytes: int = 0) -> Generator[Engine]:
    """An engine with the two nodes and a cache in memory, and on disk if there is room given."""
    codec = ValueCodec(dict[type, bool])
    types = {each.type.schema.name: each.type for each in (Add, Show)}
    folders = Folders.under(home)
    disk = DiskCache(folders.cache, disk_bytes, codec) if disk_bytes else None
    with Lanes.open() as lanes:
        yield Engine(
            schemas=Catalogue(each.schema for each in types.values()),
            types=types.__getitem__,
            environment=Environment("none", "cpu", "fp32"),
            cache=Cache(MemoryCache(10**9, codec), disk, folders),
            codec=codec,
            lanes=lanes,
            folders=folders,
            digests=FileDigests(None),
        )


def chain(count: int) -> str:
    """A workflow in which every node but the first takes two results, of the one before and the one before that."""
    nodes: dict[str, Any] = {"n0": {"type": "Add", "inputs": {"a": 1}}, "n1": {"type": "Add", "inputs": {"a": 2}}}
    for index in range(2, count - 1):
        links = {"a": {"from": f"n{index - 1}.0"}, "b": {"from": f"n{index - 2}.0"}, "c": 0.5}
        nodes[f"n{index}"] = {"type": "Add", "inputs": links}
    nodes["show"] = {"type": "Show", "inputs": {"value": {"from": f"n{count - 2}.0"}}}
    return json.dumps({"darkroom": 1, "nodes": nodes})


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory() as home:
        found = [row for size in SIZES for row in _rows_of(size, chain(size), Path(home))]
        return [*found, _restarted(chain(100), Path(home))]


def _rows_of(size: int, text: str, home: Path) -> list[Row]:
    workflow = loads(text)
    with open_engine(home) as engine:
        graph = engine.build(workflow)
        cold = cpu_seconds(lambda: engine.run(graph), 1)
        again = engine.run(graph)
        assert {each.state for each in again.nodes.values()} == {"cached"}
        repeats = 5 if size < 10_000 else 3
        read = cpu_seconds(lambda: loads(text), repeats)
        build = cpu_seconds(lambda: engine.build(workflow), repeats)
        cached = cpu_seconds(lambda: engine.run(graph), repeats)
    unit = "us a node"
    each = 1e6 / size
    return [
        shown(f"{size:,} nodes: read the JSON", read * each, unit),
        shown(f"{size:,} nodes: check and build", build * each, unit),
        shown(f"{size:,} nodes: first run, nothing cached", cold * each, unit),
        at_most(f"{size:,} nodes: run again, all cached", "P1", cached * each, LIMIT_US, unit),
        at_most(f"{size:,} nodes: check, build and run again", "P1", (build + cached) * each, LIMIT_US, unit),
    ]


def _restarted(text: str, home: Path) -> Row:
    def run() -> set[str]:
        with open_engine(home, disk_bytes=10**9) as engine:
            return {each.state for each in engine.run(engine.build(loads(text))).nodes.values()}

    run()
    assert run() == {"cached"}
    return at_most("100 nodes: run again after a restart, results on disk", "P3", cpu_seconds(run) * 1e3, 50, "ms")
