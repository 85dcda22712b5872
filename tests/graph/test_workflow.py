from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue

from engine.errors import WorkflowError
from engine.graph.document import dumps, from_json, load, loads, to_json
from engine.graph.workflow import Link, Workflow, WorkflowNode, with_input
from tests.graph.catalogue import TEXT_TO_IMAGE, problems, workflow

FULL: dict[str, JsonValue] = {
    "darkroom": 1,
    "name": "everything",
    "description": "Tür",
    "nodes": {
        "a": {"type": "A", "version": 2, "title": "Erste", "mode": "bypass", "inputs": {}, "later": None},
        "b:1": {
            "type": "B",
            "inputs": {
                "text": "x",
                "seed": 2**64 - 1,
                "float": 1.0,
                "on": False,
                "none": None,
                "link": {"from": "a.image"},
                "slot": {"from": "a.0"},
                "odd": {"from": ["an odd.id", "out"]},
                "many": [{"from": "a.image"}, {"from": "a.1"}],
                "no_links": [],
                "list": {"value": [1, {"from": "a.image"}]},
                "object": {"value": {"value": 1}},
            },
        },
    },
    "layout": {
        "nodes": {"a": {"position": [0, 1.5], "size": [200, 100], "colour": "#123", "pinned": True}},
        "groups": [{"position": [0, 0], "size": [9, 9], "title": "g"}],
        "notes": [{"position": [0, 0], "text": "n"}],
        "zoom": 2,
    },
    "future": {"x": [1, {"y": None}]},
}


def code(value: JsonValue) -> list[tuple[str, str | None, str | None]]:
    with pytest.raises(WorkflowError) as caught:
        from_json(value)
    assert all(each.fix and each.message.endswith(".") for each in caught.value.problems)
    return problems(caught.value)


def test_reading_and_writing_keeps_everything_including_unknown_keys():
    assert to_json(from_json(FULL)) == FULL


def test_a_canonical_file_is_written_back_byte_for_byte():
    text = dumps(from_json(FULL))
    assert dumps(loads(text)) == text
    assert json.loads(text) == FULL


def test_inputs_are_told_apart_by_shape():
    inputs = from_json(FULL).nodes["b:1"].inputs
    assert inputs["link"] == Link("a", "image")
    assert inputs["slot"] == Link("a", 0)
    assert inputs["odd"] == Link("an odd.id", "out")
    assert inputs["many"] == (Link("a", "image"), Link("a", 1))
    assert inputs["no_links"] == ()
    assert inputs["list"] == [1, {"from": "a.image"}]
    assert inputs["object"] == {"value": 1}


def test_a_file_is_written_for_people():
    text = dumps(workflow(a={"type": "A", "inputs": {"n": 1, "image": {"from": "b.image"}}}))
    assert (
        '    "a": {\n      "type": "A",\n      "inputs": {\n        "n": 1,\n        "image": {"from": "b.image"}\n'
        in text
    )
    assert text.endswith("}\n")


def test_setting_a_literal_changes_that_input_only():
    before = workflow()
    after = with_input(before, "sampler", "seed", 4)
    assert after.nodes["sampler"].inputs == {**before.nodes["sampler"].inputs, "seed": 4}
    assert before.nodes["sampler"].inputs["seed"] == 3
    assert all(after.nodes[id] is before.nodes[id] for id in before.nodes if id != "sampler")
    assert loads(dumps(after)) == after


def test_setting_an_input_of_a_node_without_any_is_written():
    bare = workflow({"a": {"type": "A"}})
    assert to_json(with_input(bare, "a", "x", [1]))["nodes"] == {"a": {"type": "A", "inputs": {"x": {"value": [1]}}}}


def test_setting_an_input_of_a_missing_node_names_the_nearest():
    with pytest.raises(WorkflowError, match="Use 'sampler'"):
        with_input(workflow(), "sampel", "seed", 4)


def test_a_workflow_can_be_written_in_python():
    made = Workflow(nodes={"a": WorkflowNode(type="A", inputs={"image": Link("b", "image"), "n": 1})})
    assert to_json(made) == {
        "darkroom": 1,
        "nodes": {"a": {"type": "A", "inputs": {"image": {"from": "b.image"}, "n": 1}}},
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([], ("not_a_workflow", None, None)),
        ({}, ("not_a_workflow", None, None)),
        ({"nodes": {}}, ("not_a_workflow", None, None)),
        ({"darkroom": 2, "nodes": {}}, ("newer_format", None, None)),
        ({"darkroom": "1", "nodes": {}}, ("wrong_shape", None, None)),
        ({"darkroom": 1}, ("missing_key", None, None)),
        ({"darkroom": 1, "nodes": []}, ("wrong_shape", None, None)),
        ({"darkroom": 1, "nodes": {"a": 1}}, ("wrong_shape", "a", None)),
        ({"darkroom": 1, "nodes": {"a": {}}}, ("missing_key", "a", None)),
        ({"darkroom": 1, "nodes": {"a": {"type": ""}}}, ("wrong_shape", "a", None)),
        ({"darkroom": 1, "nodes": {"a": {"type": "A", "version": 0}}}, ("wrong_shape", "a", None)),
        ({"darkroom": 1, "nodes": {"a": {"type": "A", "mode": "off"}}}, ("wrong_shape", "a", None)),
        ({"darkroom": 1, "nodes": {"a.b": {"type": "A"}}}, ("bad_node_id", "a.b", None)),
        ({"darkroom": 1, "nodes": {}, "layout": {"nodes": {"a": {}}}}, ("missing_key", None, None)),
    ],
)
def test_a_document_of_the_wrong_shape_says_where(value: JsonValue, expected: tuple[str, str | None, str | None]):
    assert code(value) == [expected]


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"a": 1},
        {"from": "a"},
        {"from": "a."},
        {"from": ".x"},
        {"from": 1},
        {"from": "a.b", "x": 1},
        [1, 2],
        ["a", 0],
    ],
)
def test_an_input_that_is_neither_literal_nor_link_says_how_to_write_it(value: JsonValue):
    with pytest.raises(WorkflowError) as caught:
        from_json({"darkroom": 1, "nodes": {"a": {"type": "A", "inputs": {"x": value}}}})
    assert problems(caught.value) == [("bad_input", "a", "x")]
    assert (
        '{"from": "node.output"}' in str(caught.value)
        or "node.output" in str(caught.value)
        or "key" in str(caught.value)
    )


def test_every_problem_of_a_document_is_reported():
    assert len(code({"darkroom": 1, "nodes": {"a": {}, "b": 1, "c": {"type": 3, "inputs": {"x": [1]}}}})) == 4


def test_too_many_nodes_are_refused_in_both_formats():
    many: Any = {f"n{index}": {"type": "A", "class_type": "A"} for index in range(20_001)}
    assert code({"darkroom": 1, "nodes": many}) == [("too_many_nodes", None, None)]
    assert code(many) == [("too_many_nodes", None, None)]


def test_a_workflow_file_is_loaded(tmp_path: Path):
    path = tmp_path / "workflow.json"
    path.write_text(json.dumps({"darkroom": 1, "nodes": TEXT_TO_IMAGE}))
    assert load(path) == workflow()


# ComfyUI's API format


PROMPT: dict[str, JsonValue] = {
    "4": {"class_type": "Load", "inputs": {"name": "a.safetensors"}, "_meta": {"title": "Load it"}},
    "5": {"class_type": "Sample", "inputs": {"model": ["4", 0.0], "seed": "7", "latent": [6, 0]}, "is_changed": [1]},
    "12:6": {"class_type": "Any", "inputs": {"value": {"__value__": [1, 2]}, "object": {"a": 1}}},
}


@pytest.mark.parametrize("value", [PROMPT, {"prompt": PROMPT, "client_id": "x"}])
def test_the_api_format_is_read_as_it_is(value: dict[str, JsonValue]):
    read = from_json(value)
    assert read.origin == "comfyui"
    assert read.nodes["4"] == WorkflowNode(type="Load", title="Load it", inputs={"name": "a.safetensors"})
    assert read.nodes["5"].inputs == {"model": Link("4", 0), "seed": "7", "latent": Link("6", 0)}
    assert read.nodes["12:6"].inputs == {"value": [1, 2], "object": {"a": 1}}


def test_what_was_read_from_the_api_format_is_written_and_read_in_ours():
    read = from_json({**PROMPT, "an odd.id": {"class_type": "A", "inputs": {"x": ["4", 0]}}})
    assert loads(dumps(read)) == read


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        ({"class_type": "A", "inputs": {"x": [1, 2, 3]}}, ("bad_link", "1", "x")),
        ({"class_type": "A", "inputs": {"x": []}}, ("bad_link", "1", "x")),
        ({"class_type": "A", "inputs": {"x": ["2", 0.5]}}, ("bad_link", "1", "x")),
        ({"class_type": "A", "inputs": {"x": ["2", True]}}, ("bad_link", "1", "x")),
        ({"class_type": "A", "inputs": []}, ("wrong_shape", "1", None)),
        ({"class_type": 3}, ("missing_key", "1", None)),
        ({"inputs": {}}, ("missing_key", "1", None)),
        (7, ("wrong_shape", "1", None)),
    ],
)
def test_a_broken_api_node_says_what_is_wrong(node: JsonValue, expected: tuple[str, str | None, str | None]):
    assert code({"1": node, "2": {"class_type": "A"}}) == [expected]


def test_the_editor_format_of_comfyui_is_refused_with_a_way_out():
    ui: JsonValue = {"last_node_id": 1, "nodes": [{"id": 1, "type": "A"}], "links": [], "version": 0.4}
    with pytest.raises(WorkflowError, match="API"):
        from_json(ui)
