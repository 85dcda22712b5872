"""Random graphs give what a plain evaluation of them gives, whatever is cached and whichever lanes are used."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest

from engine.node.context import Context
from engine.node.decorator import node
from engine.node.lazy import Lazy
from engine.node.results import Blocked, Expansion, Link
from engine.run.cancel import Cancel
from engine.run.engine import Engine
from engine.run.events import Event, RunFinished
from engine.run.lanes import Lanes
from tests.run.workshop import Journal, Spec, Workshop, link


@node(category="test")
def Range(ctx: Context, count: int = 1, first: int = 0) -> list[int]:
    """Numbers from `first` on."""
    ctx.service(Journal).note(ctx)
    return list(range(first, first + count))


@node(category="test")
async def AsyncAdd(ctx: Context, a: int = 0, b: int = 0) -> int:
    """The sum, on the event loop."""
    ctx.service(Journal).note(ctx)
    return a + b


@node(category="test", lane="device")
def DeviceAdd(ctx: Context, a: int = 0, b: int = 0) -> int:
    """The sum, on the device."""
    ctx.service(Journal).note(ctx)
    return a + b


@node(category="test")
def FailAbove(ctx: Context, a: int = 0, limit: int = 20) -> int:
    """Fail for large numbers."""
    if a > limit:
        raise ValueError(f"{a} is more than {limit}")
    return a


@node(category="test")
def GateOdd(value: int = 0) -> int | Blocked:
    """Let even numbers through."""
    return value if value % 2 == 0 else Blocked()


@node(category="test")
def Total(numbers: list[int]) -> int:
    """The sum of a list."""
    return sum(numbers)


@node(category="test")
def Switch(on_true: Lazy[int], on_false: Lazy[int], switch: bool = True) -> int:
    """One of two."""
    return on_true.get() if switch else on_false.get()


@node(category="test")
def ExpandAdd(a: int = 0, b: int = 0) -> int | Expansion:
    """The sum, by a subgraph with a branch that would fail if anybody asked for it."""
    prompt: dict[str, Any] = {
        "sum": {"class_type": "AsyncAdd", "inputs": {"a": a, "b": b}},
        "bad": {"class_type": "FailAbove", "inputs": {"a": Link("sum"), "limit": -1}},
        "out": {"class_type": "Switch", "inputs": {"on_true": Link("sum"), "on_false": Link("bad"), "switch": True}},
    }
    return Expansion(prompt, (Link("out"),))


NODES = (ExpandAdd, Range, AsyncAdd, DeviceAdd, FailAbove, GateOdd, Total, Switch)
FAILED = "failed"
BLOCKED = Blocked()


def random_graph(generator: random.Random, size: int) -> dict[str, Spec]:
    nodes: dict[str, Spec] = {"0": ("Number", {"value": generator.randrange(5)})}
    for index in range(1, size):
        x, y = (link(str(generator.randrange(max(0, index - 8), index))) for _ in range(2))
        number = generator.randrange(8)
        nodes[str(index)] = generator.choice(
            [
                ("Number", {"value": number}),
                ("Range", {"count": number % 3 + 1, "first": x}),
                ("Add", {"a": x, "b": y}),
                ("AsyncAdd", {"a": x, "b": y}),
                ("ExpandAdd", {"a": x, "b": y}),
                ("DeviceAdd", {"a": x, "b": number}),
                ("FailAbove", {"a": x, "limit": number * 20}),
                ("GateOdd", {"value": x}),
                ("Total", {"numbers": x}),
                ("Switch", {"on_true": x, "on_false": y, "switch": number > 3}),
            ]
        )
    return nodes


def evaluate(nodes: dict[str, Spec]) -> dict[str, Any]:
    """The list each node gives, or FAILED for one that fails or needs one that does. Nodes are in order."""
    values: dict[str, Any] = {}
    for id, (kind, inputs) in nodes.items():
        found = {name: values[each.node] if hasattr(each, "node") else [each] for name, each in inputs.items()}
        if kind == "Switch":
            found = {"a": found["on_true"] if inputs["switch"] else found["on_false"]}
        if FAILED in found.values():
            values[id] = FAILED
            continue
        if kind == "Total":
            values[id] = [BLOCKED if BLOCKED in found["numbers"] else sum(found["numbers"])]
            continue
        output: Any = []
        for index in range(max(map(len, found.values()))):
            call = {name: each[min(index, len(each) - 1)] for name, each in found.items()}
            if BLOCKED in call.values():
                output.append(BLOCKED)
            elif kind == "Range":
                output += range(call["first"], call["first"] + call["count"])
            elif kind == "GateOdd":
                output.append(call["value"] if call["value"] % 2 == 0 else BLOCKED)
            elif kind == "FailAbove" and call["a"] > call["limit"]:
                output = FAILED
                break
            else:
                output.append(sum(each for name, each in call.items() if name != "limit"))
        values[id] = output
    return values


@pytest.mark.parametrize(("memory_bytes", "disk_bytes"), [(0, 0), (3_000, 0), (10**7, 0), (0, 10**7), (3_000, 10**7)])
def test_random_graphs_give_what_evaluating_them_gives(tmp_path: Path, memory_bytes: int, disk_bytes: int) -> None:
    generator = random.Random(memory_bytes + disk_bytes)
    with Lanes.open(cpu_width=2) as lanes:
        workshop = Workshop(tmp_path, lanes, memory_bytes=memory_bytes, disk_bytes=disk_bytes)
        engine = workshop.engine(*NODES)
        for _ in range(40):
            nodes = random_graph(generator, generator.randrange(2, 40))
            outputs = generator.sample(sorted(nodes), min(len(nodes), 4))
            expected = evaluate(nodes)
            for _ in range(2):
                result = workshop.run(engine, nodes, outputs)
                for id in outputs:
                    if expected[id] == FAILED:
                        assert result.nodes[id].state in ("failed", "skipped"), (nodes, id)
                    else:
                        assert result.values(id) == expected[id], (nodes, id)
                fails = FAILED in [expected[id] for id in outputs]
                assert result.status == ("failed" if fails else "done"), (nodes, outputs, result.errors)


def test_random_graphs_can_be_cancelled_anywhere(tmp_path: Path) -> None:
    generator = random.Random(1)
    with Lanes.open(cpu_width=2) as lanes:
        workshop = Workshop(tmp_path, lanes)
        engine = workshop.engine(*NODES)
        for _ in range(40):
            nodes = random_graph(generator, generator.randrange(2, 40))
            outputs = generator.sample(sorted(nodes), min(len(nodes), 4))
            cancel, countdown = Cancel(), generator.randrange(1, 30)

            def listener(event: Event, cancel: Cancel = cancel, last: int = countdown) -> None:
                workshop.events.append(event)
                if len(workshop.events) == last:
                    cancel.set()

            workshop.events.clear()
            engine.run(workshop.graph(engine, nodes, outputs), listener, cancel)
            assert isinstance(workshop.events[-1], RunFinished)
            expected = evaluate(nodes)
            result = workshop.run(engine, nodes, outputs)
            for id in outputs:
                assert expected[id] == FAILED or result.values(id) == expected[id], (nodes, id)


def test_random_runs_together_share_and_survive_each_others_cancellation(tmp_path: Path) -> None:
    generator = random.Random(2)

    async def run_one(engine: Engine, nodes: dict[str, Spec], cancel: Cancel) -> None:
        outputs = generator.sample(sorted(nodes), min(len(nodes), 4))
        result = await engine.arun(workshop.graph(engine, nodes, outputs), None, cancel)
        expected = evaluate(nodes)
        for id in outputs:
            cancelled = cancel.is_set and result.status == "cancelled"
            assert cancelled or expected[id] == FAILED or result.values(id) == expected[id], (nodes, id)

    async def run_together(engine: Engine) -> None:
        nodes = random_graph(generator, generator.randrange(2, 40))
        runs: list[asyncio.Task[None]] = []
        for _ in range(6):
            start = {"0": ("Number", {"value": generator.randrange(2)})}
            cancel = Cancel()
            runs.append(asyncio.create_task(run_one(engine, {**nodes, **start}, cancel)))
            if generator.random() < 0.3:
                asyncio.get_running_loop().call_later(generator.random() / 50, cancel.set)
        await asyncio.wait_for(asyncio.gather(*runs), 60)

    with Lanes.open(cpu_width=2) as lanes:
        workshop = Workshop(tmp_path, lanes, memory_bytes=3_000)
        engine = workshop.engine(*NODES)
        for _ in range(10):
            asyncio.run(run_together(engine))
