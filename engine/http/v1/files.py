"""The user's pictures: fetched, looked into, uploaded."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, Field, JsonValue

from engine.errors import FileProblem
from engine.http.body import Query
from engine.http.errors import HttpError
from engine.http.keys import FOLDERS
from engine.http.metadata import read_metadata
from engine.http.pictures import remake, with_alpha_of
from engine.http.route import Route
from engine.http.serving import cache_control, file_response, find_file
from engine.http.thumbnails import Thumbnails
from engine.http.uploads import PICTURE_WORK, Place, StoredPicture, Upload, plain_name, receive, store

THUMBNAILS: web.AppKey[Thumbnails] = web.AppKey("thumbnails", Thumbnails)


class FileQuery(Query):
    """How to fetch a file."""

    thumbnail: Annotated[int, Field(ge=16, le=4096)] | None = None
    """A WebP of at most this many pixels a side instead; rounded up to 64, 128, 256, 512 or 1024."""
    v: str | None = None
    """Any stamp, such as when the file was modified: with one, a browser keeps the answer and asks no more."""


class PictureMetadata(BaseModel):
    """What a picture carries. Anybody may have written it: show it as text, and check it before it runs."""

    workflow: JsonValue
    """The document it was made by, Darkroom's or ComfyUI's; null without one that can be read."""
    prompt: JsonValue
    """What ran, in ComfyUI's API format."""
    width: int
    height: int


async def fetch(request: web.Request, query: FileQuery) -> web.StreamResponse:
    """Fetch a file from the input, output or temp folder, or a thumbnail of a picture.

    Takes `Range` and `If-None-Match`. What is neither picture, sound, film nor plain text comes as a download.
    """
    forever = query.v is not None
    path = await _find(request)
    if query.thumbnail is None:
        return file_response(path, forever=forever)
    thumbnails = request.app[THUMBNAILS]
    headers = {"Cache-Control": cache_control(forever=forever)}
    headers["ETag"] = f'"{await asyncio.to_thread(thumbnails.tag, path, query.thumbnail)}"'
    if any(each.value in (headers["ETag"].strip('"'), "*") for each in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    try:
        made = await request.app[PICTURE_WORK].do(thumbnails.get, path, query.thumbnail)
    except FileProblem as error:
        raise HttpError(415, "no_picture", str(error), fix="fetch the file itself") from error
    return web.Response(body=made.data, content_type="image/webp", headers=headers | {"ETag": f'"{made.tag}"'})


async def metadata(request: web.Request) -> PictureMetadata:
    """Read the workflow and the prompt that a picture carries: PNG and WebP, as Darkroom and ComfyUI write them."""
    path = await _find(request)
    try:
        found = await request.app[PICTURE_WORK].do(read_metadata, path)
    except FileProblem as error:
        raise HttpError(415, "no_picture", str(error), fix="choose a picture") from error
    return PictureMetadata(workflow=found.workflow, prompt=found.prompt, width=found.width, height=found.height)


async def upload(request: web.Request) -> StoredPicture:
    """Upload a picture.

    Form fields: `file`, the picture; `folder`, which is `input` (the default) or `temp`; `name`, with `/` between
    folders, instead of the file's own; `metadata`, which is `keep` to keep the workflow it carries.

    The picture is decoded and encoded again: only its first frame, upright, without metadata, is stored. PNG, JPEG and
    WebP stay what they are, others become PNG. A name that is taken gets ` (1)`; the same picture twice is stored once.
    """
    async with receive(request) as came:
        place, name = _destination(came)
        keep = came.fields.get("metadata") == "keep"
        picture = await request.app[PICTURE_WORK].do(remake, came.file, plain_name(came.filename), keep_texts=keep)
        return await asyncio.to_thread(store, request.app[FOLDERS], place, name, picture)


async def upload_mask(request: web.Request) -> StoredPicture:
    """Upload a painted mask for a picture that is here already.

    Form fields: `file`, a picture whose alpha is the mask; `original`, the JSON `{"filename", "subfolder", "type"}` of
    the picture it was painted on, equally large; `folder` and `name` as for an upload. What is stored is the original,
    as PNG, with that alpha; `LoadImage` gives 1 - alpha as its mask. The workflow it carries is kept.
    """
    async with receive(request) as came:
        place, name = _destination(came)
        original = await asyncio.to_thread(
            find_file, request.app[FOLDERS], *original_of(came.fields.get("original", ""))
        )
        picture = await request.app[PICTURE_WORK].do(with_alpha_of, original, came.file, plain_name(came.filename))
        return await asyncio.to_thread(store, request.app[FOLDERS], place, name, picture)


def original_of(text: str) -> tuple[str, str]:
    """Folder and name of the picture that a mask's `original` field means.

    Raises:
        HttpError: 400 when it is no JSON object that names a file.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    match value:
        case {"filename": str(filename), **rest} if filename:
            folder, subfolder = rest.get("type") or "input", rest.get("subfolder") or ""
            if isinstance(folder, str) and isinstance(subfolder, str):
                return folder, f"{subfolder}/{filename}" if subfolder else filename
        case _:
            pass
    raise HttpError(
        400,
        "bad_original",
        "The field 'original' names no picture.",
        fix='send {"filename", "subfolder", "type"} as JSON',
    )


def _destination(came: Upload) -> tuple[Place, str]:
    """Where an upload goes: the folder, and the name in it.

    Raises:
        HttpError: 400 when it is no folder for uploads.
    """
    name = came.fields.get("name") or plain_name(came.filename)
    match came.fields.get("folder", "input"):
        case "input":
            return "input", name
        case "temp":
            return "temp", name
        case other:
            raise HttpError(400, "bad_folder", f"Nothing is uploaded to {other[:40]!r}.", fix="use 'input' or 'temp'")


async def _find(request: web.Request) -> Path:
    names = request.match_info
    return await asyncio.to_thread(find_file, request.app[FOLDERS], names["type"], names["path"])


def routes() -> Iterable[Route]:
    """The routes of the user's files."""
    form = {"multipart/form-data": "the picture, and where it goes"}
    media = {"image/png": "the file, or another type by its suffix", "image/webp": "its thumbnail"}
    tag = {"If-None-Match": "The `ETag` of what is already there.", "Range": "Which bytes."}
    yield Route("GET", "/v1/files/{type}/{path:.+}", fetch, errors=(404, 415), media=media, headers=tag)
    yield Route("GET", "/v1/metadata/{type}/{path:.+}", metadata, errors=(404, 415))
    yield Route("POST", "/v1/uploads", upload, status=201, errors=(413, 415), takes=form)
    yield Route("POST", "/v1/uploads/mask", upload_mask, status=201, errors=(404, 413, 415), takes=form)
