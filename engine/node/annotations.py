"""What one annotation says: the port type, the widget, the range, and how it travels.

int float str bool          INT FLOAT STRING BOOLEAN, each with a widget
Literal["a", "b"]           COMBO
a class with `port`         that port type; it must be linked
Any, object, a TypeVar      *
A | B                       the union "A,B"
T | None                    may be left out
list[T]                     takes the whole list; T alone is mapped over lists
Lazy[T]                     computed when the body asks
Annotated[T, ...]           ranges (`Field(ge=1)`) and markers (`engine.node.widgets`)
"""

from __future__ import annotations

import math
import re
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeVar, cast, get_args, get_origin

import annotated_types
from pydantic.fields import FieldInfo

from engine.errors import PluginError
from engine.node.lazy import Lazy
from engine.node.schema import WidgetKind
from engine.node.widgets import Canvas, File, Labels, Options, Port, Step, Widget

Annotation = Any
"""A type as `typing` spells it: opaque to a type checker."""

PRIMITIVES: Mapping[type, tuple[str, WidgetKind]] = {
    bool: ("BOOLEAN", "toggle"),
    int: ("INT", "number"),
    float: ("FLOAT", "number"),
    str: ("STRING", "text"),
}


@dataclass
class Traits:
    """What the layers of an annotation say, from the outermost in."""

    core: Annotation
    markers: list[object] = field(default_factory=list[object])
    optional: bool = False
    lazy: bool = False
    is_list: bool = False


def unwrap(annotation: Annotation) -> Traits:
    """Peel off `Annotated`, `| None`, `Lazy` and `list`, down to the type of a single value."""
    traits = Traits(annotation)
    while True:
        origin, args = get_origin(traits.core), get_args(traits.core)
        if origin is Annotated:
            traits.markers[:0] = args[1:]
            traits.core = args[0]
        elif is_union(origin) and types.NoneType in args:
            rest = tuple(each for each in args if each is not types.NoneType)
            traits.optional = True
            traits.core = typing.Union[rest]  # noqa: UP007  built from a tuple
        elif origin is Lazy:
            traits.lazy, traits.core = True, args[0]
        elif origin is list:
            traits.is_list, traits.core = True, args[0]
        else:
            return traits


def is_union(origin: Annotation) -> bool:
    """Whether what `get_origin` gave is a union, spelled either way."""
    return origin is typing.Union or origin is types.UnionType


def facts_of(where: str, traits: Traits) -> dict[str, Any]:
    """Port type, widget, range, options and help: whatever the core type and its markers say."""
    named = any(isinstance(marker, Port) for marker in traits.markers)
    facts: dict[str, Any] = {"type": "*" if named else _port_type(where, traits.core), "widget": None, "help": ""}
    if traits.core in PRIMITIVES:
        facts["widget"] = PRIMITIVES[traits.core][1]
    elif get_origin(traits.core) is Literal:
        facts |= {"widget": "combo", "options": _options(where, traits.core)}
    for marker in traits.markers:
        match marker:
            case FieldInfo():
                facts |= _ranges(where, marker.metadata, traits.core)
                facts |= {"help": marker.description} if marker.description else {}
            case Widget():
                facts["widget"] = marker.kind
            case Step():
                facts["step"] = marker.size
            case Options():
                facts |= {"type": "COMBO", "widget": "combo", "options": marker.values}
            case File():
                facts |= {"type": "COMBO", "widget": "file", "folder": marker.folder}
            case Labels():
                facts["options"] = marker.names
            case Canvas():
                canvas = marker.schema()
                facts |= {"type": "COMBO", "widget": "drawing", "folder": "input", "canvas": canvas}
            case Port():
                facts |= {"type": marker.type, "widget": None}
            case _:
                facts |= _ranges(where, [marker], traits.core)
    return facts


def _ranges(where: str, constraints: list[Any], core: Annotation) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    whole = core is int
    for each in constraints:
        pattern = getattr(each, "pattern", None)
        match each:
            case annotated_types.Ge(ge):
                facts["minimum"] = ge
            case annotated_types.Le(le):
                facts["maximum"] = le
            case annotated_types.Gt(gt):
                facts["minimum"] = cast(int, gt) + 1 if whole else math.nextafter(cast(float, gt), math.inf)
            case annotated_types.Lt(lt):
                facts["maximum"] = cast(int, lt) - 1 if whole else math.nextafter(cast(float, lt), -math.inf)
            case annotated_types.MultipleOf(multiple_of) if whole:
                facts["multiple_of"] = multiple_of
            case annotated_types.MultipleOf():
                raise PluginError(f"{where}: multiple_of is for int; write Step(...) for the arrows of a float")
            case annotated_types.MaxLen(most) if get_origin(core) is Sequence:
                facts["maximum"] = most  # of boxes, the one sequence that is a single value
            case annotated_types.GroupedMetadata():
                facts |= _ranges(where, list(each), core)
            case annotated_types.BaseMetadata() if isinstance(pattern, str):
                facts["pattern"] = _compiled(where, pattern)
            case annotated_types.BaseMetadata():
                raise PluginError(f"{where}: {each} is not something that is checked here; check it in the body")
            case _:
                pass  # PEP 593: markers of other libraries are not ours to judge
    return facts


def _compiled(where: str, pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise PluginError(f"{where}: the pattern {pattern!r} is no regular expression: {error}") from error
    return pattern


def _port_type(where: str, core: Annotation) -> str:
    if core is Any or core is object or isinstance(core, TypeVar):
        return "*"
    if core in PRIMITIVES:
        return PRIMITIVES[core][0]
    origin = get_origin(core)
    if origin is Literal:
        return "COMBO"
    if is_union(origin):
        return ",".join(dict.fromkeys(_member(where, each) for each in get_args(core)))
    kind = origin or core
    port = getattr(kind, "port", None)
    if isinstance(port, str):
        return port
    raise PluginError(
        f'{where}: {_spelled(core)} is no port type; give the class `port: ClassVar[str] = "NAME"`, '
        'or write Annotated[..., Port("NAME")]'
    )


def _member(where: str, annotation: Annotation) -> str:
    """The port type of one member of a union, which may be annotated itself."""
    traits = unwrap(annotation)
    return cast(str, facts_of(where, traits)["type"])


def _options(where: str, core: Annotation) -> tuple[str, ...]:
    values = get_args(core)
    if not all(isinstance(value, str) for value in values):
        raise PluginError(f"{where}: the values of a Literal must be text, not {values}")
    return values


def _spelled(core: Annotation) -> str:
    return cast(str, getattr(core, "__name__", None) or str(core))


def classes_of(core: Annotation) -> tuple[type, ...] | None:
    """The classes a value of this annotation may have; None where that cannot be told."""
    if core is float:
        return (float, int)
    if isinstance(core, type) and core not in (object, Any):
        return (core,)
    if is_union(get_origin(core)):
        members = [classes_of(unwrap(each).core) for each in get_args(core)]
        return None if None in members else tuple(kind for each in members if each is not None for kind in each)
    return None
