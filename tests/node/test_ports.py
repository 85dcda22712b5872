"""The signature of a function becomes the schema of a node."""

from __future__ import annotations

import functools
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, TypeVar

import annotated_types
import pytest
from pydantic import Field

from engine.errors import PluginError
from engine.node.context import Context
from engine.node.decorator import node
from engine.node.lazy import Lazy
from engine.node.results import Blocked, Expansion, Shown
from engine.node.schema import CanvasSchema, InputSchema, NodeSchema
from engine.node.widgets import (
    Boxes,
    Canvas,
    CheckpointFile,
    Drawing,
    Fraction,
    Labels,
    Multiline,
    Options,
    Port,
    Seed,
    Step,
    Steps,
    Widget,
    Width,
)

T = TypeVar("T")
SKY_AND_GRASS = (("sky", (0, 128, 255)), ("grass", (10, 200, 9)))


class Picture:
    port: ClassVar[str] = "IMAGE"


class Stencil:
    port: ClassVar[str] = "MASK"


class Table:
    """A class of some library, which does not know Darkroom."""


class Halves(NamedTuple):
    """Two halves.

    Attributes:
        left: What is on the left.
    """

    left: Picture
    right: Picture | Blocked


def schema(function: Any) -> NodeSchema:
    return node(category="test")(function).type.schema


def inputs(function: Any) -> dict[str, InputSchema]:
    return {each.name: each for each in schema(function).inputs}


def test_primitives_have_widgets() -> None:
    def All(a: int, b: float, c: str, d: bool) -> None:
        """All."""

    found = inputs(All)
    assert {name: (each.type, each.widget) for name, each in found.items()} == {
        "a": ("INT", "number"),
        "b": ("FLOAT", "number"),
        "c": ("STRING", "text"),
        "d": ("BOOLEAN", "toggle"),
    }
    assert all(each.required for each in found.values())


def test_boxes_are_one_value_of_their_own_type() -> None:
    def Place(boxes: Annotated[Boxes, Field(max_length=12), Labels("cat", "dog")] = (), more: Boxes = ()) -> None:
        """Place."""

    found = inputs(Place)
    boxes = found["boxes"]
    assert (boxes.type, boxes.widget, boxes.is_list, boxes.default) == ("BOXES", "boxes", False, [])
    assert (boxes.maximum, boxes.options) == (12, ("cat", "dog"))
    assert (found["more"].maximum, found["more"].options) == (92, None)


def test_a_drawing_says_what_is_drawn_on() -> None:
    def Draw(drawing: Annotated[Drawing, Canvas(palette=SKY_AND_GRASS, width=64)] = "", free: Drawing = "") -> None:
        """Draw."""

    found = inputs(Draw)
    drawing, canvas = found["drawing"], found["drawing"].canvas
    assert (drawing.type, drawing.widget, drawing.folder) == ("COMBO", "drawing", "input")
    assert canvas is not None and canvas.palette is not None
    assert (canvas.width, canvas.height, canvas.transparent, canvas.mask) == (64, 512, False, False)
    assert [(each.name, each.colour) for each in canvas.palette] == [("sky", "#0080ff"), ("grass", "#0ac809")]
    assert found["free"].canvas == CanvasSchema()


def test_a_class_with_a_port_must_be_linked() -> None:
    def Take(image: Picture) -> None:
        """Take."""

    assert inputs(Take)["image"] == InputSchema(name="image", type="IMAGE")


def test_a_default_makes_an_input_optional() -> None:
    def Take(steps: Steps = 20, mask: Stencil | None = None) -> None:
        """Take."""

    found = inputs(Take)
    assert found["steps"] == InputSchema(
        name="steps", type="INT", required=False, default=20, widget="number", minimum=1, maximum=10_000
    )
    assert found["mask"] == InputSchema(name="mask", type="MASK", required=False)


def test_an_optional_number_keeps_its_range() -> None:
    def Take(width: Width | None = None) -> None:
        """Take."""

    width = inputs(Take)["width"]
    assert (width.minimum, width.maximum, width.multiple_of, width.default) == (16, 16384, 8, None)


def test_a_literal_is_a_combo() -> None:
    def Take(method: Literal["nearest", "area"] = "area") -> None:
        """Take."""

    method = inputs(Take)["method"]
    assert (method.type, method.widget, method.options, method.default) == (
        "COMBO",
        "combo",
        ("nearest", "area"),
        "area",
    )


def test_a_file_is_a_combo_with_a_folder() -> None:
    def Take(ckpt_name: CheckpointFile) -> None:
        """Take."""

    found = inputs(Take)["ckpt_name"]
    assert (found.type, found.widget, found.folder) == ("COMBO", "file", "checkpoints")


def test_markers_choose_widget_step_and_options() -> None:
    def Take(
        text: Multiline,
        seed: Seed,
        strength: Annotated[Fraction, Widget("slider"), Step(0.25)],
        style: Annotated[str, Options("flat", "3d")],
        linked: Annotated[int, Widget(None)],
    ) -> None:
        """Take."""

    found = inputs(Take)
    assert found["text"].widget == "multiline"
    assert (found["seed"].widget, found["seed"].maximum) == ("seed", 2**64 - 1)
    assert (found["strength"].widget, found["strength"].step, found["strength"].maximum) == ("slider", 0.25, 1)
    assert (found["style"].type, found["style"].options) == ("COMBO", ("flat", "3d"))
    assert found["linked"].widget is None


def test_a_text_may_have_to_match_a_pattern() -> None:
    def Take(levels: Annotated[str, Field(pattern=r"^\d+(,\d+)*$")] = "1,2") -> None:
        """Take."""

    assert inputs(Take)["levels"].pattern == r"^\d+(,\d+)*$"


def test_an_interval_is_a_range() -> None:
    def Take(steps: Annotated[int, annotated_types.Interval(ge=2, lt=9)]) -> None:
        """Take."""

    assert (inputs(Take)["steps"].minimum, inputs(Take)["steps"].maximum) == (2, 8)


def test_the_last_range_wins() -> None:
    def Take(steps: Annotated[Steps, Field(le=50)] = 20) -> None:
        """Take."""

    assert (inputs(Take)["steps"].minimum, inputs(Take)["steps"].maximum) == (1, 50)


def test_open_bounds_become_the_nearest_closed_ones() -> None:
    def Take(a: Annotated[int, Field(gt=0, lt=10)], b: Annotated[float, annotated_types.Gt(0)]) -> None:
        """Take."""

    found = inputs(Take)
    assert (found["a"].minimum, found["a"].maximum) == (1, 9)
    assert found["b"].minimum == 5e-324


def test_anything_unions_lists_and_lazy() -> None:
    def Take(
        anything: Any, either: Picture | Stencil, many: list[Picture], later: Lazy[Picture], same: T
    ) -> Picture | Stencil:
        """Take."""
        raise NotImplementedError

    found = inputs(Take)
    assert (found["anything"].type, found["same"].type, found["either"].type) == ("*", "*", "IMAGE,MASK")
    assert (found["many"].type, found["many"].is_list) == ("IMAGE", True)
    assert (found["later"].type, found["later"].lazy) == ("IMAGE", True)
    assert [(each.name, each.type) for each in schema(Take).outputs] == [("value", "IMAGE,MASK")]


def test_star_images_grows() -> None:
    def Join(*images: Picture, gap: int = 0) -> None:
        """Join."""

    found = inputs(Join)
    assert (found["images"].variadic, found["images"].type, found["images"].required) == (True, "IMAGE", False)
    assert list(found) == ["images", "gap"]


def test_the_context_is_no_input() -> None:
    def Take(ctx: Context, steps: int = 1) -> None:
        """Take."""

    made = node(category="test")(Take).type
    assert [each.name for each in made.schema.inputs] == ["steps"]
    assert made.context == "ctx"


def test_a_foreign_class_is_named_by_a_marker() -> None:
    def Take(table: Annotated[Table, Port("TABLE")]) -> Annotated[Table, Port("TABLE")]:
        """Take."""
        return table

    assert inputs(Take)["table"].type == "TABLE"
    assert [(each.name, each.type) for each in schema(Take).outputs] == [("table", "TABLE")]


def test_outputs_take_the_names_of_a_named_tuple() -> None:
    def Split(image: Picture) -> Halves:
        """Split."""
        return Halves(image, image)

    assert [(each.name, each.type) for each in schema(Split).outputs] == [("left", "IMAGE"), ("right", "IMAGE")]


def test_one_output_is_named_after_its_type() -> None:
    def Make() -> Picture | Blocked:
        """Make.

        Returns:
            Something to look at.
        """
        return Picture()

    made = schema(Make)
    assert [(each.name, each.type, each.help) for each in made.outputs] == [("image", "IMAGE", "Something to look at.")]


@pytest.mark.parametrize("annotation", [None, Shown, Expansion, Shown | None])
def test_no_value_means_no_output(annotation: Any) -> None:
    def Save() -> None:
        """Save."""

    Save.__annotations__["return"] = annotation
    assert schema(Save).outputs == ()


def test_a_list_output_is_a_list() -> None:
    def Frames() -> list[Picture]:
        """Frames."""
        return []

    assert [(each.name, each.is_list) for each in schema(Frames).outputs] == [("image", True)]


def test_the_docstring_is_help_and_tooltips() -> None:
    def Blur(radius: int, sigma: float = 1.0) -> Halves:
        """Blur an image.

        More about it.

        Args:
            radius: How far, in pixels;
                more is slower.
            sigma: How soft.

        Returns:
            left: Blurred.
            right: Untouched.

        Source: a book.
        """
        raise NotImplementedError

    made = schema(Blur)
    assert made.help == "Blur an image.\n\nMore about it.\n\nSource: a book."
    assert [each.help for each in made.inputs] == ["How far, in pixels; more is slower.", "How soft."]
    assert [each.help for each in made.outputs] == ["Blurred.", "Untouched."]


def no_annotation(image) -> None:  # type: ignore[no-untyped-def]
    """Bad."""


def no_return(steps: int):  # type: ignore[no-untyped-def]
    """Bad."""


def no_docstring(steps: int) -> None: ...


def no_port(table: Table) -> None:
    """Bad."""


def unknown_argument(steps: int) -> None:
    """Bad.

    Args:
        step: Not there.
    """


def out_of_range(steps: Steps = 0) -> None:
    """Bad."""


def not_an_option(method: Literal["a"] = "b") -> None:  # type: ignore[assignment]
    """Bad."""


def default_of_a_link(image: Picture = Picture()) -> None:  # noqa: B008
    """Bad."""


def optional_without_default(image: Picture | None) -> None:
    """Bad."""


def keywords(**rest: int) -> None:
    """Bad."""


def plain_tuple() -> tuple[int, int]:
    """Bad."""
    return 1, 2


def numbers_to_choose(size: Literal[1, 2]) -> None:
    """Bad."""


def unknown_name(image: NotImported) -> None:  # type: ignore[name-defined]  # noqa: F821
    """Bad."""


def multiple_of_a_float(x: Annotated[float, Field(multiple_of=0.5)]) -> None:
    """Bad."""


def bad_pattern(x: Annotated[str, Field(pattern="(")]) -> None:
    """Bad."""


def default_off_pattern(x: Annotated[str, Field(pattern="^a$")] = "b") -> None:
    """Bad."""


def unchecked(x: Annotated[str, Field(min_length=3)]) -> None:
    """Bad."""


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (no_annotation, "no_annotation: input image has no annotation"),
        (no_return, "the return annotation is missing"),
        (no_docstring, "the docstring is missing"),
        (no_port, r"Table is no port type; give the class `port"),
        (unknown_argument, "Args: documents step, which"),
        (out_of_range, "default 0 is below its minimum 1"),
        (not_an_option, "default 'b' is not among its options a"),
        (default_of_a_link, "always linked, so its default can only be None"),
        (optional_without_default, "may be None but has no default"),
        (keywords, "every input needs a name"),
        (plain_tuple, "return a NamedTuple"),
        (numbers_to_choose, "must be text"),
        (unknown_name, "'NotImported' is unknown when the node is loaded"),
        (multiple_of_a_float, "multiple_of is for int"),
        (bad_pattern, "is no regular expression"),
        (default_off_pattern, "does not match its pattern"),
        (unchecked, r"MinLen\(min_length=3\) is not something that is checked here"),
    ],
)
def test_what_cannot_be_a_node_says_why(function: Any, words: str) -> None:
    with pytest.raises(PluginError, match=words):
        node(category="test")(function)


def test_a_schema_survives_json() -> None:
    def Take(
        seed: Seed, image: Picture, method: Literal["a", "b"] = "a", scale: Fraction = 1.0, mask: Stencil | None = None
    ) -> Halves:
        """Take."""
        raise NotImplementedError

    made = schema(Take)
    assert NodeSchema.model_validate_json(made.model_dump_json()) == made


def test_a_wrapped_function_keeps_its_signature() -> None:
    def plain(steps: int) -> None:
        """Plain."""

    @functools.wraps(plain)
    def wrapper(*args: Any, **kwargs: Any) -> None:
        return plain(*args, **kwargs)

    assert [each.name for each in schema(wrapper).inputs] == ["steps"]
