"""The nodes as a worker described them last: at hand before a worker is up, since they are kept on disk."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from engine.errors import FileProblem
from engine.jobs.model import PluginState
from engine.node.catalogue import Catalogue
from engine.node.files import write_atomically
from engine.node.schema import NodeSchema


class Described(BaseModel):
    """What a worker said of its nodes and plugins."""

    model_config = ConfigDict(frozen=True)

    nodes: tuple[NodeSchema, ...] = ()
    plugins: tuple[PluginState, ...] = ()


class KnownNodes:
    """The catalogue, and a name for its present state.

    Args:
        path: where it is kept.
    """

    def __init__(self, path: Path, described: Described | None) -> None:
        self._path = path
        self.ready = False
        """Whether a worker of this server has described its nodes; before, they are those of the last time."""
        self._hold(described or Described())

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what was kept; a file that is missing or damaged counts as empty, since a worker will soon tell."""
        try:
            return cls(path, Described.model_validate_json(path.read_bytes()))
        except (OSError, ValidationError):
            return cls(path, None)

    def replace(self, nodes: Sequence[NodeSchema], plugins: Sequence[PluginState]) -> bool:
        """Take what a worker says now; whether anything is different."""
        before, self.ready = self.etag, True
        self._hold(Described(nodes=tuple(nodes), plugins=tuple(plugins)))
        return self.etag != before

    def keep(self) -> None:
        """Write it down. Where that cannot be, the next server waits for its worker."""
        try:
            write_atomically(self._path, self._text)
        except FileProblem:
            return

    def _hold(self, described: Described) -> None:
        self.catalogue = Catalogue(described.nodes)
        self.plugins = described.plugins
        self._text = described.model_dump_json().encode()
        self.etag = blake2b(self._text, digest_size=12).hexdigest()
        """Changes when, and only when, the nodes or plugins do."""
