"""`extra_model_paths.yaml`: models that lie elsewhere, in the file that ComfyUI's users have already.

comfyui:                        # a section for each collection; its name means nothing
  base_path: ~/ComfyUI          # ~ and $VARIABLES are filled in; relative to this file
  is_default: true              # searched before our own folders, and where new models are saved
  checkpoints: models/checkpoints
  loras: |
    models/loras
    /mnt/big/loras
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from engine.errors import FileProblem
from engine.node.folders import RENAMED, Folders

FILE_NAME = "extra_model_paths.yaml"
VARIABLE = "DARKROOM_EXTRA_MODEL_PATHS"
"""More such files, with the separator of $PATH in between: how a command line tells its worker processes."""
_KEY = re.compile(r"[\w.-]+")
_NOT_MODELS = {"custom_nodes"}
"""Plugins for ComfyUI: its file may name their folder, and no model lies there."""


@dataclass(slots=True)
class _Found:
    """Folders by key: those before our own, and those after."""

    before: dict[str, list[Path]] = field(default_factory=dict[str, list[Path]])
    after: dict[str, list[Path]] = field(default_factory=dict[str, list[Path]])


def with_extra_paths(folders: Folders, home: Path) -> Folders:
    """The folders with those that `extra_model_paths.yaml` in `home`, and the files that $VARIABLE names, add.

    Raises:
        FileProblem: a file is damaged, or one that was named is missing; says the file and the place.
    """
    named = [Path(each).expanduser() for each in os.environ.get(VARIABLE, "").split(os.pathsep) if each]
    usual = home / FILE_NAME
    files = [*([usual] if usual.is_file() else []), *named]
    if not files:
        return folders  # without the 20 ms that a YAML reader takes to load
    found = _Found()
    for file in files:
        _add(found, file.absolute())
    return replace(
        folders, extra=_joined(folders.extra, found.before), extra_after=_joined(folders.extra_after, found.after)
    )


def _add(found: _Found, file: Path) -> None:
    for name, section in _mapping(_parsed(file), file, "the file").items():
        if section is None:
            continue
        settings = dict(_mapping(section, file, f"section {name!r}"))
        base = _base(settings.pop("base_path", None), file, name)
        is_default = settings.pop("is_default", False)
        if not isinstance(is_default, bool):
            raise _wrong(file, f"{name}.is_default", "true or false", is_default)
        for key, value in settings.items():
            if not _KEY.fullmatch(key):
                raise _wrong(file, f"{name}.{key}", "the name of a model folder, such as checkpoints", key)
            if key not in _NOT_MODELS:
                paths = [_path(line, base) for line in _lines(value, file, f"{name}.{key}")]
                target = found.before if is_default else found.after
                target.setdefault(RENAMED.get(key, key), []).extend(paths)


def _parsed(file: Path) -> object:
    import yaml

    try:
        return yaml.safe_load(file.read_text("utf-8-sig"))
    except OSError as error:
        raise FileProblem(f"{file} cannot be read: {error.strerror or error}; correct the path") from error
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
        reason = getattr(error, "problem", None) or str(error)
        raise FileProblem(f"{file} is no YAML: {place}{reason}; correct it there") from error


def _mapping(value: object, file: Path, where: str) -> Mapping[str, object]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _wrong(file, where, "names with values, such as `checkpoints: models/checkpoints`", value)
    return {str(key): each for key, each in cast("dict[object, object]", value).items()}


def _base(value: object, file: Path, section: str) -> Path:
    if value is None:
        return file.parent
    if not isinstance(value, str) or "\0" in value:
        raise _wrong(file, f"{section}.base_path", "a folder", value)
    return _path(value.strip(), file.parent)


def _lines(value: object, file: Path, where: str) -> Sequence[str]:
    if value is None:
        return ()
    entries = cast("list[object]", value) if isinstance(value, list) else [value]
    lines: list[str] = []
    for entry in entries:
        if not isinstance(entry, str) or "\0" in entry:
            raise _wrong(file, where, "a folder, or one in each line", entry)
        lines += [line.strip() for line in entry.splitlines() if line.strip()]
    return lines


def _path(text: str, base: Path) -> Path:
    return Path(os.path.normpath(base / os.path.expandvars(os.path.expanduser(text))))


def _joined(
    known: Mapping[str, tuple[Path, ...]], more: Mapping[str, Sequence[Path]]
) -> Mapping[str, tuple[Path, ...]]:
    keys = [*known, *(key for key in more if key not in known)]
    return {key: tuple(dict.fromkeys((*known.get(key, ()), *more.get(key, ())))) for key in keys}


def _wrong(file: Path, where: str, wanted: str, got: object) -> FileProblem:
    shown = repr(got)
    return FileProblem(f"{file}: {where} should be {wanted}, not {shown if len(shown) <= 60 else shown[:57] + '...'}")
