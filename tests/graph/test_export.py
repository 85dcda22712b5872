from __future__ import annotations

from typing import Any

from pydantic import JsonValue

from engine.errors import Problem
from engine.graph.build import build
from engine.graph.document import from_json
from engine.graph.export import export_prompt
from engine.graph.keys import Environment, compute_keys
from engine.graph.workflow import Workflow
from tests.graph.catalogue import CATALOGUE, TEXT_TO_IMAGE, with_inputs, workflow
from tests.graph.test_subgraphs import TWO


def exported(document: Workflow) -> dict[str, Any]:
    prompt, found = export_prompt(document, CATALOGUE)
    assert found == []
    return prompt


def codes(found: list[Problem]) -> list[tuple[str, str | None, str | None]]:
    return [(each.code, each.node, each.input) for each in found]


def keys(document: Workflow) -> set[str]:
    graph = build(document, CATALOGUE)
    return set(compute_keys(graph, Environment("", "", ""), digest_file=lambda folder, name: name).of.values())


def test_the_exported_prompt_means_the_same_and_is_named_as_comfyui_does():
    prompt = exported(workflow())
    assert prompt["sampler"] == {
        "class_type": "KSampler",
        "inputs": {
            "model": ["loader", 0],
            "latent": ["empty", 0],
            **{"seed": 3, "steps": 20, "cfg": 7.5, "sampler": "euler", "noise": True},
        },
        "_meta": {"title": "Sample"},
    }
    assert keys(from_json(prompt)) == keys(workflow())


def test_subgraphs_are_taken_apart():
    prompt = exported(from_json(TWO))
    assert prompt["one:sampler"]["inputs"]["seed"] == 7
    assert prompt["save"]["inputs"]["images"] == ["one:decode", 0]
    assert keys(from_json(prompt)) == keys(from_json(TWO))


def test_muted_and_bypassed_nodes_are_resolved():
    blur = {"type": "Blur", "mode": "bypass", "inputs": {"image": {"from": "decode.image"}}}
    show = {"type": "Show", "mode": "mute", "inputs": {"thing": {"from": "blur.image"}}}
    nodes: Any = {**with_inputs("save", images={"from": "blur.image"}), "blur": blur, "show": show}
    prompt = exported(workflow(nodes))
    assert prompt["save"]["inputs"]["images"] == ["decode", 0]
    assert not {"blur", "show"} & set(prompt)


def test_literals_that_look_like_links_are_wrapped_and_rows_are_spread():
    nodes: Any = {
        **TEXT_TO_IMAGE,
        "any": {"type": "Any", "title": "Numbers", "inputs": {"value": {"value": [1, 2]}}},
        "batch": {"type": "Batch", "inputs": {"images": [{"from": "decode.image"}, {"from": "decode.0"}]}},
        "save": {"type": "Save", "inputs": {"images": {"from": "batch.image"}}},
        "show": {"type": "Show", "inputs": {"thing": {"from": "any.0"}}},
    }
    prompt = exported(workflow(nodes))
    assert prompt["any"] == {
        "class_type": "Any",
        "inputs": {"value": {"__value__": [1, 2]}},
        "_meta": {"title": "Numbers"},
    }
    assert prompt["batch"]["inputs"] == {"images.0": ["decode", 0], "images.1": ["decode", 0]}
    assert keys(from_json(prompt)) == keys(workflow(nodes))


def test_unknown_nodes_are_passed_on_as_they_are():
    strange: JsonValue = {"type": "FaceFixer", "inputs": {"image": {"from": "decode.0"}, "strength": 0.5, "on": None}}
    nodes: Any = {**with_inputs("save", images={"from": "fixer.1"}), "fixer": strange}
    prompt = exported(workflow(nodes))
    assert prompt["fixer"] == {"class_type": "FaceFixer", "inputs": {"strength": 0.5, "image": ["decode", 0]}}
    assert prompt["save"]["inputs"]["images"] == ["fixer", 1]


def test_what_is_wrong_is_told_and_the_rest_is_written():
    nodes: Any = {
        **with_inputs("sampler", steps=-1, latent={"from": "nowhere.latent"}),
        "again": {"type": "subgraph:missing"},
    }
    prompt, found = export_prompt(workflow(nodes), CATALOGUE)
    assert ("dangling_link", "sampler", "latent") in codes(found)
    assert ("unknown_subgraph", "again", None) in codes(found)
    assert ("value_out_of_range", "sampler", "steps") in codes(found)
    assert prompt["sampler"]["inputs"]["steps"] == -1
    assert "latent" not in prompt["sampler"]["inputs"]
    assert set(prompt) == set(TEXT_TO_IMAGE)
