"""The nodes as ComfyUI's clients read them: `{class: {input, input_order, output, ...}}`.

A node is listed under its own name and, with the same content, under each alias, which is where ComfyUI's own names
are (`CheckpointLoaderSimple`). Lists of files are read anew each time, as they are there.
"""

from __future__ import annotations

from collections.abc import Callable

from pydantic import JsonValue

from engine.node.catalogue import Catalogue
from engine.node.schema import InputSchema, NodeSchema

Names = Callable[[str], list[str]]
"""The names a user may choose from in a folder."""
Info = dict[str, JsonValue]


def describe_all(catalogue: Catalogue, names: Names) -> dict[str, JsonValue]:
    """All nodes."""
    described: dict[str, JsonValue] = {}
    lists: dict[str, list[str]] = {}

    def listed(folder: str) -> list[str]:
        if folder not in lists:
            lists[folder] = names(folder)
        return lists[folder]

    for schema in catalogue:
        for name in (schema.name, *schema.aliases):
            described.setdefault(name, describe(schema, name, listed))
    return described


def describe(schema: NodeSchema, name: str, names: Names) -> Info:
    """One node, under its own name or an alias."""
    sections: dict[str, dict[str, JsonValue]] = {"required": {}, "optional": {}}
    for each in schema.inputs:
        # What has a default need not be given here; ComfyUI's clients know such inputs as required, with a widget.
        section = "required" if each.required or each.widget is not None else "optional"
        for input_name in (f"{each.name}0", f"{each.name}1") if each.variadic else (each.name,):
            sections[section][input_name] = describe_input(each, names)
    given = {section: inputs for section, inputs in sections.items() if inputs or section == "required"}
    return {
        "input": dict[str, JsonValue](given),
        "input_order": {section: list(inputs) for section, inputs in given.items()},
        "output": [each.type for each in schema.outputs],
        "output_is_list": [each.is_list for each in schema.outputs],
        "output_name": [
            each.type if each.name in ("result", "") else _output_name(each.name) for each in schema.outputs
        ],
        "output_tooltips": [each.help or None for each in schema.outputs],
        "name": name,
        "display_name": schema.title,
        "description": schema.help,
        "python_module": "nodes" if schema.package == "nodes" else f"custom_nodes.{schema.package}",
        "category": schema.category,
        "output_node": schema.output,
        "deprecated": False,
        "experimental": schema.experimental,
        "api_node": False,
        "search_aliases": list(schema.aliases),
    }


def _output_name(name: str) -> str:
    """Names of its own outputs are those of their types: MODEL, IMAGE."""
    return name.upper() if name.upper() in {"MODEL", "CLIP", "VAE", "IMAGE", "MASK", "LATENT", "CONDITIONING"} else name


def describe_input(schema: InputSchema, names: Names) -> JsonValue:
    """One input: its type or choices, and its options."""
    options: Info = {"tooltip": schema.help} if schema.help else {}
    if schema.widget is None:
        return [schema.type, {**options, **({"lazy": True} if schema.lazy else {})}]
    if schema.default is not None:
        options["default"] = schema.default
    match schema.widget:
        case "file" | "drawing":
            if schema.folder == "input":
                options["image_upload"] = True
            return [list[JsonValue](names(schema.folder or "input")), options]
        case "combo":
            return [list[JsonValue](schema.options or ()), options]
        case _:
            limits = {"min": schema.minimum, "max": schema.maximum, "step": schema.multiple_of or schema.step}
            options |= {key: limit for key, limit in limits.items() if limit is not None}
            if schema.widget == "seed":
                options["control_after_generate"] = True
            if schema.widget == "multiline":
                options["multiline"] = True
            if schema.widget == "slider":
                options["display"] = "slider"
            return [schema.type, options]
