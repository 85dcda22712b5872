"""The schema of a node, as data.

Validating, hashing, drawing and documenting a graph needs only this, never the node's code, so it is a
JSON-serialisable pydantic model that a catalogue file or a server can hand around.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

Lane = Literal["device", "cpu", "loop"]
WidgetKind = Literal[
    "number", "slider", "text", "multiline", "combo", "toggle", "seed", "file", "colour", "boxes", "drawing"
]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PaletteColour(_Frozen):
    """A colour that means something: the name of its class, and its code, such as `#d62830`."""

    name: str
    colour: str = Field(pattern="^#[0-9a-f]{6}$")


class CanvasSchema(_Frozen):
    """What a `drawing` widget draws on.

    A new canvas takes its size from the node's inputs `width` and `height`, where there are such, else from here.
    """

    width: int = 512
    height: int = 512
    """In pixels."""
    palette: tuple[PaletteColour, ...] | None = None
    """The only colours there are, each a class: drawn with a hard brush, so that no other colour comes about."""
    transparent: bool = False
    """Begins as nothing at all, instead of white paper (with a palette: its first colour)."""
    mask: bool = False
    """Grey values only, from black (keep) to white (repaint), and it begins black."""


class InputSchema(_Frozen):
    """One input of a node.

    `type` is an upper-case port type (`IMAGE`, `LATENT`, `INT`, `FLOAT`, `STRING`, `BOOLEAN`, `COMBO`, ...), a comma
    list for a union, or `*` for anything. `widget` is how an unconnected input is edited; None means that it must be
    linked (or left out, when not `required`).
    """

    name: str
    type: str
    required: bool = True
    default: JsonValue = None
    widget: WidgetKind | None = None
    minimum: int | float | None = None
    maximum: int | float | None = None
    """For `boxes`: how many there may be."""
    step: int | float | None = None
    """Granularity of the widget's arrows; values between steps are valid."""
    multiple_of: int | None = None
    pattern: str | None = None
    """A regular expression that a text must hold a match of."""
    options: tuple[str, ...] | None = None
    """The values of a combo, when they are fixed. For `boxes`: labels to offer; others are as good."""
    folder: str | None = None
    """For `file` and `drawing`: which folder of the user's the name is looked up in (`checkpoints`, `input`, ...).
    The file's content is part of the node's key."""
    canvas: CanvasSchema | None = None
    """For `drawing`: what is drawn on."""
    lazy: bool = False
    """Computed only when the node asks for it."""
    is_list: bool = False
    """Takes the whole list; otherwise the node is mapped over lists."""
    variadic: bool = False
    """Grows: links arrive as `name.0`, `name.1`, ... and the node receives a tuple."""
    help: str = ""


class OutputSchema(_Frozen):
    name: str
    type: str
    is_list: bool = False
    help: str = ""


class NodeSchema(_Frozen):
    """Everything about a node except its body."""

    name: str
    title: str
    version: int
    category: str
    help: str
    inputs: tuple[InputSchema, ...]
    outputs: tuple[OutputSchema, ...]
    output: bool = False
    """Has an effect on the world (saves a file): a graph needs at least one such node."""
    lane: Lane = "cpu"
    aliases: tuple[str, ...] = ()
    fingerprinted: bool = False
    """Has a `fingerprint=` function that must be called to know the key."""
    experimental: bool = False
    package: str = "nodes"
    """Where it comes from: `nodes` (built in), or the plugin's name."""
    code: str = ""
    """Digest of all source files of the package (and, for built-ins, of the engine): part of every key."""

    def input(self, name: str) -> InputSchema | None:
        return next((each for each in self.inputs if each.name == name), None)

    def output_index(self, name: str) -> int | None:
        return next((index for index, each in enumerate(self.outputs) if each.name == name), None)
