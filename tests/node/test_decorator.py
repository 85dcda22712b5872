"""`@node` keeps the function callable and adds what the engine needs."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import pytest

from engine.errors import InputProblem, PluginError
from engine.node.context import Context, NullContext
from engine.node.decorator import node
from engine.node.lazy import Lazy, NeedsInput


class Picture:
    port: ClassVar[str] = "IMAGE"

    def __init__(self, *names: str) -> None:
        self.names = names


@node(category="image/join", version=3, aliases=("Concat",))
def JoinVAEImages(first: Picture, *images: Picture, reverse: bool = False) -> Picture:
    """Join."""
    names = [name for image in (first, *images) for name in image.names]
    return Picture(*(reversed(names) if reverse else names))


@JoinVAEImages.migration(1)
def _(inputs: dict[str, Any]) -> dict[str, Any]:
    return {"reverse" if name == "backwards" else name: value for name, value in inputs.items()}


@node(category="logic")
def Choose(ctx: Context, on: bool, a: Lazy[Picture], b: Lazy[Picture]) -> Picture:
    """Choose."""
    ctx.check_cancelled()
    return a.get() if on else b.get()


@node(category="test")
async def Wait(seconds: float = 0) -> float:
    """Wait."""
    await asyncio.sleep(seconds)
    return seconds


def test_a_node_is_still_a_function() -> None:
    assert JoinVAEImages(Picture("a"), Picture("b"), reverse=True).names == ("b", "a")
    assert JoinVAEImages.__name__ == "JoinVAEImages"


def test_the_schema_says_what_the_decorator_was_told() -> None:
    schema = JoinVAEImages.type.schema
    assert (schema.name, schema.title, schema.version, schema.aliases) == (
        "JoinVAEImages",
        "Join VAE Images",
        3,
        ("Concat",),
    )
    assert (schema.category, schema.lane, schema.output, schema.fingerprinted) == ("image/join", "cpu", False, False)


def test_call_spreads_a_variadic_input() -> None:
    made = JoinVAEImages.type
    inputs = {"first": Picture("a"), "images": (Picture("b"), Picture("c")), "reverse": True}
    result = made.result(made.call(inputs, NullContext()))
    assert isinstance(result.outputs[0], Picture)
    assert result.outputs[0].names == ("c", "b", "a")


def test_call_without_links_to_a_variadic_input() -> None:
    returned = JoinVAEImages.type.call({"first": Picture("a")}, NullContext())
    assert isinstance(returned, Picture)
    assert returned.names == ("a",)


def test_call_hands_the_context_over_and_lazy_inputs_ask() -> None:
    picture = Picture("a")
    inputs = {"on": True, "a": Lazy("a", picture), "b": Lazy[Picture]("b")}
    assert Choose.type.call(inputs, NullContext()) is picture
    with pytest.raises(NeedsInput) as asked:
        Choose.type.call({**inputs, "on": False}, NullContext())
    assert asked.value.name == "b"


def test_a_lazy_none_is_known() -> None:
    assert Lazy[None]("x", None).known
    assert Lazy[None]("x", None).get() is None
    assert not Lazy[None]("x").known


def test_an_async_node_runs_on_the_loop() -> None:
    made = Wait.type
    assert (made.schema.lane, made.is_async) == ("loop", True)
    assert asyncio.run(Wait(0.0)) == 0.0


def test_migrations_are_kept_by_version() -> None:
    migrations = JoinVAEImages.type.migrations
    assert list(migrations) == [1]
    assert migrations[1]({"backwards": True}) == {"reverse": True}


def test_a_migration_that_leads_nowhere_is_refused() -> None:
    with pytest.raises(PluginError, match=r"lifts to version 4, but the node is version 3"):
        JoinVAEImages.migration(3)
    with pytest.raises(PluginError, match="given twice"):
        JoinVAEImages.migration(1)


def test_an_async_node_on_another_lane_is_refused() -> None:
    async def Bad() -> None:
        """Bad."""

    with pytest.raises(PluginError, match="runs on the event loop"):
        node(category="test", lane="device")(Bad)


def test_a_result_of_the_wrong_class_names_node_and_output() -> None:
    with pytest.raises(InputProblem, match=r"JoinVAEImages: output image should be IMAGE, but is a str"):
        JoinVAEImages.type.result("no picture")
