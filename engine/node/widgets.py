"""How inputs are edited: markers for `Annotated`, and the input types that many nodes share, declared once.

Ranges are pydantic's own words (`Field(ge=1, le=100, multiple_of=8)`); the markers here say the rest. Of several
markers or ranges of one kind the last wins, so `Annotated[Steps, Field(le=100)]` narrows `Steps`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypeAlias

from pydantic import Field

from engine.node.schema import WidgetKind


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
class Port:
    """Name the port type of a class that cannot carry `port: ClassVar[str]` itself, such as one from a library."""

    type: str


MAX_SEED = 2**64 - 1
MAX_PIXELS = 16384

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
