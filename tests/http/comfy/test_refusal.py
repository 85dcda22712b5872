"""Prompts that cannot run are refused in ComfyUI's words, and what can run of them runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.http.conftest import Client

PROTOCOL = Path(__file__).resolve().parents[3].parent / "shared" / "reference" / "comfyui" / "protocol"


def prompt(**changes: dict[str, Any]) -> dict[str, Any]:
    nodes: dict[str, Any] = {
        "1": {"class_type": "Words", "inputs": {"text": "good", "steps": 2}},
        "2": {"class_type": "SaveWords", "inputs": {"words": ["1", 0]}},
    }
    return {**nodes, **{key.removeprefix("n"): value for key, value in changes.items()}}


async def refused(client: Client, value: object) -> dict[str, Any]:
    async with client.post("/prompt", json={"prompt": value}) as answer:
        assert answer.status == 400, await answer.text()
        return await answer.json()


async def test_an_unknown_class_is_named(client: Client) -> None:
    told = await refused(client, prompt(n1={"class_type": "Nope", "inputs": {}}))
    assert told["node_errors"] == {}
    assert told["error"] == {
        "type": "invalid_prompt",
        "message": "Cannot execute because node Nope does not exist.",
        "details": "Node ID '#1'",
        "extra_info": {},
    }


@pytest.mark.parametrize(
    ("inputs", "type", "details"),
    [
        ({"steps": 0}, "value_smaller_than_min", "steps"),
        ({"steps": 10**6}, "value_bigger_than_max", "steps"),
        ({"steps": "many"}, "invalid_input_type", "steps, many"),
    ],
)
async def test_a_value_that_does_not_fit_is_told_by_type(
    client: Client, inputs: dict[str, Any], type: str, details: str
) -> None:
    told = await refused(client, prompt(n1={"class_type": "Words", "inputs": inputs}))
    node = told["node_errors"]["1"]
    assert node["class_type"] == "Words" and node["dependent_outputs"] == ["2"]
    (error,) = node["errors"]
    assert error["type"] == type and error["details"].startswith(details)
    assert error["extra_info"]["input_name"] == "steps"
    assert error["extra_info"]["received_value"] == inputs["steps"]
    assert told["error"]["type"] == "prompt_outputs_failed_validation"


async def test_a_missing_input_is_told_as_recorded(client: Client) -> None:
    told = await refused(client, prompt(n2={"class_type": "SaveWords", "inputs": {}}))
    expected = {"type": "required_input_missing", "message": "Required input is missing"}
    (error,) = told["node_errors"]["2"]["errors"]
    assert error == {**expected, "details": "words", "extra_info": {"input_name": "words"}}
    recorded = PROTOCOL / "err_missing.json"
    if not recorded.exists():
        pytest.skip("the recordings of ComfyUI are not at hand; the rest held")
    (theirs,) = json.loads(recorded.read_text())
    theirs_error = theirs["body"]["node_errors"]["2"]["errors"][0]
    assert error.keys() == theirs_error.keys() and error["message"] == theirs_error["message"]
    assert told["error"].keys() == theirs["body"]["error"].keys()
    assert told["node_errors"]["2"].keys() == theirs["body"]["node_errors"]["2"].keys()


async def test_nothing_to_run_is_refused(client: Client) -> None:
    told = await refused(client, {"1": {"class_type": "Words", "inputs": {}}})
    assert told["error"]["type"] == "prompt_no_outputs"
    assert (await refused(client, None))["error"]["type"] == "no_prompt"


async def test_an_output_that_can_run_runs_without_the_others(client: Client) -> None:
    both = prompt(n3={"class_type": "SaveWords", "inputs": {}})
    async with client.post("/prompt", json={"prompt": both, "client_id": "c"}) as answer:
        assert answer.status == 200
        told = await answer.json()
    assert list(told["node_errors"]) == ["3"]
    async with client.get("/queue") as answer:
        (item,) = (await answer.json())["queue_pending"]
    assert item[1] == told["prompt_id"] and item[4] == ["2"]


async def test_prompts_wait_in_order_and_are_deleted(client: Client) -> None:
    ids: list[str] = []
    for text, more in (("a", {}), ("b", {}), ("c", {"front": True})):
        body = {"prompt": prompt(n1={"class_type": "Words", "inputs": {"text": text}}), **more}
        async with client.post("/api/prompt", json=body) as answer:
            ids.append((await answer.json())["prompt_id"])
    async with client.get("/queue") as answer:
        waiting = (await answer.json())["queue_pending"]
    assert [item[1] for item in sorted(waiting, key=lambda item: item[0])] == [ids[2], ids[0], ids[1]]
    async with client.post("/queue", json={"delete": [ids[0]]}) as answer:
        assert answer.status == 200
    async with client.get("/prompt") as answer:
        assert await answer.json() == {"exec_info": {"queue_remaining": 2}}
    async with client.post("/queue", json={"clear": True}) as answer:
        assert answer.status == 200
    async with client.get("/prompt") as answer:
        assert await answer.json() == {"exec_info": {"queue_remaining": 0}}


async def test_a_chosen_id_is_kept_and_a_wrong_one_refused(client: Client) -> None:
    id = "0b6f1f7e-27c5-4c3b-9a5f-6f0c1d2e3a4b"
    async with client.post("/prompt", json={"prompt": prompt(), "prompt_id": id}) as answer:
        assert (await answer.json())["prompt_id"] == id
    async with client.post("/prompt", json={"prompt": prompt(), "prompt_id": "no"}) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"]["type"] == "invalid_prompt_id"


async def test_files_that_clients_keep_stay_in_their_folder(client: Client) -> None:
    async with client.post("/userdata/workflows%2Fa.json", data=b'{"a": 1}') as answer:
        assert await answer.json() == "workflows/a.json"
    async with client.get("/userdata?dir=workflows") as answer:
        assert await answer.json() == ["a.json"]
    async with client.get("/userdata/workflows%2Fa.json") as answer:
        assert await answer.read() == b'{"a": 1}'
    async with client.post("/userdata/workflows%2Fa.json?overwrite=false", data=b"") as answer:
        assert answer.status == 409
    async with client.get("/userdata/..%2F..%2Ftoken") as answer:
        assert answer.status in (400, 404)
    async with client.delete("/userdata/workflows%2Fa.json") as answer:
        assert answer.status == 204


async def test_settings_are_merged(client: Client) -> None:
    await client.post("/settings", json={"Comfy.A": 1, "Comfy.B": 2})
    await client.post("/settings/Comfy.B", json=[3])
    async with client.get("/api/settings") as answer:
        assert await answer.json() == {"Comfy.A": 1, "Comfy.B": [3]}
