"""Reading what a request carries: the one way in for JSON bodies and query strings, under the limits of promise S11."""

from __future__ import annotations

import asyncio
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError
from pydantic_core import ErrorDetails

from engine.errors import Problem, WorkflowError
from engine.graph.reading import Limits, read_json
from engine.graph.wording import MAX_PROBLEMS, describe, shorten
from engine.http.caller import is_browser
from engine.http.errors import HttpError

ModelT = TypeVar("ModelT", bound=BaseModel)
JSON_BYTES = 8 * 2**20
"""The largest JSON body (promise S11)."""
LARGE_BYTES = 2**18
"""From here on, reading JSON takes so long (8 MB: half a second) that others would notice."""
_LIMITS = Limits(size_bytes=JSON_BYTES)


class Body(BaseModel):
    """Base of the models of JSON bodies. An unknown key is refused: it is a misspelt one."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Query(BaseModel):
    """Base of the models of query strings. Unknown keys are ignored: clients add some to get past caches."""

    model_config = ConfigDict(frozen=True, extra="ignore")


async def read_json_body(request: web.Request) -> JsonValue:
    """Read the JSON in a request's body.

    Programs may call it anything (`text/plain`, a form: what their library does); a browser must call it JSON,
    which a page of another origin cannot do without asking first.

    Raises:
        HttpError: 415, 413 when it is larger than 8 MB, 400 when it is no JSON within the limits.
    """
    check_json_type(request)
    data = await request.read()
    return await asyncio.to_thread(parse_json, data) if len(data) > LARGE_BYTES else parse_json(data)


def check_json_type(request: web.Request) -> None:
    """Refuse a browser's body that is not called JSON.

    Raises:
        HttpError: 415.
    """
    if is_browser(request) and not _says_json(request.content_type):
        raise HttpError(
            415,
            "not_json",
            f"The body is said to be {request.content_type!r}.",
            fix="send it with the header 'Content-Type: application/json'",
        )


def parse_json(data: bytes) -> JsonValue:
    """Read JSON that came in a request.

    Raises:
        HttpError: 400 when it is no JSON within the limits, 413 when it is too large.
    """
    try:
        return read_json(data, _LIMITS)
    except WorkflowError as error:
        problem = error.problems[0]
        status = 413 if problem.code == "json_too_large" else 400
        raise HttpError(status, problem.code, str(problem), problems=error.problems) from error


async def read_body(request: web.Request, model: type[ModelT]) -> ModelT:
    """Read a request's JSON body into its model.

    Raises:
        HttpError: as `read_json_body`; 400 with every field that does not fit.
    """
    value = await read_json_body(request)
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise _unfit("bad_body", "The body does not fit.", error) from error


def read_query(request: web.Request, model: type[ModelT]) -> ModelT:
    """Read a request's query string into its model.

    Raises:
        HttpError: 400 with every key that does not fit.
    """
    try:
        return model.model_validate(dict(request.query))
    except ValidationError as error:
        raise _unfit("bad_query", "The query string does not fit.", error) from error


def _says_json(content_type: str) -> bool:
    return content_type == "application/json" or content_type.endswith("+json")


def _unfit(code: str, message: str, error: ValidationError) -> HttpError:
    problems = [_problem(code, each) for each in error.errors(include_url=False)[:MAX_PROBLEMS]]
    return HttpError(400, code, " ".join([message, *(problem.message for problem in problems[:3])]), problems=problems)


def _problem(code: str, error: ErrorDetails) -> Problem:
    place = shorten(".".join(str(part) for part in error["loc"]) or "it", 120)
    match error["type"]:
        case "missing":
            return Problem(code, f"`{place}` is missing.", input=place, fix=f"add `{place}`")
        case "extra_forbidden":
            return Problem(code, f"`{place}` is not known here.", input=place, fix="remove it, or correct its spelling")
        case "value_error":  # a sentence of ours
            sentence = error["msg"].removeprefix("Value error, ")
            where = f"`{place}`: " if error["loc"] else ""
            return Problem(code, f"{where}{sentence[0].upper()}{sentence[1:]}.", input=place)
        case _:
            wanted = error["msg"].replace("Input should be ", "")
            got = describe(error["input"])
            return Problem(
                code,
                f"`{place}` should be {wanted}, but is {got}.",
                input=place,
                wanted=wanted,
                got=got,
                fix="correct it",
            )
