"""The OpenAPI 3.1 document, made from the routes: their paths, models and docstrings. Nothing is written twice."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Literal

import orjson
from aiohttp import web
from pydantic import BaseModel, TypeAdapter

from engine.errors import Problem
from engine.http.attribute_docs import DocumentedJsonSchema
from engine.http.keys import ROUTES
from engine.http.route import Route
from engine.http.version import version
from engine.jobs.events import EVENT

Schema = dict[str, Any]
Mode = Literal["validation", "serialization"]
REF = "#/components/schemas/{model}"
PATH_PART = re.compile(r"\{(\w+)(?::[^{}]*(?:\{[^{}]*\}[^{}]*)*)?\}")
ANY_ROUTE = (401, 403, 500)
"""What any route may refuse with."""


class ErrorBody(BaseModel):
    """Why a request was refused."""

    code: str
    """For programs."""
    message: str
    """For people."""
    problems: list[Problem]
    """Every reason, where there are several."""


class Error(BaseModel):
    """The answer to every request that is refused."""

    error: ErrorBody


def openapi(routes: Sequence[Route]) -> Schema:
    """Describe the routes."""
    documented = [route for route in routes if route.documented]
    schemas, definitions = _schemas(documented)
    paths: dict[str, Schema] = {}
    for route in documented:
        operation = _operation(route, schemas, definitions)
        paths.setdefault(PATH_PART.sub(r"{\1}", route.path), {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Darkroom",
            "version": version(),
            "description": "Run latent diffusion workflows: queue them, watch them develop, fetch the pictures.",
        },
        "paths": paths,
        "components": {
            "schemas": definitions,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "The token in `user/token`."},
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "darkroom-session-<port>",
                    "description": "What a browser gets from the launch link or the sign-in page.",
                },
            },
        },
        "security": [{"token": []}, {"session": []}, {}],
        "tags": [{"name": name} for name in dict.fromkeys(_tag(route) for route in documented)],
    }


async def document(request: web.Request) -> web.Response:
    """Describe this API as OpenAPI 3.1."""
    holder = request.app[DOCUMENT]
    body = await asyncio.to_thread(holder.of, request.app[ROUTES])  # a quarter of a second, the first time
    return web.Response(body=body, content_type="application/json")


class DocumentJson:
    """The document as JSON, made when it is first asked for."""

    def __init__(self) -> None:
        self._json: bytes | None = None

    def of(self, routes: Sequence[Route]) -> bytes:
        if self._json is None:
            self._json = orjson.dumps(openapi(routes))
        return self._json


DOCUMENT: web.AppKey[DocumentJson] = web.AppKey("openapi", DocumentJson)


def routes() -> Iterable[Route]:
    """The route of the document."""
    yield Route("GET", "/v1/openapi.json", document, media={"application/json": "the OpenAPI document"})


def _schemas(routes: Sequence[Route]) -> tuple[Mapping[tuple[str, Mode], Schema], dict[str, Schema]]:
    """The schema of everything that goes in or out, by what `_key` calls it, and the definitions they refer to."""
    wanted: list[tuple[str, Mode, TypeAdapter[Any]]] = [
        ("error", "serialization", TypeAdapter(Error)),
        ("event", "serialization", EVENT),
    ]
    for route in routes:
        if route.body is not None:
            wanted.append((_key(route, "body"), "validation", TypeAdapter(route.body)))
        if route.query is not None:
            wanted.append((_key(route, "query"), "validation", TypeAdapter(route.query)))
        if route.answer is not None:
            wanted.append((_key(route, "answer"), "serialization", TypeAdapter(route.answer)))
    schemas, rest = TypeAdapter.json_schemas(wanted, ref_template=REF, schema_generator=DocumentedJsonSchema)
    definitions: dict[str, Schema] = rest.get("$defs", {})
    definitions["Event"] = dict(schemas["event", "serialization"])
    return schemas, definitions


def _key(route: Route, what: str) -> str:
    return f"{route.method} {route.path} {what}"


def _operation(route: Route, schemas: Mapping[tuple[str, Mode], Schema], definitions: Mapping[str, Schema]) -> Schema:
    operation: Schema = {
        "operationId": _id(route),
        "tags": [_tag(route)],
        "summary": route.summary,
        "parameters": list(_parameters(route, schemas, definitions)),
        "responses": _responses(route, schemas),
    }
    if route.description:
        operation["description"] = route.description
    content: Schema = {media: {"schema": {"description": what}} for media, what in route.takes.items()}
    if route.body is not None:
        content["application/json"] = {"schema": schemas[_key(route, "body"), "validation"]}
    if content:
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _parameters(
    route: Route, schemas: Mapping[tuple[str, Mode], Schema], definitions: Mapping[str, Schema]
) -> Iterable[Schema]:
    for name in PATH_PART.findall(route.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
    if route.query is not None:
        schema = schemas[_key(route, "query"), "validation"]
        schema = definitions[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        required = schema.get("required", ())
        for name, field in schema.get("properties", {}).items():
            described = {"description": field["description"]} if "description" in field else {}
            yield {"name": name, "in": "query", "required": name in required, "schema": field, **described}
    for name, meaning in route.headers.items():
        yield {"name": name, "in": "header", "description": meaning, "schema": {"type": "string"}}


def _responses(route: Route, schemas: Mapping[tuple[str, Mode], Schema]) -> Schema:
    answers: Schema = {}
    content: Schema = {}
    if route.answer is not None:
        content["application/json"] = {"schema": schemas[_key(route, "answer"), "serialization"]}
    for media, what in route.media.items():
        content.setdefault(media, {"schema": {"description": what}})
    if route.websocket:
        messages = {"oneOf": [{"$ref": REF.format(model="Event")}]}
        answers["101"] = {"description": "A websocket.", "content": {"application/json": {"schema": messages}}}
    elif content:
        answers[str(route.status)] = {"description": HTTPStatus(route.status).phrase, "content": content}
    else:
        answers["204"] = {"description": "Done."}
    for status, meaning in route.other.items():
        answers[str(status)] = {"description": meaning}
    for status in sorted({*ANY_ROUTE, *route.errors, *_may_refuse(route)}):
        answers[str(status)] = {
            "description": HTTPStatus(status).phrase,
            "content": {"application/json": {"schema": schemas["error", "serialization"]}},
        }
    return answers


def _may_refuse(route: Route) -> tuple[int, ...]:
    """What reading the request alone may refuse with."""
    return (400, 413, 415) if route.body or route.takes else (400,) if route.query else ()


def _tag(route: Route) -> str:
    """The group a route belongs to: its module's name in this API, another API's own name, `system` for the rest."""
    *_, package, module = route.handler.__module__.split(".")
    return {"v1": module, "http": "system"}.get(package, package)


def _id(route: Route) -> str:
    """A name that no other route has: its module's and its function's; another API's, by method and path."""
    *_, package, module = route.handler.__module__.split(".")
    if package in ("http", "v1"):
        return f"{module}_{inspect.unwrap(route.handler).__name__}"
    return "_".join((package, route.method.lower(), *re.findall(r"\w+", PATH_PART.sub(r"\1", route.path))))
