from __future__ import annotations

import math
from typing import Any

import pytest
from pydantic import JsonValue

from engine.graph.literals import LiteralError, read_literal
from tests.graph.catalogue import edited, linked

STEPS = edited("steps", "INT", 20, minimum=1, maximum=100)
WIDTH = edited("width", "INT", 64, minimum=20, maximum=60, multiple_of=8)
CFG = edited("cfg", "FLOAT", 8.0, minimum=0.0, maximum=100.0)
ANY_INT = edited("n", "INT", 0)
NAME = edited("name", "STRING", "x")
LEVELS = edited("levels", "STRING", "1,2", pattern=r"^\d+(,\d+)*$")
ON = edited("on", "BOOLEAN", True)
SAMPLER = edited("sampler", "COMBO", "euler", options=("euler", "euler_ancestral", "heun", "2"))
FREE_COMBO = edited("file", "COMBO", "x")
NUMBER = edited("number", "INT,FLOAT", 1)
ANYTHING = edited("value", "*", widget="text")


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        (STEPS, 20, 20),
        (STEPS, 20.0, 20),
        (STEPS, "20", 20),
        (STEPS, " +20 ", 20),
        (STEPS, "2e1", 20),
        (WIDTH, 24, 24),
        (ANY_INT, "18446744073709551615", 2**64 - 1),
        (CFG, 8, 8.0),
        (CFG, "7.5", 7.5),
        (CFG, ".5", 0.5),
        (CFG, "1e-2", 0.01),
        (NAME, "a", "a"),
        (NAME, 5, "5"),
        (NAME, 0.5, "0.5"),
        (ON, False, False),
        (ON, "false", False),
        (ON, "True", True),
        (ON, 0, False),
        (SAMPLER, "heun", "heun"),
        (SAMPLER, 2, "2"),
        (FREE_COMBO, "whatever", "whatever"),
        (NUMBER, 1, 1),
        (NUMBER, 1.0, 1.0),
        (NUMBER, "1.5", 1.5),
        (ANYTHING, {"a": [1, 1.5, None, True]}, {"a": [1, 1.5, None, True]}),
        (edited("x", "INT", None, required=False), None, None),
    ],
)
def test_a_literal_is_read_as_its_inputs_type(schema: Any, value: JsonValue, expected: JsonValue):
    read = read_literal(schema, value)
    assert read == expected
    assert type(read) is type(expected)


@pytest.mark.parametrize(
    ("schema", "value", "code"),
    [
        (STEPS, 20.5, "wrong_kind"),
        (STEPS, True, "wrong_kind"),
        (STEPS, "many", "wrong_kind"),
        (STEPS, "1_0", "wrong_kind"),
        (STEPS, "٣", "wrong_kind"),
        (STEPS, None, "wrong_kind"),
        (STEPS, [20], "wrong_kind"),
        (STEPS, math.nan, "wrong_kind"),
        (STEPS, math.inf, "wrong_kind"),
        (STEPS, "1e999", "wrong_kind"),
        (STEPS, 0, "value_out_of_range"),
        (STEPS, 101, "value_out_of_range"),
        (STEPS, "-3", "value_out_of_range"),
        (WIDTH, 30, "value_out_of_range"),
        (ANY_INT, 2**64, "value_out_of_range"),
        (ANY_INT, -(2**63) - 1, "value_out_of_range"),
        (ANY_INT, 1e300, "value_out_of_range"),
        (ANY_INT, 10**400, "value_out_of_range"),
        (CFG, math.nan, "wrong_kind"),
        (CFG, math.inf, "wrong_kind"),
        (CFG, "nan", "wrong_kind"),
        (CFG, "inf", "wrong_kind"),
        (CFG, "1e999", "wrong_kind"),
        (CFG, True, "wrong_kind"),
        (CFG, {}, "wrong_kind"),
        (CFG, 10**400, "wrong_kind"),
        (CFG, -0.1, "value_out_of_range"),
        (CFG, 100.1, "value_out_of_range"),
        (NAME, None, "wrong_kind"),
        (NAME, True, "wrong_kind"),
        (NAME, ["a"], "wrong_kind"),
        (NAME, 2**64, "wrong_kind"),
        (NAME, "\ud800", "bad_text"),
        (LEVELS, "1,x", "pattern_mismatch"),
        (LEVELS, "", "pattern_mismatch"),
        (ON, "yes", "wrong_kind"),
        (ON, 2, "wrong_kind"),
        (ON, 1.0, "wrong_kind"),
        (SAMPLER, "eular", "not_in_options"),
        (SAMPLER, "", "not_in_options"),
        (SAMPLER, None, "wrong_kind"),
        (NUMBER, "x", "wrong_kind"),
        (ANYTHING, math.nan, "wrong_kind"),
        (ANYTHING, {"a": [2**64]}, "wrong_kind"),
        (ANYTHING, {"\ud800": 1}, "wrong_kind"),
        (linked("image", "IMAGE"), [math.inf], "wrong_kind"),
    ],
)
def test_a_literal_that_does_not_fit_is_refused(schema: Any, value: JsonValue, code: str):
    with pytest.raises(LiteralError) as caught:
        read_literal(schema, value)
    assert caught.value.code == code
    assert caught.value.wanted and caught.value.got and caught.value.fix


def test_an_integer_too_long_to_be_spelled_out_is_refused():
    for schema in (ANY_INT, CFG, NAME, ON, ANYTHING):
        with pytest.raises(LiteralError):
            read_literal(schema, 10**5000)


def test_a_deeply_nested_literal_is_refused_without_recursion():
    value: JsonValue = 1
    for _ in range(100_000):
        value = [value]
    with pytest.raises(LiteralError, match="levels"):
        read_literal(ANYTHING, value)
    while isinstance(value, list):  # take it apart: freeing such a list recurses in C
        value = value.pop()


def test_the_fix_is_a_value_that_is_valid():
    def fix(schema: Any, value: JsonValue) -> str:
        with pytest.raises(LiteralError) as caught:
            read_literal(schema, value)
        return caught.value.fix

    assert fix(STEPS, 500) == "use 100"
    assert fix(STEPS, 20.7) == "write 21"
    assert fix(WIDTH, 30) == "use 24 or 32"
    assert fix(WIDTH, 60) == "use 56"
    assert fix(SAMPLER, "Euler_ancestal").startswith("use 'euler_ancestral'")
