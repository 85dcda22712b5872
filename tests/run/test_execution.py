"""Graphs run: in order, only what is needed, whatever their length, and each branch for itself."""

from __future__ import annotations

import asyncio
import sys
import threading

import pytest

from engine.errors import InputProblem, NodeFailed
from engine.node.context import Context
from engine.node.decorator import node
from engine.run.cancel import Cancel
from engine.run.events import (
    Event,
    NodeErrored,
    NodeFinished,
    NodeProgress,
    NodeSkipped,
    NodeStarted,
    RunFinished,
    RunStarted,
)
from tests.run.workshop import Journal, Spec, Workshop, link


def test_values_travel_along_links(workshop: Workshop) -> None:
    engine = workshop.engine()
    result = workshop.run(
        engine,
        {
            "one": ("Number", {"value": 1}),
            "two": ("Add", {"a": link("one"), "b": link("one")}),
            "four": ("Add", {"a": link("two"), "b": link("two")}),
        },
        ["four"],
    )
    assert result.status == "done"
    assert result.value("four") == 4
    assert workshop.journal.take_in_order() == ["one", "two", "four"]


def test_only_what_the_outputs_need_runs(workshop: Workshop) -> None:
    engine = workshop.engine()
    workshop.run(engine, {"one": ("Number", {"value": 1}), "other": ("Number", {"value": 2})}, ["one"])
    assert workshop.journal.take() == ["one"]


def test_a_run_tells_its_story_in_order(workshop: Workshop) -> None:
    engine = workshop.engine()
    workshop.run(engine, {"one": ("Number", {"value": 1}), "show": ("Show", {"value": link("one")})})
    kinds = [type(event) for event in workshop.events]
    assert kinds == [RunStarted, NodeStarted, NodeFinished, NodeStarted, NodeFinished, RunFinished]
    started, *_, shown, finished = workshop.events
    assert isinstance(started, RunStarted) and list(started.nodes) == ["one", "show"] and list(started.cached) == []
    assert isinstance(shown, NodeFinished) and not shown.cached and shown.ui == {"values": [1]}
    assert isinstance(finished, RunFinished) and finished.status == "done" and finished.run == started.run


@node(category="test", lane="loop")
def Next(ctx: Context, a: int = 0) -> int:
    """One more. On the event loop, since 10,000 changes of threads take long on a busy machine."""
    ctx.service(Journal).note(ctx)
    return a + 1


def test_a_chain_of_ten_thousand_nodes_runs(workshop: Workshop) -> None:
    nodes: dict[str, Spec] = {"0": ("Number", {"value": 0})}
    for index in range(1, 10_000):
        nodes[str(index)] = ("Next", {"a": link(str(index - 1))})
    engine = workshop.engine(Next)
    assert workshop.run(engine, nodes, ["9999"]).value("9999") == 9_999
    assert len(workshop.journal.take()) == 10_000
    assert workshop.run(engine, nodes, ["9999"]).value("9999") == 9_999
    assert workshop.journal.take() == []


def test_a_failing_node_stops_only_what_depends_on_it(workshop: Workshop) -> None:
    engine = workshop.engine()
    result = workshop.run(
        engine,
        {
            "bad": ("Fail", {}),
            "after": ("Add", {"a": link("bad")}),
            "lost": ("Show", {"value": link("after")}),
            "good": ("Number", {"value": 3}),
            "shown": ("Show", {"value": link("good")}),
        },
    )
    assert result.status == "failed"
    assert result.ui == {"shown": {"values": [3]}}
    assert {id: report.state for id, report in result.nodes.items()} == {
        "bad": "failed",
        "after": "skipped",
        "lost": "skipped",
        "good": "ran",
        "shown": "ran",
    }
    skipped = {event.node: event.reason for event in workshop.events if isinstance(event, NodeSkipped)}
    assert skipped == {"after": "it needs 'bad', which failed", "lost": "it needs 'after', which did not run"}


def test_every_failure_is_reported_with_node_type_and_reason(workshop: Workshop) -> None:
    engine = workshop.engine()
    result = workshop.run(engine, {"x": ("Fail", {"a": 1}), "y": ("Fail", {"a": 2})}, ["x", "y"])
    assert sorted(map(str, result.errors)) == [
        "x (Fail): raised ZeroDivisionError: as it was told to",
        "y (Fail): raised ZeroDivisionError: as it was told to",
    ]
    assert {event.node for event in workshop.events if isinstance(event, NodeErrored)} == {"x", "y"}
    assert isinstance(result.errors[0].__cause__, ZeroDivisionError)
    with pytest.raises(NodeFailed, match="as it was told to"):
        result.raise_errors()


def test_what_only_a_failed_node_needed_is_not_started(workshop: Workshop) -> None:
    engine = workshop.engine()
    result = workshop.run(
        engine,
        {
            "bad": ("Fail", {}),
            "first": ("Add", {"a": link("bad")}),
            "second": ("Add", {"a": link("first"), "b": link("late")}),
            "late": ("Add", {"a": link("later")}),
            "later": ("Number", {"value": 1}),
        },
        ["second"],
    )
    assert result.nodes["second"].state == "skipped"
    # `later` may have been started beside `bad`; `late` comes after both.
    assert "late" not in workshop.journal.take() or result.nodes["late"].state == "ran"


def test_a_listener_that_raises_ends_the_run_with_its_exception(workshop: Workshop) -> None:
    engine = workshop.engine()
    nodes: dict[str, Spec] = {"one": ("Number", {"value": 1}), "two": ("Add", {"a": link("one")})}

    def listener(event: Event) -> None:
        if isinstance(event, NodeFinished):
            raise LookupError("no such window")

    with pytest.raises(LookupError, match="no such window"):
        engine.run(workshop.graph(engine, nodes, ["two"]), listener)
    assert workshop.journal.take() == ["one"]
    assert workshop.run(engine, nodes, ["two"]).value("two") == 1


@node(category="test")
async def Meet(ctx: Context, a: int = 0) -> int:
    """Wait until another node is here, too."""
    await asyncio.wait_for(ctx.service(asyncio.Barrier).wait(), 10)
    return a


def test_async_nodes_overlap(workshop: Workshop) -> None:
    workshop.services = (asyncio.Barrier(2),)
    engine = workshop.engine(Meet)
    result = workshop.run(engine, {"x": ("Meet", {"a": 1}), "y": ("Meet", {"a": 2})}, ["x", "y"])
    assert result.raise_errors().status == "done"


@node(category="test")
def Two(ctx: Context) -> list[int]:
    """A list of two."""
    return [1, 2]


def test_the_calls_of_an_async_node_that_is_mapped_over_a_list_overlap(workshop: Workshop) -> None:
    workshop.services = (asyncio.Barrier(2),)
    engine = workshop.engine(Meet, Two)
    result = workshop.run(engine, {"two": ("Two", {}), "meet": ("Meet", {"a": link("two")})}, ["meet"])
    assert result.raise_errors().values("meet") == [1, 2]


@node(category="test")
async def FailOrWait(ctx: Context, a: int = 0) -> int:
    """Fail at 1; at anything else wait, until cancelled."""
    if a == 1:
        raise InputProblem("1 is no number for me; use another")
    await asyncio.sleep(60)
    return a


def test_one_failing_call_of_an_async_node_ends_the_others(workshop: Workshop) -> None:
    engine = workshop.engine(FailOrWait, Two)
    result = workshop.run(engine, {"two": ("Two", {}), "x": ("FailOrWait", {"a": link("two")})}, ["x"])
    # An error that is meant for the user is shown as it is.
    assert [str(error) for error in result.errors] == ["x (FailOrWait): 1 is no number for me; use another"]


@node(category="test")
async def Exit() -> int:
    """Try to end the program."""
    sys.exit(3)


@node(category="test")
def ExitInThread() -> int:
    """Try to end the program from a pool."""
    sys.exit(3)


@pytest.mark.parametrize("kind", ["Exit", "ExitInThread"])
def test_a_node_that_exits_fails_like_any_other(workshop: Workshop, kind: str) -> None:
    engine = workshop.engine(Exit, ExitInThread)
    result = workshop.run(engine, {"x": (kind, {}), "y": ("Number", {"value": 1})}, ["x", "y"])
    assert result.status == "failed" and result.value("y") == 1
    assert "exit" in str(result.errors[0]).lower()


@node(category="test", lane="device")
def MeetOnDevice(ctx: Context) -> int:
    """Wait on the device lane for a node of the CPU lane."""
    ctx.service(threading.Barrier).wait(10)
    return 1


@node(category="test")
def MeetOnCpu(ctx: Context) -> int:
    """Wait on the CPU lane for a node of the device lane."""
    ctx.service(threading.Barrier).wait(10)
    return 2


def test_lanes_overlap(workshop: Workshop) -> None:
    workshop.services = (threading.Barrier(2),)
    engine = workshop.engine(MeetOnDevice, MeetOnCpu)
    result = workshop.run(engine, {"x": ("MeetOnDevice", {}), "y": ("MeetOnCpu", {})}, ["x", "y"])
    assert result.raise_errors().status == "done"


class Depth:
    def __init__(self) -> None:
        self.now = self.most = 0


@node(category="test", lane="device")
def Alone(ctx: Context, a: int = 0) -> int:
    """Note how many are on the device at once."""
    depth = ctx.service(Depth)
    depth.now += 1
    depth.most = max(depth.most, depth.now)
    threading.Event().wait(0.002)
    depth.now -= 1
    return a


def test_the_device_runs_one_node_at_a_time(workshop: Workshop) -> None:
    depth = Depth()
    workshop.services = (depth,)
    engine = workshop.engine(Alone)
    workshop.run(engine, {str(index): ("Alone", {"a": index}) for index in range(8)}, map(str, range(8)))
    assert depth.most == 1


@node(category="test")
def Steps(ctx: Context, cancel_at: int = -1, steps: int = 5) -> int:
    """Take some steps; somebody may cancel at one of them."""
    for step in range(steps):
        ctx.service(Journal).note(ctx)
        if step == cancel_at:
            ctx.service(Cancel).set()
        ctx.progress(step + 1, steps)
    return steps


@node(category="test")
async def AsyncSteps(ctx: Context, cancel_at: int = -1, steps: int = 5) -> int:
    """Take some steps on the event loop."""
    for step in range(steps):
        ctx.service(Journal).note(ctx)
        if step == cancel_at:
            ctx.service(Cancel).set()
        await asyncio.sleep(0.001)
    return steps


def test_progress_is_heard_before_the_end(workshop: Workshop) -> None:
    engine = workshop.engine(Steps)
    workshop.run(engine, {"x": ("Steps", {"steps": 3})}, ["x"])
    assert [event.step for event in workshop.events if isinstance(event, NodeProgress)] == [1, 2, 3]
    assert isinstance(workshop.events[-2], NodeFinished)


@pytest.mark.parametrize("kind", ["Steps", "AsyncSteps"])
def test_nothing_runs_after_the_step_at_which_a_run_is_cancelled(workshop: Workshop, kind: str) -> None:
    cancel = Cancel()
    workshop.services = (cancel,)
    engine = workshop.engine(Steps, AsyncSteps)
    nodes: dict[str, Spec] = {"x": (kind, {"cancel_at": 2}), "y": ("Add", {"a": link("x")})}
    result = workshop.run(engine, nodes, ["y"], cancel)
    assert workshop.journal.take() == ["x", "x", "x"]
    assert result.status == "cancelled" and not result.errors
    assert [event.node for event in workshop.events if isinstance(event, NodeSkipped)] == ["x", "y"]
    assert isinstance(workshop.events[-1], RunFinished) and workshop.events[-1].status == "cancelled"

    nodes["x"] = (kind, {})
    assert workshop.run(engine, nodes, ["y"]).value("y") == 5


def test_a_run_cancelled_before_it_starts_calls_nothing(workshop: Workshop) -> None:
    cancel = Cancel()
    cancel.set()
    result = workshop.run(workshop.engine(), {"x": ("Number", {})}, ["x"], cancel)
    assert result.status == "cancelled" and workshop.journal.take() == []


def test_a_listener_may_cancel_the_run_it_hears_of(workshop: Workshop) -> None:
    engine, cancel = workshop.engine(), Cancel()
    nodes: dict[str, Spec] = {"one": ("Number", {"value": 1}), "two": ("Add", {"a": link("one")})}

    def listener(event: Event) -> None:
        if isinstance(event, NodeFinished):
            cancel.set()

    assert engine.run(workshop.graph(engine, nodes, ["two"]), listener, cancel).status == "cancelled"
    assert workshop.journal.take() == ["one"]


def test_cancelling_the_task_cancels_the_run(workshop: Workshop) -> None:
    engine = workshop.engine(AsyncSteps)
    graph = workshop.graph(engine, {"x": ("AsyncSteps", {"steps": 10_000})}, ["x"])

    async def start_and_cancel() -> None:
        task = asyncio.create_task(engine.arun(graph, workshop.events.append))
        await asyncio.sleep(0.05)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(start_and_cancel())
    calls = len(workshop.journal.take())
    assert 0 < calls < 10_000
