"""Pictures and lists of files as ComfyUI's clients fetch and send them."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import orjson
from aiohttp import web
from pydantic import BaseModel, Field, JsonValue

from engine.errors import FileProblem, NoSuchFile
from engine.http.body import Query
from engine.http.comfy.paths import both
from engine.http.errors import HttpError
from engine.http.keys import FOLDERS
from engine.http.pictures import remake, with_alpha_of
from engine.http.route import Route
from engine.http.serving import file_response, find_file
from engine.http.uploads import PICTURE_WORK, Place, StoredPicture, Upload, plain_name, receive, store
from engine.http.v1.files import original_of
from engine.node.folders import ANNOTATED, MODEL_KEYS

QUALITY = 90
HEADER_BYTES = 16 * 2**20


class ViewQuery(Query):
    """Which file, and what of it."""

    filename: str = ""
    type: str = "output"
    subfolder: str = ""
    channel: Literal["rgba", "rgb", "a"] = "rgba"
    preview: str = ""
    """`webp` or `jpeg`, with `;quality` behind it: the picture encoded anew."""


class MetadataQuery(Query):
    """Which model file."""

    filename: str = ""


class _Header(BaseModel):
    """The part of a safetensors header that is looked for."""

    metadata: dict[str, str] = Field(alias="__metadata__")


class Stored(BaseModel):
    """Where an uploaded picture is."""

    name: str
    subfolder: str
    type: str


async def view(request: web.Request, query: ViewQuery) -> web.StreamResponse:
    """Fetch a file, one of its channels, or a smaller encoding of it."""
    if not query.filename:
        raise HttpError(400, "no_filename", "`filename` is missing.", fix="add ?filename=")
    annotated = ANNOTATED.match(query.filename)
    filename, folder = (annotated[1], annotated[2]) if annotated else (query.filename, query.type)
    name = f"{query.subfolder.strip('/')}/{filename}" if query.subfolder else filename
    path = await asyncio.to_thread(find_file, request.app[FOLDERS], folder, name)
    if query.preview:
        format, _, quality = query.preview.partition(";")
        kind = "JPEG" if format == "jpeg" and "a" not in query.channel else "WEBP"
        share = int(quality) if quality.isdecimal() else QUALITY
        return await _encoded(request, path, kind, query.channel, min(max(share, 1), 100))
    if query.channel != "rgba":
        return await _encoded(request, path, "PNG", query.channel, QUALITY)
    response = file_response(path)
    response.headers["Content-Disposition"] = f'filename="{path.name}"'.encode("ascii", "replace").decode()
    return response


async def upload_image(request: web.Request) -> Stored:
    """Upload a picture: `image`, and `type`, `subfolder`, `overwrite`."""
    async with receive(request) as came:
        work = request.app[PICTURE_WORK]
        picture = await work.do(remake, came.file, plain_name(came.filename), keep_texts=True)
        place, name, overwrite = _destination(came)
        return _stored(await asyncio.to_thread(store, request.app[FOLDERS], place, name, picture, overwrite=overwrite))


async def upload_mask(request: web.Request) -> Stored:
    """Upload a mask: `image`, whose alpha is laid onto the picture that `original_ref` names."""
    async with receive(request) as came:
        place, name, overwrite = _destination(came)
        folder, original = original_of(came.fields.get("original_ref", ""))
        path = await asyncio.to_thread(find_file, request.app[FOLDERS], folder, original)
        work = request.app[PICTURE_WORK]
        picture = await work.do(with_alpha_of, path, came.file, plain_name(came.filename))
        return _stored(await asyncio.to_thread(store, request.app[FOLDERS], place, name, picture, overwrite=overwrite))


async def models(request: web.Request) -> list[str]:
    """List the folders of models."""
    return [*MODEL_KEYS, *(key for key in request.app[FOLDERS].extra if key not in MODEL_KEYS)]


async def models_in(request: web.Request) -> list[str]:
    """List the files in a folder of models."""
    return await _names(request, request.match_info["folder"])


async def embeddings(request: web.Request) -> list[str]:
    """List the embeddings, without suffixes."""
    return [str(Path(name).with_suffix("")) for name in await _names(request, "embeddings")]


async def model_folders(request: web.Request) -> list[dict[str, JsonValue]]:
    """List the folders of models with the number of places each is looked up in."""
    folders = request.app[FOLDERS]
    return [{"name": key, "folders": [root.name for root in folders.roots(key)]} for key in await models(request)]


async def model_files(request: web.Request) -> list[dict[str, JsonValue]]:
    """List the files in a folder of models with size and time."""
    folder = request.match_info["folder"]
    names = await _names(request, folder)
    return await asyncio.to_thread(_with_sizes, request, folder, names)


async def view_metadata(request: web.Request, query: MetadataQuery) -> web.Response:
    """Read what the header of a model file says about it."""
    path = await asyncio.to_thread(request.app[FOLDERS].resolve, request.match_info["folder"], query.filename)
    return web.Response(body=await asyncio.to_thread(_header_metadata, path), content_type="application/json")


def routes() -> Iterable[Route]:
    """The routes of files."""
    picture = {"image/*": "The picture."}
    form = {"multipart/form-data": "`image`, `type`, `subfolder`, `overwrite`"}
    json = {"application/json": "The metadata."}
    yield from both(
        [
            Route("GET", "/view", view, media=picture, errors=(404,)),
            Route("POST", "/upload/image", upload_image, takes=form),
            Route("POST", "/upload/mask", upload_mask, takes=form, errors=(404,)),
            Route("GET", "/models", models),
            Route("GET", "/models/{folder}", models_in, errors=(404,)),
            Route("GET", "/embeddings", embeddings),
            Route("GET", "/experiment/models", model_folders),
            Route("GET", "/experiment/models/{folder}", model_files, errors=(404,)),
            Route("GET", "/view_metadata/{folder}", view_metadata, media=json, errors=(404,)),
        ]
    )


def _destination(came: Upload) -> tuple[Place, str, bool]:
    folder = came.fields.get("type", "input")
    if folder not in ("input", "temp", "output"):
        raise HttpError(400, "bad_folder", f"There is no folder {folder[:40]!r}.", fix="use input, temp or output")
    above = came.fields.get("subfolder", "").strip("/")
    name = plain_name(came.filename)
    overwrite = came.fields.get("overwrite", "").lower() in ("true", "1")
    return folder, f"{above}/{name}" if above else name, overwrite


def _stored(picture: StoredPicture) -> Stored:
    return Stored(name=picture.filename, subfolder=picture.subfolder, type=picture.type)


async def _names(request: web.Request, folder: str) -> list[str]:
    try:
        if folder in ("input", "output", "temp"):
            raise FileProblem(f"{folder} is no folder of models")
        return await asyncio.to_thread(request.app[FOLDERS].list, folder)
    except FileProblem as error:
        raise NoSuchFile(str(error)) from error


def _with_sizes(request: web.Request, folder: str, names: Iterable[str]) -> list[dict[str, JsonValue]]:
    found: list[dict[str, JsonValue]] = []
    folders = request.app[FOLDERS]
    roots = [root.resolve() for root in folders.roots(folder)]
    for name in names:
        path = folders.resolve(folder, name)
        place = next((index for index, root in enumerate(roots) if path.is_relative_to(root)), 0)
        stat = path.stat()
        found.append(
            {
                "name": name,
                "pathIndex": place,
                "size": stat.st_size,
                "modified": stat.st_mtime,
                "created": stat.st_ctime,
            }
        )
    return found


def _header_metadata(path: Path) -> bytes:
    """The `__metadata__` of a safetensors file, read without the tensors.

    Raises:
        NoSuchFile: it has none.
    """
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        text = file.read(size) if 0 < size <= HEADER_BYTES else b""
    try:
        return orjson.dumps(_Header.model_validate_json(text).metadata)
    except ValueError as error:
        raise NoSuchFile(f"{path.name} says nothing about itself") from error


async def _encoded(request: web.Request, path: Path, kind: str, channel: str, quality: int) -> web.Response:
    try:
        data = await request.app[PICTURE_WORK].do(_encode, path, kind, channel, quality)
    except FileProblem as error:
        raise HttpError(415, "no_picture", str(error), fix="fetch the file itself") from error
    return web.Response(body=data, content_type=f"image/{kind.lower()}")


def _encode(path: Path, kind: str, channel: str, quality: int) -> bytes:
    from PIL import Image

    from engine.pictures import open_picture

    picture = open_picture(path)
    if channel == "a":
        alpha = picture.convert("RGBA").getchannel("A")
        picture = Image.new("RGBA", picture.size)
        picture.putalpha(alpha)
    elif channel == "rgb" or kind == "JPEG":
        picture = picture.convert("RGB")
    buffer = io.BytesIO()
    picture.save(buffer, kind, quality=quality)
    return buffer.getvalue()
