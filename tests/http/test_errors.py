"""Every error is JSON with a sentence, and a mistake of ours tells nobody how the code looks."""

from __future__ import annotations

import logging

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from engine.errors import FileProblem, NodeFailed, OutOfMemory, Problem, WorkflowError
from engine.http.app import make_app
from engine.http.errors import HttpError, NotThere, status_of
from engine.http.keys import ServerSettings
from engine.http.route import Route, add_routes
from engine.jobs.errors import JobConflict, NoSuchJob, NoWorker
from engine.jobs.service import JobService
from engine.node.folders import Folders
from tests.http.conftest import TOKEN, Client


async def mistake(request: web.Request) -> web.Response:
    """Divide by nothing."""
    return web.json_response(1 / 0)


async def test_a_mistake_is_answered_with_a_number_that_is_in_the_log(
    service: JobService, folders: Folders, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(service, folders, ServerSettings(token=TOKEN))
    add_routes(app, [Route("GET", "/v1/mistake", mistake)])
    async with TestClient(TestServer(app)) as client, client.get("/v1/mistake") as answer:
        text = await answer.text()
        number = (await answer.json())["error"]["message"].split()[-1].rstrip(".")
    assert answer.status == 500
    assert "Zero" not in text
    assert "Traceback" not in text
    (record,) = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert number in record.getMessage()
    assert record.exc_info is not None


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "no_such_route"),
        ("GET", "/v1/nothing", 404, "no_such_route"),
        ("PUT", "/v1/jobs", 405, "wrong_method"),
        ("GET", "/assets/nothing.js", 404, "not_found"),
        ("GET", "/assets/..%2f..%2fapp.py", 404, "not_found"),
        ("GET", "/v1/docs/..%2f..%2fapp.py", 404, "not_found"),
    ],
)
async def test_what_is_not_there_is_said_in_json(
    method: str, path: str, status: int, code: str, client: Client
) -> None:
    async with client.request(method, path) as answer:
        assert answer.status == status
        told = (await answer.json())["error"]
    assert told["code"] == code
    assert told["message"]
    assert told["problems"][0]["fix"]


async def test_a_wrong_method_says_which_are_right(client: Client) -> None:
    async with client.put("/v1/queue") as answer:
        assert set(answer.headers["Allow"].split(",")) == {"GET", "HEAD", "PATCH"}


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        (HttpError(409, "stale", "It changed."), (409, "stale")),
        (NotThere("job", "x"), (404, "not_found")),
        (WorkflowError([Problem("cycle", "A cycle.")]), (422, "cycle")),
        (WorkflowError([Problem("cycle", "A cycle."), Problem("cycle", "More.")]), (422, "workflow_problems")),
        (NodeFailed("a", "A", "no"), (422, "node_failed")),
        (FileProblem("no file"), (400, "file_problem")),
        (NoSuchJob("x"), (404, "no_such_job")),
        (JobConflict("taken"), (409, "job_conflict")),
        (NoWorker("none"), (503, "no_worker")),
        (OutOfMemory("full"), (507, "out_of_memory")),
    ],
)
def test_every_kind_of_error_has_its_status(error: HttpError, wanted: tuple[int, str]) -> None:
    assert status_of(error) == wanted


async def test_a_head_is_a_get_without_its_body(client: Client) -> None:
    async with client.head("/v1/queue") as answer:
        assert (answer.status, await answer.read()) == (200, b"")
