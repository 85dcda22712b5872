"""The websocket of events (promise R12): each once and in order, over reconnects, and slow readers let go."""

from __future__ import annotations

import asyncio
import json
from contextlib import AbstractAsyncContextManager
from typing import Any

from aiohttp import ClientWebSocketResponse, WSCloseCode, WSMsgType
from aiohttp.test_utils import TestClient, TestServer

from engine.http.app import make_app
from engine.http.keys import ServerSettings
from engine.http.v1.events import LISTENERS, TOO_SLOW, Listeners, preview_frame
from engine.jobs.events import Preview, WorkflowSaved
from engine.jobs.service import JobService
from engine.node.folders import Folders
from tests.http.conftest import TOKEN, Client, words


def listen(client: Client, query: str = "") -> AbstractAsyncContextManager[ClientWebSocketResponse]:
    return client.ws_connect(f"/v1/events{query}")


async def heard(websocket: ClientWebSocketResponse, type: str) -> dict[str, Any]:
    """The next event of a type; those before it are skipped."""
    while True:
        event = await websocket.receive_json(timeout=10)
        if event["type"] == type:
            return event


async def test_a_listener_is_greeted_and_told_of_new_jobs(client: Client, service: JobService) -> None:
    async with listen(client) as websocket:
        hello = await websocket.receive_json()
        assert (hello["type"], hello["complete"]) == ("hello", True)
        assert 0 <= hello["seq"] <= service.last_seq  # the catalogue's own event may be on its way
        async with client.post("/v1/jobs", json={"workflow": words()}) as answer:
            (job,) = (await answer.json())["jobs"]
        queued = await heard(websocket, "job_queued")
        assert queued["job_summary"] == job
        assert queued["seq"] > hello["seq"]


async def test_who_comes_back_misses_nothing_and_hears_nothing_twice(client: Client) -> None:
    seen: list[int] = []
    last = 0
    for _ in range(4):
        async with listen(client, f"?after={last}") as websocket:
            await websocket.receive_json()
            for _ in range(3):
                await client.post("/v1/jobs", json={"workflow": words()})
            async with client.get("/v1/jobs?limit=1") as answer:
                newest = (await answer.json())["jobs"][-1]["id"]
            while True:
                event = await websocket.receive_json(timeout=10)
                seen.append(last := event["seq"])
                if event["type"] == "job_queued" and event["job"] == newest:
                    break
        await client.post("/v1/jobs", json={"workflow": words("while away")})
    assert seen == list(range(1, len(seen) + 1))


async def test_a_listener_from_another_life_is_told_to_load_anew(client: Client) -> None:
    async with listen(client, "?after=123456") as websocket:
        assert (await websocket.receive_json())["complete"] is False


async def test_two_servers_greet_differently(client: Client, service: JobService, folders: Folders) -> None:
    app = make_app(service, folders, ServerSettings(token=TOKEN))
    async with TestClient(TestServer(app)) as second, listen(client) as here, listen(second) as there:
        assert (await here.receive_json())["server"] != (await there.receive_json())["server"]


async def test_jobs_of_other_clients_can_be_left_out(client: Client) -> None:
    async with listen(client, "?client=me") as websocket:
        for name in ("you", "me"):
            await client.post("/v1/jobs", json={"workflow": words(), "client": name})
        assert (await heard(websocket, "job_queued"))["job_summary"]["client"] == "me"


async def test_a_stopping_server_says_so(service: JobService, folders: Folders) -> None:
    server = TestServer(make_app(service, folders, ServerSettings(token=TOKEN)))
    async with TestClient(server) as client, listen(client) as websocket:
        await websocket.receive_json()
        closing = asyncio.ensure_future(server.close())
        message = await websocket.receive(timeout=10)
        await websocket.close()
        await closing
    assert (message.type, message.data, message.extra) == (WSMsgType.CLOSE, WSCloseCode.GOING_AWAY, "shutdown")


async def test_a_reader_that_takes_nothing_is_let_go_with_a_reason(service: JobService, folders: Folders) -> None:
    app = make_app(service, folders, ServerSettings(token=TOKEN))
    app[LISTENERS] = Listeners(patience_s=0.3)
    async with TestClient(TestServer(app)) as client, listen(client) as websocket:
        await websocket.receive_json()
        for number in range(400):  # more than the sockets' buffers hold
            service.publish(WorkflowSaved(name="x" * 50_000, version=str(number)))
        await asyncio.sleep(1.5)
        # What had been sent before can still be read, then the reason.
        while (message := await websocket.receive(timeout=10)).type is WSMsgType.TEXT:
            pass
        assert (message.type, message.data, message.extra) == (WSMsgType.CLOSE, TOO_SLOW, "too_slow")


async def test_what_a_listener_says_is_not_heard(client: Client) -> None:
    async with listen(client) as websocket:
        await websocket.receive_json()
        await websocket.send_str("not even JSON")
        await websocket.send_bytes(b"\x00")
        await client.post("/v1/jobs", json={"workflow": words()})
        await heard(websocket, "job_queued")


async def test_events_are_not_a_page(client: Client) -> None:
    async with client.get("/v1/events") as answer:
        assert answer.status == 426
    async with client.get("/v1/events?after=x") as answer:
        assert answer.status == 400


def test_a_preview_is_its_header_and_its_picture() -> None:
    frame = preview_frame(Preview(job="j", node="outer:inner", media_type="image/jpeg", image=b"\xff\xd8picture"))
    length = int.from_bytes(frame[:4], "big")
    assert json.loads(frame[4 : 4 + length]) == {"job": "j", "node": "outer:inner", "media_type": "image/jpeg"}
    assert frame[4 + length :] == b"\xff\xd8picture"
