"""Write the JSON schemas of what the editor exchanges with the server: `src/api/schemas.json`.

    python -m web.scripts.schemas            write the file
    python -m web.scripts.schemas --check    fail when it is stale

`npm --prefix web run types` makes `src/api/types.ts` from it. Two steps, so that each is checked with the tools of one
language: the first by the server's tests, the second by the editor's.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import cast

from pydantic import JsonValue, TypeAdapter

from engine.graph.workflow import Workflow
from engine.http.app import GROUPS
from engine.http.attribute_docs import DocumentedJsonSchema
from engine.http.openapi import openapi

Schema = dict[str, JsonValue]

WRITTEN = Path(__file__).parents[1] / "src" / "api" / "schemas.json"
REFERENCE = re.compile(r"#/(?:components/schemas|\$defs)/(\w+)")
LOGGED: Schema = {
    "seq": {"type": "integer", "description": "Counts up over all events of a database."},
    "at": {"type": "number", "description": "Seconds since 1970."},
}
DOCUMENT: tuple[str, ...] = ("Workflow",)
"""Written by people and the editor, like the bodies of requests: a field with a default may be left out."""


def schemas() -> str:
    """The text of the file: one definition a model, under its name."""
    routes = [route for group in GROUPS for route in group()]
    definitions = cast("dict[str, Schema]", openapi(routes)["components"]["schemas"])
    definitions |= _workflow()
    bodies = [model.__name__ for route in routes for model in (route.body, route.query) if model is not None]
    wishes = _reachable([*bodies, *DOCUMENT], definitions)
    events = _reachable(["Event"], definitions)
    said = {name: each for name, each in definitions.items() if each.get("properties") != {}}
    written = {name: each if name in wishes else _complete(each) for name, each in said.items()}
    for name in events:
        if "type" in cast(Schema, written[name].get("properties", {})):
            properties = cast(Schema, written[name]["properties"])
            written[name] = _complete({**written[name], "properties": {**LOGGED, **properties}})
    written["JsonValue"] = {"tsType": "JsonValue"}
    document = {"title": "Schemas", "$defs": {name: _plain(written[name]) for name in sorted(written)}}
    return REFERENCE.sub(r"#/$defs/\1", json.dumps(document, indent=1)) + "\n"


def _workflow() -> dict[str, Schema]:
    """The document, which routes take as any JSON and read themselves."""
    schema = TypeAdapter(Workflow).json_schema(mode="serialization", schema_generator=DocumentedJsonSchema)
    definitions = cast("dict[str, Schema]", schema.pop("$defs"))
    return {**definitions, "Workflow": schema}


def _reachable(names: list[str], definitions: dict[str, Schema]) -> set[str]:
    found: set[str] = set()
    while names:
        name = names.pop()
        if name not in found and name in definitions:
            found.add(name)
            names += REFERENCE.findall(json.dumps(definitions[name]))
    return found


def _complete(schema: Schema) -> Schema:
    properties = schema.get("properties")
    return {**schema, "required": list(properties)} if isinstance(properties, dict) else schema


def _plain(schema: JsonValue) -> JsonValue:
    """Leave out the titles that pydantic gives every field (each would become a type of its own), and that there may
    be unknown keys (a type with those accepts any spelling mistake)."""
    if isinstance(schema, dict):
        dropped = {"title"} if isinstance(schema.get("title"), str) else set[str]()
        dropped |= {"additionalProperties"} if schema.get("additionalProperties") is True else set[str]()
        dropped |= {"discriminator"} if "oneOf" in schema else set[str]()
        return {key: _plain(value) for key, value in schema.items() if key not in dropped}
    return [_plain(each) for each in schema] if isinstance(schema, list) else schema


def main(arguments: list[str]) -> int:
    wanted = schemas()
    if arguments == ["--check"]:
        fresh = WRITTEN.is_file() and WRITTEN.read_text(encoding="utf-8") == wanted
        if not fresh:
            print(f"{WRITTEN.name} is stale: python -m web.scripts.schemas && npm --prefix web run types")
        return 0 if fresh else 1
    WRITTEN.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
