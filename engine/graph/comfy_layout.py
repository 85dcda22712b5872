"""What lies on the canvas of a file in ComfyUI's editor format: boxes, frames, notes, the view, and its "app mode"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from engine.graph.comfy_graph import XY, Raw, entries, objects, point, read_id


def box(node: Raw) -> Raw:
    """Where and how a node or note is drawn."""
    made: Raw = {"position": [*(point(node.get("pos")) or (0, 0))]}
    if (size := point(node.get("size"))) is not None:
        made["size"] = [*size]
    if (colour := _text(node.get("color")) or _text(node.get("bgcolor"))) is not None:
        made["colour"] = colour
    flags = entries(node.get("flags"))
    if flags.get("collapsed") is True:
        made["collapsed"] = True
    if flags.get("pinned") is True:
        made["pinned"] = True
    return made


def note(node: Raw) -> Raw:
    """A Note or MarkdownNote."""
    values = node.get("widgets_values")
    text = values[0] if isinstance(values, list) and values else ""
    made = {**box(node), "text": text if isinstance(text, str) else ""}
    if (title := _text(node.get("title"))) is not None and title != "Note":
        made["title"] = title
    return made


def groups(raw: Sequence[Raw]) -> list[JsonValue]:
    made: list[JsonValue] = []
    for each in raw:
        match each.get("bounding"):
            case [int() | float() as x, int() | float() as y, int() | float() as width, int() | float() as height]:
                group: Raw = {"position": [x, y], "size": [width, height], "title": _text(each.get("title")) or ""}
                if (colour := _text(each.get("color"))) is not None:
                    group["colour"] = colour
                made.append(group)
            case _:
                continue
    return made


def way(points: Sequence[XY]) -> list[JsonValue]:
    return [[x, y] for x, y in points]


def view(raw: Raw) -> Raw | None:
    """Where the canvas's origin lies on the screen, and the zoom; the file has the offset in the canvas's pixels."""
    seen = entries(entries(raw.get("extra")).get("ds"))
    zoom, offset = seen.get("scale"), point(seen.get("offset"))
    if offset is None or isinstance(zoom, bool) or not isinstance(zoom, int | float) or zoom <= 0:
        return None
    return {"x": offset[0] * zoom, "y": offset[1] * zoom, "zoom": zoom}


def form(raw: Raw, ids: Mapping[str, str]) -> Raw | None:
    """The inputs and outputs chosen for ComfyUI's "app mode"."""
    chosen = entries(entries(raw.get("extra")).get("linearData"))
    inputs: list[JsonValue] = []
    listed = chosen.get("inputs")
    for each in listed if isinstance(listed, list) else []:
        match each:
            case [int() | str() as node, str() as widget, *_] if (id := ids.get(str(node))) is not None:
                inputs.append(f"{id}.{widget}")
            case _:
                continue
    shown = chosen.get("outputs")
    named = [read_id(each) for each in shown] if isinstance(shown, list) else []
    outputs: list[JsonValue] = [ids[each] for each in named if each is not None and each in ids]
    return {"inputs": inputs, "outputs": outputs} if inputs or outputs else None


def unknown_parts(node: Raw) -> Raw:
    """What is kept of a node of unknown type, so that it can be drawn and nothing is lost."""
    kept: Raw = {}
    for side in ("inputs", "outputs"):
        slots = [{key: each[key] for key in ("name", "type") if key in each} for each in objects(node.get(side))]
        if slots:
            kept[side] = [*slots]
    for key in ("widgets_values", "properties"):
        if node.get(key):
            kept[key] = node[key]
    return kept


def _text(value: JsonValue) -> str | None:
    return value if isinstance(value, str) and value else None
