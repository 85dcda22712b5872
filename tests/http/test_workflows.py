"""Workflows saved over HTTP: no lost update (R9), versions, drafts, templates, settings."""

from __future__ import annotations

import asyncio
import copy
import io
import json
from typing import Any
from urllib.parse import quote

import pytest

from engine.jobs.service import JobService
from engine.node.folders import Folders
from tests.http.conftest import Client, words

NEW = {"If-None-Match": "*"}
UNFINISHED: dict[str, Any] = {
    "darkroom": 1,
    "nodes": {
        "a": {"type": "NodeOfAPluginThatIsGone", "inputs": {"x": {"from": "nowhere.image"}, "seed": 2**64 - 1}},
        "b": {"type": "Words", "inputs": {"text": 3.5, "made_up": {"value": [1, {"deep": None}]}}, "newer": True},
    },
    "layout": {"nodes": {"a": {"position": [0.5, -3]}}, "view": {"zoom": 2}},
    "form": {"inputs": ["b.text"], "outputs": []},
}


async def put(client: Client, name: str, document: object, **headers: str) -> Any:
    return await client.put(f"/v1/workflows/{name}", json={"workflow": document}, headers=headers)


async def version_of(client: Client, name: str) -> str:
    return (await (await client.get(f"/v1/workflows/{name}")).json())["version"]


async def test_a_workflow_is_saved_listed_and_read_as_it_was(client: Client, folders: Folders) -> None:
    saved = await put(client, "sets/Über%201", UNFINISHED, **NEW)
    assert saved.status == 200
    entry = await saved.json()
    assert saved.headers["ETag"] == f'"{entry["version"]}"'
    assert await (await client.get("/v1/workflows")).json() == [entry]
    read = await client.get("/v1/workflows/sets%2F%C3%9Cber%201")
    found = await read.json()
    assert found == {
        "name": "sets/Über 1",
        "version": entry["version"],
        "modified": entry["modified"],
        "workflow": UNFINISHED,
    }
    again = await client.get("/v1/workflows/sets/%C3%9Cber%201", headers={"If-None-Match": read.headers["ETag"]})
    assert again.status == 304
    text = (folders.user / "workflows" / "sets" / "Über 1.json").read_text()
    assert json.loads(text) == UNFINISHED
    assert text.count("\n") > 10  # for people and for version control


async def test_two_tabs_cannot_overwrite_each_other_silently(client: Client) -> None:
    await put(client, "a", words("one"), **NEW)
    base = await version_of(client, "a")
    first = await put(client, "a", words("first tab"), **{"If-Match": f'"{base}"'})
    assert first.status == 200
    second = await put(client, "a", words("second tab"), **{"If-Match": f'"{base}"'})
    assert second.status == 409
    refusal = await second.json()
    assert refusal["error"]["code"] == "stale_version"
    assert "was saved by someone else since you opened it" in refusal["error"]["message"]
    assert refusal["current"]["workflow"] == words("first tab")
    assert refusal["current"]["version"] == (await first.json())["version"]
    merged = await put(client, "a", words("both"), **{"If-Match": f'"{refusal["current"]["version"]}"'})
    assert merged.status == 200


async def test_of_ten_saves_at_once_one_wins(client: Client) -> None:
    await put(client, "a", words("base"), **NEW)
    match = {"If-Match": f'"{await version_of(client, "a")}"'}
    answers = await asyncio.gather(*(put(client, "a", words(f"tab {n}"), **match) for n in range(10)))
    assert sorted(answer.status for answer in answers) == [200] + [409] * 9


async def test_a_save_says_what_it_replaces(client: Client) -> None:
    assert (await put(client, "a", words())).status == 428
    assert (await put(client, "a", words(), **{"If-Match": '"0123"'})).status == 409
    assert (await put(client, "a", words(), **NEW)).status == 200
    assert (await put(client, "a", words("other"), **NEW)).status == 409
    assert (await put(client, "a", words(), **NEW)).status == 200  # it is there already
    assert (await put(client, "a", words("forced"), **{"If-Match": "*"})).status == 200
    assert (await (await client.get("/v1/workflows/a")).json())["workflow"] == words("forced")


@pytest.mark.parametrize(
    ("document", "status"),
    [
        ({}, 422),
        ({"nodes": {}}, 422),
        ({"1": {"class_type": "A", "inputs": {}}}, 422),
        ({"darkroom": 1}, 422),
        ({"darkroom": 99, "nodes": {}}, 422),
        ({"darkroom": 1, "nodes": []}, 422),
        ({"darkroom": 1, "nodes": {"a b": {"type": "A"}}}, 422),
        ({"darkroom": 1, "nodes": {"a": {"type": "A", "inputs": {"x": {"what": 1}}}}}, 422),
        ([], 400),
        ("text", 400),
        (None, 400),
        ({"darkroom": 1, "nodes": {}}, 200),
    ],
)
async def test_what_has_no_workflows_shape_is_not_saved(client: Client, document: object, status: int) -> None:
    answer = await put(client, "a", document, **NEW)
    assert answer.status == status
    assert len(await (await client.get("/v1/workflows")).json()) == (status == 200)


async def test_what_json_cannot_say_is_refused(client: Client) -> None:
    deep = '{"workflow": {"darkroom": 1, "nodes": {}, "x": ' + "[" * 100 + "]" * 100 + "}}"
    twice = '{"workflow": {"darkroom": 1, "nodes": {}, "nodes": {}}}'
    endless = '{"workflow": {"darkroom": 1, "nodes": {}, "x": 1e999}}'
    large = '{"workflow": {"darkroom": 1, "nodes": {}, "x": "' + "y" * 9_000_000 + '"}}'
    for text, status in ((deep, 400), (twice, 400), (endless, 400), (large, 413)):
        for path in ("/v1/workflows/a", "/v1/drafts/a"):
            answer = await client.put(
                path, data=io.BytesIO(text.encode()), headers={**NEW, "Content-Type": "application/json"}
            )
            assert answer.status == status


async def test_versions_are_listed_and_fetched(client: Client) -> None:
    version = ""
    for n in range(3):
        headers = {"If-Match": f'"{version}"'} if version else NEW
        version = (await (await put(client, "set/a", words(str(n)), **headers)).json())["version"]
    listed = await (await client.get("/v1/workflows/set/a/versions")).json()
    assert listed[0]["version"] == version
    assert len(listed) == 3
    oldest = await client.get(f"/v1/workflows/set%2Fa/versions/{listed[-1]['version']}")
    assert (await oldest.json())["workflow"] == words("0")
    assert (await client.get(f"/v1/workflows/set/a/versions/{'0' * 32}")).status == 404
    assert (await client.get("/v1/workflows/b/versions")).status == 404


async def test_a_workflow_may_be_called_as_a_route_is(client: Client) -> None:
    for name in ("versions", "a%2Fversions", "a%2Frename"):
        assert (await put(client, name, words(name), **NEW)).status == 200
        assert (await (await client.get(f"/v1/workflows/{name}")).json())["workflow"] == words(name)


async def test_renaming_and_deleting_lose_nothing(client: Client, folders: Folders) -> None:
    await put(client, "a", words("a"), **NEW)
    await put(client, "b", words("b"), **NEW)
    taken = await client.post("/v1/workflows/a/rename", json={"to": "b"})
    assert (taken.status, (await taken.json())["error"]["code"]) == (409, "name_taken")
    renamed = await client.post("/v1/workflows/a/rename", json={"to": "deep/c"})
    assert (renamed.status, (await renamed.json())["name"]) == (200, "deep/c")
    assert (await client.get("/v1/workflows/a")).status == 404
    stale = await client.delete("/v1/workflows/deep/c", headers={"If-Match": '"0123"'})
    assert (stale.status, (await stale.json())["current"]["workflow"]) == (409, words("a"))
    assert (await client.delete("/v1/workflows/deep/c")).status == 204
    assert (await client.delete("/v1/workflows/deep/c")).status == 404
    assert len(list((folders.user / "workflows" / ".trash").rglob("c.json"))) == 1
    assert [entry["name"] for entry in await (await client.get("/v1/workflows")).json()] == ["b"]
    assert (await client.post("/v1/workflows/b/rename", json={"to": "../x"})).status == 400
    assert (await client.post("/v1/workflows/b/rename", json={})).status == 400


async def test_everybody_is_told_of_a_save(client: Client, service: JobService) -> None:
    subscription = service.subscribe()
    entry = await (await put(client, "a", words(), **NEW)).json()
    async for message in subscription:
        event = json.loads(message.json)
        if event["type"] == "workflow_saved":
            break
    assert (event["name"], event["version"]) == ("a", entry["version"])
    subscription.close()


async def test_a_file_damaged_by_hand_is_an_error_and_may_be_saved_over(client: Client, folders: Folders) -> None:
    await put(client, "a", words(), **NEW)
    (folders.user / "workflows" / "a.json").write_text("{ not JSON")
    read = await client.get("/v1/workflows/a")
    assert (read.status, (await read.json())["error"]["code"]) == (422, "bad_json")
    refused = await put(client, "a", words("new"), **NEW)
    assert (refused.status, (await refused.json())["current"]["workflow"]) == (409, None)
    version = (await refused.json())["current"]["version"]
    assert (await put(client, "a", words("new"), **{"If-Match": f'"{version}"'})).status == 200


async def test_a_draft_survives_in_any_state(client: Client, folders: Folders) -> None:
    half: dict[str, Any] = {"nodes": {"a": None}, "what": ["ever"]}
    body = {"workflow": half, "title": "Untitled", "base": {"name": "a", "version": "f" * 32}}
    kept = await client.put("/v1/drafts/tab-1", json=body)
    assert kept.status == 200
    (draft,) = await (await client.get("/v1/drafts")).json()
    assert {key: draft[key] for key in body} == body
    changed = copy.deepcopy(half) | {"seed": 2**64 - 1}
    await client.put("/v1/drafts/tab-1", json={"workflow": changed})
    (draft,) = await (await client.get("/v1/drafts")).json()
    assert (draft["workflow"], draft["title"], draft["base"]) == (changed, None, None)
    assert (await client.delete("/v1/drafts/tab-1")).status == 204
    assert (await client.delete("/v1/drafts/tab-1")).status == 204
    assert await (await client.get("/v1/drafts")).json() == []
    assert (await client.put("/v1/drafts/..%2Fx", json={"workflow": {}})).status == 400
    assert (await client.put("/v1/drafts/x", json={"workflow": []})).status == 400


async def test_templates_are_listed_and_fetched(client: Client) -> None:
    listed = await (await client.get("/v1/templates")).json()
    first = next(template for template in listed if template["name"] == "text_to_image")
    assert first["title"] == "Text to image"
    document = await (await client.get("/v1/templates/text_to_image")).json()
    assert document["darkroom"] == 1
    assert (await client.get("/v1/templates/train%2Ftext_to_image")).status == 200
    for template in listed:
        if template["thumbnail"]:
            picture = await client.get(template["thumbnail"])
            assert picture.headers["Content-Type"] in ("image/png", "image/webp")
        else:
            assert (await client.get(f"/v1/templates/{quote(template['name'], safe='')}/thumbnail")).status == 404
    assert (await client.get("/v1/templates/nothing")).status == 404


async def test_settings_are_read_and_changed(client: Client) -> None:
    defaults = await (await client.get("/v1/settings")).json()
    assert defaults["theme"] == "system"
    changed = await client.patch("/v1/settings", json={"theme": "dark", "mine": {"x": [1]}})
    assert await changed.json() == defaults | {"theme": "dark", "mine": {"x": [1]}}
    wrong = await client.patch("/v1/settings", json={"theme": "sepia", "grid": 8})
    assert wrong.status == 400
    assert (await wrong.json())["error"]["problems"][0]["input"] == "theme"
    back = await client.patch("/v1/settings", json={"theme": None, "mine": None})
    assert await back.json() == defaults
    assert (await client.patch("/v1/settings", json=[])).status == 400
