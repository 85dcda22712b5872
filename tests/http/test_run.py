"""Runs through a real server and its worker process: graph in, picture out, and what is told meanwhile."""

from __future__ import annotations

import asyncio
import io
import json
from typing import Any

from aiohttp import ClientSession, WSMsgType
from PIL import Image

from tests.http.live import dots


async def test_a_graph_goes_in_and_a_picture_comes_out(session: ClientSession) -> None:
    wish = {"workflow": dots("lime")}
    async with session.post("/v1/run", json=wish, headers={"Accept": "image/png"}) as answer:
        assert answer.status == 200, await answer.text()
        assert answer.content_type == "image/png"
        picture = Image.open(io.BytesIO(await answer.read()))
    assert picture.convert("RGB").getpixel((0, 0)) == (0, 255, 0)


async def test_a_run_tells_where_its_pictures_are(session: ClientSession) -> None:
    async with session.post("/v1/run", json={"workflow": dots("blue", prefix="deep/blue ink")}) as answer:
        ran = await answer.json()
    assert ran["job"]["status"] == "done"
    (url,) = ran["images"]
    assert url == "/v1/files/output/deep/blue%20ink_00001_.png"
    async with session.get(url) as answer:
        assert (answer.status, answer.content_type) == (200, "image/png")


async def test_a_run_that_fails_says_where_and_why(session: ClientSession) -> None:
    async with session.post("/v1/run", json={"workflow": dots("bad")}) as answer:
        assert answer.status == 422
        told = (await answer.json())["error"]
    assert told["code"] == "job_failed"
    assert told["problems"][0]["node"] == "dot"
    assert "this colour is bad" in told["message"]


async def test_a_run_whose_caller_hangs_up_is_cancelled(session: ClientSession) -> None:
    wish = {"workflow": dots("navy", steps=5_000), "name": "hung up"}
    call = asyncio.ensure_future(session.post("/v1/run", json=wish))
    job = await until(session, "hung up", "running")
    call.cancel()
    assert (await until(session, "hung up", "cancelled"))["id"] == job["id"]


async def test_a_plan_says_what_is_cached(session: ClientSession) -> None:
    wish = {"workflow": dots("teal")}
    async with session.post("/v1/plan", json=wish) as answer:
        assert await answer.json() == {"runs": ["dot", "save"], "cached": []}
    await session.post("/v1/run", json=wish)
    async with session.post("/v1/plan", json=wish) as answer:
        assert "dot" in (await answer.json())["cached"]


async def test_a_run_is_told_step_by_step_with_previews(session: ClientSession) -> None:
    told: list[dict[str, Any]] = []
    previews: list[tuple[dict[str, Any], bytes]] = []
    async with session.ws_connect("/v1/events?client=watcher") as websocket:
        await websocket.receive_json()
        await session.post("/v1/jobs", json={"workflow": dots("olive", steps=40), "client": "watcher"})
        while not told or told[-1]["type"] != "job_finished":
            message = await websocket.receive(timeout=30)
            if message.type is WSMsgType.BINARY:
                length = int.from_bytes(message.data[:4], "big")
                previews.append((json.loads(message.data[4 : 4 + length]), message.data[4 + length :]))
            else:
                told.append(json.loads(message.data))
    job = told[-1]["job"]
    mine = [event for event in told if event["job"] == job]
    kinds = list(dict.fromkeys(event["type"] for event in mine if event["type"] != "node_progress"))
    assert kinds == ["job_queued", "job_started", "run_started", "node_started", "node_finished", "job_finished"]
    assert [event["seq"] for event in mine] == sorted({event["seq"] for event in mine})
    assert told[-1]["status"] == "done"
    steps = [event["step"] for event in mine if event["type"] == "node_progress" and event["node"] == "dot"]
    assert steps == sorted(set(steps))
    assert steps[-1] == 40
    assert len(steps) < 40  # joined to at most ten a second
    assert ({"job": job, "node": "dot", "media_type": "image/jpeg"}, b"a picture") in previews


async def test_figures_count_what_ran(session: ClientSession) -> None:
    async with session.post("/v1/run", json={"workflow": dots("gold")}) as answer:
        assert answer.status == 200
    async with session.get("/metrics") as answer:
        lines = (await answer.text()).splitlines()
        assert answer.content_type == "text/plain"
    figures = {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[0] != "#")}
    assert figures['darkroom_jobs_total{status="done"}'] >= 1
    assert figures['darkroom_node_seconds_count{type="Dot"}'] >= 1
    assert figures['darkroom_http_seconds_count{method="POST",route="/v1/run",status="200"}'] >= 1
    assert figures['darkroom_queue_jobs{status="queued"}'] == 0


async def test_the_system_shows_its_worker(session: ClientSession) -> None:
    async with session.get("/v1/system") as answer:
        system = await answer.json()
    (worker,) = system["workers"]
    assert worker["device"] == "cpu"
    async with session.post("/v1/free", json={"unload_models": True, "free_memory": True}) as answer:
        assert answer.status == 204


async def until(session: ClientSession, name: str, status: str) -> dict[str, Any]:
    """The job of a name, when it has a status."""
    async with asyncio.timeout(30):
        while True:
            async with session.get("/v1/jobs", params={"q": name, "status": status}) as answer:
                for job in (await answer.json())["jobs"]:
                    return job
            await asyncio.sleep(0.05)
