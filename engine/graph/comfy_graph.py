"""One level of a graph in ComfyUI's editor format, as it stands in the file: nodes, links and where links really start.

Both generations are read: links as arrays (0.4) and as objects (1, and inside of subgraphs). The files come from
strangers, so everything that is not of the expected shape is passed over.

Source: comfyui-interface.md sections 2 and 3 of this project's design notes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from pydantic import JsonValue

Raw = dict[str, JsonValue]
XY = tuple[float, float]

INPUT_NODE, OUTPUT_NODE = "-10", "-20"
"""Ids that stand for a subgraph's own inputs and outputs in the links inside of it."""
NOTES = ("Note", "MarkdownNote")
_MAX_STEPS = 500
"""A wire that passes more reroutes than this is a loop, or made to keep us busy."""


class UiLink(NamedTuple):
    """A link; `reroute` is the last of the points it is led through."""

    origin: str
    origin_slot: int
    target: str
    target_slot: int
    reroute: str | None


class Reroute(NamedTuple):
    position: XY
    before: str | None


@dataclass(frozen=True, slots=True)
class FromNode:
    """A link starts at an output of a node."""

    node: str
    slot: int


@dataclass(frozen=True, slots=True)
class FromBoundary:
    """A link starts at an input of the subgraph it is in."""

    slot: int


@dataclass(frozen=True, slots=True)
class FromValue:
    """A link starts at a PrimitiveNode: the input has this value. `control` is what follows it, if anything."""

    value: JsonValue
    control: JsonValue


Start = FromNode | FromBoundary | FromValue


@dataclass(slots=True)
class UiGraph:
    """The nodes, links, points and groups of one level.

    `passes` says for instances of subgraphs which outputs are inputs that go straight through: {(node, slot): input}.
    """

    nodes: dict[str, Raw]
    links: dict[str, UiLink]
    reroutes: dict[str, Reroute]
    groups: Sequence[Raw]
    named: Mapping[str, str]
    """The links into SetNodes, by the name under which GetNodes ask for them."""
    passes: dict[tuple[str, int], int] = field(default_factory=dict[tuple[str, int], int])

    @classmethod
    def read(cls, raw: Raw) -> UiGraph:
        extra = entries(raw.get("extra"))
        nodes = {id: node for node in objects(raw.get("nodes")) if (id := read_id(node.get("id"))) is not None}
        reroutes: dict[str, Reroute] = {}
        for each in (*objects(raw.get("reroutes")), *objects(extra.get("reroutes"))):
            id, position = read_id(each.get("id")), point(each.get("pos"))
            if id is not None and position is not None:
                reroutes[id] = Reroute(position, read_id(each.get("parentId")))
        parents = {read_id(each.get("id")): each.get("parentId") for each in objects(extra.get("linkExtensions"))}
        links: dict[str, UiLink] = {}
        listed = raw.get("links")
        for each in listed if isinstance(listed, list) else []:
            read = _link(each, parents)
            if read is not None:
                links[read[0]] = read[1]
        named: dict[str, str] = {}
        for node in nodes.values():
            name, link = _first(node), input_link(node, 0)
            if node.get("type") == "SetNode" and name is not None and link is not None:
                named.setdefault(name, link)
        return cls(nodes, links, reroutes, objects(raw.get("groups")), named)

    def start(self, link: str) -> tuple[Start | None, list[XY]]:
        """Where a link starts, past reroutes and other nodes that only pass on, and the points on the way there."""
        points: list[XY] = []
        passed: set[str] = set()
        following: str | None = link
        while following is not None and following not in passed and len(passed) < _MAX_STEPS:
            passed.add(following)
            found = self.links.get(following)
            if found is None:
                break
            points += self._points(found.reroute)
            if found.origin == INPUT_NODE:
                return FromBoundary(found.origin_slot), points[::-1]
            node = self.nodes.get(found.origin)
            if node is None:
                break
            match node.get("type"):
                case "Reroute":
                    position = point(node.get("pos"))
                    points += [position] if position is not None else []
                    following = input_link(node, 0)
                case "GetNode":
                    name = _first(node)
                    following = None if name is None else self.named.get(name)
                case "SetNode":
                    following = input_link(node, 0)
                case "PrimitiveNode":
                    values = node.get("widgets_values")
                    values = values if isinstance(values, list) else []
                    if not values:
                        break
                    return FromValue(values[0], values[1] if len(values) > 1 else None), points[::-1]
                case _:
                    through = self.passes.get((found.origin, found.origin_slot))
                    if through is None:
                        return FromNode(found.origin, found.origin_slot), points[::-1]
                    following = input_link(node, through)
        return None, points[::-1]

    def is_virtual(self, id: str) -> bool:
        """Whether a node only exists in ComfyUI's editor: its meaning is in the links or the layout."""
        return self.nodes[id].get("type") in (*NOTES, "Reroute", "PrimitiveNode", "SetNode", "GetNode")

    def _points(self, reroute: str | None) -> list[XY]:
        """The points a link is led through, from its end to its start."""
        points: list[XY] = []
        passed: set[str] = set()
        while reroute is not None and reroute in self.reroutes and reroute not in passed and len(passed) < _MAX_STEPS:
            passed.add(reroute)
            points.append(self.reroutes[reroute].position)
            reroute = self.reroutes[reroute].before
        return points


def objects(value: JsonValue) -> list[Raw]:
    """The objects in a list."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def entries(value: JsonValue) -> Mapping[str, JsonValue]:
    """An object, or an empty one in place of anything else."""
    return value if isinstance(value, dict) else {}


def read_id(value: JsonValue) -> str | None:
    """An id, which may be a number or a text."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, int | float | str) and value != "" else None


def point(value: JsonValue) -> XY | None:
    """Two numbers: `[x, y]`, or in old files `{"0": x, "1": y}`."""
    match value:
        case [int() | float() as x, int() | float() as y, *_]:
            return x, y
        case {"0": int() | float() as x, "1": int() | float() as y}:
            return x, y
        case _:
            return None


def input_link(node: Raw, slot: int) -> str | None:
    """The link into an input of a node, by its place."""
    slots = objects(node.get("inputs"))
    return read_id(slots[slot].get("link")) if 0 <= slot < len(slots) else None


def _first(node: Raw) -> str | None:
    """The first of a node's values, if it is a text: the name of a SetNode or GetNode."""
    match node.get("widgets_values"):
        case [str() as name, *_]:
            return name
        case _:
            return None


def _link(raw: JsonValue, parents: Mapping[str | None, JsonValue]) -> tuple[str, UiLink] | None:
    match raw:
        case [id, origin, origin_slot, target, target_slot, *_]:
            parent = parents.get(read_id(id))
        case {
            "id": id,
            "origin_id": origin,
            "origin_slot": origin_slot,
            "target_id": target,
            "target_slot": target_slot,
        }:
            parent = raw.get("parentId")
        case _:
            return None
    link_id, start, end = read_id(id), read_id(origin), read_id(target)
    if link_id is None or start is None or end is None:
        return None
    if not isinstance(origin_slot, int) or not isinstance(target_slot, int):
        return None
    return link_id, UiLink(start, origin_slot, end, target_slot, read_id(parent))
