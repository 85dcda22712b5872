"""What must hold of every workflow, tried on thousands of them."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import WorkflowError
from engine.graph.build import build
from engine.graph.document import dumps, from_json, loads
from engine.graph.graph import Graph
from engine.graph.keys import Environment, compute_keys
from tests.graph.catalogue import CATALOGUE, TEXT_TO_IMAGE

HERE = Environment("2.13.0", "cpu", "fp32")
JUNK: list[Any] = [
    None, True, 0, -1, 2**64, 1e308, -0.0, "", "0", "false", "sampler", "loader.model", "\ud800", "\0", "a" * 5000,
    [], {}, [1], ["loader", 0], ["loader", -1], ["loader", 10**30], ["sampler", 0.5], {"from": "loader.model"},
    {"from": "sampler.latent"}, {"from": "save.0"}, {"from": ["x", 1]}, {"from": {}}, {"value": [1]}, {"__value__": 1},
    [{"from": "loader.0"}] * 3, {"type": "Save"}, {"class_type": "Save", "inputs": {}}, "mute", "bypass",
    "Batch", "Lora",
]  # fmt: skip
DOCUMENT: dict[str, Any] = {
    "darkroom": 1,
    "name": "x",
    "nodes": {
        **TEXT_TO_IMAGE,
        "blur": {"type": "Blur", "version": 1, "mode": "bypass", "inputs": {"image": {"from": "decode.image"}}},
        "batch": {"type": "Batch", "inputs": {"images": [{"from": "blur.image"}, {"from": "decode.image"}]}},
        "show": {"type": "Show", "title": "t", "inputs": {"thing": {"from": "batch.image"}}},
    },
    "layout": {"nodes": {"save": {"position": [1, 2]}}, "groups": [], "notes": []},
}
PROMPT: dict[str, Any] = {
    "1": {"class_type": "Load", "inputs": {"name": "emoji.safetensors"}},
    "2": {"class_type": "Empty", "inputs": {"width": 64}},
    "3": {"class_type": "Sample", "inputs": {"model": ["1", 0], "latent": ["2", 0], "seed": 3, "cfg": "7.5"}},
    "4": {"class_type": "Decode", "inputs": {"samples": ["3", 0], "vae": ["1", 2]}, "_meta": {"title": "x"}},
    "5": {"class_type": "Batch", "inputs": {"images.image0": ["4", 0], "images.image1": ["4", 0]}},
    "6": {"class_type": "Save", "inputs": {"images": ["5", 0]}},
}


def containers(value: Any) -> list[Any]:
    """All non-empty objects and lists in a JSON value, itself included."""
    found = [value]
    for each in found:
        children = each.values() if isinstance(each, dict) else each
        found.extend(child for child in children if isinstance(child, dict | list) and child)
    return found


def mutate(value: Any, draw: random.Random) -> None:
    """Change, delete, rename, copy or exchange something somewhere in a JSON value."""
    where, other = draw.choice(containers(value)), draw.choice(containers(value))
    key = draw.choice(list(where)) if isinstance(where, dict) else draw.randrange(len(where))
    match draw.randrange(5):
        case 0:
            where[key] = copy.deepcopy(draw.choice(JUNK))
        case 1:
            del where[key]
        case 2 if isinstance(where, dict):
            where[str(draw.choice([*JUNK, "steps", "images.0", "images.x", "darkroom", "nodes"]))] = where.pop(key)
        case 3:
            where[key] = copy.deepcopy(other)
        case _:
            at = draw.choice(list(other)) if isinstance(other, dict) else draw.randrange(len(other))
            where[key] = copy.deepcopy(other[at])


@pytest.mark.parametrize("document", [DOCUMENT, PROMPT], ids=["darkroom", "comfyui"])
@pytest.mark.parametrize("seed", range(4))
def test_a_mutated_workflow_is_built_or_refused_and_nothing_else(document: dict[str, Any], seed: int):
    draw = random.Random(seed)
    built = 0
    for _ in range(500):
        value = copy.deepcopy(document)
        for _ in range(draw.choice([1, 1, 2, 3, 8])):
            if value:
                mutate(value, draw)
        try:
            workflow = from_json(value)
            graph = build(workflow, CATALOGUE)
            compute_keys(graph, HERE, digest_file=lambda folder, name: name)
            assert loads(dumps(workflow)) == workflow
        except WorkflowError as error:
            assert error.problems
            json.dumps([each.to_json() for each in error.problems])
        else:
            built += 1
    assert 0 < built < 500


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary() | st.text() | st.recursive(st.sampled_from(JUNK) | st.floats(), st.lists).map(json.dumps))
def test_any_bytes_are_read_or_refused(data: bytes | str):
    try:
        loads(data)
    except WorkflowError as error:
        assert len(error.problems) >= 1


# Random graphs and their keys


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """An acyclic workflow of images that are blurred, mixed and shown."""
    nodes: dict[str, Any] = {"n0": {"type": "Any", "inputs": {"value": draw(st.integers(0, 3))}}}
    for index in range(1, draw(st.integers(2, 12))):
        links = st.integers(0, index - 1).map(lambda source: {"from": f"n{source}.0"})
        nodes[f"n{index}"] = draw(
            st.one_of(
                st.fixed_dictionaries(
                    {"type": st.just("Any"), "inputs": st.fixed_dictionaries({"value": st.integers(0, 3)})}
                ),
                st.fixed_dictionaries(
                    {
                        "type": st.just("Mix"),
                        "inputs": st.fixed_dictionaries({"thing": links, "number": st.sampled_from([1, 1.0, 2])}),
                    }
                ),
                st.fixed_dictionaries(
                    {
                        "type": st.just("Switch"),
                        "inputs": st.fixed_dictionaries({"yes": links, "no": links, "on": st.booleans()}),
                    }
                ),
            )
        )
    return {"darkroom": 1, "nodes": nodes}


def keys_of(document: dict[str, Any]) -> tuple[Graph, dict[str, str]]:
    graph = build(from_json(document), CATALOGUE, outputs=list(document["nodes"]))
    return graph, dict(compute_keys(graph, HERE).of)


@settings(max_examples=150, deadline=None)
@given(documents(), st.randoms(use_true_random=False))
def test_keys_do_not_depend_on_ids_or_order(document: dict[str, Any], draw: random.Random):
    names = [f"id{index}" for index in range(len(document["nodes"]))]
    draw.shuffle(names)
    new = dict(zip(document["nodes"], names, strict=True))

    def renamed(value: Any) -> Any:
        return {"from": f"{new[value['from'][:-2]]}.0"} if isinstance(value, dict) else value

    nodes = {
        new[id]: {
            **node,
            "inputs": {
                name: renamed(value) for name, value in draw.sample(list(node["inputs"].items()), len(node["inputs"]))
            },
        }
        for id, node in draw.sample(list(document["nodes"].items()), len(document["nodes"]))
    }
    _, before = keys_of(document)
    _, after = keys_of({"darkroom": 1, "nodes": nodes})
    assert {new[id]: key for id, key in before.items()} == after


@settings(max_examples=150, deadline=None)
@given(documents(), st.randoms(use_true_random=False))
def test_changing_a_literal_changes_the_keys_of_that_node_and_its_descendants_only(
    document: dict[str, Any], draw: random.Random
):
    literals = [
        (id, name)
        for id, node in document["nodes"].items()
        for name, value in node["inputs"].items()
        if not isinstance(value, dict)
    ]
    id, name = draw.choice(literals)
    changed = copy.deepcopy(document)
    value = changed["nodes"][id]["inputs"][name]
    changed["nodes"][id]["inputs"][name] = not value if isinstance(value, bool) else value + 10
    graph, before = keys_of(document)
    _, after = keys_of(changed)
    affected = {id}
    for node in graph.nodes.values():
        if any(source.node in affected for source in node.links.values()):
            affected.add(node.id)
    assert {each for each in before if before[each] != after[each]} == affected


@settings(max_examples=150, deadline=None)
@given(documents())
def test_equal_keys_mean_equal_computations(document: dict[str, Any]):
    """A second, naive notion of sameness: the whole expression below a node, written out."""
    graph, keys = keys_of(document)
    expressions: dict[str, str] = {}
    for node in graph.nodes.values():
        links = sorted((name, expressions[source.node], source.output) for name, source in node.links.items())
        expressions[node.id] = repr((node.schema.name, sorted(node.literals.items()), links))
    for one in keys:
        for two in keys:
            assert (keys[one] == keys[two]) == (expressions[one] == expressions[two])
