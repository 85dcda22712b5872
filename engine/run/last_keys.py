"""What keys were made of when nodes ran last, to say later why one runs again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from threading import Lock
from typing import Any, cast

from pydantic import JsonValue

from engine.graph.keys import KeyParts
from engine.run.content_store import write_atomically

MAX_NODES = 20_000
"""Nodes remembered, those that ran last first: as many as the largest workflow has."""


class LastKeys:
    """A small file with the parts of the keys of the nodes that ran last, by node id and type.

    Processes may share it; what one forgets because another wrote at the same time is only an explanation.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._nodes: dict[str, dict[str, JsonValue]] = {}
        self._lock = Lock()

    def remember(self, nodes: Iterable[tuple[str, KeyParts]]) -> None:
        with self._lock:
            known = self._read()
            for node, parts in nodes:
                known.pop(node, None)
                known[node] = parts.to_json()
            self._nodes = dict(list(known.items())[-MAX_NODES:])
            if self._path is not None:
                try:
                    write_atomically(self._path, json.dumps(self._nodes).encode("ascii"), durable=False)
                except OSError:
                    return  # a full disk costs an explanation, not a run

    def recall(self, node: str) -> KeyParts | None:
        """The parts of a node's key when it ran last, or None."""
        with self._lock:
            self._nodes = self._read()
        try:
            return _read_parts(self._nodes[node])
        except (KeyError, TypeError, ValueError, AttributeError):
            return None

    def _read(self) -> dict[str, Any]:
        if self._path is None:
            return self._nodes
        try:
            nodes = json.loads(self._path.read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}
        return cast(dict[str, Any], nodes) if isinstance(nodes, dict) else {}


def _read_parts(data: Any) -> KeyParts:
    links = {str(name): (str(node), int(output), str(key)) for name, (node, output, key) in data["links"].items()}
    return KeyParts(str(data["key"]), {str(name): str(part) for name, part in data["parts"].items()}, links)
