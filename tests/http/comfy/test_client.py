"""A client as people write them for ComfyUI: post a prompt, listen until it is done, fetch its picture."""

from __future__ import annotations

import io
import json
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse, FormData, WSMsgType
from PIL import Image

Told = list[tuple[str, dict[str, Any]]]


def prompt(colour: str = "lime", **inputs: object) -> dict[str, Any]:
    return {
        "1": {"class_type": "Dot", "inputs": {"colour": colour, **inputs}, "_meta": {"title": "A dot"}},
        "2": {"class_type": "SaveDot", "inputs": {"colour": ["1", 0], "filename_prefix": "comfy"}},
    }


async def listen(socket: ClientWebSocketResponse, job: str) -> tuple[Told, list[bytes]]:
    """Everything until the message that clients wait for."""
    told: Told = []
    pictures: list[bytes] = []
    async for message in socket:
        if message.type is WSMsgType.BINARY:
            pictures.append(message.data)
            continue
        said = json.loads(message.data)
        told.append((said["type"], said["data"]))
        if said["type"] == "executing" and said["data"]["node"] is None and said["data"]["prompt_id"] == job:
            break
    return told, pictures


async def queue(session: ClientSession, body: dict[str, Any]) -> dict[str, Any]:
    # As ComfyUI's own example does: JSON without saying so.
    async with session.post("/prompt", data=json.dumps(body)) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def test_a_prompt_is_queued_watched_and_its_picture_fetched(session: ClientSession) -> None:
    async with session.ws_connect("/ws?clientId=test-1") as socket:
        await socket.send_str(json.dumps({"type": "feature_flags", "data": {"supports_preview_metadata": True}}))
        queued = await queue(session, {"prompt": prompt(), "client_id": "test-1"})
        assert queued["node_errors"] == {} and isinstance(queued["number"], int)
        id = queued["prompt_id"]
        told, pictures = await listen(socket, id)
    kinds = [kind for kind, _ in told]
    assert kinds[0] == "status" and told[0][1]["sid"] == "test-1"
    assert kinds[-3:] == ["execution_success", "status", "executing"]
    assert told[-2][1]["status"]["exec_info"]["queue_remaining"] == 0
    steps = [kind for kind in kinds if kind not in ("status", "feature_flags", "progress", "progress_state")]
    assert steps == [
        "execution_start",
        "execution_cached",
        "executing",
        "executing",
        "executed",
        "execution_success",
        "executing",
    ]
    assert [data["node"] for kind, data in told if kind == "executing"] == ["1", "2", None]
    states = [data["nodes"] for kind, data in told if kind == "progress_state"]
    assert {node: state["state"] for node, state in states[-1].items()} == {"1": "finished", "2": "finished"}
    (shown,) = next(data for kind, data in told if kind == "executed")["output"]["images"]
    assert all(frame[:4] == b"\0\0\0\4" for frame in pictures)
    for frame in pictures:
        length = int.from_bytes(frame[4:8], "big")
        about = json.loads(frame[8 : 8 + length])
        assert (about["node_id"], about["image_type"]) == ("1", "image/jpeg")
        assert frame[8 + length :] == b"a picture"
    async with session.get(f"/history/{id}") as answer:
        entry = (await answer.json())[id]
    assert entry["outputs"]["2"]["images"] == [shown]
    assert entry["status"]["status_str"] == "success" and entry["status"]["completed"] is True
    assert [kind for kind, _ in entry["status"]["messages"]] == [
        "execution_start",
        "execution_cached",
        "execution_success",
    ]
    assert entry["prompt"][1:3] == [id, prompt()] and entry["prompt"][4] == ["2"]
    place = {key: shown[key] for key in ("filename", "subfolder", "type")}
    async with session.get("/view", params=place) as answer:
        assert answer.content_type == "image/png"
        assert Image.open(io.BytesIO(await answer.read())).convert("RGB").getpixel((0, 0)) == (0, 255, 0)
    async with session.get("/api/view", params={**place, "channel": "rgb", "preview": "jpeg;50"}) as answer:
        assert answer.content_type == "image/jpeg"


async def test_the_same_prompt_again_is_told_from_the_cache(session: ClientSession) -> None:
    async with session.ws_connect("/ws?clientId=test-2") as socket:
        for _ in range(2):
            queued = await queue(session, {"prompt": prompt("olive"), "client_id": "test-2"})
            told, _ = await listen(socket, queued["prompt_id"])
    cached = [data["nodes"] for kind, data in told if kind == "execution_cached"]
    assert sorted(cached[0]) == ["1", "2"]
    assert [data["node"] for kind, data in told if kind == "executed"] == ["2"]
    assert not [data for kind, data in told if kind == "executing" and data["node"]]


async def test_a_node_that_fails_is_told_with_its_reason(session: ClientSession) -> None:
    async with session.ws_connect("/ws?clientId=test-3") as socket:
        queued = await queue(session, {"prompt": prompt("bad"), "client_id": "test-3"})
        told, _ = await listen(socket, queued["prompt_id"])
    (error,) = [data for kind, data in told if kind == "execution_error"]
    assert (error["node_id"], error["node_type"]) == ("1", "Dot")
    assert "this colour is bad" in error["exception_message"]
    async with session.get(f"/history/{queued['prompt_id']}") as answer:
        status = (await answer.json())[queued["prompt_id"]]["status"]
    assert status["status_str"] == "error" and status["completed"] is False


async def test_a_running_prompt_is_interrupted(session: ClientSession) -> None:
    async with session.ws_connect("/ws?clientId=test-4") as socket:
        queued = await queue(session, {"prompt": prompt("navy", steps=5_000), "client_id": "test-4"})
        async for message in socket:
            if message.type is WSMsgType.TEXT and json.loads(message.data)["type"] == "progress":
                break
        async with session.get("/queue") as answer:
            (item,) = (await answer.json())["queue_running"]
        assert item[1] == queued["prompt_id"] and item[2] == prompt("navy", steps=5_000)
        async with session.post("/interrupt", json={"prompt_id": queued["prompt_id"]}) as answer:
            assert (answer.status, await answer.read()) == (200, b"")
        told, _ = await listen(socket, queued["prompt_id"])
    assert "execution_interrupted" in [kind for kind, _ in told]


async def test_a_picture_is_uploaded_and_listed(session: ClientSession) -> None:
    data = io.BytesIO()
    Image.new("RGB", (3, 2), "red").save(data, "PNG")
    form = FormData()
    form.add_field("image", data.getvalue(), filename="red.png", content_type="image/png")
    form.add_field("subfolder", "from client")
    async with session.post("/upload/image", data=form) as answer:
        assert await answer.json() == {"name": "red.png", "subfolder": "from client", "type": "input"}
    async with session.get("/object_info/LoadImage") as answer:
        info = (await answer.json())["LoadImage"]
    names, options = info["input"]["required"]["image"]
    assert "from client/red.png" in names and options["image_upload"] is True
    async with session.get("/object_info/DrawColourMap") as answer:
        drawing = (await answer.json())["DrawColourMap"]["input"]["required"]["drawing"]
    assert drawing == [names, {"tooltip": drawing[1]["tooltip"], "default": "", "image_upload": True}]


async def test_jobs_are_listed_as_newer_clients_ask(session: ClientSession) -> None:
    async with session.get("/api/jobs?status=completed&limit=1") as answer:
        told = await answer.json()
    (job,) = told["jobs"]
    assert job["status"] == "completed" and told["pagination"]["limit"] == 1
    async with session.get(f"/api/jobs/{job['id']}") as answer:
        assert (await answer.json())["workflow"]["prompt"]


async def test_the_server_describes_itself(session: ClientSession) -> None:
    async with session.get("/system_stats") as answer:
        stats = await answer.json()
    assert stats["devices"][0]["type"] == "cpu" and stats["system"]["ram_total"] > 0
    async with session.get("/api/features") as answer:
        assert (await answer.json())["supports_preview_metadata"] is True
