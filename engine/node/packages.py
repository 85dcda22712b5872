"""Packages of nodes: where they are, what their code's digest is, and how they are imported.

The built-in nodes, a file or folder in a plugin directory, and an installed package all come in by this door.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from engine.errors import PluginError
from engine.node.decorator import NodeFunction
from engine.node.node_type import NodeType

ENTRY_POINTS = "darkroom.plugins"
"""Group under which an installed package announces its nodes: `name = "module"`."""
BUILT_IN = "nodes"


@dataclass(frozen=True, slots=True)
class Package:
    """Source code that holds nodes.

    Args:
        name: shown to the user and in `NodeSchema.package`.
        path: the folder of a package, or the file of a module.
        module: what it is imported as; a plugin of a directory gets a name of its own, made from its digest and place,
            so that changed code is never mistaken for the code imported before.
        code: digest of everything a result may depend on: its own sources and those of the engine.
    """

    name: str
    path: Path
    module: str
    code: str
    installed: bool


@dataclass(frozen=True, slots=True)
class Loaded:
    """What importing a package gave: its nodes, and what went wrong in parts of it."""

    nodes: Mapping[str, NodeType]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """Something in a plugin directory or an entry point that is no package, and why."""

    name: str
    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Found:
    packages: tuple[Package, ...] = ()
    refused: tuple[Refused, ...] = field(default_factory=tuple[Refused, ...])


# --------------------------------------------------------------------------------------------------------- finding


def find_packages(directories: Iterable[Path], *, installed: bool = True) -> Found:
    """Find the built-in nodes, then every plugin in `directories`, then the installed ones.

    Args:
        directories: hold plugins as files and folders; one that does not exist holds none.
        installed: whether to ask for entry points.
    """
    project = Path(__file__).resolve().parents[2]
    engine_code = digest([project / "engine", project / BUILT_IN])
    packages = [Package(BUILT_IN, project / BUILT_IN, BUILT_IN, engine_code, installed=True)]
    refused: list[Refused] = []
    candidates = [_local(path, engine_code) for directory in directories for path in _entries(directory)]
    if installed:
        candidates += _installed(engine_code)
    for candidate in candidates:
        earlier = next((each for each in packages if each.name == getattr(candidate, "name", None)), None)
        if isinstance(candidate, Refused):
            refused.append(candidate)
        elif earlier is not None:
            reason = f"there is a package {earlier.name!r} already, at {earlier.path}; rename this one"
            refused.append(Refused(candidate.name, candidate.path, reason))
        else:
            packages.append(candidate)
    return Found(tuple(packages), tuple(refused))


def _entries(directory: Path) -> list[Path]:
    """What may be plugins: Python files, and folders that are neither hidden nor switched off (`name.disabled`)."""
    if not directory.is_dir():
        return []
    return [
        path
        for path in sorted(directory.iterdir())
        if not path.name.startswith((".", "_"))
        and (path.suffix == ".py" or (path.is_dir() and path.suffix != ".disabled"))
    ]


def _local(path: Path, engine_code: str) -> Package | Refused:
    name = path.stem if path.suffix == ".py" else path.name
    if path.is_dir() and not (path / "__init__.py").is_file():
        return Refused(name, path, "the folder has no __init__.py; add one that holds or imports the nodes")
    try:
        code = digest([path], engine_code)
    except OSError as error:
        return Refused(name, path, f"its files cannot be read: {error.strerror or error}")
    word = "".join(char if char.isalnum() else "_" for char in name)
    place = digest([], code, str(path.absolute()))
    return Package(name, path, f"darkroom_plugin_{word}_{place[:12]}", code, installed=False)


def _installed(engine_code: str) -> Iterator[Package | Refused]:
    for entry in entry_points(group=ENTRY_POINTS):
        module = entry.value.partition(":")[0]
        try:
            # Of the top level only: finding a module inside a package would import the package.
            spec = importlib.util.find_spec(module.partition(".")[0])
        except (ImportError, ValueError):
            spec = None
        if spec is None or spec.origin is None:
            yield Refused(entry.name, Path(), f"the installed package names a module {module!r} that is not there")
            continue
        origin = Path(spec.origin)
        path = origin.parent if origin.name == "__init__.py" else origin
        yield Package(entry.name, path, module, digest([path], engine_code), installed=True)


def digest(paths: Iterable[Path], *parts: str) -> str:
    """Hash the names and contents of all Python files at or below `paths`, and some text besides."""
    total = blake2b(digest_size=20)
    for part in parts:
        total.update(part.encode() + b"\0")
    for path in paths:
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            content = file.read_bytes()
            name = file.relative_to(path.parent).as_posix()
            total.update(f"{name}\0{len(content)}\0".encode() + content)
    return total.hexdigest()


# ------------------------------------------------------------------------------------------------------- importing


def load(package: Package) -> Loaded:
    """Import a package and collect its nodes: from the package itself and every module at its top level.

    Whatever goes wrong in one module (it raises, exits, defines a bad node) is noted and leaves the others alone.
    """
    nodes: dict[str, NodeType] = {}
    problems: list[str] = []
    if not package.installed:
        _forget_hasty_bytecode(package.path)
    for name in _modules(package):
        try:
            module = _import(package, name)
            for function in _node_functions(module, package):
                _add(nodes, function.type, package)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a plugin's code: even SystemExit is only a fact about that plugin
            problems.append(_reason(name, package, error))
            if name == package.module:
                break  # its modules cannot be imported without it
    return Loaded(nodes, tuple(problems))


def _forget_hasty_bytecode(path: Path) -> None:
    """Remove what Python compiled in the very second its source was written.

    Python knows a source by its size and whole second, so an edit of the same length within that second would not be
    seen, and older code would run than the digest says (promise P10).
    """
    for source in [path] if path.suffix == ".py" else path.rglob("*.py"):
        compiled = Path(importlib.util.cache_from_source(str(source)))
        with contextlib.suppress(OSError):
            if compiled.stat().st_mtime < int(source.stat().st_mtime) + 1:
                compiled.unlink()


def _modules(package: Package) -> list[str]:
    """The package and the modules at its top level, tests and private ones left out."""
    if package.path.suffix == ".py":
        return [package.module]
    inside = sorted(path.stem for path in package.path.glob("*.py"))
    chosen = [name for name in inside if not name.startswith(("_", "test_")) and name not in ("conftest", "setup")]
    return [package.module, *(f"{package.module}.{name}" for name in chosen)]


def _import(package: Package, name: str) -> ModuleType:
    # A plugin that prints must not mix its words with the program's own output.
    with contextlib.redirect_stdout(sys.stderr):
        if package.installed or name != package.module:
            return importlib.import_module(name)
        return sys.modules.get(name) or _import_from(package)


def _import_from(package: Package) -> ModuleType:
    """Import a plugin of a plugin directory, which is not on Python's path, under its own name."""
    is_folder = package.path.suffix != ".py"
    file = package.path / "__init__.py" if is_folder else package.path
    search = [str(package.path)] if is_folder else None
    spec = importlib.util.spec_from_file_location(package.module, file, submodule_search_locations=search)
    if spec is None or spec.loader is None:
        raise PluginError(f"{file} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[package.module] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[package.module]
        raise
    return module


def _node_functions(module: ModuleType, package: Package) -> Iterator[NodeFunction[..., Any]]:
    """The nodes that a module shows and that were made in this package, not imported from another one."""
    for value in vars(module).values():
        if isinstance(value, NodeFunction):
            home = value.__module__
            if home == package.module or home.startswith(package.module + "."):
                yield value


def _add(nodes: dict[str, NodeType], node: NodeType, package: Package) -> None:
    schema = node.schema
    known = nodes.get(schema.name)
    if known is not None and known.function is not node.function:
        raise PluginError(f"two nodes are called {schema.name}; rename one")
    mine = schema.model_copy(update={"package": package.name, "code": package.code})
    nodes[schema.name] = replace(node, schema=mine)


def _reason(module: str, package: Package, error: BaseException) -> str:
    where = module.removeprefix(package.module).lstrip(".") or package.name
    if isinstance(error, PluginError):
        return f"{where}: {error}"
    if isinstance(error, SyntaxError):
        return f"{where}: {error.msg} (line {error.lineno})"
    return f"{where}: {type(error).__name__}: {error}"
