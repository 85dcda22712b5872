"""Pictures of A1111's web UI: their settings become a graph, and what has no place in it is said."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from engine.errors import Problem
from engine.graph.a1111 import read_parameters
from engine.graph.build import build
from engine.graph.document import from_json, loads
from engine.node.catalogue import Catalogue
from engine.node.registry import Registry

PARAMETERS = """a red apple, (shiny:1.2),
on a table
Negative prompt: blurry,
low quality
Steps: 25, Sampler: DPM++ 2M Karras, CFG scale: 6.5, Seed: 18446744073709551615, Size: 512x768, \
Model hash: 6ce0161689, Model: v1-5-pruned, Version: v1.6.0"""


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Registry.open((), installed=False).catalogue


def read(text: str) -> tuple[dict[str, Any], list[Problem]]:
    document, problems = read_parameters(text)
    nodes: Any = document["nodes"]
    return {id: node["inputs"] for id, node in nodes.items()}, problems


def test_the_settings_become_a_graph(catalogue: Catalogue) -> None:
    nodes, problems = read(PARAMETERS)
    assert problems == []
    assert nodes["prompt"]["text"] == "a red apple, (shiny:1.2),\non a table"
    assert nodes["negative"]["text"] == "blurry,\nlow quality"
    assert nodes["model"]["ckpt_name"] == "v1-5-pruned.safetensors"
    assert (nodes["canvas"]["width"], nodes["canvas"]["height"]) == (512, 768)
    sampler = {name: value for name, value in nodes["sampler"].items() if not isinstance(value, dict)}
    assert sampler == {
        "seed": 18446744073709551615,
        "steps": 25,
        "cfg": 6.5,
        "sampler_name": "dpmpp_2m",
        "scheduler": "karras",
    }
    graph = build(from_json(read_parameters(PARAMETERS)[0]), catalogue)
    assert graph.outputs == ["save"] or tuple(graph.outputs) == ("save",)


def test_the_schedule_may_be_a_setting_of_its_own() -> None:
    nodes, problems = read("apple\nSteps: 20, Sampler: Euler a, Schedule type: SGM Uniform, CFG scale: 7, Model: m")
    assert problems == []
    assert (nodes["sampler"]["sampler_name"], nodes["sampler"]["scheduler"]) == ("euler_ancestral", "sgm_uniform")
    assert nodes["negative"]["text"] == ""


def test_loras_are_chained_and_leave_the_prompt(catalogue: Catalogue) -> None:
    text = "apple <lora:shine:0.7> <lora:ink>\nSteps: 1, Sampler: Euler, CFG scale: 7, Seed: 1, Model: m"
    nodes, problems = read(text)
    assert problems == []
    assert nodes["prompt"] == {"clip": {"from": "lora_2.clip"}, "text": "apple"}
    assert nodes["lora_1"]["strength_model"] == 0.7
    assert nodes["lora_2"]["model"] == {"from": "lora_1.model"}
    assert nodes["sampler"]["model"] == {"from": "lora_2.model"}
    build(from_json(read_parameters(text)[0]), catalogue)


def test_what_was_not_understood_is_said() -> None:
    text = (
        "[apple:pear:0.5] BREAK sky\n"
        'Steps: 20, Sampler: UniPC, Schedule type: Turbo, Size: 513x512, Hires upscaler: "Latent, fine", Clip skip: 2'
    )
    nodes, problems = read(text)
    said = " ".join(problem.message for problem in problems)
    for words in ("UniPC", "Turbo", "513x512 became 512x512", "Latent, fine", "Clip skip: 2", "brackets", "BREAK"):
        assert words in said
    assert nodes["sampler"]["sampler_name"] == "euler"
    assert any(problem.node == "model" and problem.input == "ckpt_name" for problem in problems)


def test_a_prompt_alone_is_a_prompt() -> None:
    nodes, _ = read("a note: with a colon")
    assert nodes["prompt"]["text"] == "a note: with a colon"
    nodes, _ = read("Negative prompt: rain")
    assert (nodes["prompt"]["text"], nodes["negative"]["text"]) == ("", "rain")


def test_such_a_picture_opens_as_a_graph() -> None:
    data, about = io.BytesIO(), PngInfo()
    about.add_text("parameters", PARAMETERS)
    Image.new("RGB", (8, 8)).save(data, "PNG", pnginfo=about)
    told: list[Problem] = []
    workflow = loads(data.getvalue(), notice=told.append)
    assert workflow.nodes["sampler"].inputs["steps"] == 25
    assert told == []


@given(st.text(), st.text(alphabet=st.sampled_from('Steps: ,"\\-1e9x[]<lora:>\nSizeSd'), max_size=200))
def test_whatever_it_says_is_a_document_or_words(catalogue: Catalogue, one: str, other: str) -> None:
    document, _ = read_parameters(f"{one}\n{other}")
    nodes: Any = from_json(document).nodes
    assert nodes["sampler"].type == "KSampler"
