"""Settings: inputs to set in a document before it runs, by `node.input`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import cast

from pydantic import JsonValue

from engine.errors import WorkflowError
from engine.graph.workflow import Workflow, no_such_node, with_input, write_input


def split_setting(name: str, nodes: Collection[str]) -> tuple[str, str] | None:
    """The node and the input that `node.input` means; None when there is no such node.

    Ids of other programs' workflows may have dots, and so may the names of inputs that grow, so the nodes decide where
    the one ends. Of two readings the shorter id counts.
    """
    dot = name.find(".")
    while dot > 0:
        if name[:dot] in nodes and dot + 1 < len(name):
            return name[:dot], name[dot + 1 :]
        dot = name.find(".", dot + 1)
    return None


def set_inputs(workflow: Workflow, settings: Mapping[str, JsonValue]) -> Workflow:
    """The workflow with these literals in it. Whether they fit is for `build` to say.

    Raises:
        WorkflowError: `no_such_node` for each setting of a node that there is not.
    """
    found = {name: split_setting(name, workflow.nodes) for name in settings}
    unknown = [
        no_such_node(name.rpartition(".")[0] or name, workflow.nodes) for name, place in found.items() if not place
    ]
    if unknown:
        raise WorkflowError(unknown)
    for name, place in found.items():
        if place:
            workflow = with_input(workflow, *place, settings[name])
    return workflow


def with_settings(document: JsonValue, settings: Mapping[str, JsonValue]) -> JsonValue:
    """A stored document with settings in it that fitted when they were stored."""
    if not settings:
        return document
    whole = cast("dict[str, JsonValue]", document)
    nodes = dict(cast("dict[str, dict[str, JsonValue]]", whole["nodes"]))
    for name, value in settings.items():
        place = split_setting(name, nodes)
        assert place is not None, f"{name} was checked when the job was submitted"
        node, input = place
        inputs = cast("dict[str, JsonValue]", nodes[node].get("inputs") or {})
        nodes[node] = {**nodes[node], "inputs": {**inputs, input: write_input(value)}}
    return {**whole, "nodes": cast(JsonValue, nodes)}
