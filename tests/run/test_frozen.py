"""Nodes that are frozen at a result: it is used for as long as it is there, and nothing wrong ever takes its place."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from engine.graph.workflow import Workflow, WorkflowNode, with_input
from engine.run.engine import Engine
from engine.run.result import RunResult
from tests.run.workshop import Workshop, link

DISK = 10**7


def sum_of(a: int, frozen: str | None = None, on: str = "sum") -> Workflow:
    """show(sum(a, 10)), with a node frozen."""
    nodes: dict[str, tuple[str, dict[str, Any]]] = {
        "a": ("Number", {"value": a}),
        "sum": ("Add", {"a": link("a"), "b": 10}),
        "twice": ("Add", {"a": link("sum"), "b": link("sum")}),
        "show": ("Show", {"value": link("twice")}),
    }
    return Workflow(
        nodes={
            id: WorkflowNode(type=kind, inputs=dict(inputs), frozen=frozen if id == on else None)
            for id, (kind, inputs) in nodes.items()
        }
    )


def run(workshop: Workshop, engine: Engine, workflow: Workflow) -> RunResult:
    workshop.journal.take()
    return engine.run(engine.build(workflow)).raise_errors()


def shown(result: RunResult) -> Any:
    (value,) = result.ui["show"]["values"]  # pyright: ignore
    return value


@pytest.mark.parametrize("disk_bytes", [0, DISK])
def test_a_frozen_node_keeps_its_result_and_what_is_before_it_does_not_run(workshop: Workshop, disk_bytes: int) -> None:
    workshop.disk_bytes = disk_bytes
    engine = workshop.engine()
    key = run(workshop, engine, sum_of(1)).keys["sum"]
    assert workshop.journal.take() == ["a", "show", "sum", "twice"]
    result = run(workshop, engine, sum_of(2, key))
    assert shown(result) == 22
    assert workshop.journal.take() == []
    assert {report.state for report in result.nodes.values()} == {"cached"}


def test_what_follows_is_keyed_by_the_frozen_result(workshop: Workshop) -> None:
    engine = workshop.engine()
    first = run(workshop, engine, sum_of(1))
    frozen = run(workshop, engine, sum_of(2, first.keys["sum"]))
    assert {id: frozen.keys[id] for id in ("sum", "twice", "show")} == {
        id: first.keys[id] for id in ("sum", "twice", "show")
    }
    thawed = run(workshop, engine, sum_of(2))
    assert workshop.journal.take() == ["a", "show", "sum", "twice"]
    assert shown(thawed) == 24


def test_what_follows_may_change(workshop: Workshop) -> None:
    engine = workshop.engine()
    key = run(workshop, engine, sum_of(1)).keys["sum"]
    changed = with_input(sum_of(2, key), "twice", "b", 100)
    assert shown(run(workshop, engine, changed)) == 111
    assert workshop.journal.take() == ["show", "twice"]


def test_a_key_that_is_not_in_the_cache_is_as_if_it_were_not_there(workshop: Workshop) -> None:
    engine = workshop.engine()
    first = run(workshop, engine, sum_of(2, "0" * 40))
    assert shown(first) == 24
    assert first.keys == run(workshop, engine, sum_of(2)).keys
    assert engine.cache.find("0" * 40) is None


def test_a_result_of_another_node_is_not_taken(workshop: Workshop) -> None:
    engine = workshop.engine()
    key = run(workshop, engine, sum_of(1)).keys["a"]
    assert shown(run(workshop, engine, sum_of(2, key))) == 24


@pytest.mark.parametrize("when", ["before the plan", "after the plan"])
def test_a_damaged_result_is_computed_anew_under_its_own_key(workshop: Workshop, when: str) -> None:
    workshop.disk_bytes = DISK
    first = run(workshop, workshop.engine(), sum_of(1))
    engine = workshop.engine()
    graph = engine.build(sum_of(2, first.keys["sum"]))
    keys = engine.keys(graph)
    assert keys.frozen == {"sum": first.keys["sum"]}
    for file in workshop.folders.cache.rglob("*"):
        if file.is_file() and "last_keys" not in file.parts:
            file.write_bytes(b"damage" * 100)
    result = asyncio.run(engine.arun(graph, keys=keys if when == "after the plan" else None))
    assert shown(result.raise_errors()) == 24
    assert result.keys["sum"] != first.keys["sum"]
    kept = engine.cache.load(first.keys["sum"])
    assert kept is None or kept.outputs[0] == [11]


def test_a_frozen_result_survives_a_memory_that_holds_nothing(workshop: Workshop) -> None:
    workshop.disk_bytes, workshop.memory_bytes = DISK, 0
    engine = workshop.engine()
    key = run(workshop, engine, sum_of(1)).keys["sum"]
    changed = with_input(sum_of(2, key), "twice", "b", 100)
    assert shown(run(workshop, engine, changed)) == 111


def test_a_frozen_node_can_be_asked_for(workshop: Workshop) -> None:
    engine = workshop.engine()
    key = run(workshop, engine, sum_of(1)).keys["sum"]
    graph = engine.build(sum_of(2, key), ["sum"])
    assert engine.run(graph).value("sum") == 11
    plan = engine.plan(graph)
    assert (list(plan.runs), set(plan.cached)) == ([], {"a", "sum"})


def test_verifying_the_cache_leaves_frozen_results_alone(workshop: Workshop) -> None:
    workshop.disk_bytes = DISK
    key = run(workshop, workshop.engine(), sum_of(1)).keys["sum"]
    workshop.verify_share = 1.0
    assert shown(run(workshop, workshop.engine(), sum_of(2, key))) == 22


def test_thawing_is_the_reason_why_what_follows_runs_again(workshop: Workshop) -> None:
    workshop.disk_bytes = DISK
    engine = workshop.engine()
    key = run(workshop, engine, sum_of(1)).keys["sum"]
    run(workshop, engine, sum_of(2))
    run(workshop, engine, with_input(sum_of(2, key), "twice", "b", 100))
    thawed = engine.build(with_input(sum_of(2), "twice", "b", 100))
    difference = engine.why(thawed, "show")
    assert difference is not None
    assert (difference.node, difference.part, difference.old) == ("sum", "result", key)
