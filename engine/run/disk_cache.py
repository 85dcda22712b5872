"""The disk tier: results that outlive the process, shared by processes, never wrong.

Two tables, as in Bazel: actions (key -> record: what the node showed, how long it took, where its values are) and
contents (digest -> bytes). Every record and every blob carries a digest that is checked when it is read: a flipped,
cut, emptied, deleted or unreadable file is a miss, never an error (promise R4).

An action's file is a line with the digest of its key and the second line, the second line with the record as JSON, then
one byte for each time it was used (appending a byte is atomic, so processes count together without locks).
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from pydantic import JsonValue

from engine.run.content_store import ContentStore, digest_of, remove, write_atomically
from engine.run.disk_budget import DiskBudget
from engine.run.outcome import Codec, FileStamp, Outcome, Record

FORMAT = "v1"
DURABLE_FROM_SECONDS = 0.1
"""Results that take longer than this are waited for until the disk has them; cheaper ones a power cut may take."""
MAX_COUNTED_HITS = 1_000

Stored = tuple[str, JsonValue]
"""`("json", value)` or `("blob", digest)`."""


@dataclass(frozen=True, slots=True)
class StoredOutcome:
    """An action's record: everything but the bytes of its blobs."""

    record: Record
    outputs: tuple[Sequence[Stored], ...]
    hits: int


class DiskCache:
    """Results by key in a folder. Safe to use from several threads and processes."""

    def __init__(self, folder: Path, limit_bytes: int, codec: Codec) -> None:
        self._actions = folder / FORMAT / "actions"
        self._contents = ContentStore(folder / FORMAT / "contents")
        self._codec = codec
        self.budget = DiskBudget(self._actions, self._contents.folder, limit_bytes)
        self.problem: str | None = None
        """Why the last result could not be written (a full disk, say). A cache that cannot write fails no run."""

    def find(self, key: str) -> StoredOutcome | None:
        """Read an action's record, or None. Loads no values."""
        path = self._action(key)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        try:
            checksum, line, hits = data.split(b"\n", 2)
            if checksum.decode("ascii") != _checksum(key, line):
                raise ValueError("damaged")
            return _read_record(json.loads(line), len(hits))
        except (ValueError, KeyError, TypeError, RecursionError):
            remove(path)
            return None

    def load(self, key: str) -> Outcome | None:
        """Read a result with its values, or None when any part of it is missing or damaged."""
        if (stored := self.find(key)) is None:
            return None
        try:
            outputs = tuple([self._value(value) for value in values] for values in stored.outputs)
        except (ValueError, LookupError):
            self.discard(key)
            return None
        if stored.hits < MAX_COUNTED_HITS:
            with suppress(OSError), self._action(key).open("ab") as file:
                file.write(b"+")
        return Outcome(stored.record, outputs)

    def store(self, key: str, outcome: Outcome) -> bool:
        """Keep a result if all its values can be written; returns whether it was kept."""
        durable = outcome.record.seconds >= DURABLE_FROM_SECONDS
        written = 0
        try:
            outputs: list[list[Stored]] = []
            for values in outcome.outputs:
                stored_values: list[Stored] = []
                for value in values:
                    if is_json(value):
                        stored_values.append(("json", cast(JsonValue, value)))
                    elif (data := self._codec.encode(value)) is not None:
                        stored_values.append(("blob", self._contents.put(data, durable=durable)))
                        written += len(data)
                    else:
                        return False
                outputs.append(stored_values)
            record = {**asdict(outcome.record), "outputs": outputs, "created": time.time()}
            line = json.dumps(record, separators=(",", ":")).encode("ascii")
            data = b"\n".join([_checksum(key, line).encode("ascii"), line, b""])
            write_atomically(self._action(key), data, durable=durable)
        except OSError as error:
            self.problem = f"the cache cannot be written: {error}"
            return False
        self.budget.spend(written + len(data))
        return True

    def discard(self, key: str) -> None:
        remove(self._action(key))

    def clear(self) -> None:
        remove(self._actions)
        remove(self._contents.folder)

    def _action(self, key: str) -> Path:
        return self._actions / key[:2] / key

    def _value(self, stored: Stored) -> Any:
        kind, value = stored
        if kind == "json":
            return value
        if (data := self._contents.get(cast(str, value))) is None:
            raise LookupError("a blob is missing or damaged")
        return self._codec.decode(data)


def is_json(value: object) -> bool:
    """Whether a value comes back from JSON exactly as it is (so no tuples, no subclasses, only string keys)."""
    level: list[object] = [value]
    for _ in range(64):
        children: list[object] = []
        for each in level:
            if type(each) is list:
                children.extend(cast(list[object], each))
            elif type(each) is dict:
                items = cast(dict[object, object], each)
                if not all(type(name) is str for name in items):
                    return False
                children.extend(items.values())
            elif each is not None and type(each) not in (bool, int, float, str):
                return False
        if not children:
            return True
        level = children
    return False


def _checksum(key: str, line: bytes) -> str:
    """With the key, so that a record in the place of another is as good as none."""
    return digest_of(key.encode() + b"\n" + line)


def _read_record(data: dict[str, Any], hits: int) -> StoredOutcome:
    files = tuple(FileStamp(**each) for each in data["files"])
    record = Record(data["node_type"], data["seconds"], data["ui"], files, tuple(data.get("shapes", ())))
    return StoredOutcome(record, tuple([(kind, value) for kind, value in values] for values in data["outputs"]), hits)
