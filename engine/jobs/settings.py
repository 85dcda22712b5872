"""Settings: inputs to set in a document before it runs, by `node.input` or, in an instance, `outer:inner.input`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

from pydantic import JsonValue

from engine.errors import WorkflowError
from engine.graph.workflow import Workflow, no_such_node, subgraph_key, with_input, write_input

TypeOf = Callable[[str], str | None]
"""The type of the node of an id; None when there is no such node."""


def split_setting(name: str, type_of: TypeOf) -> tuple[str, str] | None:
    """The document's own node that a setting is for, and its input there; None when there is no such node.

    Ids of other programs' workflows may have dots, and so may the names of inputs that grow, so the nodes decide where
    the one ends. Of two readings the shorter id counts. `outer:inner.input` is the input `inner.input` of `outer`.
    """
    for index, character in enumerate(name):
        node, rest = name[:index], name[index + 1 :]
        if character == "." and rest and type_of(node) is not None:
            return node, rest
        if character == ":" and "." in rest and subgraph_key(type_of(node) or "") is not None:
            return node, rest
    return None


def place_in(workflow: Workflow, name: str) -> tuple[str, str] | None:
    """`split_setting` for a workflow."""

    def type_of(id: str) -> str | None:
        node = workflow.nodes.get(id)
        return None if node is None else node.type

    return split_setting(name, type_of)


def set_inputs(workflow: Workflow, settings: Mapping[str, JsonValue]) -> Workflow:
    """The workflow with these literals in it. Whether they fit is for `build` to say.

    Raises:
        WorkflowError: `no_such_node` for each setting of a node that there is not.
    """
    found = {name: place_in(workflow, name) for name in settings}
    unknown = [name for name, place in found.items() if place is None]
    if unknown:
        raise WorkflowError([no_such_node(name.rpartition(".")[0] or name, workflow.nodes) for name in unknown])
    for name, place in found.items():
        if place is not None:
            workflow = with_input(workflow, *place, settings[name])
    return workflow


def with_settings(document: JsonValue, settings: Mapping[str, JsonValue]) -> JsonValue:
    """A stored document with the settings in it that fitted when both were stored: as `set_inputs`, without reading
    the document as a workflow, which takes a hundred times as long."""
    if not settings:
        return document
    whole = cast("dict[str, JsonValue]", document)
    nodes = dict(cast("dict[str, dict[str, JsonValue]]", whole["nodes"]))

    def type_of(id: str) -> str | None:
        return cast(str, nodes[id]["type"]) if id in nodes else None

    for name, value in settings.items():
        place = split_setting(name, type_of)
        assert place is not None, f"{name} was checked when the job was submitted"
        node, input = place
        inputs = cast("dict[str, JsonValue]", nodes[node].get("inputs") or {})
        nodes[node] = {**nodes[node], "inputs": {**inputs, input: write_input(value)}}
    return {**whole, "nodes": cast(JsonValue, nodes)}
