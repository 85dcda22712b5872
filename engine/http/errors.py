"""What goes wrong, as HTTP: one JSON for every error of the API, and which status belongs to which error.

    {"error": {"code": "missing_input", "message": "...", "problems": [{"code", "message", "node", "input", ...}]}}

`code` is for programs, `message` for people. `problems` has at least one entry; a workflow's refusal has every one.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus

import orjson
from aiohttp import web

from engine.errors import (
    Cancelled,
    DarkroomError,
    FileProblem,
    InputProblem,
    NodeFailed,
    NoSuchFile,
    OutOfMemory,
    PluginError,
    Problem,
    WorkflowError,
)
from engine.http.user.workflow_files import NameTaken
from engine.jobs.errors import JobConflict, NoSuchJob, NoWorker

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_log = logging.getLogger(__name__)

STATUS_OF: Mapping[type[DarkroomError], tuple[int, str]] = {
    WorkflowError: (422, "workflow_problems"),
    NodeFailed: (422, "node_failed"),
    FileProblem: (400, "file_problem"),
    NoSuchFile: (404, "not_found"),
    NameTaken: (409, "name_taken"),
    InputProblem: (400, "bad_input"),
    PluginError: (400, "plugin_problem"),
    OutOfMemory: (507, "out_of_memory"),
    Cancelled: (409, "cancelled"),
    NoSuchJob: (404, "no_such_job"),
    JobConflict: (409, "job_conflict"),
    NoWorker: (503, "no_worker"),
}
"""Status and code by class; a subclass takes those of its nearest base here, any other DarkroomError is a 400."""


class HttpError(DarkroomError):
    """A request that is refused with this status, for a reason that is the caller's to read.

    Args:
        status: 400 to 599.
        code: a stable snake_case name.
        message: a sentence for people: what was wanted, what came.
        fix: what to do, starting with a verb.
        problems: the reasons in detail; this error itself when there are none.
        headers: to send along, such as `WWW-Authenticate`.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        fix: str | None = None,
        problems: Sequence[Problem] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status, self.code, self.headers = status, code, dict(headers or {})
        self.problems = tuple(problems) or (Problem(code, message, fix=fix),)
        super().__init__(message)


class NotThere(HttpError):
    """404: nothing has that name.

    Args:
        what: the kind of thing, `job` or `workflow`.
        name: what was asked for.
    """

    def __init__(self, what: str, name: str) -> None:
        super().__init__(404, "not_found", f"There is no {what} {name[:200]!r}.", fix=f"list what there is of {what}s")


def error_answer(error: DarkroomError, **more: object) -> web.Response:
    """The answer for an error.

    Args:
        more: keys beside `error`, such as the current version of what could not be saved.
    """
    status, code = status_of(error)
    problems = error.problems if isinstance(error, HttpError | WorkflowError) else (problem_of(error, code),)
    message = str(error) if not isinstance(error, WorkflowError) else _summary(problems)
    body = {"code": code, "message": message, "problems": [problem.to_json() for problem in problems]}
    headers = error.headers if isinstance(error, HttpError) else None
    return web.Response(
        status=status,
        body=orjson.dumps({"error": body, **more}),
        content_type="application/json",
        headers=headers,
    )


def status_of(error: DarkroomError) -> tuple[int, str]:
    """Status and code of an error."""
    if isinstance(error, HttpError):
        return error.status, error.code
    found = next((STATUS_OF[kind] for kind in type(error).__mro__ if kind in STATUS_OF), (400, "refused"))
    if isinstance(error, WorkflowError) and len(error.problems) == 1:
        return found[0], error.problems[0].code
    return found


def problem_of(error: DarkroomError, code: str) -> Problem:
    """An error that is no workflow's refusal, as a problem."""
    match error:
        case NodeFailed():
            return Problem(code, f"{error.node_type}: {error.reason}", error.node, error.input)
        case InputProblem():
            return Problem(code, str(error), input=error.input)
        case _:
            return Problem(code, str(error))


def is_api(path: str) -> bool:
    """Whether programs read what this path answers; the other paths are pages for people."""
    return path.startswith(("/v1/", "/api/", "/metrics", "/healthz")) and not path.startswith("/v1/docs")


@web.middleware
async def errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every error as JSON. A mistake of ours becomes a 500 with a number that is also in the log."""
    try:
        return await handler(request)
    except DarkroomError as error:
        return error_answer(error)
    except web.HTTPException as error:  # aiohttp's own: no such route, a method that a route does not take, too large
        if error.status < 400:
            raise
        return _of_aiohttp(request, error)
    except ConnectionResetError:
        raise  # whoever asked has gone; there is nobody to tell
    except Exception:
        number = secrets.token_hex(4)
        _log.exception("%s %s failed (error %s)", request.method, request.path, number)
        return error_answer(
            HttpError(
                500,
                "mistake",
                f"This is a mistake in Darkroom. Its log has the details under {number}.",
                fix="report it with that part of the log",
            )
        )


def _of_aiohttp(request: web.Request, error: web.HTTPException) -> web.Response:
    headers = {key: value for key, value in error.headers.items() if key == "Allow"}
    match error.status:
        case 404:
            wanted = HttpError(
                404,
                "no_such_route",
                f"There is nothing at {request.path[:200]!r}.",
                fix="see /v1/docs for what there is",
            )
        case 405:
            allowed = headers.get("Allow", "another method")
            wanted = HttpError(
                405,
                "wrong_method",
                f"{request.path[:200]!r} does not take {request.method[:20]}.",
                fix=f"use {allowed}",
                headers=headers,
            )
        case 413:
            wanted = HttpError(413, "body_too_large", "The body is larger than this route takes.", fix="send less")
        case status:
            phrase = HTTPStatus(status).phrase
            wanted = HttpError(status, phrase.lower().replace(" ", "_"), f"{phrase}.", headers=headers)
    return error_answer(wanted)


def _summary(problems: Sequence[Problem]) -> str:
    if len(problems) == 1:
        return str(problems[0])
    return f"The workflow has {len(problems)} problems. The first: {problems[0]}"
