"""A route is a typed function: its signature says what it takes and gives, its docstring what it does.

Both aiohttp's routing and the OpenAPI document are made from this, so neither can say what the other does not:

    class Rename(Body):
        to: str

    class Renamed(BaseModel):
        name: str

    async def rename(request: web.Request, body: Rename, query: Dry) -> Renamed:
        \"\"\"Rename a workflow.

        Its versions go with it.
        \"\"\"
        store = request.app[WORKFLOWS]
        ...
        raise NotThere("workflow", request.match_info["name"])   # any DarkroomError becomes the JSON of `errors.py`

    def routes() -> Iterable[Route]:                             # named in `app.GROUPS`
        yield Route("POST", "/v1/workflows/{name}/rename", rename, errors=(404, 409))

- `body: Model` is the JSON body, `query: Model` the query string; both are left out where there is none.
- What is returned becomes the answer: a pydantic model (or anything else that JSON can say) with `status`, None a 204
  without a body, a `web.StreamResponse` itself. `media` names the content types of such a response.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from aiohttp import web
from pydantic import BaseModel
from pydantic_core import to_json

from engine.http.body import read_body, read_query
from engine.http.errors import Handler

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
_PARAMETERS = {"request", "body", "query"}


@dataclass(frozen=True)
class Route:
    """One method of one path.

    Args:
        method: a GET answers HEAD as well.
        path: as aiohttp writes it: `/v1/files/{type}/{path:.+}`.
        handler: `async def (request[, body][, query])`.
        status: of the answer, unless the handler gives a response of its own or None.
        errors: the statuses that the handler refuses with, beside 401, 403 and 500, which any route may, and those of
            reading the request: 400, 413 and 415.
        media: content types of a response of its own, each with what it holds: `{"image/png": "the picture"}`.
        other: further statuses of a response of its own, each with what it means: `{304: "It is as it was."}`.
        takes: content types of a body that is not JSON, which the handler reads itself, each with what it must hold.
        headers: request headers that mean something to it.
        websocket: answers with a websocket.
        documented: listed in the OpenAPI document; False for a second spelling of a route that is.
    """

    method: Method
    path: str
    handler: Callable[..., Awaitable[object]]
    status: int = 200
    errors: Sequence[int] = ()
    media: Mapping[str, str] = field(default_factory=dict[str, str])
    other: Mapping[int, str] = field(default_factory=dict[int, str])
    takes: Mapping[str, str] = field(default_factory=dict[str, str])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    websocket: bool = False
    documented: bool = True

    @property
    def summary(self) -> str:
        """The first line of the handler's docstring."""
        return inspect.cleandoc(self.handler.__doc__ or "").partition("\n")[0]

    @property
    def description(self) -> str:
        """The rest of the handler's docstring."""
        return inspect.cleandoc(self.handler.__doc__ or "").partition("\n")[2].strip()

    @property
    def body(self) -> type[BaseModel] | None:
        """The model of the JSON body."""
        return self._signature.get("body")

    @property
    def query(self) -> type[BaseModel] | None:
        """The model of the query string."""
        return self._signature.get("query")

    @property
    def answer(self) -> Any:
        """The type of the JSON answer; None where there is none, as in a 204 or a response of the handler's own."""
        returned = self._signature.get("return")
        kinds = get_args(returned) if get_origin(returned) in (Union, types.UnionType) else (returned,)
        said: list[Any] = [
            kind for kind in kinds if not (inspect.isclass(kind) and issubclass(kind, web.StreamResponse))
        ]
        either: Any = Union
        return None if said in ([], [type(None)]) else either[tuple(said)]

    @cached_property
    def _signature(self) -> Mapping[str, Any]:
        hints = get_type_hints(self.handler, include_extras=True)
        unknown = set(inspect.signature(self.handler).parameters) - _PARAMETERS
        if unknown:
            raise TypeError(
                f"{self.handler.__qualname__} takes {', '.join(unknown)}; a handler takes request, body, query"
            )
        return hints

    def as_handler(self) -> Handler:
        """The function that aiohttp calls."""
        handler, body, query, status = self.handler, self.body, self.query, self.status

        async def handle(request: web.Request) -> web.StreamResponse:
            given: dict[str, object] = {}
            if query is not None:
                given["query"] = read_query(request, query)
            if body is not None:
                given["body"] = await read_body(request, body)
            return as_response(await handler(request, **given), status)

        return handle


def as_response(value: object, status: int = 200) -> web.StreamResponse:
    """What a handler returns, as a response: a model or other JSON, None for a 204, or a response as it is."""
    if isinstance(value, web.StreamResponse):
        return value
    if value is None:
        return web.Response(status=204)
    return web.Response(status=status, body=to_json(value), content_type="application/json")


def add_routes(app: web.Application, routes: Sequence[Route]) -> None:
    """Make the application answer these routes."""
    for route in routes:
        handle = route.as_handler()
        app.router.add_route(route.method, route.path, handle)
        if route.method == "GET" and not route.websocket:
            app.router.add_route("HEAD", route.path, handle)
