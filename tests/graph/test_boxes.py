"""Boxes in a workflow are read strictly; a problem names the box."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from engine.errors import WorkflowError
from engine.graph.build import build
from engine.graph.document import from_json
from engine.graph.literals import LiteralError, read_literal
from engine.graph.prompt import to_prompt
from tests.graph.catalogue import Schemas, edited, schema

BOXES = edited("boxes", "BOXES", [], widget="boxes", required=False, maximum=3)
SHELF = Schemas([schema("Place", [BOXES], "CONDITIONING", output=True)])


def box(label: JsonValue = "cat", place: JsonValue = None) -> JsonValue:
    return {"label": label, "box": [0.1, 0.2, 0.5, 0.25] if place is None else place}


def refused(value: JsonValue) -> LiteralError:
    with pytest.raises(LiteralError) as caught:
        read_literal(BOXES, value)
    return caught.value


def test_boxes_have_one_spelling() -> None:
    read = read_literal(
        BOXES, [{"label": " cat ", "box": [0, 0, 1, 1]}, {"box": [0.5, 0.5, 0.25, 0.25], "label": "dog"}]
    )
    assert read == [{"label": "cat", "box": [0.0, 0.0, 1.0, 1.0]}, {"label": "dog", "box": [0.5, 0.5, 0.25, 0.25]}]
    assert repr(read).count("1.0") == 2
    assert read_literal(BOXES, []) == []


def test_what_rounding_makes_stick_out_is_cut_off() -> None:
    read = read_literal(BOXES, [box(place=[0.7, 0.9, 0.30000000000000004, 0.1000000001])])
    assert isinstance(read, list) and isinstance(read[0], dict) and isinstance(read[0]["box"], list)
    x, y, width, height = (float(str(share)) for share in read[0]["box"])
    assert x + width <= 1 and y + height <= 1
    assert (width, height) == pytest.approx((0.3, 0.1))


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ("cat", "Box 2 is no box."),
        ({"label": "cat"}, "Box 2 is no box."),
        ({"label": "cat", "box": [0, 0, 1, 1], "colour": "red"}, "Box 2 is no box."),
        (box(label=""), "Box 2 does not say what is in it."),
        (box(label="  "), "Box 2 does not say what is in it."),
        (box(label=7), "Box 2 does not say what is in it."),
        (box(label="c" * 201), "Box 2 does not say what is in it."),
        (box(label="\ud800"), "Box 2 does not say what is in it."),
        (box(place=[0, 0, 1]), "Box 2 (cat) has no place."),
        (box(place="left"), "Box 2 (cat) has no place."),
        (box(place=[10, 20, 100, 100]), "Box 2 (cat): its x is not within the picture."),
        (box(place=[0, -0.1, 0.5, 0.5]), "Box 2 (cat): its y is not within the picture."),
        (box(place=[0, 0, True, 0.5]), "Box 2 (cat): its width is not within the picture."),
        (box(place=[0, 0, 0.5, float("nan")]), "Box 2 (cat): its height is not within the picture."),
        (box(place=[0, 0, 0, 0.5]), "Box 2 (cat) has no extent."),
        (box(place=[0.6, 0, 0.5, 0.5]), "Box 2 (cat) sticks out over the picture's right edge."),
        (box(place=[0, 0.6, 0.5, 0.5]), "Box 2 (cat) sticks out over the picture's lower edge."),
    ],
)
def test_a_problem_names_the_box(second: JsonValue, said: str) -> None:
    problem = refused([box(), second])
    assert (problem.code, problem.message) == ("bad_box", said)


def test_more_boxes_than_the_input_takes_are_refused() -> None:
    problem = refused([box()] * 5)
    assert (problem.code, problem.fix) == ("too_many_boxes", "remove 2")


@pytest.mark.parametrize("value", ["cat", 3, {"label": "cat"}, True])
def test_boxes_come_as_a_list(value: JsonValue) -> None:
    assert refused(value).code == "wrong_kind"


def test_a_workflow_with_boxes_is_built_and_written_as_a_prompt() -> None:
    document: JsonValue = {"darkroom": 1, "nodes": {"a": {"type": "Place", "inputs": {"boxes": {"value": [box()]}}}}}
    graph = build(from_json(document), SHELF)
    assert graph.nodes["a"].literals["boxes"] == [box()]
    prompt = to_prompt(graph)
    assert prompt["a"] == {"class_type": "Place", "inputs": {"boxes": {"__value__": [box()]}}}
    again = build(from_json(dict(prompt)), SHELF)
    assert again.nodes["a"].literals == graph.nodes["a"].literals


def test_a_drawing_that_is_not_there_is_a_problem_before_the_run() -> None:
    drawing = edited("drawing", "COMBO", "", widget="drawing", folder="input", required=False)
    shelf = Schemas([schema("Draw", [drawing], "IMAGE", output=True)])
    asked: list[str] = []

    def check_file(folder: str, name: str) -> None:
        asked.append(f"{folder}/{name}")

    for inputs in ({}, {"drawing": ""}):
        document: JsonValue = {"darkroom": 1, "nodes": {"a": {"type": "Draw", "inputs": dict(inputs)}}}
        with pytest.raises(WorkflowError) as caught:
            build(from_json(document), shelf, check_file=check_file)
        (problem,) = caught.value.problems
        assert (problem.code, problem.node, problem.input, problem.fix) == (
            "nothing_drawn",
            "a",
            "drawing",
            "press Draw",
        )
    drawn: JsonValue = {"darkroom": 1, "nodes": {"a": {"type": "Draw", "inputs": {"drawing": "a.png"}}}}
    assert build(from_json(drawn), shelf, check_file=check_file).nodes["a"].literals == {"drawing": "a.png"}
    assert asked == ["input/a.png"]
