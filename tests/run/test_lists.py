"""Lists along edges, lazy inputs, expansion and blockers: the four ways in which one node is not one call."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from engine.errors import NodeFailed
from engine.node.context import Context
from engine.node.decorator import node
from engine.node.lazy import Lazy
from engine.node.results import Blocked, Expansion, Link
from engine.run.events import NodeErrored, NodeFinished, NodeProgress, NodeSkipped, NodeStarted
from tests.run.workshop import Journal, Spec, Workshop, link


@node(category="test")
def Range(ctx: Context, count: int = 3, first: int = 0) -> list[int]:
    """Numbers from `first` on."""
    return list(range(first, first + count))


@node(category="test")
def Total(ctx: Context, numbers: list[int]) -> int:
    """The sum of a list."""
    ctx.service(Journal).note(ctx)
    return sum(numbers)


@node(category="test")
def Scale(ctx: Context, numbers: list[int], factor: int = 1) -> list[int]:
    """All numbers of a list times a factor."""
    ctx.service(Journal).note(ctx)
    return [number * factor for number in numbers]


@node(category="test")
def Join(ctx: Context, *parts: int) -> str:
    """Numbers side by side."""
    return " ".join(map(str, parts))


@node(category="test")
def GateOdd(value: int = 0) -> int | Blocked:
    """Let even numbers through."""
    return value if value % 2 == 0 else Blocked(f"{value} is odd")


LISTS = (Range, Total, Scale, Join, GateOdd)


def test_a_node_is_called_for_each_element_and_short_lists_repeat_their_last(workshop: Workshop) -> None:
    engine = workshop.engine(*LISTS)
    nodes: dict[str, Spec] = {
        "long": ("Range", {"count": 4}),
        "short": ("Range", {"count": 2, "first": 10}),
        "sum": ("Add", {"a": link("long"), "b": link("short")}),
    }
    assert workshop.run(engine, nodes, ["sum"]).values("sum") == [10, 12, 13, 14]
    assert workshop.journal.take() == ["sum"] * 4


def test_a_list_input_takes_the_whole_list(workshop: Workshop) -> None:
    engine = workshop.engine(*LISTS)
    nodes: dict[str, Spec] = {"range": ("Range", {"count": 4}), "total": ("Total", {"numbers": link("range")})}
    assert workshop.run(engine, nodes, ["total"]).value("total") == 6
    assert workshop.journal.take() == ["total"]


def test_list_outputs_of_mapped_calls_are_joined(workshop: Workshop) -> None:
    engine = workshop.engine(*LISTS)
    nodes: dict[str, Spec] = {
        "range": ("Range", {"count": 3}),
        "factors": ("Range", {"count": 2, "first": 1}),
        "scaled": ("Scale", {"numbers": link("range"), "factor": link("factors")}),
    }
    assert workshop.run(engine, nodes, ["scaled"]).values("scaled") == [0, 1, 2, 0, 2, 4]


def test_a_growing_input_is_mapped_too(workshop: Workshop) -> None:
    engine = workshop.engine(*LISTS)
    nodes: dict[str, Spec] = {
        **{f"n{index}": ("Number", {"value": index}) for index in range(11)},
        "range": ("Range", {"count": 2, "first": 50}),
        "join": ("Join", {"parts": (*(link(f"n{index}") for index in range(11)), link("range"))}),
    }
    head = "0 1 2 3 4 5 6 7 8 9 10"
    assert workshop.run(engine, nodes, ["join"]).values("join") == [f"{head} 50", f"{head} 51"]


def test_an_empty_list_is_an_error_that_says_what_to_do(workshop: Workshop) -> None:
    engine = workshop.engine(*LISTS)
    nodes: dict[str, Spec] = {"none": ("Range", {"count": 0}), "sum": ("Add", {"a": link("none")})}
    result = workshop.run(engine, nodes, ["sum"])
    assert str(result.errors[0]).startswith("sum.a (Add): the list at 'a' is empty")
    assert workshop.run(engine, {**nodes, "total": ("Total", {"numbers": link("none")})}, ["total"]).value("total") == 0


# ---------------------------------------------------------------------------------------------------------- blockers


def test_a_blocked_element_blocks_only_its_own_call(workshop: Workshop) -> None:
    engine = workshop.engine(*LISTS)
    nodes: dict[str, Spec] = {
        "range": ("Range", {"count": 3}),
        "gate": ("GateOdd", {"value": link("range")}),
        "sum": ("Add", {"a": link("gate"), "b": 100}),
    }
    assert workshop.run(engine, nodes, ["sum"]).values("sum") == [100, Blocked(), 102]
    assert workshop.journal.take() == ["sum", "sum"]


def test_a_blocked_branch_is_skipped_and_its_message_told_once(workshop: Workshop) -> None:
    engine = workshop.engine()
    nodes: dict[str, Spec] = {
        "gate": ("Gate", {"value": 1, "is_open": False, "message": "nothing to upscale"}),
        "sum": ("Add", {"a": link("gate")}),
        "show": ("Show", {"value": link("sum")}),
    }
    for _ in range(2):
        result = workshop.run(engine, nodes)
        assert result.status == "done" and not result.errors
        skipped = [(event.node, event.reason) for event in workshop.events if isinstance(event, NodeSkipped)]
        assert skipped == [("sum", "nothing to upscale"), ("show", "a node before it blocked this branch")]
        assert result.nodes["show"].state == "skipped"
    assert workshop.journal.take() == ["gate"]


# -------------------------------------------------------------------------------------------------------------- lazy


@node(category="test")
def Switch(ctx: Context, on_true: Lazy[int], on_false: Lazy[int], switch: bool = True) -> int:
    """One of two."""
    ctx.service(Journal).note(ctx)
    return on_true.get() if switch else on_false.get()


def switched(switch: bool) -> dict[str, Spec]:
    return {
        "one": ("Number", {"value": 1}),
        "left": ("Add", {"a": link("one"), "b": 10}),
        "right": ("Add", {"a": link("one"), "b": 20}),
        "switch": ("Switch", {"on_true": link("left"), "on_false": link("right"), "switch": switch}),
    }


def test_only_the_lazy_input_that_is_asked_for_is_computed(workshop: Workshop) -> None:
    engine = workshop.engine(Switch)
    assert workshop.run(engine, switched(True), ["switch"]).value("switch") == 11
    assert workshop.journal.take_in_order() == ["switch", "one", "left", "switch"]
    started = [event.node for event in workshop.events if isinstance(event, NodeStarted)]
    assert started == ["switch", "one", "left"]
    assert workshop.run(engine, switched(False), ["switch"]).value("switch") == 21
    assert workshop.journal.take_in_order() == ["switch", "right", "switch"]
    assert workshop.run(engine, switched(True), ["switch"]).value("switch") == 11
    assert workshop.journal.take_in_order() == []


def test_a_lazy_value_that_another_node_needed_is_still_there(workshop: Workshop) -> None:
    workshop.memory_bytes = 0
    engine = workshop.engine(Switch)
    nodes = {**switched(True), "sum": ("Add", {"a": link("left"), "b": link("right")})}
    result = workshop.run(engine, nodes, ["sum", "switch"])
    assert (result.value("sum"), result.value("switch")) == (32, 11)
    assert workshop.journal.take().count("left") == 1


def test_a_dropped_value_is_made_again_when_a_lazy_branch_needs_it_late(workshop: Workshop) -> None:
    workshop.memory_bytes = 0
    nodes: dict[str, Spec] = {
        "base": ("Number", {"value": 1}),
        "flag": ("Add", {"a": link("base"), "b": 0}),
        "is": ("AsFlag", {"number": link("flag")}),
        "left": ("Add", {"a": link("base"), "b": 10}),
        "right": ("Number", {"value": 0}),
        "switch": ("Switch", {"on_true": link("left"), "on_false": link("right"), "switch": link("is")}),
    }
    engine = workshop.engine(Switch, AsFlag)
    assert workshop.run(engine, nodes, ["switch"]).value("switch") == 11
    assert workshop.journal.take_in_order() == ["base", "flag", "switch", "base", "left", "switch"]


def test_what_a_failed_node_alone_needed_is_made_when_a_lazy_input_asks_for_it(workshop: Workshop) -> None:
    engine = workshop.engine(Switch)
    nodes: dict[str, Spec] = {
        "bad": ("Fail", {}),
        "late": ("Number", {"value": 5}),
        "later": ("Add", {"a": link("late"), "b": 1}),
        "lost": ("Add", {"a": link("bad"), "b": link("later")}),
        "branch": ("Add", {"a": link("later"), "b": 100}),
        "switch": ("Switch", {"on_true": link("branch"), "on_false": link("bad"), "switch": True}),
    }
    result = workshop.run(engine, nodes, ["lost", "switch"])
    assert result.value("switch") == 106
    assert result.nodes["lost"].state == "skipped"


def test_how_long_a_lazy_list_is_matters_only_if_it_is_asked_for(workshop: Workshop) -> None:
    engine = workshop.engine(Switch, Range, Total)
    nodes = {**switched(True), "right": ("Range", {"count": 3}), "total": ("Total", {"numbers": link("right")})}
    result = workshop.run(engine, nodes, ["total", "switch"])
    assert result.values("switch") == [11]


def test_lazy_inputs_of_mapped_calls_are_asked_for_together(workshop: Workshop) -> None:
    nodes = {**switched(True), "flags": ("Range", {"count": 2})}
    nodes["flag"] = ("AsFlag", {"number": link("flags")})
    nodes["switch"] = ("Switch", {"on_true": link("left"), "on_false": link("right"), "switch": link("flag")})
    engine = workshop.engine(Switch, Range, AsFlag)
    assert workshop.run(engine, nodes, ["switch"]).values("switch") == [21, 11]
    calls = workshop.journal.take()
    assert calls.count("switch") == 4  # each call once to ask and once to answer


@node(category="test")
def AsFlag(number: int) -> bool:
    """Whether a number is not zero."""
    return number != 0


def test_a_failing_lazy_input_fails_only_the_run_that_asks_for_it(workshop: Workshop) -> None:
    engine = workshop.engine(Switch)
    nodes = {**switched(True), "right": ("Fail", {})}
    assert workshop.run(engine, nodes, ["switch"]).value("switch") == 11
    nodes["switch"] = ("Switch", {"on_true": link("left"), "on_false": link("right"), "switch": False})
    result = workshop.run(engine, nodes, ["switch"])
    assert result.status == "failed"
    assert result.nodes["switch"].reason == "it needs 'right', which failed"


# --------------------------------------------------------------------------------------------------------- expansion


class Thing:
    """A value that is no JSON."""

    port = "THING"

    def __init__(self, number: int) -> None:
        self.number = number


@node(category="test")
def MakeThing(ctx: Context, number: int = 0) -> Thing:
    """Wrap a number."""
    return Thing(number)


@node(category="test")
def OpenThing(ctx: Context, thing: Thing, extra: int = 0) -> int:
    """Unwrap a number."""
    ctx.service(Journal).note(ctx)
    return thing.number + extra


class Both(NamedTuple):
    low: int
    high: int


@node(category="test")
def Expand(ctx: Context, thing: Thing, times: int = 2) -> Both | Expansion:
    """Add a thing's number to itself, by a subgraph."""
    ctx.service(Journal).note(ctx)
    prompt: dict[str, Any] = {"0": {"class_type": "OpenThing", "inputs": {"thing": thing, "extra": 1}}}
    for index in range(1, times):
        inputs = {"a": Link(str(index - 1)), "b": Link("0", "int")}
        prompt[str(index)] = {"class_type": "Add", "inputs": inputs}
    return Expansion(prompt, (-1, Link(str(times - 1))))


@node(category="test")
def CountDown(ctx: Context, number: int = 0) -> int | Expansion:
    """Expand to itself until zero."""
    if number == 0:
        return 0
    return Expansion({"next": {"class_type": "CountDown", "inputs": {"number": number - 1}}}, (Link("next"),))


@node(category="test")
def Forever(number: int = 0) -> int | Expansion:
    """Expand to itself without end."""
    return Expansion({"next": {"class_type": "Forever", "inputs": {"number": number + 1}}}, (Link("next"),))


@node(category="test")
def ExpandBadly(kind: str = "unknown") -> int | Expansion:
    """Expand to something that cannot run."""
    inner = {"unknown": ("Addd", {}), "range": ("Add", {"a": "pear"}), "fails": ("Fail", {})}[kind]
    return Expansion({"inner": {"class_type": inner[0], "inputs": inner[1]}}, (Link("inner"),))


@node(category="test")
def ExpandToShow(value: int = 0) -> Expansion | None:
    """Expand to a node with an effect."""
    return Expansion({"inner": {"class_type": "Show", "inputs": {"value": value}}})


EXPANSIONS = (MakeThing, OpenThing, Expand, CountDown, Forever, ExpandBadly, ExpandToShow)


def expanded(times: int) -> dict[str, Spec]:
    return {
        "thing": ("MakeThing", {"number": 4}),
        "expand": ("Expand", {"thing": link("thing"), "times": times}),
        "sum": ("Add", {"a": link("expand", 0), "b": link("expand", 1)}),
    }


def test_a_subgraph_runs_in_its_nodes_place(workshop: Workshop) -> None:
    engine = workshop.engine(*EXPANSIONS)
    assert workshop.run(engine, expanded(3), ["sum"]).value("sum") == 14
    assert workshop.journal.take_in_order() == ["expand", "expand", "expand", "expand", "sum"]
    assert [event.node for event in workshop.events if isinstance(event, NodeFinished)] == ["thing", "expand", "sum"]


@node(category="test")
def Report(ctx: Context, value: int = 0) -> int:
    """Say how far it is."""
    ctx.progress(1, 2, "half")
    return value


@node(category="test")
def ExpandToReport(value: int = 0) -> int | Expansion:
    """Expand to a node that says how far it is."""
    return Expansion({"inner": {"class_type": "Report", "inputs": {"value": value}}}, (Link("inner"),))


def test_progress_of_a_subgraph_shows_on_the_node(workshop: Workshop) -> None:
    engine = workshop.engine(Report, ExpandToReport)
    workshop.run(engine, {"x": ("ExpandToReport", {})}, ["x"])
    assert NodeProgress("x", 1, 2, "half") in workshop.events


def test_subgraphs_share_results(workshop: Workshop) -> None:
    engine = workshop.engine(*EXPANSIONS)
    workshop.run(engine, expanded(3), ["sum"])
    workshop.journal.take()
    assert workshop.run(engine, expanded(4), ["sum"]).value("sum") == 19
    # The expanding node and one more addition; what both subgraphs begin with is known.
    assert workshop.journal.take_in_order() == ["expand", "expand", "sum"]


def test_expansions_nest_deeply(workshop: Workshop) -> None:
    engine = workshop.engine(*EXPANSIONS)
    assert workshop.run(engine, {"count": ("CountDown", {"number": 500})}, ["count"]).value("count") == 0


def test_an_endless_expansion_is_an_error(workshop: Workshop) -> None:
    result = workshop.run(workshop.engine(*EXPANSIONS), {"x": ("Forever", {})}, ["x"])
    assert "x (Forever): expanded 1000 deep" in str(result.errors[0])


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("unknown", "bad (ExpandBadly): expanded to a graph that cannot run:\ninner: "),
        ("range", "inner.a: "),
        ("fails", "bad (Fail): raised ZeroDivisionError: as it was told to"),
    ],
)
def test_a_failure_inside_a_subgraph_shows_on_the_node(workshop: Workshop, kind: str, message: str) -> None:
    engine = workshop.engine(*EXPANSIONS)
    nodes: dict[str, Spec] = {"bad": ("ExpandBadly", {"kind": kind}), "sum": ("Add", {"a": link("bad")})}
    result = workshop.run(engine, nodes, ["sum"])
    assert message in str(result.errors[0]) and len(result.errors) == 1
    assert [event.node for event in workshop.events if isinstance(event, NodeErrored)] == ["bad"]
    assert result.nodes["sum"].reason == "it needs 'bad', which failed"
    with pytest.raises(NodeFailed):
        result.raise_errors()


def test_an_effect_inside_a_subgraph_shows_on_the_node(workshop: Workshop) -> None:
    engine = workshop.engine(*EXPANSIONS)
    nodes: dict[str, Spec] = {"inner": ("Number", {"value": 3}), "x": ("ExpandToShow", {"value": link("inner")})}
    assert workshop.run(engine, nodes, ["x"]).ui == {"x": {"values": [3]}}
