"""`/userdata`: files that ComfyUI's clients keep on the server, such as their workflows. They lie in `user/comfyui`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

from aiohttp import web
from pydantic import JsonValue

from engine.errors import FileProblem, NoSuchFile
from engine.http.body import Query
from engine.http.comfy.paths import both
from engine.http.errors import HttpError
from engine.http.keys import FOLDERS
from engine.http.route import Route
from engine.node.files import write_atomically
from engine.node.names import safe_parts

MOST_BYTES = 8 * 2**20
Object = dict[str, JsonValue]


class ListQuery(Query):
    """Which files, and what of them."""

    dir: str = ""
    recurse: bool = False
    full_info: bool = False
    split: bool = False


class WriteQuery(Query):
    """How to write."""

    overwrite: bool = True
    full_info: bool = False


class PathQuery(Query):
    """Which folder."""

    path: str = ""


async def list_files(request: web.Request, query: ListQuery) -> JsonValue:
    """List files in a folder."""
    if not query.dir:
        raise HttpError(400, "no_folder", "`dir` is missing.", fix="add ?dir=workflows")
    root = _path(request, query.dir)
    found = await asyncio.to_thread(_files, root, query.recurse)
    if query.full_info:
        return [_about(path, root) for path in found]
    names = [path.relative_to(root).as_posix() for path in found]
    return [[name, *name.split("/")] for name in names] if query.split else list[JsonValue](names)


async def list_entries(request: web.Request, query: PathQuery) -> JsonValue:
    """List files and folders in a folder."""
    root = _path(request, query.path) if query.path else _root(request)
    entries = await asyncio.to_thread(lambda: sorted(root.iterdir()) if root.is_dir() else [])
    top = _root(request)
    return [
        {"name": entry.name, "path": entry.relative_to(top).as_posix(), "type": "directory"}
        if entry.is_dir()
        else {"name": entry.name, "type": "file", **_about(entry, top)}
        for entry in entries
    ]


async def read(request: web.Request) -> web.Response:
    """Read a file."""
    path = _path(request, request.match_info["file"])
    if not path.is_file():
        raise NoSuchFile(f"there is no {request.match_info['file'][:200]!r}")
    return web.Response(body=await asyncio.to_thread(path.read_bytes), content_type="application/octet-stream")


async def write(request: web.Request, query: WriteQuery) -> JsonValue:
    """Write a file: the body as it is."""
    path = _path(request, request.match_info["file"])
    if path.exists() and not query.overwrite:
        raise HttpError(409, "name_taken", "There is such a file.", fix="choose another name, or overwrite it")
    data = await request.read()
    if len(data) > MOST_BYTES:
        raise HttpError(413, "body_too_large", "The file is larger than 8 MB.", fix="send less")
    await asyncio.to_thread(write_atomically, path, data, durable=True)
    top = _root(request)
    return _about(path, top) if query.full_info else path.relative_to(top).as_posix()


async def delete(request: web.Request) -> None:
    """Delete a file."""
    path = _path(request, request.match_info["file"])
    if not path.is_file():
        raise NoSuchFile(f"there is no {request.match_info['file'][:200]!r}")
    await asyncio.to_thread(path.unlink)


async def move(request: web.Request, query: WriteQuery) -> JsonValue:
    """Rename a file."""
    source, target = (_path(request, request.match_info[name]) for name in ("file", "to"))
    if not source.is_file():
        raise NoSuchFile(f"there is no {request.match_info['file'][:200]!r}")
    if target.exists() and not query.overwrite:
        raise HttpError(409, "name_taken", "There is such a file.", fix="choose another name, or overwrite it")
    await asyncio.to_thread(lambda: (target.parent.mkdir(parents=True, exist_ok=True), source.replace(target)))
    top = _root(request)
    return _about(target, top) if query.full_info else target.relative_to(top).as_posix()


def routes() -> Iterable[Route]:
    """The routes of the files that clients keep."""
    raw = {"application/octet-stream": "The file."}
    yield from both(
        [
            Route("GET", "/userdata", list_files, errors=(404,)),
            Route("GET", "/v2/userdata", list_entries),
            Route("POST", "/userdata/{file:.+}/move/{to:.+}", move, errors=(404, 409)),
            Route("GET", "/userdata/{file:.+}", read, media=raw, errors=(404,)),
            Route("POST", "/userdata/{file:.+}", write, takes=raw, errors=(409,)),
            Route("DELETE", "/userdata/{file:.+}", delete, errors=(404,)),
        ]
    )


def _root(request: web.Request) -> Path:
    return request.app[FOLDERS].user / "comfyui"


def _path(request: web.Request, name: str) -> Path:
    """Where a name is.

    Raises:
        FileProblem: it leads out of the folder.
    """
    root = _root(request)
    path = root.joinpath(*safe_parts(name, "userdata"))
    if not path.resolve().is_relative_to(root.resolve()):
        raise FileProblem(f"userdata: {name[:200]!r} leads out of the folder; choose another name")
    return path


def _files(root: Path, recurse: bool) -> list[Path]:
    if not root.is_dir():
        raise NoSuchFile("Directory not found")
    return sorted(path for path in (root.rglob("*") if recurse else root.iterdir()) if path.is_file())


def _about(path: Path, top: Path) -> Object:
    stat = path.stat()
    return {
        "path": path.relative_to(top).as_posix(),
        "size": stat.st_size,
        "modified": int(stat.st_mtime * 1000),
        "created": int(stat.st_ctime * 1000),
    }
