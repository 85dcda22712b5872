"""From a function's signature to its inputs and outputs.

int float str bool          INT FLOAT STRING BOOLEAN, each with a widget
Literal["a", "b"]           COMBO
a class with `port`         that port type; it must be linked
Any, object, a TypeVar      *
A | B                       the union "A,B"
T | None = None             may be left out
list[T]                     takes the whole list; T alone is mapped over lists
Lazy[T]                     computed when the body asks
*images: T                  grows
ctx: Context                the context, no input
Annotated[T, ...]           ranges (`Field(ge=1)`) and markers (`engine.node.widgets`)
"""

from __future__ import annotations

import inspect
import math
import re
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeVar, cast, get_args, get_origin

import annotated_types
from pydantic import JsonValue
from pydantic.fields import FieldInfo

from engine.errors import PluginError
from engine.node.context import Context
from engine.node.docs import NodeDoc
from engine.node.lazy import Lazy
from engine.node.results import Blocked, Expansion, Shown
from engine.node.schema import InputSchema, OutputSchema, WidgetKind
from engine.node.widgets import File, Options, Port, Step, Widget

Annotation = Any
"""A type as `typing` spells it: opaque to a type checker."""

PRIMITIVES: Mapping[type, tuple[str, WidgetKind]] = {
    bool: ("BOOLEAN", "toggle"),
    int: ("INT", "number"),
    float: ("FLOAT", "number"),
    str: ("STRING", "text"),
}
CONTROL = (Blocked, Expansion, Shown, types.NoneType)
"""What a return annotation may add to its outputs: `Image | Blocked`."""


@dataclass(frozen=True, slots=True)
class Signature:
    """The inputs and outputs of a function, and how to call it.

    `positional` are the parameters in front of the variadic one; they cannot be passed by name when it is given.
    `classes` are, for each output, those a value may have, or None where any value goes.
    """

    inputs: tuple[InputSchema, ...]
    outputs: tuple[OutputSchema, ...]
    classes: tuple[tuple[type, ...] | None, ...]
    context: str | None
    variadic: str | None
    positional: tuple[str, ...]


def read_signature(function: Callable[..., object], doc: NodeDoc) -> Signature:
    """Read the ports of `function`.

    Raises:
        PluginError: an annotation is missing or means no port, a default is out of range, `Args:` names no input.
    """
    name = function.__name__
    hints = _hints(function)
    parameters = list(inspect.signature(function).parameters.values())
    context = next((each.name for each in parameters if hints.get(each.name) is Context), None)
    ports = [each for each in parameters if each.name != context]
    inputs = tuple(_input(name, each, hints, doc) for each in ports)
    unknown = set(doc.inputs) - {each.name for each in parameters}
    if unknown:
        raise PluginError(f"{name}: Args: documents {', '.join(sorted(unknown))}, which the function does not take")
    if "return" not in hints:
        raise PluginError(f"{name}: the return annotation is missing; write `-> None` when nothing comes out")
    outputs, classes = _outputs(name, hints["return"], doc)
    variadic = next((each.name for each in ports if each.kind is each.VAR_POSITIONAL), None)
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD,)
    positional = tuple(each.name for each in parameters if each.kind in kinds) if variadic else ()
    return Signature(inputs, outputs, classes, context, variadic, positional)


def _hints(function: Callable[..., object]) -> dict[str, Annotation]:
    try:
        return typing.get_type_hints(function, include_extras=True)
    except NameError as error:
        raise PluginError(
            f"{function.__name__}: annotation {error.name!r} is unknown when the node is loaded; "
            "import it at the top of the module, not under TYPE_CHECKING"
        ) from error


# ---------------------------------------------------------------------------------------------------------- inputs


@dataclass
class _Traits:
    """What the layers of an annotation say, from the outermost in."""

    core: Annotation
    markers: list[object] = field(default_factory=list[object])
    optional: bool = False
    lazy: bool = False
    is_list: bool = False


def _unwrap(annotation: Annotation) -> _Traits:
    traits = _Traits(annotation)
    while True:
        origin, args = get_origin(traits.core), get_args(traits.core)
        if origin is Annotated:
            traits.markers[:0] = args[1:]
            traits.core = args[0]
        elif _is_union(origin) and types.NoneType in args:
            rest = tuple(each for each in args if each is not types.NoneType)
            traits.optional = True
            traits.core = typing.Union[rest]  # noqa: UP007  built from a tuple
        elif origin is Lazy:
            traits.lazy, traits.core = True, args[0]
        elif origin is list:
            traits.is_list, traits.core = True, args[0]
        else:
            return traits


def _is_union(origin: Annotation) -> bool:
    return origin is typing.Union or origin is types.UnionType


def _input(node: str, parameter: inspect.Parameter, hints: Mapping[str, Annotation], doc: NodeDoc) -> InputSchema:
    name, where = parameter.name, f"{node}: input {parameter.name}"
    if name not in hints:
        raise PluginError(f"{where} has no annotation; write `{name}: int`, `{name}: Image`, ...")
    if parameter.kind in (parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
        raise PluginError(
            f"{where} is {parameter.kind.description}; every input needs a name, `*{name}` makes one grow"
        )
    traits = _unwrap(hints[name])
    variadic = parameter.kind is parameter.VAR_POSITIONAL
    has_default = parameter.default is not parameter.empty
    if traits.optional and not has_default:
        raise PluginError(f"{where} may be None but has no default; write `= None`")
    facts = _facts(where, traits)
    linked_only = facts["widget"] is None or variadic
    default = parameter.default if has_default else None
    if default is not None and linked_only:
        raise PluginError(f"{where} is always linked, so its default can only be None, not {default!r}")
    schema = InputSchema(
        name=name,
        required=not has_default and not variadic,
        default=_literal(where, default),
        lazy=traits.lazy,
        is_list=traits.is_list,
        variadic=variadic,
        **_without_widget(facts) if variadic else facts,
    )
    _check_default(where, schema)
    return schema.model_copy(update={"help": doc.inputs[name]}) if name in doc.inputs else schema


def _without_widget(facts: dict[str, Any]) -> dict[str, Any]:
    return facts | {"widget": None}


def _facts(where: str, traits: _Traits) -> dict[str, Any]:
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


def _literal(where: str, default: object) -> JsonValue:
    if default is None or isinstance(default, (bool, int, float, str)):
        return default
    raise PluginError(f"{where}: default {default!r} is no number, text or truth value")


def _check_default(where: str, schema: InputSchema) -> None:
    default = schema.default
    if schema.options is not None and default is not None and default not in schema.options:
        raise PluginError(f"{where}: default {default!r} is not among its options {', '.join(schema.options)}")
    if schema.pattern and isinstance(default, str) and not re.search(schema.pattern, default):
        raise PluginError(f"{where}: default {default!r} does not match its pattern {schema.pattern}")
    if isinstance(default, (int, float)) and not isinstance(default, bool):
        if schema.minimum is not None and default < schema.minimum:
            raise PluginError(f"{where}: default {default} is below its minimum {schema.minimum}")
        if schema.maximum is not None and default > schema.maximum:
            raise PluginError(f"{where}: default {default} is above its maximum {schema.maximum}")


# ----------------------------------------------------------------------------------------------------------- types


def _port_type(where: str, core: Annotation) -> str:
    if core is Any or core is object or isinstance(core, TypeVar):
        return "*"
    if core in PRIMITIVES:
        return PRIMITIVES[core][0]
    origin = get_origin(core)
    if origin is Literal:
        return "COMBO"
    if _is_union(origin):
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
    traits = _unwrap(annotation)
    return cast(str, _facts(where, traits)["type"])


def _options(where: str, core: Annotation) -> tuple[str, ...]:
    values = get_args(core)
    if not all(isinstance(value, str) for value in values):
        raise PluginError(f"{where}: the values of a Literal must be text, not {values}")
    return values


def _spelled(core: Annotation) -> str:
    return cast(str, getattr(core, "__name__", None) or str(core))


# --------------------------------------------------------------------------------------------------------- outputs


def _outputs(
    node: str, annotation: Annotation, doc: NodeDoc
) -> tuple[tuple[OutputSchema, ...], tuple[tuple[type, ...] | None, ...]]:
    """A NamedTuple gives its fields, another type one output named after itself, None or Shown nothing."""
    members = get_args(annotation) if _is_union(get_origin(annotation)) else (annotation,)
    values = tuple(each for each in members if each not in CONTROL)
    if not values:
        return (), ()
    if len(values) == 1 and _is_named_tuple(values[0]):
        hints = typing.get_type_hints(values[0], include_extras=True)
        named = {name: hints[name] for name in values[0]._fields}
    else:
        named = {"": annotation}
    found = [_output(node, name, each, doc) for name, each in named.items()]
    return tuple(schema for schema, _ in found), tuple(classes for _, classes in found)


def _is_named_tuple(kind: Annotation) -> bool:
    return hasattr(kind, "_fields") and not hasattr(kind, "port")


def _output(node: str, name: str, annotation: Annotation, doc: NodeDoc) -> tuple[OutputSchema, tuple[type, ...] | None]:
    where = f"{node}: output {name}" if name else f"{node}: the return value"
    members = get_args(annotation) if _is_union(get_origin(annotation)) else (annotation,)
    values = tuple(each for each in members if each not in CONTROL)
    traits = _unwrap(typing.Union[values])  # noqa: UP007  built from a tuple
    if get_origin(traits.core) is tuple or traits.core is tuple:
        raise PluginError(f"{where} is a tuple; return a NamedTuple, whose field names become the outputs' names")
    if get_origin(traits.core) is Literal:
        port, classes = "STRING", (str,)
    else:
        port, classes = cast(str, _facts(where, traits)["type"]), _classes(traits.core)
    name = name or (port.lower() if port.isidentifier() else "value")
    help = doc.outputs.get(name, "" if doc.outputs else doc.returns)
    return OutputSchema(name=name, type=port, is_list=traits.is_list, help=help), classes


def _classes(core: Annotation) -> tuple[type, ...] | None:
    """The classes a value of this annotation may have; None where that cannot be told."""
    if core is float:
        return (float, int)
    if isinstance(core, type) and core not in (object, Any):
        return (core,)
    if _is_union(get_origin(core)):
        members = [_classes(_unwrap(each).core) for each in get_args(core)]
        return None if None in members else tuple(kind for each in members if each is not None for kind in each)
    return None
