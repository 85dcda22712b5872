"""Write the JSON schemas of what the editor exchanges with the server: `src/api/schemas.json`.

    python -m web.scripts.schemas            write the file
    python -m web.scripts.schemas --check    fail when it is stale

`npm --prefix web run types` makes `src/api/types.ts` from it. Two steps, so that each is checked with the tools of one
language: the first by the server's tests, the second by the editor's.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import cast, get_args

from pydantic import BaseModel, JsonValue, TypeAdapter
from pydantic.json_schema import models_json_schema

from engine.errors import Problem
from engine.graph.workflow import Workflow
from engine.jobs import events, model
from engine.node.schema import NodeSchema

Schema = dict[str, JsonValue]

WRITTEN = Path(__file__).parents[1] / "src" / "api" / "schemas.json"
EVENTS = cast("tuple[type[BaseModel], ...]", get_args(events.Event))
ANSWERS: tuple[type[BaseModel], ...] = (NodeSchema, model.JobDetail, model.PluginState, *EVENTS)
"""Written by the server: a field with a default is always there."""
WISHES: tuple[type[BaseModel], ...] = (Workflow, model.Sweep)
"""Written by people and the editor too: a field with a default may be left out."""
LOGGED: Schema = {
    "seq": {"type": "integer", "description": "Counts up over all events of a database."},
    "at": {"type": "number", "description": "Seconds since 1970."},
}


def schemas() -> str:
    """The text of the file: one definition a model, under its name."""
    definitions = {**_definitions(WISHES), **{name: _complete(each) for name, each in _definitions(ANSWERS).items()}}
    definitions["Problem"] = _complete(TypeAdapter(Problem).json_schema())
    for event in EVENTS:
        schema = definitions[event.__name__]
        properties = cast(Schema, schema["properties"])
        definitions[event.__name__] = _complete({**schema, "properties": {**LOGGED, **properties}})
    definitions["WireEvent"] = {
        "description": "An event as it comes over the websocket.",
        "anyOf": [{"$ref": f"#/$defs/{event.__name__}"} for event in EVENTS],
    }
    definitions["JsonValue"] = {"tsType": "JsonValue"}
    document = {"title": "Schemas", "$defs": {name: _plain(definitions[name]) for name in sorted(definitions)}}
    return json.dumps(document, indent=1) + "\n"


def _definitions(models: tuple[type[BaseModel], ...]) -> dict[str, Schema]:
    _, document = models_json_schema([(each, "serialization") for each in models])
    return cast("dict[str, Schema]", document["$defs"])


def _complete(schema: Schema) -> Schema:
    properties = schema.get("properties")
    return {**schema, "required": list(properties)} if isinstance(properties, dict) else schema


def _plain(schema: JsonValue) -> JsonValue:
    """Leave out the titles that pydantic gives every field (each would become a type of its own), and that there may
    be unknown keys (a type with those accepts any spelling mistake)."""
    if isinstance(schema, dict):
        dropped = {"title"} if isinstance(schema.get("title"), str) else set[str]()
        dropped |= {"additionalProperties"} if schema.get("additionalProperties") is True else set[str]()
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
