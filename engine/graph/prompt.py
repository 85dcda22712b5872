"""A graph as ComfyUI's API format: what is written into a picture, so that either program can run it again."""

from __future__ import annotations

from pydantic import JsonValue

from engine.graph.graph import Graph


def to_prompt(graph: Graph) -> dict[str, JsonValue]:
    """Every node that runs, with all its inputs: `id -> {"class_type": ..., "inputs": {name: literal or [id, slot]}}`.

    A list that is a literal is wrapped, `{"__value__": [...]}`, since a bare one would be read as a link.
    """
    prompt: dict[str, JsonValue] = {}
    for id, node in graph.nodes.items():
        inputs: dict[str, JsonValue] = {name: as_literal(value) for name, value in node.literals.items()}
        inputs |= {name: [source.node, source.output] for name, source in node.links.items()}
        prompt[id] = {"class_type": node.schema.name, "inputs": inputs}
    return prompt


def as_literal(value: JsonValue) -> JsonValue:
    """A literal as it is written: wrapped where it would be read as something else, a list as a link, a wrapping itself
    as what is inside.
    """
    wrapped = isinstance(value, list) or (isinstance(value, dict) and "__value__" in value)
    return {"__value__": value} if wrapped else value
