"""Promise R8: whatever is sent to whichever route, the server answers, and never with a mistake of its own."""

from __future__ import annotations

import asyncio
import copy
import json
import random
from collections.abc import Generator
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.http.app import GROUPS, make_app
from engine.http.keys import ServerSettings
from engine.http.openapi import PATH_PART
from engine.http.route import Route
from engine.jobs.service import JobService
from engine.node.folders import Folders
from engine.node.schema import NodeSchema
from tests.graph.test_properties import JUNK, mutate
from tests.http.conftest import TOKEN, Client, words

SMALL = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
LARGE = settings(SMALL, max_examples=100)
ROUTES = [route for group in GROUPS for route in group()]
CHANGING = [route for route in ROUTES if route.method != "GET" and not route.path.startswith("/api/")]
READING = [route for route in ROUTES if route.method == "GET" and not route.websocket and "/api/" not in route.path]

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(JUNK),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
SEGMENT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40) | st.sampled_from(
    ["..", "../../etc/passwd", "CON", "a" * 300, "\0", "%00", "a/b", "-1", "NaN", "*", "é", "\n", "x [output]"]
)
PROMPT: dict[str, Any] = {
    "1": {"class_type": "Words", "inputs": {"text": "hi", "steps": 3}, "_meta": {"title": "x"}},
    "2": {"class_type": "SaveWords", "inputs": {"words": ["1", 0], "filename_prefix": "a/b"}},
}
SUBGRAPH: dict[str, Any] = {
    **words(),
    "subgraphs": {
        "two": {
            "name": "Two",
            "nodes": {"words": {"type": "Words", "inputs": {"text": "x"}}},
            "inputs": [{"name": "text", "to": ["words.text"]}],
            "outputs": [{"name": "string", "from": "words.string"}],
        }
    },
    "form": {"inputs": ["words.text"], "outputs": ["save"]},
    "layout": {"nodes": {"save": {"position": [1, 2]}}, "groups": [], "notes": []},
}
SUBGRAPH["nodes"]["inner"] = {"type": "subgraph:two", "inputs": {"text": "deep"}}


class Asker:
    """A client that plain functions can use."""

    def __init__(self, runner: asyncio.Runner, client: Client) -> None:
        self._runner, self._client = runner, client

    def ask(self, route: Route, path: str, **sent: Any) -> int:
        """Send a request; the status of its answer, which is none of a mistake's."""
        return self._runner.run(self._ask(route, path, **sent))

    async def _ask(self, route: Route, path: str, **sent: Any) -> int:
        async with self._client.request(route.method, path, **sent) as answer:
            text = await answer.read()
            if answer.status == 503:
                assert json.loads(text)["error"]["code"] == "no_worker"
            else:
                assert answer.status < 500, (route.method, path, text[:500])
            if answer.status >= 400 and route.path.startswith("/v1"):
                told = json.loads(text)["error"]
                assert told["code"]
                assert told["message"]
                assert told["problems"]
            return answer.status


@pytest.fixture(scope="module")
def asker(tmp_path_factory: pytest.TempPathFactory, schemas: tuple[NodeSchema, ...]) -> Generator[Asker]:
    folders = Folders.under(tmp_path_factory.mktemp("fuzz"))

    async def opened() -> tuple[JobService, Client]:
        service = await JobService.open(folders)
        service.catalogue_arrived(schemas, ())
        client = TestClient(TestServer(make_app(service, folders, ServerSettings(token=TOKEN))))
        await client.start_server()
        return service, client

    with asyncio.Runner() as runner:
        service, client = runner.run(opened())
        yield Asker(runner, client)
        runner.run(client.close())
        runner.run(service.close())


def named(route: Route) -> str:
    return f"{route.method} {route.path}"


@pytest.mark.parametrize("route", CHANGING, ids=named)
@SMALL
@given(data=st.data())
def test_no_body_makes_a_mistake(route: Route, asker: Asker, data: st.DataObject) -> None:
    names = [] if route.body is None else list(route.body.model_fields)
    body = st.fixed_dictionaries({}, optional=dict.fromkeys(names, JSON)) | JSON
    sent = data.draw(body.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=200))
    segment = data.draw(SEGMENT)
    asker.ask(route, filled(route, segment), data=sent)


@pytest.mark.parametrize("route", READING, ids=named)
@SMALL
@given(
    segments=st.lists(SEGMENT, min_size=3, max_size=3),
    query=st.dictionaries(SEGMENT, SEGMENT, max_size=3),
    data=st.data(),
)
def test_no_path_or_query_makes_a_mistake(
    route: Route, asker: Asker, segments: list[str], query: dict[str, str], data: st.DataObject
) -> None:
    if route.query is not None:
        query |= data.draw(st.dictionaries(st.sampled_from(list(route.query.model_fields)), SEGMENT, max_size=3))
    asker.ask(route, filled(route, *segments), params=query)


@pytest.mark.parametrize("document", [words(), SUBGRAPH, PROMPT], ids=["workflow", "subgraphs", "prompt"])
@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/validate", "/v1/plan"])
@LARGE
@given(seed=st.integers(0, 2**32))
def test_no_damage_to_a_workflow_makes_a_mistake(path: str, document: Any, asker: Asker, seed: int) -> None:
    route = next(each for each in ROUTES if each.path == path and each.method == "POST")
    draw = random.Random(seed)
    damaged = copy.deepcopy(document)
    for _ in range(draw.randint(1, 5)):
        if damaged:
            mutate(damaged, draw)
    wish: dict[str, Any] = {"workflow": damaged}
    if path == "/v1/jobs" and draw.random() < 0.5:
        wish |= {"settings": {"words.text": draw.choice(JUNK)}, "sweep": {"values": {"words.steps": draw.choice(JUNK)}}}
    status = asker.ask(route, path, data=json.dumps(wish).encode())
    assert status in (200, 201, 400, 422, 503)


def filled(route: Route, *segments: str) -> str:
    """The route's path with these parts in it, over and over."""
    parts = iter(segments * 8)
    return PATH_PART.sub(lambda part: quote(next(parts), safe=""), route.path)
