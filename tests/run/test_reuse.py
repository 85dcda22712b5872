"""Results are reused exactly when nothing they depend on has changed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import pytest

from engine.errors import InputProblem
from engine.node.context import Context
from engine.node.decorator import node
from engine.node.results import Shown
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


@node(category="test", output=True)
def Save(ctx: Context, value: int = 0) -> Shown:
    """Write a number to a file."""
    ctx.service(Journal).note(ctx)
    path = ctx.folders.save(str(value).encode(), "number", ".txt")
    return Shown(ui={"files": [{"path": str(path)}]})


SAVED: dict[str, Spec] = {"one": ("Number", {"value": 1}), "save": ("Save", {"value": link("one")})}


@pytest.mark.parametrize("disk_bytes", [0, 10**7])
def test_an_output_is_saved_again_when_its_file_is_gone_or_changed(workshop: Workshop, disk_bytes: int) -> None:
    workshop.disk_bytes = disk_bytes
    engine = workshop.engine(Save)
    workshop.run(engine, SAVED)
    file = workshop.folders.output / "number_00001_.txt"
    assert file.read_text() == "1"
    workshop.run(engine, SAVED)
    os.utime(file)
    workshop.run(engine, SAVED)
    assert workshop.journal.take() == ["one", "save"]
    file.write_text("2")
    result = workshop.run(engine, SAVED)
    assert workshop.journal.take() == ["save"]
    assert result.ui["save"] == {"files": [{"path": str(workshop.folders.output / "number_00002_.txt")}]}
    (workshop.folders.output / "number_00002_.txt").unlink()
    workshop.run(engine, SAVED)
    assert workshop.journal.take() == ["save"]


def test_a_damaged_value_is_computed_again_with_what_it_needs(workshop: Workshop) -> None:
    workshop.disk_bytes = 10**7
    nodes: dict[str, Spec] = {
        "one": ("Number", {"value": 1}),
        "pair": ("Pair", {"value": link("one")}),
        "first": ("First", {"pair": link("pair"), "plus": 0}),
    }
    workshop.run(workshop.engine(Pair, First), nodes, ["first"])
    blobs = [path for path in (workshop.folders.cache / "v1" / "contents").rglob("*") if path.is_file()]
    for blob in blobs:
        blob.write_bytes(b"damaged")
    workshop.journal.take()
    # The plan finds the record of `pair`, and only fetching it shows that its value is damaged.
    nodes["first"] = ("First", {"pair": link("pair"), "plus": 5})
    assert workshop.run(workshop.engine(Pair, First), nodes, ["first"]).value("first") == 6
    assert workshop.journal.take() == ["pair"]


def test_a_fully_cached_run_loads_no_values(workshop: Workshop) -> None:
    workshop.disk_bytes = 10**7
    nodes: dict[str, Spec] = {"pair": ("Pair", {"value": 1}), "show": ("Show", {"value": link("pair")})}
    workshop.run(workshop.engine(Pair), nodes)
    shutil.rmtree(workshop.folders.cache / "v1" / "contents")
    workshop.journal.take()
    assert workshop.run(workshop.engine(Pair), nodes).ui == {"show": {"values": ["(1, 1)"]}}
    assert workshop.journal.take() == []


@node(category="test")
def Pair(ctx: Context, value: int = 0) -> Any:
    """A value that is no JSON, and so has a file of its own."""
    ctx.service(Journal).note(ctx)
    return (value, value)


@node(category="test")
def First(pair: Any, plus: int = 0) -> int:
    """The first of a pair, plus something."""
    return pair[0] + plus


@node(category="test")
def Spoil(numbers: list[int], harmless: int = 0) -> int:
    """Change an input in place."""
    numbers.append(harmless)
    return len(numbers)


@node(category="test")
def SpoilPair(pair: Any) -> int:
    """Change what an input holds."""
    pair[0][0] = 7
    return 0


@node(category="test")
def Nested() -> Any:
    """A list in a tuple."""
    return ([1], 2)


def test_a_node_that_changes_its_input_is_named(workshop: Workshop) -> None:
    nodes: dict[str, Spec] = {
        "nested": ("Nested", {}),
        "spoil": ("SpoilPair", {"pair": link("nested")}),
    }
    workshop.check_mutation = True
    result = workshop.run(workshop.engine(Nested, SpoilPair), nodes, ["spoil"])
    assert str(result.errors[0]).startswith("spoil.pair (SpoilPair): changed its input 'pair' in place")
    assert isinstance(result.errors[0].__cause__, InputProblem)


def test_a_list_that_a_node_receives_is_its_own(workshop: Workshop) -> None:
    engine = workshop.engine(Spoil)
    nodes: dict[str, Spec] = {
        "one": ("Number", {"value": 1}),
        "x": ("Spoil", {"numbers": link("one"), "harmless": 1}),
        "y": ("Spoil", {"numbers": link("one"), "harmless": 2}),
    }
    result = workshop.run(engine, nodes, ["x", "y"])
    assert (result.value("x"), result.value("y")) == (2, 2)


def test_the_plan_tells_what_would_run(workshop: Workshop) -> None:
    engine = workshop.engine()
    workshop.run(engine, sum_of(1, 2))
    plan = engine.plan(workshop.graph(engine, sum_of(1, 3)))
    assert (list(plan.runs), list(plan.cached)) == (["b", "sum", "show"], ["a"])
    assert workshop.journal.take() == ["a", "b", "show", "sum"]  # planning called nothing


def test_why_names_the_first_part_that_changed(workshop: Workshop) -> None:
    workshop.disk_bytes = 10**7
    engine = workshop.engine()
    workshop.run(engine, sum_of(1, 2))
    again = workshop.engine()
    assert again.why(workshop.graph(again, sum_of(1, 2)), "show") is None
    difference = again.why(workshop.graph(again, sum_of(1, 3)), "show")
    assert str(difference) == "b: input value was 2, now 3"
    workshop.code = "code 2"
    changed = workshop.engine()
    assert "code" in str(changed.why(workshop.graph(changed, sum_of(1, 2)), "a"))


def test_a_record_of_keys_that_is_damaged_is_no_record(workshop: Workshop) -> None:
    workshop.disk_bytes = 10**7
    engine = workshop.engine()
    workshop.run(engine, sum_of(1, 2))
    for text in ("", "[]", '{"a": 1}', '{"a": {"key": "x", "parts": {}, "links": {"y": 1}}}'):
        for file in (workshop.folders.cache / "last_keys").iterdir():
            file.write_text(text)
        assert "never computed" in str(engine.why(workshop.graph(engine, sum_of(1, 2)), "a"))


def test_a_cached_run_in_a_new_process_imports_no_torch(workshop: Workshop) -> None:
    workshop.disk_bytes = 10**7
    workshop.run(workshop.engine(), sum_of(1, 2))
    script = """
import sys
from pathlib import Path
from engine.run.lanes import Lanes
from tests.run.test_reuse import sum_of
from tests.run.workshop import Workshop
with Lanes.open() as lanes:
    workshop = Workshop(Path(sys.argv[1]), lanes, disk_bytes=10**7)
    result = workshop.run(workshop.engine(), sum_of(1, 2))
    print(result.ui["show"]["values"], workshop.journal.take(), "torch" in sys.modules)
"""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script, str(workshop.folder)], cwd=root, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("[3] [] False\n", "")


class Tide:
    """Something that no input shows."""

    height = 0


@node(category="test")
def Measure(ctx: Context, at: int = 0) -> int:
    """Depend on the tide."""
    ctx.service(Journal).note(ctx)
    return ctx.service(Tide).height + at


def test_verifying_recomputes_hits_and_names_the_node_that_is_not_pure(workshop: Workshop) -> None:
    tide = Tide()
    workshop.services, workshop.verify_share = (tide,), 1.0
    engine = workshop.engine(Measure)
    nodes: dict[str, Spec] = {"x": ("Measure", {"at": 1}), "show": ("Show", {"value": link("x")})}
    for _ in range(2):
        assert workshop.run(engine, nodes).raise_errors().ui == {"show": {"values": [1]}}
    assert workshop.journal.take() == ["show", "x", "x"]
    tide.height = 5
    result = workshop.run(engine, nodes)
    assert str(result.errors[0]).startswith("x (Measure): output 'int' was computed again and is not what the cache")
