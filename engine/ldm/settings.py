"""Reading settings from YAML or JSON into frozen dataclasses: names, types, ranges of values, one sentence if wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from types import UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from engine.errors import ModelFileError

Params = Mapping[str, object]
T = TypeVar("T")


def part(value: object, name: str) -> tuple[str, Params]:
    """Split `{target: "a.b.Name", params: {...}}` into "Name" and the params."""
    section = table(value, name)
    return str(section.get("target", "")).rpartition(".")[2], table(section.get("params") or {}, name)


def table(value: object, name: str) -> Params:
    """Return a section as a table.

    Raises:
        ModelFileError: it is missing or no table.
    """
    if not isinstance(value, Mapping):
        raise ModelFileError(f"the configuration has no {name} section; give the model's own YAML")
    return cast(Params, value)


def known(params: Params, kind: type) -> dict[str, object]:
    """Keep what `kind` has a field for, lists as tuples; training-only settings of the YAML are dropped."""
    names = {field.name for field in fields(cast(Any, kind))}
    return {
        name: tuple(cast(list[object], value)) if isinstance(value, list) else value
        for name, value in params.items()
        if name in names
    }


def refuse_unknown(params: Params, kind: type, settings: Mapping[str, tuple[object, ...] | None], name: str) -> None:
    """Raise for settings that would change the network without our knowing: a wrong picture is worse than none."""
    known = {field.name for field in fields(cast(Any, kind))}
    for setting, value in params.items():
        allowed = settings.get(setting, ()) if setting not in known else None
        if allowed is not None and value not in allowed:
            raise ModelFileError(f"{name} sets {setting} to {value!r}, which this version cannot build")


def build(kind: type[T], given: Mapping[str, object], name: str) -> T:
    """Make a dataclass from its settings.

    Raises:
        ModelFileError: one is missing or of another type than its field.
    """
    hints = get_type_hints(kind)
    values = {setting: _number(value) if hints[setting] is float else value for setting, value in given.items()}
    for setting, value in values.items():
        if not _fits(value, hints[setting]):
            raise ModelFileError(f"{name} sets {setting} to {value!r}, which it cannot be")
    try:
        return kind(**values)
    except TypeError as error:
        raise ModelFileError(f"{name} is incomplete: {error}") from error


def _number(value: object) -> object:
    """Read "1e-6" as a number: to YAML 1.1 it is text, to the original's reader it is not."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _fits(value: object, hint: object) -> bool:
    """Whether a value is of the type that a field of a configuration is annotated with."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is UnionType or origin is Union:
        return any(_fits(value, each) for each in inner)
    if origin is Literal:
        return value in inner
    if origin is tuple:
        return isinstance(value, tuple) and all(_fits(each, inner[0]) for each in cast(tuple[object, ...], value))
    if isinstance(value, bool):
        return hint is bool
    if hint is float:
        return isinstance(value, int | float) and math.isfinite(value)
    return isinstance(value, cast(type, hint))
