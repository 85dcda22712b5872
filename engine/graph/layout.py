"""What a document holds for the editor alone: where things lie, frames, notes, and the page of the form view."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Part(BaseModel):
    """A part of the document: strictly typed, unknown keys kept."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)


Point = Annotated[list[int | float], Field(min_length=2, max_length=2)]
"""x and y, or width and height, in the canvas's pixels."""

SeedMode = Literal["fixed", "random", "increment"]
"""What the editor does with a seed before each run."""


class Box(Part):
    """Where and how something is drawn."""

    position: Point
    size: Point | None = None
    colour: str | None = None
    collapsed: bool = False


class NodeBox(Box):
    """Where and how a node is drawn. `seeds`: what happens to its seeds before a run, by input."""

    seeds: dict[str, SeedMode] = {}


class Group(Box):
    """A titled frame behind some nodes."""

    title: str = ""


class Note(Box):
    """Text for people, lying on the canvas."""

    text: str = ""


class View(Part):
    """The part of the canvas that is in sight: its upper left corner, and pixels of the screen for each of its own."""

    x: int | float = 0
    y: int | float = 0
    zoom: int | float = 1


class Layout(Part):
    """What only the canvas needs. `wires`: the points that the wire into an input (`"node.input"`) is led through."""

    nodes: dict[str, NodeBox] = {}
    groups: list[Group] = []
    notes: list[Note] = []
    wires: dict[str, list[Point]] = {}
    view: View | None = None


class Form(Part):
    """The page for people who never want to see the graph.

    `inputs` (`"node.input"`) are asked for in this order, `outputs` are the nodes whose results are shown; `help` is
    Markdown. `labels` and `hints` say, by entry of `inputs`, what an input is called and what stands under it, where
    its own name and help are not meant for such people.
    """

    inputs: list[str] = []
    outputs: list[str] = []
    title: str | None = None
    help: str | None = None
    labels: dict[str, str] = {}
    hints: dict[str, str] = {}
