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

from pydantic import BaseModel, ConfigDict, Field, JsonValue, PlainSerializer, PlainValidator, WithJsonSchema

from engine.errors import Problem, WorkflowError
from engine.graph.wording import either, nearest, shorten

T = TypeVar("T")

FORMAT = 1
NODE_ID = re.compile(r"[A-Za-z0-9_:-]+", re.ASCII)
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
            return _only_key(raw, Link(node, _output(output)))
        case {"from": [str(node), str(output)]}:
            return _only_key(raw, Link(node, _output(output)))
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


def _output(text: str) -> str | int:
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


class _Part(BaseModel):
    """A part of the document: strictly typed, unknown keys kept."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)


Point = Annotated[list[int | float], Field(min_length=2, max_length=2)]
"""x and y, or width and height, in the canvas's pixels."""


class Box(_Part):
    """Where and how something is drawn."""

    position: Point
    size: Point | None = None
    colour: str | None = None
    collapsed: bool = False


class Group(Box):
    """A titled frame behind some nodes."""

    title: str = ""


class Note(Box):
    """Text for people, lying on the canvas."""

    text: str = ""


class Layout(_Part):
    """What only the editor needs."""

    nodes: dict[str, Box] = {}
    groups: list[Group] = []
    notes: list[Note] = []


class WorkflowNode(_Part):
    """One node of a workflow. `version` is that of the node type it was written for; None is the present one."""

    type: Annotated[str, Field(min_length=1)]
    version: Annotated[int, Field(ge=1)] | None = None
    title: str | None = None
    mode: Mode = "run"
    inputs: dict[str, _Input] = {}


class Workflow(_Part):
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


def with_input(workflow: Workflow, node: str, input: str, value: JsonValue) -> Workflow:
    """Return the workflow with one input set to a literal. Whether it fits is for `build` to say.

    Text is enough for any kind of input (`"20"` for a number, `"false"` for a switch): `build` reads it by the schema.

    Raises:
        WorkflowError: `unknown_node` when there is no such node.
    """
    found = workflow.nodes.get(node)
    if found is None:
        raise WorkflowError([no_such_node(node, workflow.nodes)])
    changed = found.model_copy(update={"inputs": {**found.inputs, input: value}})
    return workflow.model_copy(update={"nodes": {**workflow.nodes, node: changed}})


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
