"""Workflows of other forms in, and out again."""

from __future__ import annotations

import io
import json
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.http.conftest import Client, words

PROMPT: dict[str, Any] = {
    "1": {"class_type": "Words", "inputs": {"text": "hi", "steps": 3}},
    "2": {"class_type": "SaveWords", "inputs": {"words": ["1", 0], "filename_prefix": "words"}},
}
EDITOR_FILE: dict[str, Any] = {
    "version": 0.4,
    "nodes": [
        {
            "id": 1,
            "type": "Words",
            "pos": [10, 20],
            "outputs": [{"name": "string", "type": "STRING", "links": [7]}],
            "widgets_values": ["hello", 4],
        },
        {
            "id": 2,
            "type": "SaveWords",
            "pos": [300, 20],
            "inputs": [{"name": "words", "type": "STRING", "link": 7}],
            "widgets_values": ["words"],
        },
        {"id": 3, "type": "Unheard", "pos": [0, 0], "widgets_values": []},
    ],
    "links": [[7, 1, 0, 2, 0, "STRING"]],
}


async def convert(client: Client, data: bytes, status: int = 200) -> Any:
    async with client.post("/v1/convert", data=data) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()


async def test_our_own_document_stays_as_it_is(client: Client) -> None:
    assert await convert(client, json.dumps(words()).encode()) == {"workflow": words(), "problems": []}


async def test_comfyuis_api_format_becomes_a_document(client: Client) -> None:
    workflow = (await convert(client, json.dumps(PROMPT).encode()))["workflow"]
    assert workflow["nodes"]["1"] == {"type": "Words", "inputs": {"text": "hi", "steps": 3}}
    assert workflow["nodes"]["2"]["inputs"]["words"] == {"from": "1.0"}


async def test_what_comfyuis_editor_saves_becomes_a_document_with_doubts(client: Client) -> None:
    told = await convert(client, json.dumps(EDITOR_FILE).encode())
    nodes = {node["type"]: node for node in told["workflow"]["nodes"].values()}
    assert nodes["Words"]["inputs"] == {"text": "hello", "steps": 4}
    assert "unknown_node" in {problem["code"] for problem in told["problems"]}


async def test_a_picture_gives_the_workflow_that_made_it(client: Client) -> None:
    texts = PngInfo()
    texts.add_text("workflow", json.dumps(words("from a picture")))
    data = io.BytesIO()
    Image.new("RGB", (1, 1)).save(data, "PNG", pnginfo=texts)
    told = await convert(client, data.getvalue())
    assert told["workflow"]["nodes"]["words"]["inputs"]["text"] == "from a picture"


async def test_what_is_no_workflow_is_refused_with_a_reason(client: Client) -> None:
    plain = io.BytesIO()
    Image.new("RGB", (1, 1)).save(plain, "PNG")
    for data, status, code in (
        (b"", 400, "empty_json"),
        (b"\xff\xd8\xff\xe0", 400, "bad_encoding"),
        (b"{}", 422, "not_a_workflow"),
        (b"[]", 422, "not_a_workflow"),
        (plain.getvalue(), 422, "no_workflow_in_png"),
        (plain.getvalue()[:30], 422, "bad_png"),
    ):
        assert (await convert(client, data, status))["error"]["code"] == code


async def test_a_document_goes_out_in_comfyuis_api_format(client: Client) -> None:
    async with client.post("/v1/export", json={"workflow": words()}) as answer:
        told = await answer.json()
    assert told["problems"] == []
    assert told["prompt"]["words"]["inputs"]["text"] == "good"
    assert told["prompt"]["save"]["inputs"]["words"] == ["words", 0]
