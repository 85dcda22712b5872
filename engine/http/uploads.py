"""Taking in an upload: streamed into a nameless file, made anew, and only then given a name.

A server that is killed at any moment leaves either the whole picture under its name or nothing: until then its bytes
have no name at all, and the last step is a rename.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
import unicodedata
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, ParamSpec, TypeVar

from aiohttp import BodyPartReader, web
from pydantic import BaseModel

from engine.errors import FileProblem
from engine.http.errors import HttpError
from engine.http.keys import FOLDERS, SETTINGS
from engine.http.pictures import PICTURE_SUFFIXES, Remade
from engine.node.files import write_atomically, write_new
from engine.node.folders import Folders
from engine.node.names import safe_parts

P = ParamSpec("P")
T = TypeVar("T")

Place = Literal["input", "output", "temp"]
MOST_FIELDS = 32
FIELD_BYTES = 64 * 1024
FILE_FIELDS = ("file", "image")
"""What the part with the picture may be called; ComfyUI's clients say `image`."""
_BLOCK_BYTES = 2**20
_STEM_BYTES = 160
"""Names that clients send are cut to this; ` (1)` and a suffix still have to fit."""


class StoredPicture(BaseModel):
    """An uploaded picture, as a workflow names it: `subfolder/filename`."""

    filename: str
    subfolder: str
    type: Place
    width: int
    height: int


@dataclass(frozen=True)
class Upload:
    """What came: the bytes, the name that the client has for them, and the form's other fields."""

    file: IO[bytes]
    filename: str
    fields: Mapping[str, str]


class PictureWork:
    """Runs what decodes pictures in threads, two at a time: each of them may need half a gigabyte."""

    def __init__(self, at_a_time: int = 2) -> None:
        self._free = asyncio.Semaphore(at_a_time)

    async def do(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `work` in a thread, when it is its turn."""
        async with self._free:
            return await asyncio.to_thread(work, *args, **kwargs)


PICTURE_WORK: web.AppKey[PictureWork] = web.AppKey("picture_work", PictureWork)


@contextlib.asynccontextmanager
async def receive(request: web.Request) -> AsyncGenerator[Upload]:
    """Read a multipart form with one file, of any size up to the server's limit, without holding it in memory.

    Raises:
        HttpError: 415 when it is no such form, 413 when it is too large, 400 when it is malformed or has no file.
    """
    if request.content_type != "multipart/form-data":
        raise HttpError(
            415,
            "not_a_form",
            f"An upload is a form with a file, not {request.content_type[:80]!r}.",
            fix="send multipart/form-data with the picture in the field 'file'",
        )
    limit = request.app[SETTINGS].upload_bytes
    with await asyncio.to_thread(_nameless, request.app[FOLDERS].temp) as file:
        try:
            filename, fields = await _read_parts(request, file, limit)
        except (ValueError, LookupError, AssertionError) as error:  # what aiohttp raises on parts that make no sense
            raise HttpError(
                400, "bad_form", f"The form cannot be read: {str(error)[:200]}", fix="send it again"
            ) from error
        if filename is None:
            raise HttpError(400, "no_file", "The form holds no file.", fix="put the picture into the field 'file'")
        await asyncio.to_thread(file.seek, 0)
        yield Upload(file, filename, fields)


def store(folders: Folders, folder: Place, name: str, picture: Remade, *, overwrite: bool = False) -> StoredPicture:
    """Give a picture a name, with its own suffix. When this returns, the disk has it.

    A name that is taken by another picture gets ` (1)`, ` (2)`, ...; one that is taken by the same is the picture's.

    Args:
        name: with `/` between folders.

    Raises:
        FileProblem: that is no name for a file, or the disk refuses.
    """
    *above, last = safe_parts(name, folder)
    if any(part.startswith(".") for part in (*above, last)):
        raise FileProblem(f"{folder}: {name[:200]!r} begins with a dot; choose a name without")
    stem, suffix = os.path.splitext(last)
    stem = stem if suffix.lower() in PICTURE_SUFFIXES else last
    for n in range(10_000):
        named = f"{stem}{f' ({n})' if n else ''}{picture.suffix}"
        path = folders.place(folder, "/".join((*above, named)))
        if overwrite:
            write_atomically(path, picture.data, durable=True)
        elif not write_new(path, picture.data, durable=True) and not _holds(path, picture.data):
            continue
        return StoredPicture(
            filename=path.name,
            subfolder="/".join(above),
            type=folder,
            width=picture.width,
            height=picture.height,
        )
    raise FileProblem(f"{folder}: there are 10,000 files called {stem[:80]!r}; choose another name")


def plain_name(filename: str) -> str:
    """A name for a file out of what a client calls it: without its folders, dots in front, and excess length."""
    name = unicodedata.normalize("NFC", filename.replace("\\", "/").rpartition("/")[2])
    name = "".join(character for character in name if character.isprintable()).strip(" .:")
    stem, suffix = os.path.splitext(name)
    if suffix.lower() not in PICTURE_SUFFIXES:
        stem, suffix = name, ""
    return (stem.encode()[:_STEM_BYTES].decode(errors="ignore").strip(" .:") or "picture") + suffix


async def _read_parts(request: web.Request, file: IO[bytes], limit: int) -> tuple[str | None, dict[str, str]]:
    filename: str | None = None
    fields: dict[str, str] = {}
    parts = await request.multipart()
    count = 0
    while (part := await parts.next()) is not None:
        count += 1
        if not isinstance(part, BodyPartReader) or count > MOST_FIELDS:
            raise ValueError(f"it holds a form in a form, or more than {MOST_FIELDS} fields")
        if part.name in FILE_FIELDS and part.filename is not None and filename is None:
            filename = part.filename
            await _copy(part, file, limit)
        elif part.name:
            fields[part.name] = (await _text(part)).decode()
    return filename, fields


async def _copy(part: BodyPartReader, file: IO[bytes], limit: int) -> None:
    total = 0
    block = bytearray()
    while chunk := await part.read_chunk():
        total += len(chunk)
        if total > limit:
            raise HttpError(
                413,
                "upload_too_large",
                f"The file is larger than {limit:,} bytes.",
                fix="send a smaller one, or start the server with a larger --max-upload-size",
            )
        block += chunk
        if len(block) >= _BLOCK_BYTES:
            await asyncio.to_thread(file.write, bytes(block))
            block.clear()
    await asyncio.to_thread(file.write, bytes(block))


async def _text(part: BodyPartReader) -> bytes:
    data = bytearray()
    while chunk := await part.read_chunk():
        data += chunk
        if len(data) > FIELD_BYTES:
            raise ValueError(f"a field is larger than {FIELD_BYTES:,} bytes")
    return bytes(data)


def _nameless(folder: Path) -> IO[bytes]:
    """A file that no folder lists, beside the user's other files: memory file systems hold no large uploads."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryFile(dir=folder)
    except OSError as error:
        raise FileProblem(f"cannot write into {folder}: {error.strerror or error}") from error


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except OSError:
        return False
