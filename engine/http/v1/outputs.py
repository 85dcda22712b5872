"""The gallery: what the output folder holds, and which job and node made it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Annotated, Literal

from aiohttp import web
from pydantic import BaseModel, Field

from engine.errors import FileProblem
from engine.http.body import Query
from engine.http.gallery import Gallery
from engine.http.keys import FOLDERS, SERVICE
from engine.http.pictures import picture_size
from engine.http.route import Route
from engine.http.serving import find_file
from engine.http.uploads import PICTURE_WORK
from engine.jobs.makers import FileRef

GALLERY: web.AppKey[Gallery] = web.AppKey("gallery", Gallery)


class OutputQuery(Query):
    """Which files of the output folder."""

    limit: Annotated[int, Field(ge=1, le=500)] = 50
    offset: Annotated[int, Field(ge=0)] = 0
    q: Annotated[str, Field(max_length=500)] = ""
    """Words that the name with its folders must hold."""
    kind: Literal["pictures", "all"] = "pictures"


class Output(BaseModel):
    """A file in the output folder; fetch it at `/v1/files/output/<subfolder>/<filename>`."""

    filename: str
    subfolder: str
    type: Literal["output"] = "output"
    width: int | None
    height: int | None
    """In pixels; null for what is no picture."""
    size: int
    """In bytes."""
    modified: float
    """In seconds since 1970."""
    job: str | None = None
    """The job that made it, while the history has it."""
    node: str | None = None


class Outputs(BaseModel):
    """A page of the gallery, and how many files there are in all."""

    files: list[Output]
    total: int


async def outputs(request: web.Request, query: OutputQuery) -> Outputs:
    """List pictures in the output folder, newest first."""
    gallery, folders = request.app[GALLERY], request.app[FOLDERS]
    only_pictures = query.kind == "pictures"
    page, total = await asyncio.to_thread(gallery.page, query.limit, query.offset, query.q, only_pictures=only_pictures)
    sizes = await request.app[PICTURE_WORK].do(
        lambda: [picture_size(folders.output / file.subfolder / file.filename) for file in page]
    )
    refs = [FileRef("output", file.subfolder, file.filename) for file in page]
    makers = await request.app[SERVICE].makers(refs)
    found = [
        Output(
            filename=file.filename,
            subfolder=file.subfolder,
            width=size[0] if size else None,
            height=size[1] if size else None,
            size=file.size,
            modified=file.modified_ns / 1e9,
            job=maker.job if maker else None,
            node=maker.node if maker else None,
        )
        for file, size, maker in zip(page, sizes, map(makers.get, refs), strict=True)
    ]
    return Outputs(files=found, total=total)


async def delete(request: web.Request) -> None:
    """Delete a file from the output folder. The history keeps the job that made it."""
    path = await asyncio.to_thread(find_file, request.app[FOLDERS], "output", request.match_info["path"])
    try:
        await asyncio.to_thread(path.unlink)
    except FileNotFoundError:  # somebody else was faster
        return
    except OSError as error:
        raise FileProblem(f"cannot delete {path.name}: {error.strerror or error}") from error


def routes() -> Iterable[Route]:
    """The routes of the gallery."""
    yield Route("GET", "/v1/outputs", outputs)
    yield Route("DELETE", "/v1/files/output/{path:.+}", delete, errors=(404,))
