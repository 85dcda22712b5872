"""How inputs are edited: markers for `Annotated`, and the input types that many nodes share, declared once.

Ranges are pydantic's own words (`Field(ge=1, le=100, multiple_of=8)`); the markers here say the rest. Of several
markers or ranges of one kind the last wins, so `Annotated[Steps, Field(le=100)]` narrows `Steps`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, TypeAlias, TypedDict

from pydantic import Field

from engine.node.schema import CanvasSchema, PaletteColour, WidgetKind


@dataclass(frozen=True, slots=True)
class Widget:
    """Choose another widget than the type's own; `Widget(None)` makes an input that must be linked."""

    kind: WidgetKind | None


@dataclass(frozen=True, slots=True)
class Step:
    """Granularity of the widget's arrows; values between steps are valid."""

    size: int | float


@dataclass(frozen=True, slots=True)
class Options:
    """The values of a combo that a `Literal` cannot spell because they are computed at import."""

    values: tuple[str, ...]

    def __init__(self, *values: str) -> None:
        object.__setattr__(self, "values", values)


@dataclass(frozen=True, slots=True)
class File:
    """A file the user chooses by name from a folder (`checkpoints`, `input`, ...); its content is in the node's key.

    The node receives the name and asks `ctx.folders.resolve(folder, name)` for the path.
    """

    folder: str


@dataclass(frozen=True, slots=True)
class Labels:
    """What the boxes of a `Boxes` are likely to hold: offered while one writes. Other words are as good."""

    names: tuple[str, ...]

    def __init__(self, *names: str) -> None:
        object.__setattr__(self, "names", names)


@dataclass(frozen=True, slots=True)
class Canvas:
    """A picture that is drawn in the editor and lies in the input folder as a PNG; its content is in the node's key.

    The node receives the file's name and asks `ctx.folders.resolve("input", name)` for the path; before anything is
    drawn the name is empty, which is a problem of the workflow.

    Args:
        width: of a new canvas in pixels, where the node has no input `width`; likewise `height`.
        palette: names and sRGB values of the only colours there are, for maps of classes. Without one any colour goes.
        transparent: begin with nothing instead of white paper.
        mask: a mask instead of a picture: grey, 1 (repaint) is white, and it begins black.
    """

    width: int = 512
    height: int = 512
    palette: tuple[tuple[str, tuple[int, int, int]], ...] | None = None
    transparent: bool = False
    mask: bool = False

    def schema(self) -> CanvasSchema:
        """The same as data."""
        colours = tuple(
            PaletteColour(name=name, colour=f"#{red:02x}{green:02x}{blue:02x}")
            for name, (red, green, blue) in self.palette or ()
        )
        return CanvasSchema(
            width=self.width, height=self.height, palette=colours or None, transparent=self.transparent, mask=self.mask
        )


@dataclass(frozen=True, slots=True)
class Port:
    """Name the port type of a class that cannot carry `port: ClassVar[str]` itself, such as one from a library."""

    type: str


class LabelledBox(TypedDict):
    """What is wanted where in a picture.

    `box` is x, y, width and height in shares of the picture, counted from the upper left corner.
    """

    label: str
    box: list[float]


MAX_SEED = 2**64 - 1
MAX_PIXELS = 16384
MAX_BOXES = 92
"""Of one picture; the most that the paper's layout models take (Rombach et al. 2022, appendix D.2)."""

Steps: TypeAlias = Annotated[int, Field(ge=1, le=10_000)]
Seed: TypeAlias = Annotated[int, Field(ge=0, le=MAX_SEED), Widget("seed")]
CfgScale: TypeAlias = Annotated[float, Field(ge=0, le=100), Step(0.1)]
Fraction: TypeAlias = Annotated[float, Field(ge=0, le=1), Step(0.01)]
Width: TypeAlias = Annotated[int, Field(ge=16, le=MAX_PIXELS, multiple_of=8)]
Height: TypeAlias = Annotated[int, Field(ge=16, le=MAX_PIXELS, multiple_of=8)]
BatchSize: TypeAlias = Annotated[int, Field(ge=1, le=4096)]
Multiline: TypeAlias = Annotated[str, Widget("multiline")]
Prompt: TypeAlias = Multiline
FilenamePrefix: TypeAlias = str

InputImage: TypeAlias = Annotated[str, File("input")]
CheckpointFile: TypeAlias = Annotated[str, File("checkpoints")]
DiffusionModelFile: TypeAlias = Annotated[str, File("diffusion_models")]
TextEncoderFile: TypeAlias = Annotated[str, File("text_encoders")]
VAEFile: TypeAlias = Annotated[str, File("vae")]
LoraFile: TypeAlias = Annotated[str, File("loras")]
Boxes: TypeAlias = Annotated[Sequence[LabelledBox], Port("BOXES"), Widget("boxes"), Field(max_length=MAX_BOXES)]
"""Boxes drawn on a picture. `Annotated[Boxes, Field(max_length=12), Labels("cat", "dog")]` has fewer, offers words."""
Drawing: TypeAlias = Annotated[str, Canvas()]
"""A drawing; `Annotated[Drawing, Canvas(palette=...)]` says what is drawn on."""
