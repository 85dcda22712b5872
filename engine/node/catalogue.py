"""All schemas by name: what a graph is validated against, and what an editor draws."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from engine.errors import FileProblem
from engine.node.files import write_atomically
from engine.node.names import nearest
from engine.node.schema import NodeSchema


class Catalogue:
    """Schemas by name and by alias. A name beats an alias, and of two equal aliases the first counts."""

    def __init__(self, schemas: Iterable[NodeSchema]) -> None:
        self._by_name: Mapping[str, NodeSchema] = {schema.name: schema for schema in schemas}
        aliases: dict[str, NodeSchema] = {}
        for schema in self._by_name.values():
            for alias in schema.aliases:
                aliases.setdefault(alias, schema)
        self._by_alias: Mapping[str, NodeSchema] = aliases

    def get(self, name: str) -> NodeSchema | None:
        """The schema of a node type, also by an alias."""
        return self._by_name.get(name) or self._by_alias.get(name)

    def nearest(self, name: str) -> list[str]:
        """Names that look like an unknown one, best first."""
        return nearest(name, [*self._by_name, *self._by_alias])

    def __iter__(self) -> Iterator[NodeSchema]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)


class PackageSchemas(BaseModel):
    """The schemas of one package as they lie on disk, good for as long as the code has the digest `code`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    nodes: tuple[NodeSchema, ...]


def read_schemas(path: Path, code: str) -> tuple[NodeSchema, ...] | None:
    """The schemas noted at `path` for code of this digest; None if there are none, or the file is damaged."""
    try:
        noted = PackageSchemas.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
    return noted.nodes if noted.code == code else None


def note_schemas(path: Path, code: str, nodes: tuple[NodeSchema, ...]) -> None:
    """Note the schemas at `path`. Where that cannot be written, the next start reads the code again."""
    noted = PackageSchemas(code=code, nodes=nodes)
    try:
        write_atomically(path, noted.model_dump_json(exclude_defaults=True).encode())
    except FileProblem:
        return
