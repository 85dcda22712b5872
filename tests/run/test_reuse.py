"""Results are reused exactly when nothing they depend on has changed."""

from __future__ import annotations

from typing import Annotated

from engine.node.context import Context
from engine.node.decorator import node
from engine.node.widgets import File
from engine.run.events import NodeFinished, RunStarted
from tests.run.workshop import Journal, Spec, Workshop, link


def sum_of(a: int, b: int) -> dict[str, Spec]:
    return {
        "a": ("Number", {"value": a}),
        "b": ("Number", {"value": b}),
        "sum": ("Add", {"a": link("a"), "b": link("b")}),
        "show": ("Show", {"value": link("sum")}),
    }


def test_going_back_to_an_earlier_workflow_calls_nothing(workshop: Workshop) -> None:
    engine = workshop.engine()
    workshop.run(engine, sum_of(1, 2))
    workshop.run(engine, sum_of(3, 4))
    workshop.journal.take()
    result = workshop.run(engine, sum_of(1, 2))
    assert workshop.journal.take() == []
    assert result.ui == {"show": {"values": [3]}}
    assert {report.state for report in result.nodes.values()} == {"cached"}


def test_changing_a_value_reruns_only_what_follows(workshop: Workshop) -> None:
    engine = workshop.engine()
    workshop.run(engine, sum_of(1, 2))
    workshop.journal.take()
    result = workshop.run(engine, sum_of(1, 5))
    assert workshop.journal.take() == ["b", "show", "sum"]
    assert result.ui == {"show": {"values": [6]}}
    assert result.nodes["a"].state == "cached"


def test_node_ids_play_no_part(workshop: Workshop) -> None:
    engine = workshop.engine()
    workshop.run(engine, {"x": ("Number", {"value": 1})}, ["x"])
    workshop.journal.take()
    workshop.run(engine, {"y": ("Number", {"value": 1})}, ["y"])
    assert workshop.journal.take() == []


def test_equal_nodes_of_one_graph_are_computed_once(workshop: Workshop) -> None:
    engine = workshop.engine()
    nodes: dict[str, Spec] = {
        "x": ("Number", {"value": 1}),
        "y": ("Number", {"value": 1}),
        "sum": ("Add", {"a": link("x"), "b": link("y")}),
    }
    assert workshop.run(engine, nodes, ["sum"]).value("sum") == 2
    assert len(workshop.journal.take()) == 2


def test_a_cached_run_says_so_at_once(workshop: Workshop) -> None:
    engine = workshop.engine()
    workshop.run(engine, sum_of(1, 2))
    workshop.run(engine, sum_of(1, 2))
    started, shown, _ = workshop.events
    assert isinstance(started, RunStarted) and list(started.cached) == ["a", "b", "sum", "show"]
    assert isinstance(shown, NodeFinished) and shown.cached and shown.ui == {"values": [3]}


def test_changed_code_is_run(workshop: Workshop) -> None:
    workshop.disk_bytes = 10**7
    workshop.run(workshop.engine(), sum_of(1, 2))
    workshop.journal.take()
    workshop.code = "code 2"
    workshop.run(workshop.engine(), sum_of(1, 2))
    assert workshop.journal.take() == ["a", "b", "show", "sum"]


@node(category="test")
def Read(ctx: Context, name: Annotated[str, File("input")]) -> str:
    """The text of a file."""
    ctx.service(Journal).note(ctx)
    return ctx.folders.resolve("input", name).read_text()


def test_a_changed_file_is_read_again(workshop: Workshop) -> None:
    engine = workshop.engine(Read)
    workshop.folders.input.mkdir(parents=True)
    file = workshop.folders.input / "poem.txt"
    nodes: dict[str, Spec] = {"read": ("Read", {"name": "poem.txt"})}
    for text in ("roses", "tulip", "roses"):
        file.write_text(text)
        assert workshop.run(engine, nodes, ["read"]).value("read") == text
    assert workshop.journal.take() == ["read", "read"]


def test_a_second_engine_over_the_same_folder_calls_nothing(workshop: Workshop) -> None:
    workshop.disk_bytes = 10**7
    workshop.run(workshop.engine(), sum_of(1, 2))
    workshop.journal.take()
    engine = workshop.engine()
    assert workshop.run(engine, sum_of(1, 2)).ui == {"show": {"values": [3]}}
    assert workshop.journal.take() == []
    assert workshop.run(engine, sum_of(1, 2), ["sum"]).value("sum") == 3
    assert workshop.run(engine, sum_of(1, 7), ["sum"]).value("sum") == 8
    assert workshop.journal.take() == ["b", "sum"]
