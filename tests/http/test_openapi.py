"""The OpenAPI document says what the routes are, all of it and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from engine.http.app import GROUPS
from engine.http.openapi import PATH_PART, openapi
from engine.http.route import Route
from tests.http.conftest import Client

Json = Any


@pytest.fixture(scope="module")
def routes() -> list[Route]:
    return [route for group in GROUPS for route in group()]


@pytest.fixture(scope="module")
def document(routes: list[Route]) -> Json:
    return openapi(routes)


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def parts(value: Json) -> Iterator[Json]:
    """Every object in a JSON value."""
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from parts(each)
    elif isinstance(value, list):
        for each in value:
            yield from parts(each)


def test_every_route_is_in_it_and_nothing_else(document: Json, routes: list[Route]) -> None:
    wanted = {(route.method, PATH_PART.sub(r"{\1}", route.path)) for route in routes if route.documented}
    assert {(method, path) for method, path, _ in operations(document)} == wanted


def test_every_own_route_is_documented(routes: list[Route]) -> None:
    hidden = {route.path for route in routes if not route.documented and route.path.startswith("/v1")}
    assert hidden == {"/v1/docs/{name}"}


def test_no_route_is_there_twice(routes: list[Route]) -> None:
    names = [(route.method, re.sub(r"\{\w+", "{", route.path)) for route in routes]
    assert sorted(names) == sorted(set(names))


def test_every_route_says_what_it_does(document: Json) -> None:
    for method, path, operation in operations(document):
        assert re.fullmatch(r"[A-Z].*[^.]\.|[A-Z].*\.\.\.", operation["summary"]), (method, path)
        assert operation["tags"]
        for status, response in operation["responses"].items():
            assert status.isdigit()
            assert response["description"]


def test_every_operation_has_an_id_of_its_own(document: Json) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert sorted(ids) == sorted(set(ids))


def test_every_part_of_a_path_is_a_parameter(document: Json) -> None:
    for _, path, operation in operations(document):
        declared = {each["name"] for each in operation["parameters"] if each["in"] == "path"}
        assert declared == set(re.findall(r"\{(\w+)\}", path))


def test_every_reference_leads_somewhere(document: Json) -> None:
    for part in parts(document):
        if "$ref" in part:
            kind, name = re.fullmatch(r"#/components/(\w+)/([\w-]+)", part["$ref"]).groups()
            assert name in document["components"][kind]


def test_bodies_are_those_of_the_models(document: Json, routes: list[Route]) -> None:
    for route in routes:
        if route.documented and route.body is not None:
            operation = document["paths"][PATH_PART.sub(r"{\1}", route.path)][route.method.lower()]
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            model = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            assert list(model["properties"]) == [field.alias or name for name, field in route.body.model_fields.items()]


def test_a_fields_docstring_is_its_description(document: Json) -> None:
    field = document["components"]["schemas"]["NewJobs"]["properties"]["front"]
    assert field["description"] == "Run it before everything that waits."


def test_every_event_is_described(document: Json) -> None:
    kinds = document["components"]["schemas"]["Event"]["discriminator"]["mapping"]
    assert {"job_queued", "node_progress", "job_finished", "catalogue_changed"} <= set(kinds)


async def test_it_is_served_and_there_is_a_page_to_read_it(client: Client, document: Json) -> None:
    async with client.get("/v1/openapi.json") as answer:
        assert await answer.json() == document
    async with client.get("/v1/docs") as page:
        text = await page.text()
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    for name in re.findall(r'(?:src|href)="(/v1/docs/[\w.]+)"', text):
        async with client.get(name) as answer:
            assert answer.status == 200
    assert "<style" not in text
    assert "<script>" not in text
