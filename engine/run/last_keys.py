"""What keys were made of when nodes ran last, to say later why one runs again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from threading import Lock
from typing import Any, cast

from engine.graph.keys import KeyParts
from engine.run.content_store import write_atomically

MAX_NODES = 100
"""Nodes remembered in each of the 256 files, those that ran last: 25,600 in all, more than the largest workflow has."""


class LastKeys:
    """The parts of the keys of the nodes that ran last, by node id.

    Kept in small files, so that noting one node does not write them all. Processes may share the folder; what is lost
    because two write at once is only an explanation.

    Args:
        folder: None remembers for the life of this object.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._shards: dict[str, dict[str, Any]] = {}
        self._lock = Lock()

    def remember(self, nodes: Iterable[tuple[str, KeyParts]]) -> None:
        """Note the key parts of nodes that were called."""
        by_shard: dict[str, dict[str, Any]] = {}
        for node, parts in nodes:
            by_shard.setdefault(_shard(node), {})[node] = parts.to_json()
        with self._lock:
            for shard, new in by_shard.items():
                known = {node: parts for node, parts in self._read(shard).items() if node not in new}
                self._write(shard, dict(list({**known, **new}.items())[-MAX_NODES:]))

    def recall(self, node: str) -> KeyParts | None:
        """The parts of a node's key when it ran last, or None."""
        with self._lock:
            nodes = self._read(_shard(node))
        try:
            return _read_parts(nodes[node])
        except (KeyError, TypeError, ValueError, AttributeError):
            return None

    def _read(self, shard: str) -> dict[str, Any]:
        if self._folder is None:
            return self._shards.get(shard, {})
        try:
            nodes = json.loads((self._folder / shard).read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}
        return cast(dict[str, Any], nodes) if isinstance(nodes, dict) else {}

    def _write(self, shard: str, nodes: dict[str, Any]) -> None:
        if self._folder is None:
            self._shards[shard] = nodes
            return
        with suppress(OSError):  # a full disk costs an explanation, not a run
            write_atomically(self._folder / shard, json.dumps(nodes).encode("ascii"), durable=False)


def _shard(node: str) -> str:
    return blake2b(node.encode("utf-8", "surrogatepass"), digest_size=1).hexdigest() + ".json"


def _read_parts(data: Any) -> KeyParts:
    links = {str(name): (str(node), int(output), str(key)) for name, (node, output, key) in data["links"].items()}
    return KeyParts(str(data["key"]), {str(name): str(part) for name, part in data["parts"].items()}, links)
