"""What running a node gives: the values on its outputs, what it shows, and what it left on disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import JsonValue


@dataclass(frozen=True, slots=True)
class FileStamp:
    """A file that an output node wrote, as it was then."""

    folder: str
    """`output` or `temp`."""
    path: str
    """In that folder."""
    size: int
    modified_ns: int
    digest: str


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of a result without loading its values."""

    node_type: str
    seconds: float
    """Time it took to make: what a cache saves by keeping it."""
    ui: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    files: tuple[FileStamp, ...] = ()
    shapes: tuple[str, ...] = ()
    """What travels from each output measures, see `engine.run.shapes`; () when nothing has a shape."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A result with its values: `outputs[k]` is the list that travels from the node's output `k`."""

    record: Record
    outputs: tuple[Sequence[Any], ...]


class Codec(Protocol):
    """What the cache asks of the floor that knows tensors."""

    def encode(self, value: object) -> bytes | None:
        """Give the value as bytes that do not depend on anything else, or None when it must not go to disk."""
        ...

    def decode(self, data: bytes) -> object:
        """Undo `encode`. Raises ValueError when the bytes are not what `encode` makes."""
        ...

    def size(self, value: object) -> int:
        """Memory that the value holds, in bytes; handles of things that live elsewhere hold none."""
        ...

    def digest(self, value: object) -> str | None:
        """A digest of the value's content, None when it is of a kind that is not known."""
        ...
