"""A graph written as ComfyUI's API format."""

from __future__ import annotations

from engine.graph.document import from_json
from engine.graph.graph import Graph, GraphNode, Source
from engine.graph.prompt import to_prompt
from engine.graph.workflow import Link
from engine.node.schema import NodeSchema

SCHEMA = NodeSchema(name="Join", title="Join", version=1, category="", help="", inputs=(), outputs=())


def test_a_graph_is_written_with_links_by_slot_and_read_again() -> None:
    first = GraphNode("first", SCHEMA, {"text": "a", "sizes": [1, 2], "on": None}, {})
    second = GraphNode("second", SCHEMA, {"seed": 2**64 - 1}, {"images.0": Source("first", 1)})
    prompt = to_prompt(Graph({"first": first, "second": second}, ("second",)))
    assert prompt == {
        "first": {"class_type": "Join", "inputs": {"text": "a", "sizes": {"__value__": [1, 2]}, "on": None}},
        "second": {"class_type": "Join", "inputs": {"seed": 2**64 - 1, "images.0": ["first", 1]}},
    }
    again = from_json(dict(prompt))
    assert again.nodes["first"].inputs["sizes"] == [1, 2]
    assert again.nodes["second"].inputs["images.0"] == Link("first", 1)
