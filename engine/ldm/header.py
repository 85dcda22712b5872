"""The head of a safetensors file: read, checked against the file's size, nothing trusted.

A file is 8 bytes (length N of the header, little endian), N bytes of JSON, then the tensors' bytes:
`{"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ..., "__metadata__": {"key": "text"}}`.
Every tensor must lie inside the file, be as long as its shape says, and touch its neighbours without gap or overlap, so
that a file that lies about itself is refused before a byte of it is used. Needs no torch.

Source: the format's description in huggingface/safetensors, README, sections "Format" and "Notes".
"""

from __future__ import annotations

import json
import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from engine.errors import ModelFileError

DTYPE_BYTES = {
    "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1, "F8_E5M2": 1,
    "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U64": 8, "U32": 4, "U16": 2, "U8": 1, "BOOL": 1,
}  # fmt: skip
LONGEST_HEADER = 32 * 2**20  # bytes: 3,000 tensors need 0.4 MB; parsing this much still stays under a second
MOST_DIMENSIONS = 16

# How other files begin, and what to say of them.
MAGIC = (
    (
        b"PK\x03\x04",
        "a PyTorch checkpoint (a zip archive with a pickle inside), which can run any code when it is opened",
    ),
    (b"\x80", "a pickle, which can run any code when it is opened"),
    (b"GGUF", "a GGUF file"),
    (b"\x89HDF", "an HDF5 file"),
    (b"version https://git-lfs", "a Git LFS pointer, not the model itself; fetch it with `git lfs pull`"),
    (b"<", "a web page; the download went wrong"),
    (b"{", "a JSON file"),
    (b"\x89PNG", "a PNG picture"),
)


@dataclass(frozen=True)
class TensorEntry:
    """One tensor of a file: its dtype by the format's name, its shape, where its bytes lie (from the data's start)."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


@dataclass(frozen=True)
class Header:
    """What a file holds: its tensors by name, its metadata, and the offset in the file at which the data starts."""

    tensors: dict[str, TensorEntry]
    metadata: dict[str, str]
    data_start: int


def read_header(path: Path) -> Header:
    """Read and check the head of a safetensors file.

    Raises:
        ModelFileError: the file is missing, unreadable, empty, cut short, of another kind, or contradicts itself.
    """
    try:
        if path.is_dir():
            raise ModelFileError(f"{path} is a directory; give a .safetensors file")
        if not path.exists():
            raise ModelFileError(f"{path} does not exist; check the name")
        if not path.is_file():
            raise ModelFileError(f"{path} is not a regular file; give a .safetensors file")
        size = path.stat().st_size
        with path.open("rb") as file:
            first = file.read(32)
            length = _header_length(path, size, first)
            file.seek(8)
            text = file.read(length)
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read: {error.strerror or error}") from error
    return _parse(path, text, 8 + length, size)


def _header_length(path: Path, size: int, first: bytes) -> int:
    if size == 0:
        raise ModelFileError(f"{path} is empty; download or save it again")
    length = struct.unpack("<Q", first[:8])[0] if len(first) >= 8 else 0
    # A safetensors header starts with "{" after its length; everything else is told by its own first bytes.
    if first[8:9] != b"{" or length > size - 8:
        for magic, kind in MAGIC:
            if first.startswith(magic):
                raise ModelFileError(f"{path} is {kind}; Darkroom reads .safetensors files only{_advice(path, magic)}")
    if first[8:9] != b"{":
        raise ModelFileError(f"{path} is not a safetensors file; download or save it again")
    if length > LONGEST_HEADER:
        raise ModelFileError(f"{path} claims a header of {length} bytes, more than {LONGEST_HEADER}; it is damaged")
    if length > size - 8:
        raise ModelFileError(
            f"{path} is cut short: its header needs {length} bytes, {size - 8} are there; fetch it again"
        )
    return length


def _advice(path: Path, magic: bytes) -> str:
    return f". Make one of it: darkroom convert {path}" if magic in (b"PK\x03\x04", b"\x80") else ""


def _parse(path: Path, text: bytes, data_start: int, size: int) -> Header:
    try:
        parsed = cast(object, json.loads(text, object_pairs_hook=_unique))
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{path} has a damaged header: {error}; fetch or save it again") from error
    if not isinstance(parsed, dict):
        raise ModelFileError(f"{path} has a header that is no table; fetch or save it again")
    entries = cast(dict[str, object], parsed)
    metadata = entries.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(
        isinstance(v, str) for v in cast(dict[str, object], metadata).values()
    ):
        raise ModelFileError(f"{path} has metadata that is not text; fetch or save it again")
    tensors = {name: _entry(path, name, entry) for name, entry in entries.items()}
    _check_layout(path, tensors, size - data_start)
    return Header(tensors, cast(dict[str, str], metadata), data_start)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    table = dict(pairs)
    if len(table) < len(pairs):
        raise ValueError("a name occurs twice")
    return table


def _entry(path: Path, name: str, entry: object) -> TensorEntry:
    fields = cast(dict[str, object], entry) if isinstance(entry, dict) else {}
    dtype, shape, offsets = fields.get("dtype"), _counts(fields.get("shape")), _counts(fields.get("data_offsets"))
    if not isinstance(dtype, str) or shape is None or offsets is None or len(offsets) != 2:
        raise ModelFileError(
            f"{path}: tensor {name!r} has no proper dtype, shape and data_offsets; the file is damaged"
        )
    if dtype not in DTYPE_BYTES:
        raise ModelFileError(
            f"{path}: tensor {name!r} has the unknown dtype {dtype!r}; known: {', '.join(DTYPE_BYTES)}"
        )
    if len(shape) > MOST_DIMENSIONS:
        raise ModelFileError(f"{path}: tensor {name!r} has {len(shape)} dimensions, at most {MOST_DIMENSIONS} are read")
    start, end = offsets
    needed = math.prod(shape) * DTYPE_BYTES[dtype]
    if end - start != needed:
        raise ModelFileError(
            f"{path}: tensor {name!r} of shape {list(shape)} and dtype {dtype} needs {needed} bytes, "
            f"its offsets give {end - start}; the file is damaged"
        )
    return TensorEntry(dtype, shape, start, end)


def _counts(value: object) -> tuple[int, ...] | None:
    """Return a list of non-negative integers as a tuple, anything else as None."""
    if not isinstance(value, list):
        return None
    items = cast(list[object], value)
    numbers = tuple(item for item in items if isinstance(item, int) and not isinstance(item, bool) and item >= 0)
    return numbers if len(numbers) == len(items) else None


def _check_layout(path: Path, tensors: dict[str, TensorEntry], available: int) -> None:
    """Make sure that the tensors tile the data from its start to its end."""
    position = 0
    for name, entry in sorted(tensors.items(), key=lambda item: (item[1].start, item[1].end)):
        if entry.start != position:
            what = "overlaps another" if entry.start < position else "leaves a gap before it"
            raise ModelFileError(
                f"{path}: tensor {name!r} {what} (byte {entry.start}, expected {position}); it is damaged"
            )
        position = entry.end
    if position > available:
        raise ModelFileError(
            f"{path} is cut short: its tensors need {position} bytes, {available} are there; fetch it again"
        )
    if position < available:
        raise ModelFileError(f"{path} has {available - position} bytes beyond its last tensor; fetch or save it again")
