"""The workflow document: one format for the editor and for headless runs.

    {
      "darkroom": 1,
      "name": "text to image",
      "nodes": {
        "loader":  {"type": "LoadCheckpoint", "version": 1, "inputs": {"name": "emoji.safetensors"}},
        "sampler": {"type": "KSampler", "version": 1, "inputs": {"steps": 20, "model": {"from": "loader.model"}}},
        "row":     {"type": "Batch", "inputs": {"images": [{"from": "first.image"}, {"from": "second.image"}]}}
      },
      "layout": {"nodes": {"loader": {"position": [0, 0]}}}
    }

An input's value is one of four things, told apart by shape alone, so that no file needs a catalogue to be read:

- a string, number, true, false or null: that literal;
- `{"from": "node.output"}`: a link (an output may also be given by its index, `"node.0"`; for ids with dots or spaces,
  as other programs make them, there is the long form `{"from": ["node", "output"]}`);
- a list of links: an input that grows;
- `{"value": ...}`: a literal object or list, wrapped so that it is never mistaken for a link.

`layout` holds what only the editor needs and may be absent. Unknown keys are kept, wherever a newer version adds them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar, cast

from pydantic import Field, JsonValue, PlainSerializer, PlainValidator, WithJsonSchema

from engine.errors import Problem, WorkflowError
from engine.graph.layout import Form, Layout, Part
from engine.graph.wording import either, nearest, shorten

T = TypeVar("T")

FORMAT = 1
NODE_ID = re.compile(r"[A-Za-z0-9_:-]+", re.ASCII)
SUBGRAPH = "subgraph:"
"""What the type of an instance of a subgraph begins with; the subgraph's key follows."""
Mode = Literal["run", "mute", "bypass"]
"""`mute`: as if the node were not there. `bypass`: what comes in goes out, matched by type."""


@dataclass(frozen=True, slots=True)
class Link:
    """Where an input's value comes from: an output of another node, by name or index."""

    node: str
    output: str | int

    def __str__(self) -> str:
        return f"{self.node}.{self.output}"


InputValue = JsonValue | Link | tuple[Link, ...]
"""A literal, a link, or the links of an input that grows. A list is always a literal, a tuple always links."""


def read_input(raw: object) -> InputValue:
    """Read an input's value as it stands in a file.

    Raises:
        ValueError: with a sentence for the user.
    """
    match raw:
        case None | str() | bool() | int() | float() | Link():
            return raw
        case list() | tuple():
            return tuple(_read_link(each) for each in cast("list[object]", raw))
        case dict():
            item = cast("dict[str, object]", raw)
            if "value" in item:
                return _only_key(item, cast(JsonValue, item["value"]))
            if "from" in item:
                return _read_link(item)
            raise ValueError('an object must be {"from": "node.output"} for a link or {"value": ...} for a literal')
        case _:
            raise ValueError(f"a {type(raw).__name__} cannot be written in a workflow")


def all_links(value: InputValue) -> tuple[Link, ...]:
    """The links in an input's value; a literal has none."""
    return (value,) if isinstance(value, Link) else value if isinstance(value, tuple) else ()


def write_input(value: InputValue) -> JsonValue:
    """Write an input's value as it stands in a file; the inverse of `read_input`."""
    match value:
        case Link(node, output):
            return {"from": str(value) if NODE_ID.fullmatch(node) else [node, output]}
        case tuple():
            return [write_input(each) for each in value]
        case dict() | list():
            return {"value": value}
        case _:
            return value


def _read_link(raw: object) -> Link:
    match raw:
        case Link():
            return raw
        case {"from": str(text)}:
            node, _, output = text.partition(".")
            if not output or not NODE_ID.fullmatch(node):
                raise ValueError(f"the link '{shorten(text)}' must read 'node.output'")
            return _only_key(raw, Link(node, read_output(output)))
        case {"from": [str(node), str(output)]}:
            return _only_key(raw, Link(node, read_output(output)))
        case {"from": [str(node), int(output)]} if not isinstance(output, bool):
            return _only_key(raw, Link(node, output))
        case dict():
            raise ValueError('a link must read {"from": "node.output"}')
        case _:
            raise ValueError(
                'a list must hold links, each {"from": "node.output"}; a literal list is written {"value": [...]}'
            )


def _only_key(raw: object, value: T) -> T:
    if isinstance(raw, dict) and len(cast("dict[str, object]", raw)) > 1:
        raise ValueError("a link or a wrapped literal has one key, `from` or `value`, and no others")
    return value


def read_output(text: str) -> str | int:
    """An output's index where it is written in digits, else its name."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else text


_LINK_SCHEMA: dict[str, JsonValue] = {
    "type": "object",
    "properties": {
        "from": {
            "anyOf": [
                {"type": "string"},
                {"type": "array", "prefixItems": [{"type": "string"}, {"type": ["string", "integer"]}]},
            ]
        }
    },
    "required": ["from"],
    "additionalProperties": False,
}
_INPUT_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": ["string", "number", "boolean", "null"]},
        _LINK_SCHEMA,
        {"type": "array", "items": _LINK_SCHEMA},
        {"type": "object", "properties": {"value": {}}, "required": ["value"], "additionalProperties": False},
    ]
}

_Input = Annotated[
    InputValue,
    PlainValidator(read_input),
    PlainSerializer(write_input, when_used="always"),
    WithJsonSchema(_INPUT_SCHEMA),
]


class WorkflowNode(Part):
    """One node of a workflow.

    `version` is that of the node type it was written for; None is the present one. `frozen` is the cache key of a
    result to use for as long as it is there, whatever the inputs say now.
    """

    type: Annotated[str, Field(min_length=1)]
    version: Annotated[int, Field(ge=1)] | None = None
    title: str | None = None
    mode: Mode = "run"
    inputs: dict[str, _Input] = Field(default_factory=dict[str, InputValue])
    frozen: Annotated[str, Field(min_length=1)] | None = None


class SubgraphInput(Part):
    """An input of a subgraph and the inputs of inner nodes (`"node.input"`) that take its value."""

    name: Annotated[str, Field(min_length=1)]
    to: list[str] = Field(default_factory=list[str])


class SubgraphOutput(Part):
    """An output of a subgraph and the output of an inner node (`"node.output"`) that it is."""

    name: Annotated[str, Field(min_length=1)]
    source: Annotated[str, Field(alias="from")]


class Subgraph(Part):
    """Nodes that are used as one. A node of type `subgraph:<key>` is an instance; see `engine.graph.subgraphs`."""

    name: str | None = None
    nodes: dict[str, WorkflowNode] = Field(default_factory=dict[str, WorkflowNode])
    layout: Layout | None = None
    inputs: list[SubgraphInput] = Field(default_factory=list[SubgraphInput])
    outputs: list[SubgraphOutput] = Field(default_factory=list[SubgraphOutput])


class Workflow(Part):
    """A whole document.

    `origin` is `comfyui` for one that came in ComfyUI's API format: any node id is allowed, and undeclared literals
    (such as the `upload` of its LoadImage) are dropped.
    """

    darkroom: Literal[1] = FORMAT
    name: str | None = None
    description: str | None = None
    origin: Literal["darkroom", "comfyui"] = "darkroom"
    nodes: dict[str, WorkflowNode]
    layout: Layout | None = None
    subgraphs: dict[str, Subgraph] = Field(default_factory=dict[str, Subgraph])
    form: Form | None = None


def subgraph_key(node_type: str) -> str | None:
    """The key of the subgraph that a node of this type is an instance of; None for any other type."""
    return node_type.removeprefix(SUBGRAPH) if node_type.startswith(SUBGRAPH) else None


def find_node(workflow: Workflow, id: str) -> tuple[str, str, WorkflowNode] | None:
    """Find a node by its id or, inside of instances, by its path `outer:inner`.

    Returns:
        The id of the document's own node that it is or is inside of, the path from there ("" if it is that one), and
        the node itself; None if there is none.
    """
    nodes, inner = workflow.nodes, id
    outer: str | None = None
    while (node := nodes.get(inner)) is None:
        head = _instance_before(nodes, inner)
        definition = None if head is None else workflow.subgraphs.get(nodes[head].type.removeprefix(SUBGRAPH))
        if head is None or definition is None:
            return None
        nodes, inner = definition.nodes, inner[len(head) + 1 :]
        outer = head if outer is None else outer
    return (id, "", node) if outer is None else (outer, id[len(outer) + 1 :], node)


def _instance_before(nodes: dict[str, WorkflowNode], path: str) -> str | None:
    """The id of the instance that a path begins with; ids may hold colons themselves."""
    heads = (path[:index] for index, character in enumerate(path) if character == ":")
    return next((head for head in heads if head in nodes and subgraph_key(nodes[head].type) is not None), None)


def with_input(workflow: Workflow, node: str, input: str, value: JsonValue) -> Workflow:
    """Return the workflow with one input set to a literal. Whether it fits is for `build` to say.

    Text is enough for any kind of input (`"20"` for a number, `"false"` for a switch): `build` reads it by the schema.

    Args:
        node: an id, or the path `outer:inner` of a node inside of an instance, which is set for that instance alone.

    Raises:
        WorkflowError: `no_such_node`.
    """
    found = find_node(workflow, node)
    if found is None:
        raise WorkflowError([no_such_node(node, workflow.nodes)])
    outer, path, _ = found
    changed = workflow.nodes[outer]
    changed = changed.model_copy(update={"inputs": {**changed.inputs, f"{path}.{input}" if path else input: value}})
    return workflow.model_copy(update={"nodes": {**workflow.nodes, outer: changed}})


def no_such_node(node: str, nodes: Iterable[str]) -> Problem:
    """The problem of a node id that the workflow does not have."""
    ids = list(nodes)
    near = nearest(node, ids) or ids[:6]
    return Problem(
        "no_such_node",
        f"The workflow has no node '{shorten(node)}'.",
        got=shorten(node),
        fix=f"use {either(near)}" if near else "add the node to the workflow",
    )
