"""The sentences under a class's attributes, for the API's description. Python itself throws them away."""

from __future__ import annotations

import ast
import inspect
import itertools
import textwrap
from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema


def attribute_docs(kind: type[Any]) -> Mapping[str, str]:
    """The docstring under each attribute of a class and its bases; nothing where the source is not there."""
    docs: dict[str, str] = {}
    for each in reversed(kind.__mro__):
        if not each.__module__.startswith("engine."):
            continue
        try:
            source = textwrap.dedent(inspect.getsource(each))
        except (OSError, TypeError):
            continue
        body = next(node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)).body
        for attribute, doc in itertools.pairwise(body):
            if isinstance(attribute, ast.AnnAssign) and isinstance(attribute.target, ast.Name):
                match doc:
                    case ast.Expr(value=ast.Constant(value=str(text))):
                        docs[attribute.target.id] = inspect.cleandoc(text).replace("\n", " ")
                    case _:
                        pass
    return docs


class DocumentedJsonSchema(GenerateJsonSchema):
    """JSON schemas in which a field's docstring is its description."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        made = super().model_schema(schema)
        docs = attribute_docs(schema["cls"])
        fields = schema["cls"].model_fields
        for name, doc in docs.items():
            field = fields.get(name)
            key = name if field is None or field.alias is None else field.alias
            properties = made.get("properties", {})
            if key in properties:
                properties[key].setdefault("description", doc)
        return made
