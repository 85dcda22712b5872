"""The node types there are: schemas at once, code when it is first needed.

The schemas of each package are noted on disk under the digest of its code, so that validating a workflow, or
running one whose results are all cached, imports no node.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

from engine.errors import PluginError
from engine.node.catalogue import Catalogue, note_schemas, read_schemas
from engine.node.crashes import IMPORTING, Crashes
from engine.node.node_type import Migration, NodeType
from engine.node.packages import BUILT_IN, Found, Loaded, Package, find_packages, load
from engine.node.schema import NodeSchema

CRASH = (
    "importing it ended the process (it crashed, exited or hung), so it is left out; "
    "change its code, or reload the nodes to try it once more"
)


@dataclass(frozen=True, slots=True)
class Plugin:
    """A package for the user to see: what it gives, and what is wrong with it."""

    name: str
    path: Path
    nodes: tuple[str, ...]
    problems: tuple[str, ...]


class Registry:
    """All node types of the built-in nodes and the plugins. Safe across threads.

    Args:
        found: the packages.
        cache: folder to note schemas in; None reads the code every time.
    """

    def __init__(self, found: Found, cache: Path | None = None) -> None:
        self._found = found
        self._cache = cache
        self._crashes = None if cache is None else Crashes(cache / IMPORTING)
        self._loaded: dict[str, Loaded] = {}
        self._lock = threading.RLock()

    @classmethod
    def open(cls, plugins: Iterable[Path] = (), cache: Path | None = None, *, installed: bool = True) -> Registry:
        """The built-in nodes and the plugins.

        Args:
            plugins: directories of plugins.
            cache: folder to note schemas in.
            installed: whether to look for installed plugins (entry points), too.
        """
        return cls(find_packages(plugins, installed=installed), cache)

    @property
    def catalogue(self) -> Catalogue:
        """The schemas of all nodes."""
        return self._contents[0]

    @property
    def plugins(self) -> tuple[Plugin, ...]:
        """All packages, the built-in one first, and what cannot be one."""
        return self._contents[1]

    def type(self, name: str) -> NodeType:
        """The node type called `name`, or known by that alias. Imports its package if nothing has yet.

        Raises:
            PluginError: there is none, or its code does not load.
        """
        schema = self.catalogue.get(name)
        if schema is None:
            near = self.catalogue.nearest(name)
            raise PluginError(f"there is no node {name!r}" + (f"; did you mean {' or '.join(near)}?" if near else ""))
        package = next(each for each in self._found.packages if each.name == schema.package)
        loaded = self._load(package)
        if schema.name not in loaded.nodes:
            reason = "; ".join(loaded.problems) or "its code no longer defines it"
            raise PluginError(f"the node {schema.name} of {package.name} cannot be loaded: {reason}")
        return loaded.nodes[schema.name]

    @cached_property
    def migrations(self) -> Mapping[tuple[str, int], Migration]:
        """Every migration, by the node's name and the version it lifts from; asking for one imports its package."""
        return _Migrations(self)

    def _load(self, package: Package) -> Loaded:
        with self._lock:
            loaded = self._loaded.get(package.name)
            if loaded is None:
                loaded = self._loaded[package.name] = self._import(package)
            return loaded

    def _import(self, package: Package) -> Loaded:
        if package.name == BUILT_IN or self._crashes is None:
            return load(package)
        if self._crashes.has_crashed(package.name, package.code):
            return Loaded({}, (CRASH,))
        with self._crashes.importing(package.name, package.code):
            return load(package)

    @cached_property
    def _contents(self) -> tuple[Catalogue, tuple[Plugin, ...]]:
        schemas: dict[str, NodeSchema] = {}
        plugins: list[Plugin] = []
        for package in self._found.packages:
            nodes, problems = self._schemas_of(package)
            taken = [schema for schema in nodes if schema.name in schemas]
            clashes = (_clash(schema, schemas[schema.name]) for schema in taken)
            fresh = {schema.name: schema for schema in nodes if schema.name not in schemas}
            plugins.append(Plugin(package.name, package.path, tuple(fresh), (*problems, *clashes)))
            schemas |= fresh
        plugins += [Plugin(each.name, each.path, (), (each.reason,)) for each in self._found.refused]
        return Catalogue(schemas.values()), tuple(plugins)

    def _schemas_of(self, package: Package) -> tuple[tuple[NodeSchema, ...], tuple[str, ...]]:
        """The schemas of a package, from the note if there is one. A package with problems is read again each time."""
        note = None if self._cache is None else self._cache / "catalogue" / f"{quote(package.name, safe='')}.json"
        if note is not None:
            noted = read_schemas(note, package.code)
            if noted is not None:
                crashed = self._crashes is not None and self._crashes.has_crashed(package.name, package.code)
                return noted, ((CRASH,) if crashed else ())
        loaded = self._load(package)
        schemas = tuple(node.schema for node in loaded.nodes.values())
        if note is not None and not loaded.problems:
            note_schemas(note, package.code, schemas)
        return schemas, loaded.problems


class _Migrations(Mapping[tuple[str, int], Migration]):
    """The migrations of all nodes, looked up one at a time."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def __getitem__(self, key: tuple[str, int]) -> Migration:
        name, version = key
        if self._registry.catalogue.get(name) is None:
            raise KeyError(key)
        return self._registry.type(name).migrations[version]

    def __iter__(self) -> Iterator[tuple[str, int]]:
        for schema in self._registry.catalogue:
            for version in self._registry.type(schema.name).migrations:
                yield schema.name, version

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _clash(mine: NodeSchema, theirs: NodeSchema) -> str:
    whose = "the built-in nodes have" if theirs.package == BUILT_IN else f"the plugin {theirs.package} has"
    return f"{whose} a node {mine.name} already; rename yours"
