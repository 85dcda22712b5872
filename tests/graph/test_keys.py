from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from pydantic import JsonValue

from engine.errors import FileProblem, WorkflowError
from engine.graph.build import build
from engine.graph.graph import Graph, GraphNode
from engine.graph.keys import Environment, compute_keys, first_difference
from tests.graph.catalogue import (
    CATALOGUE,
    TEXT_TO_IMAGE,
    Schemas,
    edited,
    graph,
    linked,
    problems,
    schema,
    with_inputs,
    workflow,
)

HERE = Environment(torch="2.13.0", device="cpu", precision="fp32")
CONTENT = {("checkpoints", "emoji.safetensors"): "d1gest", ("checkpoints", "copy.safetensors"): "d1gest"}


def digest_file(folder: str, name: str) -> str:
    try:
        return CONTENT[folder, name]
    except KeyError:
        raise FileProblem(f"There is no file '{name}'.") from None


def keys(built: Graph, environment: Environment = HERE, **more: Any):
    return compute_keys(built, environment, **{"digest_file": digest_file, **more})


def changed(one: Graph, two: Graph) -> set[str]:
    """The nodes whose keys differ."""
    before, after = keys(one).of, keys(two).of
    return {id for id in before if before[id] != after[id]}


def test_keys_are_the_same_in_another_process_and_release():
    # A change of this value means that everybody's caches are void: raise KEY_FORMAT and say so.
    assert keys(graph()).of["empty"] == "6f6c6f7382ccc2e747cacac69d3ecf4fbe5211a7"


def test_node_ids_and_order_play_no_part():
    renamed: dict[str, Any] = {
        "v": {"type": "Save", "inputs": {"images": {"from": "w.0"}}},
        "w": {"type": "Decode", "inputs": {"vae": {"from": "z.2"}, "samples": {"from": "x.0"}}},
        "x": {
            "type": "KSampler",
            "inputs": {"cfg": "7.5", "seed": 3.0, "latent": {"from": "y.0"}, "model": {"from": "z.0"}},
        },
        "y": {"type": "Empty"},
        "z": {"type": "Load", "inputs": {"name": "emoji.safetensors"}},
    }
    one, two = keys(graph()).of, keys(graph(renamed)).of
    assert [one[id] for id in ("save", "decode", "sampler", "empty", "loader")] == [two[id] for id in "vwxyz"]


def test_equal_nodes_have_equal_keys():
    two: Any = {"type": "Empty", "inputs": {}}
    built = graph({**TEXT_TO_IMAGE, "empty2": two, "show": {"type": "Show", "inputs": {"thing": {"from": "empty2.0"}}}})
    assert keys(built).of["empty"] == keys(built).of["empty2"]


def test_changing_the_seed_changes_what_follows_only():
    assert changed(graph(), graph(with_inputs("sampler", seed=4))) == {"sampler", "decode", "save"}
    assert changed(graph(), graph(with_inputs("save", prefix="y"))) == {"save"}


def test_linking_another_output_changes_the_key():
    def of(output: str) -> str:
        show = {"type": "Show", "inputs": {"thing": {"from": f"loader.{output}"}}}
        return keys(graph({"loader": TEXT_TO_IMAGE["loader"], "show": show})).of["show"]

    assert len({of("model"), of("clip"), of("vae")}) == 3


@pytest.mark.parametrize(
    "values", [[1, 1.0, True, "1", "1.0", "true"], [0, 0.0, -0.0, False, "", {}], [{"a": 1}, {"a": 1.0}, {"b": 1}]]
)
def test_values_that_python_calls_equal_have_different_keys(values: list[JsonValue]):
    node = graph(
        {
            "any": {"type": "Any", "inputs": {"value": 0}},
            "show": {"type": "Show", "inputs": {"thing": {"from": "any.0"}}},
        }
    )
    built = [Graph({"any": replace(node.nodes["any"], literals={"value": value})}, ("any",)) for value in values]
    assert len({keys(each).of["any"] for each in built}) == len(values)


def test_the_order_of_an_objects_keys_does_not_matter():
    def of(value: JsonValue) -> str:
        any: Any = {"type": "Any", "inputs": {"value": {"value": value}}}
        return keys(graph({"any": any, "show": {"type": "Show", "inputs": {"thing": {"from": "any.0"}}}})).of["any"]

    assert of({"a": 1, "b": {"c": 2, "d": 3}}) == of({"b": {"d": 3, "c": 2}, "a": 1})
    assert of([1, 2]) != of([2, 1])


def test_a_literal_and_a_link_cannot_be_confused():
    literal = graph(
        {
            "mix": {"type": "Switch", "inputs": {"yes": {"from": "a.0"}, "no": {"from": "a.0"}, "on": True}},
            "a": {"type": "Any", "inputs": {"value": True}},
            "show": {"type": "Show", "inputs": {"thing": {"from": "mix.0"}}},
        }
    )
    link = graph(
        {
            "mix": {"type": "Switch", "inputs": {"yes": {"from": "a.0"}, "no": {"from": "a.0"}, "on": {"from": "a.0"}}},
            "a": {"type": "Any", "inputs": {"value": True}},
            "show": {"type": "Show", "inputs": {"thing": {"from": "mix.0"}}},
        }
    )
    assert changed(literal, link) == {"mix", "show"}


@pytest.mark.parametrize("part", [{"code": "new"}, {"version": 2}, {"name": "Empty2"}])
def test_code_version_and_type_are_in_the_key(part: dict[str, Any]):
    one = graph()
    empty = one.nodes["empty"]
    two = Graph({**one.nodes, "empty": replace(empty, schema=empty.schema.model_copy(update=part))}, one.outputs)
    assert changed(one, two) == {"empty", "sampler", "decode", "save"}


@pytest.mark.parametrize("part", [{"torch": "3"}, {"device": "cuda"}, {"precision": "fp16"}])
def test_the_environment_is_in_every_key(part: dict[str, str]):
    one, two = keys(graph()).of, keys(graph(), replace(HERE, **part)).of
    assert all(one[id] != two[id] for id in one)


def test_the_output_folder_is_in_the_keys_of_outputs_only():
    one, two = keys(graph(), output_folder="a").of, keys(graph(), output_folder="b").of
    assert {id for id in one if one[id] != two[id]} == {"save"}


def test_a_files_content_is_in_the_key():
    def other(folder: str, name: str) -> str:
        return "another"

    one, two = keys(graph()).of, keys(graph(), digest_file=other).of
    assert {id for id in one if one[id] != two[id]} == {"loader", "sampler", "decode", "save"}


def test_missing_files_are_all_reported_with_node_and_input():
    second = {"type": "Load", "inputs": {"name": "gone.safetensors"}}
    built = graph(
        with_inputs("loader", name="lost.safetensors"),
        other=second,
        show={"type": "Show", "inputs": {"thing": {"from": "other.0"}}},
    )
    with pytest.raises(WorkflowError) as caught:
        keys(built)
    assert set(problems(caught.value)) == {("file_problem", "loader", "name"), ("file_problem", "other", "name")}


CLOCK: dict[str, Any] = {"clock": {"type": "Clock"}, "show": {"type": "Show", "inputs": {"thing": {"from": "clock.0"}}}}


def test_a_fingerprint_is_in_the_key_and_nan_never_repeats():
    def of(said: JsonValue) -> str:
        return keys(graph(CLOCK), fingerprint=lambda node: said).of["clock"]

    assert of("noon") == of("noon")
    assert len({of("noon"), of(1), of(1.0), of(None), of({"a": 1})}) == 5
    assert of(math.nan) != of(math.nan)


def test_a_fingerprint_that_fails_is_a_problem_of_its_node():
    def fail(node: GraphNode) -> JsonValue:
        raise OSError("no clock")

    def junk(node: GraphNode) -> Any:
        return object()

    for fingerprint in (fail, junk):
        with pytest.raises(WorkflowError) as caught:
            keys(graph(CLOCK), fingerprint=fingerprint)
        assert problems(caught.value) == [("fingerprint_failed", "clock", None)]


def test_a_graph_that_a_node_expands_to_uses_the_outer_keys():
    outer, same = graph(), graph(with_inputs("sampler", seed=4))
    inner = {"blur": {"type": "Blur", "inputs": {"image": {"from": "decode.image"}}}}

    def of(around: Graph) -> str:
        built = build(workflow(inner), CATALOGUE, outputs=["blur"], outer=around)
        return keys(built, outer=keys(around).of).of["blur"]

    assert of(outer) == of(graph())
    assert of(outer) != of(same)


# Why a node would run again


def why(before: Graph, after: Graph, node: str = "save", **more: Any) -> str | None:
    old, new = keys(before), keys(after, **more)
    difference = first_difference(lambda id: old.explain(id) if id in before.nodes else None, new.explain, node)
    return None if difference is None else str(difference)


def test_the_first_part_that_changed_is_found_upstream():
    assert why(graph(), graph()) is None
    assert why(graph(), graph(with_inputs("sampler", seed=4))) == "sampler: input seed was 3, now 4"
    assert why(graph(), graph(with_inputs("save", prefix="y"))) == 'save: input prefix was "out", now "y"'
    other = graph(
        with_inputs("decode", vae={"from": "l2.vae"}), l2={"type": "Load", "inputs": {"name": "copy.safetensors"}}
    )
    assert why(graph(), other) == 'l2: input name was "emoji.safetensors", now "copy.safetensors"'
    blurred = graph(
        with_inputs("save", images={"from": "blur.image"}),
        blur={"type": "Blur", "inputs": {"image": {"from": "decode.image"}}},
    )
    assert why(graph(), blurred) == "blur: type was Decode version 1, now Blur version 1"
    assert why(graph(), graph(), digest_file=lambda folder, name: "new") == "loader: file name was d1gest, now new"
    assert why(graph(), graph(), output_folder="b") == "save: output folder was empty, now b"


def test_a_link_that_came_or_went_or_moved_is_a_difference():
    masked = graph(with_inputs("sampler", mask={"from": "any.0"}), any={"type": "Any", "inputs": {"value": 1}})
    assert why(graph(), masked) == "sampler: link mask is new: any.0"
    assert why(masked, graph()) == "sampler: link mask is gone: was any.0"
    schemas = Schemas(
        [schema("Two", [], "IMAGE", "MASK"), schema("See", [linked("x", "*"), edited("n", "INT", 1)], output=True)]
    )

    def of(output: str) -> Graph:
        return build(
            workflow({"two": {"type": "Two"}, "see": {"type": "See", "inputs": {"x": {"from": f"two.{output}"}}}}),
            schemas,
        )

    assert why(of("image"), of("mask"), "see") == "see: link x was two.0, now two.1"


def test_a_node_without_a_record_was_never_computed():
    difference = first_difference(lambda id: None, keys(graph()).explain, "save")
    assert str(difference) == "save: result is new: never computed"
