"""PyTorch's two file formats: where the pickle is, and where the bytes of each storage are.

Since 1.6 a file is a zip archive, its members stored as they are: NAME/data.pkl and NAME/data/KEY. Before, it was four
pickles one after the other (a magic number, a version, facts of the machine, the content), a fifth with the storages'
keys in order, and then each storage: 8 bytes of its length and its numbers.

Source: torch/serialization.py, `_legacy_save` and `_save`.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from engine.errors import ModelFileError
from engine.pickles import names
from engine.pickles.machine import Machine
from engine.pickles.names import BYTES, Storage

LARGEST_PICKLE = 64 * 2**20
"""Bytes; the largest published checkpoint's is 0.6 MB."""
MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001


@dataclass(frozen=True)
class Span:
    """Bytes of the file itself: where they begin, and how many they are."""

    start: int
    length: int


class Checkpoint:
    """An open checkpoint: what its pickle holds, and the bytes of its storages."""

    def __init__(self, path: Path, content: object, spans: Mapping[str, Span]) -> None:
        self.path, self.content, self._spans = path, content, spans

    def open_storage(self, storage: Storage) -> AbstractContextManager[IO[bytes]]:
        """Open the file where a storage begins.

        Raises:
            ModelFileError: it is not in the file, or shorter than the pickle says.
        """
        span, wanted = self._spans.get(storage.key), storage.size * BYTES[storage.dtype]
        if span is None or span.length < wanted:
            there = 0 if span is None else span.length
            raise ModelFileError(
                f"storage {storage.key[:40]!r} wants {wanted} bytes, {there} are there; it is cut short"
            )
        file = self.path.open("rb")
        file.seek(span.start)
        return closing(file)


def read_checkpoint(path: Path) -> Checkpoint:
    """Read the pickle of a checkpoint, and find its storages.

    Raises:
        ModelFileError: the file is of another kind or damaged, or its pickle names or does what is not allowed.
    """
    with path.open("rb") as file:
        first = file.read(8)
    if first.startswith(b"PK\x03\x04"):
        return _read_zip(path)
    if first.startswith(b"\x80"):
        return _read_legacy(path)
    raise ModelFileError("this is no PyTorch checkpoint: it is neither a zip archive nor a pickle")


def _machine() -> Machine:
    return Machine(names.check, names.made, names.persistent)


def _read_zip(path: Path) -> Checkpoint:
    try:
        with zipfile.ZipFile(path) as archive:
            members = {member.filename: member for member in archive.infolist()}
            pickles = [name for name in members if name.endswith("/data.pkl")]
            if len(pickles) != 1:
                raise ModelFileError(
                    "the archive is no checkpoint of weights"
                    + (" but a TorchScript program" if any("/code/" in name for name in members) else "")
                )
            folder = pickles[0].removesuffix("data.pkl")
            pickle = members[pickles[0]]
            if pickle.file_size > LARGEST_PICKLE or pickle.compress_type != zipfile.ZIP_STORED:
                raise ModelFileError(f"its pickle has {pickle.file_size} bytes or is compressed, as no checkpoint's is")
            content = _machine().read(io.BytesIO(archive.read(pickle)))
            order = f"{folder}byteorder"
            if order in members and archive.open(order).read(6) != b"little":
                raise ModelFileError("its numbers are big-endian; save it again on an ordinary machine")
            data = f"{folder}data/"
            spans = {
                name.removeprefix(data): _span(archive, member)
                for name, member in members.items()
                if name.startswith(data)
            }
    except (zipfile.BadZipFile, EOFError, RuntimeError, NotImplementedError, ValueError) as error:
        raise ModelFileError(f"the archive is damaged: {str(error)[:200]}") from error
    return Checkpoint(path, content, spans)


def _span(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Span:
    """Where a member's bytes lie in the file: behind its own header, which may differ from the archive's list."""
    if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1:
        raise ModelFileError("its numbers are compressed or encrypted, which PyTorch never does")
    file = cast(IO[bytes], archive.fp)
    file.seek(member.header_offset)
    header = file.read(30)
    if len(header) < 30 or not header.startswith(b"PK\x03\x04"):
        raise ModelFileError("the archive is damaged: a member has no header")
    name, extra = int.from_bytes(header[26:28], "little"), int.from_bytes(header[28:30], "little")
    return Span(member.header_offset + 30 + name + extra, member.file_size)


def _read_legacy(path: Path) -> Checkpoint:
    size = path.stat().st_size
    with path.open("rb") as whole:
        file = io.BytesIO(whole.read(LARGEST_PICKLE))  # the pickles come first
    if _machine().read(file) != MAGIC or _machine().read(file) != PROTOCOL:
        raise ModelFileError("this pickle is no PyTorch checkpoint")
    _machine().read(file)
    storages: dict[str, Storage] = {}

    def remember(value: object) -> Storage:
        storage = names.persistent(value)
        return storages.setdefault(storage.key, storage)

    content = Machine(names.check, names.made, remember).read(file)
    keys = _machine().read(file)
    if not isinstance(keys, list):
        raise ModelFileError("the file does not say in which order its storages come")
    spans: dict[str, Span] = {}
    position = file.tell()
    with path.open("rb") as whole:
        for key in cast("list[object]", keys):
            storage = storages.get(key) if isinstance(key, str) else None
            whole.seek(position)
            count = int.from_bytes(whole.read(8), "little")
            if storage is None or count != storage.size:
                raise ModelFileError("the storages of the file are not those of its pickle; it is damaged")
            length = count * BYTES[storage.dtype]
            if position + 8 + length > size:
                raise ModelFileError("the file is cut short; fetch it again")
            spans[storage.key] = Span(position + 8, length)
            position += 8 + length
    return Checkpoint(path, content, spans)
