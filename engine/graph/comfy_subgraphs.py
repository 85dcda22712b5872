"""The subgraphs of a file in ComfyUI's editor format: their names, and what leads in and out of them.

Source: comfyui-interface.md section 2.5 of this project's design notes.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from engine.graph.comfy_graph import OUTPUT_NODE, FromBoundary, Raw, UiGraph, entries, objects, read_id

_ODD = re.compile(r"[^A-Za-z0-9_-]+", re.ASCII)
"""Also the colon, which is allowed in ids but stands for "inside of" where instances are taken apart."""


@dataclass(slots=True)
class Names:
    """Makes names unlike each other."""

    _taken: set[str] = field(default_factory=set[str])
    _next: dict[str, int] = field(default_factory=dict[str, int])

    def unlike(self, name: str) -> str:
        """The name itself or, if it is taken, with a number behind it."""
        made = name
        if name in self._taken:
            count = next(n for n in itertools.count(self._next.get(name, 2)) if f"{name}_{n}" not in self._taken)
            self._next[name] = count + 1
            made = f"{name}_{count}"
        self._taken.add(made)
        return made


@dataclass(slots=True)
class Definition:
    """A subgraph: what its instances show of it, and how ids and names are spelt here."""

    key: str
    raw: Raw
    graph: UiGraph
    ids: Mapping[str, str]
    slots: Mapping[str, int]
    """The places of its inputs by the names that the file has for them."""
    inputs: list[str]
    outputs: list[str]
    passes: Mapping[int, int]
    """By place of an output: the input that goes straight through to it."""
    targets: dict[int, list[str]] = field(default_factory=dict[int, list[str]])
    """By place of an input: the inner inputs (`node.input`) that it leads to."""
    promoted: dict[str, str] = field(default_factory=dict[str, str])
    """Inner inputs that only instances speak of, as widgets they show: by `node.input`, what the input is called."""
    names: Names = field(default_factory=Names)

    @classmethod
    def read(cls, raw: Raw, key: str) -> Definition:
        graph, names = UiGraph.read(raw), Names()
        inputs, outputs = objects(raw.get("inputs")), objects(raw.get("outputs"))
        slots: dict[str, int] = {}
        for index, each in enumerate(inputs):
            slots.setdefault(str(each.get("name")), index)
        return cls(
            key,
            raw,
            graph,
            spelt(graph.nodes),
            slots,
            [names.unlike(_dotless(each) or "input") for each in inputs],
            [taken.unlike(_dotless(each) or "output") for taken in [Names()] for each in outputs],
            _passes(graph),
            names=names,
        )

    def input_name(self, name: str, slot: int) -> str:
        """What an input of an instance is called here: the definition's input of the same name, else of the place."""
        index = self.slots.get(name, slot)
        return self.inputs[index] if 0 <= index < len(self.inputs) else name.replace(".", "_")

    def promote(self, target: str) -> str:
        """The name of the input that leads to `node.input` inside; made if there is none."""
        if target not in self.promoted:
            slot = next((slot for slot, targets in self.targets.items() if target in targets), len(self.inputs))
            own = self.inputs[slot] if slot < len(self.inputs) else None
            if own is not None:
                return own
            self.promoted[target] = self.names.unlike(target.partition(".")[2].replace(".", "_"))
        return self.promoted[target]

    def shown_widgets(self, instance: Raw) -> list[str | None]:
        """The inputs that an instance's values are for, in order; None for one inside that cannot be found."""
        shown = entries(instance.get("properties")).get("proxyWidgets")
        pairs = _json_list(shown) if isinstance(shown, str) else shown
        if isinstance(pairs, list) and pairs:
            return [self._shown(each) for each in pairs]
        slots = enumerate(objects(instance.get("inputs")))
        return [
            self.input_name(str(each.get("name")), index)
            for index, each in slots
            if isinstance(each.get("widget"), dict)
        ]

    def boundary(self) -> list[JsonValue]:
        """Its inputs as the document has them."""
        declared: list[JsonValue] = [
            {"name": name, "to": [*self.targets.get(slot, [])]} for slot, name in enumerate(self.inputs)
        ]
        return [*declared, *({"name": name, "to": [target]} for target, name in self.promoted.items())]

    def _shown(self, pair: JsonValue) -> str | None:
        if not isinstance(pair, list) or len(pair) < 2:
            return None
        inner, widget = read_id(pair[0]), pair[1]
        if inner is None or not isinstance(widget, str) or not widget:
            return None
        if inner == "-1":
            return self.input_name(widget, len(self.inputs)) if widget in self.slots else None
        return self.promote(f"{self.ids[inner]}.{widget}") if inner in self.ids else None


def read_definitions(value: Raw) -> dict[str, Definition]:
    """The subgraphs of a file, by the id that instances have as their type."""
    names = Names()
    found: dict[str, Definition] = {}
    for raw in raw_definitions(value):
        id, name = read_id(raw.get("id")), raw.get("name")
        if id is not None and id not in found:
            found[id] = Definition.read(raw, names.unlike(_word(name if isinstance(name, str) else "") or "subgraph"))
    return found


def raw_definitions(value: Raw) -> list[Raw]:
    """The subgraphs of a file as they stand in it, also those inside of subgraphs."""
    found = objects(entries(value.get("definitions")).get("subgraphs"))
    for each in found:  # grows while it is walked
        found += objects(entries(each.get("definitions")).get("subgraphs"))
    return found


def spelt(ids: Iterable[str]) -> dict[str, str]:
    """Ids as they can be written in links, by the file's own."""
    names = Names()
    return {id: names.unlike(_word(id) or "node") for id in ids}


def _json_list(text: str) -> list[JsonValue]:
    try:
        value: JsonValue = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return value if isinstance(value, list) else []


def _passes(graph: UiGraph) -> dict[int, int]:
    passes: dict[int, int] = {}
    for id, link in graph.links.items():
        start = graph.start(id)[0] if link.target == OUTPUT_NODE else None
        if isinstance(start, FromBoundary):
            passes[link.target_slot] = start.slot
    return passes


def _dotless(slot: Raw) -> str:
    """A name without dots, which begin a path."""
    name = slot.get("name")
    return name.replace(".", "_") if isinstance(name, str) else ""


def _word(text: str) -> str:
    return _ODD.sub("_", text).strip("_")
