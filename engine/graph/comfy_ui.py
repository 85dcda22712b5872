"""ComfyUI's editor format ("Save", and the `workflow` text of its pictures) as a Darkroom workflow with its layout.

Reroutes become points of wires, primitives become values, notes become notes, subgraphs become subgraphs. Nodes of
unknown types are kept, with their values under the best names there are and all else under the key `comfyui`; they and
whatever else was not certain are reported. `{a|b}` in texts stays as it is.

Source: comfyui-interface.md sections 2 and 3 of this project's design notes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from pydantic import JsonValue

from engine.errors import Problem
from engine.graph import comfy_layout as layout
from engine.graph.comfy_graph import (
    NOTES,
    OUTPUT_NODE,
    XY,
    FromBoundary,
    FromNode,
    FromValue,
    Raw,
    UiGraph,
    entries,
    objects,
    read_id,
)
from engine.graph.comfy_subgraphs import Definition, raw_definitions, read_definitions, spelt
from engine.graph.comfy_widgets import control_mode, read_widgets
from engine.graph.layout import SeedMode
from engine.graph.wording import either, shorten
from engine.graph.workflow import FORMAT, SUBGRAPH, write_input
from engine.node.schema import NodeSchema

_READ = {
    *("nodes", "links", "groups", "reroutes", "definitions", "version", "last_node_id", "last_link_id", "state"),
    *("floatingLinks", "config", "revision"),
}
_MODES: Mapping[JsonValue, str] = {2: "mute", 4: "bypass"}


class Schemas(Protocol):
    """What reading asks of a catalogue."""

    def get(self, name: str) -> NodeSchema | None:
        """The schema of a node type, also by an alias."""
        ...

    def nearest(self, name: str) -> list[str]:
        """Names that look like an unknown one."""
        ...


def is_ui(value: Mapping[str, JsonValue]) -> bool:
    """Whether a JSON object is in ComfyUI's editor format: its nodes are a list."""
    return isinstance(value.get("nodes"), list)


def count_nodes(value: Raw) -> int:
    """The nodes of a file in editor format, those of its subgraphs once each."""
    return sum(len(objects(each.get("nodes"))) for each in (value, *raw_definitions(value)))


def read_ui(value: Raw, schemas: Schemas, prompt: Mapping[str, JsonValue] | None = None) -> tuple[Raw, list[Problem]]:
    """Read a file in ComfyUI's editor format.

    Args:
        prompt: the same graph in API format, where a picture carries both: it has the values by name.

    Returns:
        The JSON of a Darkroom workflow, and what was not certain: `unknown_node`, `widgets_guessed`,
        `widgets_left_out`, `seed_control`, `lost_link`; each with its node.
    """
    reading = _Reading(schemas, prompt or {})
    return reading.document(value), reading.problems


class _Reading:
    """The work of one `read_ui`."""

    def __init__(self, schemas: Schemas, prompt: Mapping[str, JsonValue]) -> None:
        self.problems: list[Problem] = []
        self._schemas, self._prompt = schemas, prompt
        self._definitions: Mapping[str, Definition] = {}
        """By the id that instances have as their type."""

    def document(self, value: Raw) -> Raw:
        self._definitions = read_definitions(value)
        graph = UiGraph.read(value)
        for each in (graph, *(each.graph for each in self._definitions.values())):
            self._find_passes(each)
        for each in self._definitions.values():
            self._find_targets(each)
        ids = spelt(graph.nodes)
        document: Raw = {"darkroom": FORMAT, "origin": "comfyui", **self._scope(graph, ids, "", value)}
        insides = {id: self._subgraph(each) for id, each in self._definitions.items()}
        # Their inputs only now, since instances in other subgraphs promote widgets of this one.
        subgraphs: Raw = {
            each.key: {**insides[id], "inputs": each.boundary()} for id, each in self._definitions.items()
        }
        if subgraphs:
            document["subgraphs"] = subgraphs
        if (form := layout.form(value, ids)) is not None:
            document["form"] = form
        rest: Raw = {key: each for key, each in value.items() if key not in _READ and each not in (None, {}, [])}
        if rest:
            document["comfyui"] = rest
        return document

    # ------------------------------------------------------------------------------------------------------ subgraphs

    def _find_passes(self, graph: UiGraph) -> None:
        """Note which outputs of instances are inputs that go straight through the subgraph."""
        for id, node in graph.nodes.items():
            if (definition := self._definitions.get(str(node.get("type")))) is not None:
                graph.passes |= {(id, output): input for output, input in definition.passes.items()}

    def _find_targets(self, definition: Definition) -> None:
        """Find the inner inputs that a subgraph's inputs lead to."""
        graph = definition.graph
        for id, node in graph.nodes.items():
            if graph.is_virtual(id):
                continue
            for name, link in self._linked(node):
                start, _ = graph.start(link)
                if isinstance(start, FromBoundary):
                    definition.targets.setdefault(start.slot, []).append(f"{definition.ids[id]}.{name}")

    def _subgraph(self, definition: Definition) -> Raw:
        """All of a subgraph but its inputs."""
        graph, ids, name = definition.graph, definition.ids, definition.raw.get("name")
        outputs: list[JsonValue] = []
        for link_id, link in sorted(graph.links.items(), key=lambda item: item[1].target_slot):
            if link.target != OUTPUT_NODE or not 0 <= link.target_slot < len(definition.outputs):
                continue
            start, _ = graph.start(link_id)
            if isinstance(start, FromNode) and not graph.is_virtual(start.node):
                source = f"{ids[start.node]}.{self._output(graph, start)}"
                outputs.append({"name": definition.outputs[link.target_slot], "from": source})
        named: Raw = {"name": name} if isinstance(name, str) and name else {}
        return {**named, **self._scope(graph, ids, f"{definition.key}/", definition.raw), "outputs": outputs}

    # ----------------------------------------------------------------------------------------------------- one level

    def _scope(self, graph: UiGraph, ids: Mapping[str, str], place: str, raw: Raw) -> Raw:
        """The nodes and the layout of one level. `place` comes before ids in problems."""
        nodes: Raw = {}
        boxes: Raw = {}
        wires: Raw = {}
        for id, node in graph.nodes.items():
            if not graph.is_virtual(id):
                read = self._node(graph, ids, id, f"{place}{ids[id]}")
                nodes[ids[id]] = read.fields
                boxes[ids[id]] = {**layout.box(node), **({"seeds": {**read.seeds}} if read.seeds else {})}
                wires |= {f"{ids[id]}.{name}": layout.way(points) for name, points in read.wires.items()}
        made: Raw = {"nodes": boxes}
        if groups := layout.groups(graph.groups):
            made["groups"] = groups
        if notes := [layout.note(node) for node in graph.nodes.values() if node.get("type") in NOTES]:
            made["notes"] = [*notes]
        if wires:
            made["wires"] = wires
        if (view := layout.view(raw)) is not None:
            made["view"] = view
        return {"nodes": nodes, "layout": made}

    def _node(self, graph: UiGraph, ids: Mapping[str, str], id: str, place: str) -> _Node:
        raw = graph.nodes[id]
        written = raw.get("type")
        node_type = written if isinstance(written, str) and written else "unknown"
        definition, schema = self._definitions.get(node_type), self._schemas.get(node_type)
        read = _Node()
        if definition is not None:
            read.fields["type"] = SUBGRAPH + definition.key
            values = self._instance_values(read, definition, raw, place)
        else:
            values = self._values(read, id, raw, schema, place)
            if schema is not None:
                read.fields |= {"type": schema.name, "version": schema.version}
            else:
                read.fields["type"] = node_type
                self.problems.append(_unknown_node(place, node_type, self._schemas))
        title = raw.get("title")
        known_titles = (node_type, read.fields["type"], schema.title if schema else None)
        if isinstance(title, str) and title and title not in known_titles and definition is None:
            read.fields["title"] = title
        if (mode := _MODES.get(_number(raw.get("mode")))) is not None:
            read.fields["mode"] = mode
        inputs = {name: write_input(value) for name, value in values.items()}
        for name, link in self._linked(raw):
            self._follow(read, inputs, graph, ids, name, link, place)
        order = {each.name: index for index, each in enumerate(schema.inputs)} if schema is not None else {}
        inputs = _grown(inputs, schema)
        read.fields["inputs"] = dict(sorted(inputs.items(), key=lambda item: order.get(item[0], len(order))))
        if schema is None and definition is None:
            read.fields["comfyui"] = layout.unknown_parts(raw)
        elif read.unsure:
            read.fields["comfyui"] = {"widgets_values": raw.get("widgets_values")}
        return read

    def _follow(
        self,
        read: _Node,
        inputs: dict[str, JsonValue],
        graph: UiGraph,
        ids: Mapping[str, str],
        name: str,
        link: str,
        place: str,
    ) -> None:
        """Give an input what its link leads to."""
        start, points = graph.start(link)
        match start:
            case FromNode() if start.node in ids and not graph.is_virtual(start.node):
                inputs[name] = {"from": f"{ids[start.node]}.{self._output(graph, start)}"}
                if points:
                    read.wires[name] = points
            case FromValue(value, control):
                inputs[name] = write_input(value)
                if (mode := control_mode(control)) is not None and name in ("seed", "noise_seed"):
                    read.seeds[name] = mode
            case FromBoundary():
                pass  # the instance gives it; a value of its own is what it has otherwise
            case _:
                self.problems.append(
                    Problem("lost_link", "Its link starts nowhere.", place, name, fix="link it anew, or leave it out")
                )

    def _values(self, read: _Node, id: str, raw: Raw, schema: NodeSchema | None, place: str) -> Mapping[str, JsonValue]:
        """The literals of an ordinary node."""
        same = entries(self._prompt.get(id))
        if same.get("class_type") == raw.get("type") and isinstance(given := same.get("inputs"), dict):
            control = read_widgets(place, raw.get("widgets_values"), _widget_names(raw), schema)
            read.seeds = control.seeds
            return {name: _unwrapped(value) for name, value in given.items() if not isinstance(value, list)}
        widgets = read_widgets(place, raw.get("widgets_values"), _widget_names(raw), schema)
        read.seeds, read.unsure = widgets.seeds, bool(widgets.problems)
        self.problems += widgets.problems
        return widgets.values

    def _instance_values(self, read: _Node, definition: Definition, raw: Raw, place: str) -> Mapping[str, JsonValue]:
        """The literals of an instance: the widgets it shows of the nodes inside."""
        listed = raw.get("widgets_values")
        left = list(listed) if isinstance(listed, list) else []
        names = definition.shown_widgets(raw)
        values: dict[str, JsonValue] = {}
        for index, name in enumerate(names):
            if not left:
                break
            value = left.pop(0)
            if name is not None and value is not None:
                values[name] = value
            if len(left) > len(names) - index - 1 and (mode := control_mode(left[0])) is not None:
                left.pop(0)
                if name is not None:
                    read.seeds[name] = mode
        unplaced = names.count(None) + len(left)
        if unplaced:
            read.unsure = True
            self.problems.append(
                Problem(
                    "widgets_left_out",
                    f"{unplaced} of its values belong to nothing that is known inside of the subgraph.",
                    place,
                    got=shorten(json.dumps(listed), 200),
                    fix="set them inside of the subgraph",
                )
            )
        return values

    def _linked(self, node: Raw) -> Iterable[tuple[str, str]]:
        """The inputs of a node that have a link, by the names they have here, with the link's id."""
        definition = self._definitions.get(str(node.get("type")))
        for slot, each in enumerate(objects(node.get("inputs"))):
            name, link = each.get("name"), read_id(each.get("link"))
            if link is None or not isinstance(name, str) or not name:
                continue
            yield definition.input_name(name, slot) if definition is not None else name, link

    def _output(self, graph: UiGraph, start: FromNode) -> str:
        """How an output is written in a link: by its name where that is known, else by its index."""
        node_type = str(graph.nodes[start.node].get("type"))
        definition, schema = self._definitions.get(node_type), self._schemas.get(node_type)
        if definition is not None:
            names = definition.outputs
        else:
            names = [each.name for each in schema.outputs] if schema is not None else []
        known = 0 <= start.slot < len(names) and not names[start.slot].isdecimal()
        return names[start.slot] if known else str(start.slot)


@dataclass(slots=True)
class _Node:
    """A node as the document has it, and what the layout says of it. `unsure`: some values may be wrong or missing."""

    fields: Raw = field(default_factory=dict[str, JsonValue])
    seeds: dict[str, SeedMode] = field(default_factory=dict[str, SeedMode])
    wires: dict[str, list[XY]] = field(default_factory=dict[str, list[XY]])
    unsure: bool = False


def _widget_names(raw: Raw) -> list[str]:
    """The inputs that a node's own list says are widgets."""
    names: list[str] = []
    for each in objects(raw.get("inputs")):
        widget = each.get("widget")
        name = widget.get("name", each.get("name")) if isinstance(widget, dict) else None
        if isinstance(name, str):
            names.append(name)
    return names


def _grown(inputs: Mapping[str, JsonValue], schema: NodeSchema | None) -> dict[str, JsonValue]:
    """The links of inputs that grow (`images.image0`, `images.image1`) as the lists they are here."""
    made: dict[str, JsonValue] = {}
    for name, value in inputs.items():
        head, dot, _ = name.partition(".")
        declared = schema.input(head) if schema is not None and dot else None
        if declared is None or not declared.variadic or not isinstance(value, dict):
            made[name] = value
            continue
        row = made.setdefault(head, [])
        if isinstance(row, list):
            row.append(value)
    return made


def _number(value: JsonValue) -> JsonValue:
    return value if isinstance(value, int | float) else None


def _unwrapped(value: JsonValue) -> JsonValue:
    return value["__value__"] if isinstance(value, dict) and list(value) == ["__value__"] else value


def _unknown_node(place: str, node_type: str, schemas: Schemas) -> Problem:
    near = schemas.nearest(shorten(node_type))
    return Problem(
        "unknown_node",
        f"There is no node type '{shorten(node_type)}' here; it is kept, but cannot run.",
        place,
        got=shorten(node_type),
        fix=f"use {either(near)}, or install the plugin that has it" if near else "install the plugin that has it",
    )
