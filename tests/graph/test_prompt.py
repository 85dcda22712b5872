from __future__ import annotations

from typing import Any

from engine.graph.build import build
from engine.graph.document import from_json
from engine.graph.prompt import to_prompt
from tests.graph.catalogue import CATALOGUE, graph


def node(type: str, **inputs: Any) -> dict[str, Any]:
    return {"type": type, "inputs": inputs}


def test_a_graph_written_as_a_prompt_builds_the_same_graph():
    built = graph(
        blur=node("Blur", image={"from": "decode.image"}),
        batch=node("Batch", images=[{"from": "blur.image"}, {"from": "decode.image"}]),
        list=node("Any", value={"value": [1, [2]]}),
        object=node("Any", value={"value": {"a": 1.0}}),
        wrapped=node("Any", value={"value": {"__value__": 1}}),
        show=node("Show", thing={"from": "batch.image"}),
        show1=node("Show", thing={"from": "list.0"}),
        show2=node("Show", thing={"from": "object.0"}),
        show3=node("Show", thing={"from": "wrapped.0"}),
    )
    prompt = to_prompt(built)
    assert prompt["sampler"] == {
        "class_type": "Sample",
        "inputs": {
            "seed": 3,
            "cfg": 7.5,
            "steps": 20,
            "sampler": "euler",
            "noise": True,
            "model": ["loader", 0],
            "latent": ["empty", 0],
        },
    }
    again = build(from_json(prompt), CATALOGUE)
    assert again.nodes == built.nodes
    assert set(again.outputs) == set(built.outputs)
