"""The nodes there are, and the files their inputs may name."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from aiohttp import web
from pydantic import BaseModel

from engine.errors import FileProblem
from engine.http.errors import NotThere
from engine.http.keys import FOLDERS, SERVICE
from engine.http.route import Route
from engine.jobs.model import PluginState
from engine.jobs.service import JobService
from engine.node.schema import NodeSchema


class Nodes(BaseModel):
    """The catalogue."""

    nodes: list[NodeSchema]
    plugins: list[PluginState]
    ready: bool
    """Whether a worker has confirmed it; until then it is that of the last time."""


class Names(BaseModel):
    """What a file widget offers."""

    names: list[str]


class CatalogueJson:
    """The catalogue as JSON, made once for each state of it: it has hundreds of kilobytes and is asked for often."""

    def __init__(self) -> None:
        self._etag = ""
        self._body = b""

    def of(self, service: JobService) -> tuple[str, bytes]:
        """The entity tag, quoted, and the body."""
        etag = f'"{service.catalogue_etag}{"" if service.catalogue_ready else "-old"}"'
        if etag != self._etag:
            whole = Nodes(nodes=list(service.catalogue), plugins=list(service.plugins), ready=service.catalogue_ready)
            self._etag, self._body = etag, whole.model_dump_json().encode()
        return self._etag, self._body


CATALOGUE: web.AppKey[CatalogueJson] = web.AppKey("catalogue", CatalogueJson)


async def nodes(request: web.Request) -> Nodes | web.Response:
    """Describe every node: its inputs and outputs, its help, where it comes from.

    Send the `ETag` back as `If-None-Match`, and while nothing changed the answer is an empty 304. The event
    `catalogue_changed` tells when to ask again.
    """
    etag, body = request.app[CATALOGUE].of(request.app[SERVICE])
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    if any(each.value in (etag.strip('"'), "*") for each in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    return web.Response(body=body, content_type="application/json", headers=headers)


async def reload(request: web.Request) -> None:
    """Read the nodes anew, from plugins that were added or edited. A plugin that was left out is tried once more.

    Each worker is replaced when its jobs are done and starts none until then. The event `catalogue_changed` tells
    when there is anything new.
    """
    request.app[SERVICE].reload_nodes()


async def folder(request: web.Request) -> Names:
    """List the files in a folder that inputs name files of: `checkpoints`, `loras`, `input`, ..."""
    name = request.match_info["folder"]
    try:
        return Names(names=await asyncio.to_thread(request.app[FOLDERS].list, name))
    except FileProblem as error:
        raise NotThere("folder", name) from error


def routes() -> Iterable[Route]:
    """The routes of the catalogue."""
    tag = {"If-None-Match": "The `ETag` of the catalogue that is already there."}
    yield Route("GET", "/v1/nodes", nodes, headers=tag, other={304: "It is as it was."})
    yield Route("POST", "/v1/nodes/reload", reload, errors=(503,))
    yield Route("GET", "/v1/folders/{folder}", folder, errors=(404,))
