"""The routes of jobs and the queue, over the real service; no worker is up, so jobs wait."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.conftest import Client, words
from tests.http.test_convert import EDITOR_FILE


async def submit(client: Client, /, **wish: Any) -> list[dict[str, Any]]:
    async with client.post("/v1/jobs", json={"workflow": words(), **wish}) as answer:
        assert answer.status == 201, await answer.text()
        return (await answer.json())["jobs"]


async def error(client: Client, method: str, path: str, **sent: Any) -> tuple[int, dict[str, Any]]:
    async with client.request(method, path, **sent) as answer:
        return answer.status, (await answer.json())["error"]


async def ids(client: Client, query: str = "") -> list[str]:
    async with client.get(f"/v1/jobs{query}") as answer:
        return [job["id"] for job in (await answer.json())["jobs"]]


async def test_a_job_is_queued_and_found_again(client: Client) -> None:
    (job,) = await submit(client, name="first", client="me")
    assert (job["status"], job["name"], job["client"]) == ("queued", "first", "me")
    assert "workflow" not in job
    async with client.get("/v1/jobs?status=queued,running") as answer:
        assert await answer.json() == {"jobs": [job], "total": 1}
    async with client.get(f"/v1/jobs/{job['id']}") as answer:
        detail = await answer.json()
    assert detail["workflow"]["nodes"]["words"]["inputs"]["text"] == "good"
    async with client.get(f"/v1/jobs/{job['id']}/events") as answer:
        (queued,) = (await answer.json())["events"]
    assert (queued["type"], queued["job"]) == ("job_queued", job["id"])


async def test_a_prompt_in_comfyuis_format_is_queued_too(client: Client) -> None:
    prompt = {
        "1": {"class_type": "Words", "inputs": {"text": "hi"}},
        "2": {"class_type": "SaveWords", "inputs": {"words": ["1", 0]}},
    }
    async with client.post("/v1/jobs", json={"prompt": prompt}) as answer:
        (job,) = (await answer.json())["jobs"]
    async with client.get(f"/v1/jobs/{job['id']}") as answer:
        assert (await answer.json())["prompt"] == prompt


async def test_what_comfyuis_editor_saves_is_queued_too(client: Client) -> None:
    known = {**EDITOR_FILE, "nodes": EDITOR_FILE["nodes"][:2]}
    (job,) = await submit(client, workflow=known, settings={"2.filename_prefix": "kept"})
    async with client.get(f"/v1/jobs/{job['id']}") as answer:
        nodes = (await answer.json())["workflow"]["nodes"]
    assert nodes["1"]["inputs"] == {"text": "hello", "steps": 4}
    assert nodes["2"]["inputs"]["filename_prefix"] == "kept"
    status, said = await error(client, "POST", "/v1/jobs", json={"workflow": EDITOR_FILE})
    assert (status, [(each["code"], each["node"]) for each in said["problems"]]) == (422, [("unknown_node", "3")])
    async with client.post("/v1/validate", json={"workflow": known}) as answer:
        assert (await answer.json())["problems"] == []


async def test_a_sweep_becomes_a_job_for_every_point(client: Client) -> None:
    jobs = await submit(
        client, sweep={"values": {"words.text": ["a", "b"], "words.steps": {"from": 1, "to": 3, "step": 1}}}
    )
    assert [job["settings"] for job in jobs] == [
        {"words.text": text, "words.steps": steps} for text in "ab" for steps in (1, 2, 3)
    ]
    assert len({job["sweep"] for job in jobs}) == 1


async def test_every_problem_of_a_workflow_is_told_at_once(client: Client) -> None:
    workflow = words(steps=-1)
    workflow["nodes"]["other"] = {"type": "Wrods"}  # type: ignore[index]
    status, refused = await error(client, "POST", "/v1/jobs", json={"workflow": workflow})
    assert (status, refused["code"]) == (422, "workflow_problems")
    assert {problem["node"] for problem in refused["problems"]} == {"words", "other"}
    assert await ids(client) == []


async def test_the_same_key_gives_the_same_jobs(client: Client) -> None:
    key = {"Idempotency-Key": "once"}
    answers = []
    for _ in range(2):
        async with client.post("/v1/jobs", json={"workflow": words()}, headers=key) as answer:
            answers.append(await answer.json())
    assert answers[0] == answers[1]
    assert len(await ids(client)) == 1
    status, refused = await error(client, "POST", "/v1/jobs", json={"workflow": words("other")}, headers=key)
    assert (status, refused["code"]) == (409, "job_conflict")


async def test_jobs_change_places(client: Client) -> None:
    a, b, c = [(await submit(client, name=name))[0]["id"] for name in "abc"]
    async with client.post(f"/v1/jobs/{c}/move", json={"front": True}) as answer:
        assert answer.status == 200
    assert await ids(client, "?status=queued") == [c, a, b]
    await client.post(f"/v1/jobs/{c}/move", json={"before": b})
    assert await ids(client, "?status=queued") == [a, c, b]
    await client.post(f"/v1/jobs/{a}/move", json={})
    assert await ids(client, "?status=queued") == [c, b, a]
    (d,) = await submit(client, front=True)
    assert await ids(client, "?status=queued") == [d["id"], c, b, a]
    assert await ids(client, "?order=oldest&limit=2&offset=1") == [b, c]


async def test_jobs_are_cancelled_one_or_all(client: Client) -> None:
    a, b, c = [(await submit(client))[0]["id"] for _ in range(3)]
    async with client.post(f"/v1/jobs/{b}/cancel") as answer:
        assert await answer.json() == {"ids": [b]}
    async with client.post(f"/v1/jobs/{b}/cancel") as answer:
        assert await answer.json() == {"ids": []}
    async with client.post("/v1/jobs/cancel", json={}) as answer:
        assert sorted((await answer.json())["ids"]) == sorted([a, c])
    assert len(await ids(client, "?status=cancelled")) == 3


async def test_a_cancelled_job_is_queued_again_as_a_new_one(client: Client) -> None:
    (job,) = await submit(client)
    status, refused = await error(client, "POST", f"/v1/jobs/{job['id']}/retry")
    assert (status, refused["code"]) == (409, "job_conflict")
    await client.post(f"/v1/jobs/{job['id']}/cancel")
    async with client.post(f"/v1/jobs/{job['id']}/retry") as answer:
        assert answer.status == 201
        assert (await answer.json())["id"] != job["id"]


async def test_jobs_are_deleted_and_cleared(client: Client) -> None:
    a, b = [(await submit(client))[0]["id"] for _ in range(2)]
    async with client.delete(f"/v1/jobs/{a}") as answer:
        assert answer.status == 204
    async with client.post("/v1/jobs/clear", json={"what": "queued"}) as answer:
        assert await answer.json() == {"ids": [b]}
    assert await ids(client) == []


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("DELETE", ""), ("GET", "/events"), ("POST", "/cancel"), ("POST", "/retry"), ("POST", "/move")],
)
async def test_a_job_that_is_not_there_is_not_found(method: str, path: str, client: Client) -> None:
    status, refused = await error(client, method, f"/v1/jobs/nothing{path}", json={} if path == "/move" else None)
    assert (status, refused["code"] in ("not_found", "no_such_job")) == (404, True)


async def test_the_queue_is_paused_and_goes_on(client: Client) -> None:
    await submit(client)
    async with client.patch("/v1/queue", json={"paused": True}) as answer:
        assert await answer.json() == {"paused": True, "queued": 1, "running": 0}
    async with client.patch("/v1/queue", json={"paused": False}) as answer:
        assert (await answer.json())["paused"] is False


async def test_a_misspelt_key_is_named(client: Client) -> None:
    status, refused = await error(client, "POST", "/v1/jobs", json={"workflow": words(), "frnot": True})
    assert (status, refused["problems"][0]["input"]) == (400, "frnot")


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "offset=-1", "status=late", "order=best"])
async def test_a_query_that_does_not_fit_is_refused(query: str, client: Client) -> None:
    status, refused = await error(client, "GET", f"/v1/jobs?{query}")
    assert (status, refused["code"]) == (400, "bad_query")
    assert refused["problems"][0]["input"].startswith(query.partition("=")[0])


async def test_a_wish_names_one_document(client: Client) -> None:
    for wish in ({}, {"workflow": words(), "prompt": {}}, {"workflow": None}):
        status, refused = await error(client, "POST", "/v1/jobs", json=wish)
        assert (status, refused["code"]) == (400, "bad_body")


async def test_a_workflow_is_validated_without_being_queued(client: Client) -> None:
    async with client.post("/v1/validate", json={"workflow": words()}) as answer:
        assert await answer.json() == {"problems": []}
    bad = {"workflow": words(), "settings": {"words.steps": -1}}
    async with client.post("/v1/validate", json=bad) as answer:
        (problem,) = (await answer.json())["problems"]
    assert (problem["node"], problem["input"]) == ("words", "steps")
    assert await ids(client) == []


async def test_what_needs_a_worker_says_that_there_is_none(client: Client) -> None:
    for path, sent in (("/v1/plan", {"workflow": words()}), ("/v1/free", {})):
        status, refused = await error(client, "POST", path, json=sent)
        assert (status, refused["code"]) == (503, "no_worker")
