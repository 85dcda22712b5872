"""Whatever a body returns comes into one form, checked."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import pytest

from engine.errors import InputProblem
from engine.node.decorator import node
from engine.node.node_type import NodeType
from engine.node.results import Blocked, Expansion, Link, Result, Shown


class Picture:
    port: ClassVar[str] = "IMAGE"


class Point(NamedTuple):
    """A value that happens to be a tuple."""

    x: int
    y: int
    port = "POINT"


class Pair(NamedTuple):
    number: float
    picture: Picture


def made(returns: Any) -> NodeType:
    def Make() -> None:
        """Make."""

    Make.__annotations__["return"] = returns
    return node(category="test")(Make).type


PICTURE = Picture()


@pytest.mark.parametrize(
    ("returns", "returned", "outputs"),
    [
        (None, None, ()),
        (Picture, PICTURE, (PICTURE,)),
        (float, 1, (1,)),
        (Pair, Pair(1.5, PICTURE), (1.5, PICTURE)),
        (Pair, (1.5, PICTURE), (1.5, PICTURE)),
        (Pair, Pair(1.5, Blocked("no")), (1.5, Blocked("no"))),  # type: ignore[arg-type]
        (Pair, Blocked(), (Blocked(), Blocked())),
        (list[Picture], [PICTURE, Blocked()], ([PICTURE, Blocked()],)),
        (Point, Point(1, 2), (Point(1, 2),)),
        (Any, (1, 2), ((1, 2),)),
        (Any, None, (None,)),
    ],
)
def test_values_become_outputs(returns: Any, returned: object, outputs: tuple[object, ...]) -> None:
    assert made(returns).result(returned) == Result(outputs)


def test_shown_keeps_outputs_and_ui() -> None:
    ui = {"images": [{"path": "a.png"}]}
    assert made(None).result(Shown(ui=ui)) == Result((), ui)
    assert made(Picture).result(Shown(PICTURE, ui=ui)) == Result((PICTURE,), ui)
    assert made(Pair).result(Shown(Pair(1, PICTURE), ui=ui)) == Result((1, PICTURE), ui)


def test_an_expansion_promises_one_output_each() -> None:
    expansion = Expansion({"a": {"class_type": "Make", "inputs": {}}}, (Link("a"),))
    assert made(Picture).result(expansion) == Result((Link("a"),), expansion=expansion)
    with pytest.raises(InputProblem, match="returned 1 outputs, its annotation promises 2"):
        made(Pair).result(expansion)


@pytest.mark.parametrize(
    ("returns", "returned", "words"),
    [
        (Picture, None, "output image should be IMAGE, but is None"),
        (Picture, "text", "output image should be IMAGE, but is a str"),
        (Pair, PICTURE, r"returned 1 outputs, its annotation promises 2 \(number, picture\)"),
        (Pair, Pair("x", PICTURE), "output number should be FLOAT, but is a str"),  # type: ignore[arg-type]
        (None, PICTURE, r"returned 1 outputs, its annotation promises 0 \(none\)"),
        (list[Picture], PICTURE, "should be a list of IMAGE, but is a Picture"),
        (list[Picture], [1], "output image should be IMAGE, but is a int"),
    ],
)
def test_a_broken_promise_is_named(returns: Any, returned: object, words: str) -> None:
    with pytest.raises(InputProblem, match=words):
        made(returns).result(returned)
