"""Literals read by the schema: `"20"` is 20 for an INT and "20" for a STRING, and every value has one spelling.

What comes out is what the node receives and what the key is made of, so each port type has exactly one Python type.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from pydantic import JsonValue

from engine.graph.boxes import read_boxes
from engine.graph.literal_error import LiteralError as LiteralError
from engine.graph.reading import MAX_INTEGER, MIN_INTEGER, is_text
from engine.graph.wording import describe, either, nearest, shorten
from engine.node.schema import InputSchema

_INTEGER = re.compile(r"\s*[+-]?[0-9]{1,40}\s*", re.ASCII)
_FLOAT = re.compile(r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*", re.ASCII)
_DEPTH = 64


def read_literal(schema: InputSchema, value: JsonValue) -> JsonValue:
    """Return the value as the input's own type: int, float, bool, str, or any JSON for a type of another name.

    Raises:
        LiteralError: `wrong_kind`, `value_out_of_range`, `not_in_options`, `pattern_mismatch`, `bad_text`, or of boxes
            `too_many_boxes` and `bad_box`.
    """
    if value is None and not schema.required and schema.default is None:
        return None
    reader = _READERS.get(schema.type)
    return reader(schema, value) if reader else _union(schema, value)


def _integer(schema: InputSchema, value: JsonValue) -> int:
    if type(value) is int:
        number = value
    elif (isinstance(value, float) and value.is_integer()) or (isinstance(value, str) and _INTEGER.fullmatch(value)):
        number = int(value)
    elif isinstance(value, str) and _FLOAT.fullmatch(value) and (parsed := float(value)).is_integer():
        number = int(parsed)
    else:
        fix = f"write {round(value)}" if isinstance(value, float) and math.isfinite(value) else "write digits only"
        raise _wrong_kind("a whole number", value, fix)
    if not MIN_INTEGER <= number <= MAX_INTEGER:
        raise LiteralError(
            "value_out_of_range",
            "The number does not fit into 64 bits.",
            f"{MIN_INTEGER} to {MAX_INTEGER}",
            describe(value),
            "use a smaller number",
        )
    _check_range(schema, number)
    if schema.multiple_of and number % schema.multiple_of:
        raise _not_a_multiple(schema, number, schema.multiple_of)
    return number


def _float(schema: InputSchema, value: JsonValue) -> float:
    number = math.nan
    if isinstance(value, float):
        number = value
    elif (type(value) is int and abs(value) <= MAX_INTEGER) or (isinstance(value, str) and _FLOAT.fullmatch(value)):
        number = float(value)
    if not math.isfinite(number):
        raise _wrong_kind("a finite number", value, "write a number such as 0.5")
    _check_range(schema, number)
    return number


def _boolean(schema: InputSchema, value: JsonValue) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and (word := value.strip().lower()) in ("true", "false"):
        return word == "true"
    if type(value) is int and value in (0, 1):
        return value == 1
    raise _wrong_kind("true or false", value, "write true or false")


def _string(schema: InputSchema, value: JsonValue) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(_json(schema, value))
    if not isinstance(value, str):
        raise _wrong_kind("text", value, "write text in quotes")
    if not is_text(value):
        raise LiteralError(
            "bad_text",
            "The text holds half of a character.",
            "text that UTF-8 can hold",
            "a lone surrogate",
            "retype it",
        )
    if schema.pattern is not None and not re.search(schema.pattern, value):
        raise LiteralError(
            "pattern_mismatch",
            "The text does not have the form that is wanted.",
            f"text that matches {schema.pattern}",
            describe(value),
            f"write it like {describe(schema.default)}" if schema.default else "rewrite it",
        )
    return value


def _combo(schema: InputSchema, value: JsonValue) -> str:
    text = _string(schema, value)
    if schema.options is not None and text not in schema.options:
        raise _not_an_option(schema.options, text)
    return text


def _union(schema: InputSchema, value: JsonValue) -> JsonValue:
    """Read a union or a type of another name: as the first type that takes the value, its own kind before others."""
    names = [name.strip() for name in schema.type.split(",")]
    readers = [
        _READERS[name] for name in sorted(names, key=lambda name: _OWN.get(name) is not type(value)) if name in _READERS
    ]
    for reader in readers:
        try:
            return reader(schema, value)
        except LiteralError:
            if reader is readers[-1]:
                raise
    return _json(schema, value)


def _json(schema: InputSchema, value: JsonValue) -> JsonValue:
    """Any JSON value that can be written again: finite, integers of 64 bits, proper text, not too deep."""
    level: list[JsonValue] = [value]
    for _ in range(_DEPTH):
        for each in level:
            if (
                (isinstance(each, float) and not math.isfinite(each))
                or (isinstance(each, int) and not MIN_INTEGER <= each <= MAX_INTEGER)
                or (isinstance(each, str) and not is_text(each))
            ):
                raise _wrong_kind("finite numbers of 64 bits and proper text", each, "correct the value")
        level = [child for each in level for child in _children(each)]
        if not level:
            return value
    raise _wrong_kind(f"at most {_DEPTH} levels", value, "flatten the value")


def _children(value: JsonValue) -> list[JsonValue]:
    if isinstance(value, dict):
        return [*value, *value.values()]
    return value if isinstance(value, list) else []


_Reader = Callable[[InputSchema, JsonValue], JsonValue]
_READERS: dict[str, _Reader] = {
    "INT": _integer,
    "FLOAT": _float,
    "BOOLEAN": _boolean,
    "STRING": _string,
    "COMBO": _combo,
    "BOXES": read_boxes,
}

_OWN: dict[str, type] = {"INT": int, "FLOAT": float, "BOOLEAN": bool, "STRING": str, "COMBO": str}


def _check_range(schema: InputSchema, number: int | float) -> None:
    low, high = schema.minimum, schema.maximum
    if (low is None or number >= low) and (high is None or number <= high):
        return
    if low is not None and high is not None:
        wanted = f"{low} to {high}"
    else:
        wanted = f"at least {low}" if low is not None else f"at most {high}"
    limit = low if low is not None and number < low else high
    raise LiteralError("value_out_of_range", f"{number} is out of range.", wanted, describe(number), f"use {limit}")


def _not_a_multiple(schema: InputSchema, number: int, factor: int) -> LiteralError:
    below = number - number % factor
    allowed = [
        each
        for each in (below, below + factor)
        if (schema.minimum is None or each >= schema.minimum) and (schema.maximum is None or each <= schema.maximum)
    ]
    return LiteralError(
        "value_out_of_range",
        f"{number} is not a multiple of {factor}.",
        f"a multiple of {factor}",
        describe(number),
        f"use {' or '.join(map(str, allowed))}",
    )


def _not_an_option(options: tuple[str, ...], text: str) -> LiteralError:
    near = nearest(text, options)
    return LiteralError(
        "not_in_options",
        f"'{shorten(text)}' is not one of the choices.",
        either(options),
        describe(text),
        f"use {either(near or options)}",
    )


def _wrong_kind(wanted: str, value: object, fix: str) -> LiteralError:
    got = describe(value)
    return LiteralError("wrong_kind", f"This must be {wanted}, not {got}.", wanted, got, fix)
