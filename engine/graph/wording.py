"""Short phrases for problems: what a value is, and which names were meant."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from engine.node.names import nearest as names_like

MAX_PROBLEMS = 200
"""A workflow's problems are listed up to here: nobody reads more, and finding the names that were meant takes time."""
MAX_TRIED = 500
"""Comparing spellings is slow (about 10 us a name), and a workflow from a stranger may make us do it often."""


def describe(value: object) -> str:
    """Say what a JSON value is, in a few words: `the text "abc"`, `the number 3`, `a list of 2`."""
    match value:
        case None:
            return "nothing (null)"
        case bool():
            return "true" if value else "false"
        case int() if value.bit_length() > 256:
            return "a huge number"  # Python refuses to spell out integers of thousands of digits
        case int() | float():
            return f"the number {shorten(str(value))}"
        case str():
            return f'the text "{shorten(value)}"'
        case list() | tuple():
            return f"a list of {len(value)}"  # pyright: ignore[reportUnknownArgumentType]
        case dict():
            return "an object"
        case _:
            return f"a {type(value).__name__}"


def shorten(text: str, length: int = 60) -> str:
    return text if len(text) <= length else text[: length - 3] + "..."


def nearest(name: str, names: Iterable[str]) -> list[str]:
    """At most three names that look like `name`, the likeliest first; of very many names, only the first are tried."""
    return names_like(shorten(name), islice(names, MAX_TRIED))


def either(names: Iterable[str], limit: int = 6) -> str:
    """Join names for a sentence: `'a', 'b' or 'c'`; of many, the first few."""
    quoted = [f"'{each}'" for each in names]
    if len(quoted) > limit:
        return ", ".join(quoted[:limit]) + f" or one of {len(quoted) - limit} more"
    return " or ".join([", ".join(quoted[:-1]), quoted[-1]]) if len(quoted) > 1 else "".join(quoted)
