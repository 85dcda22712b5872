"""From a function's signature to its inputs and outputs.

Each parameter is an input and its default makes it optional; `*images: T` grows, `ctx: Context` is no input. A
`NamedTuple` returned is several outputs. `engine.node.annotations` reads the types.
"""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args, get_origin

from pydantic import JsonValue

from engine.errors import PluginError
from engine.node.annotations import Annotation, classes_of, facts_of, is_union, unwrap
from engine.node.context import Context
from engine.node.docs import NodeDoc
from engine.node.results import Blocked, Expansion, Shown
from engine.node.schema import InputSchema, OutputSchema

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


def _input(node: str, parameter: inspect.Parameter, hints: Mapping[str, Annotation], doc: NodeDoc) -> InputSchema:
    name, where = parameter.name, f"{node}: input {parameter.name}"
    if name not in hints:
        raise PluginError(f"{where} has no annotation; write `{name}: int`, `{name}: Image`, ...")
    if parameter.kind in (parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
        raise PluginError(
            f"{where} is {parameter.kind.description}; every input needs a name, `*{name}` makes one grow"
        )
    traits = unwrap(hints[name])
    variadic = parameter.kind is parameter.VAR_POSITIONAL
    has_default = parameter.default is not parameter.empty
    if traits.optional and not has_default:
        raise PluginError(f"{where} may be None but has no default; write `= None`")
    facts = facts_of(where, traits)
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


def _literal(where: str, default: object) -> JsonValue:
    if default is None or isinstance(default, (bool, int, float, str)):
        return default
    if default == ():
        return []  # no boxes
    raise PluginError(f"{where}: default {default!r} is no number, text or truth value")


def _check_default(where: str, schema: InputSchema) -> None:
    default = schema.default
    if (
        schema.widget == "combo"
        and schema.options is not None
        and default is not None
        and default not in schema.options
    ):
        raise PluginError(f"{where}: default {default!r} is not among its options {', '.join(schema.options)}")
    if schema.pattern and isinstance(default, str) and not re.search(schema.pattern, default):
        raise PluginError(f"{where}: default {default!r} does not match its pattern {schema.pattern}")
    if isinstance(default, (int, float)) and not isinstance(default, bool):
        if schema.minimum is not None and default < schema.minimum:
            raise PluginError(f"{where}: default {default} is below its minimum {schema.minimum}")
        if schema.maximum is not None and default > schema.maximum:
            raise PluginError(f"{where}: default {default} is above its maximum {schema.maximum}")


def _outputs(
    node: str, annotation: Annotation, doc: NodeDoc
) -> tuple[tuple[OutputSchema, ...], tuple[tuple[type, ...] | None, ...]]:
    """A NamedTuple gives its fields, another type one output named after itself, None or Shown nothing."""
    members = get_args(annotation) if is_union(get_origin(annotation)) else (annotation,)
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
    members = get_args(annotation) if is_union(get_origin(annotation)) else (annotation,)
    values = tuple(each for each in members if each not in CONTROL)
    traits = unwrap(typing.Union[values])  # noqa: UP007  built from a tuple
    if get_origin(traits.core) is tuple or traits.core is tuple:
        raise PluginError(f"{where} is a tuple; return a NamedTuple, whose field names become the outputs' names")
    if get_origin(traits.core) is Literal:
        port, classes = "STRING", (str,)
    else:
        port, classes = cast(str, facts_of(where, traits)["type"]), classes_of(traits.core)
    name = name or (port.lower() if port.isidentifier() else "value")
    help = doc.outputs.get(name, "" if doc.outputs else doc.returns)
    return OutputSchema(name=name, type=port, is_list=traits.is_list, help=help), classes
