"""Values by position to values by name: the `widgets_values` of a node in ComfyUI's editor format.

The array holds the values of a node's widgets in the order in which its inputs are declared, and a few more: the
control of a seed after the seed, the button of an upload. Which inputs were widgets is known from the schema, or from
the file itself where it lists them. Where the lengths disagree, values are matched by what fits, and that is reported:
values under the wrong name are the most reported mistake of such readers.

Source: comfyui-interface.md section 2.4 of this project's design notes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from engine.errors import Problem
from engine.graph.layout import SeedMode
from engine.graph.literals import LiteralError, read_literal
from engine.graph.wording import describe, shorten
from engine.node.schema import InputSchema, NodeSchema

_CONTROLS: Mapping[str, SeedMode] = {
    "fixed": "fixed",
    "increment": "increment",
    "increment-wrap": "increment",
    "randomize": "random",
    "decrement": "fixed",
}
"""What ComfyUI does with a value after a run, and the nearest that there is here."""
_BUTTONS = ("image", "audio", "video", "")
_SEEDS = ("seed", "noise_seed")


@dataclass(slots=True)
class Widgets:
    """What a node's widgets say."""

    values: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    seeds: dict[str, SeedMode] = field(default_factory=dict[str, SeedMode])
    problems: list[Problem] = field(default_factory=list[Problem])
    """Where something was guessed or left out; each is about the node as a whole."""


def read_widgets(id: str, raw: JsonValue, named: Sequence[str], schema: NodeSchema | None) -> Widgets:
    """Read the `widgets_values` of a node.

    Args:
        named: the inputs that the file itself says are widgets, in order.
        schema: of the node's type; None if that is not known.
    """
    if isinstance(raw, dict):
        return Widgets({name: value for name, value in raw.items() if name not in ("videopreview", "audioUI")})
    if not isinstance(raw, list) or not raw:
        return Widgets()
    if schema is None:
        return _unknown(raw, named)
    declared = [each for each in schema.inputs if each.widget is not None]
    names = [each.name for each in declared]
    if set(names) <= set(named):  # the file lists all widgets, maybe ones that are not known here
        names = list(dict.fromkeys(named))
    reader = _Reader(id, schema, raw)
    return reader.in_order(names) or reader.by_fit(declared)


@dataclass(slots=True)
class _Reader:
    id: str
    schema: NodeSchema
    values: Sequence[JsonValue]

    def in_order(self, names: Sequence[str]) -> Widgets | None:
        """One value for each name, with controls and buttons where they may stand; None if that does not come out."""
        found, place = Widgets(), 0
        for name in names:
            if place == len(self.values):
                return None
            declared = self.schema.input(name)
            found.values[name] = self.values[place]
            place += 1
            follows = self.values[place] if place < len(self.values) else None
            if name in _SEEDS or (declared is not None and declared.widget == "seed"):
                if (mode := control_mode(follows)) is not None and place < len(self.values):
                    found.seeds[name] = mode
                    found.problems += _othercontrol_mode(self.id, name, follows)
                    place += 1
            elif declared is not None and declared.folder == "input" and follows in _BUTTONS:
                place += 1
        left = self.values[place:]
        if any(each.folder == "input" for each in self.schema.inputs):
            left = [value for value in left if value not in _BUTTONS]
        if left and any(not _fits(self.schema.input(name), value) for name, value in found.values.items()):
            return None
        if left:
            found.problems.append(self._left_out(left))
        return found

    def by_fit(self, declared: Sequence[InputSchema]) -> Widgets:
        """Each value to the next input that it fits."""
        found, place = Widgets(), 0
        for each in declared:
            fitting = next(
                (index for index in range(place, len(self.values)) if _fits(each, self.values[index])),
                None,
            )
            if fitting is None:
                continue
            found.values[each.name] = self.values[fitting]
            place = fitting + 1
            if each.widget == "seed" and place < len(self.values) and (mode := control_mode(self.values[place])):
                found.seeds[each.name] = mode
                place += 1
        said = ", ".join(f"{name} = {describe(value)}" for name, value in found.values.items()) or "nothing"
        found.problems.append(
            Problem(
                "widgets_guessed",
                f"It has {len(self.values)} values where {self.schema.name} has {len(declared)}; "
                f"read as {shorten(said, 300)}.",
                self.id,
                wanted=f"values for {', '.join(each.name for each in declared)}" if declared else "no values",
                got=shorten(", ".join(map(describe, self.values)), 300),
                fix="compare them with the original and correct them",
            )
        )
        return found

    def _left_out(self, left: Sequence[JsonValue]) -> Problem:
        return Problem(
            "widgets_left_out",
            f"{self.schema.name} has no input here for {len(left)} of its values: "
            f"{shorten(', '.join(map(describe, left)), 200)}.",
            self.id,
            got=shorten(", ".join(map(describe, left)), 200),
            fix="check that the picture is what you expect",
        )


def _unknown(values: Sequence[JsonValue], named: Sequence[str]) -> Widgets:
    """Values of a node that is not known here: under the names in the file if there are as many, else numbered."""
    rest = list(values)
    if len(named) < len(rest):
        # Controls follow numbers: without them there may be as many values as names.
        rest = [
            value
            for index, value in enumerate(values)
            if not (index and isinstance(value, str) and value in _CONTROLS and _is_number(values[index - 1]))
        ]
    if len(named) == len(rest):
        return Widgets(dict(zip(named, rest, strict=True)))
    return Widgets({f"widget_{index}": value for index, value in enumerate(values)})


def _is_number(value: JsonValue) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def control_mode(value: JsonValue) -> SeedMode | None:
    """What a value that may be a seed's control says; None if it is none."""
    if isinstance(value, bool):  # very old files
        return "random" if value else "fixed"
    return _CONTROLS.get(value) if isinstance(value, str) else None


def _othercontrol_mode(id: str, name: str, value: JsonValue) -> list[Problem]:
    if value != "decrement":
        return []
    return [
        Problem(
            "seed_control",
            "A seed cannot count down here; it stays as it is.",
            id,
            name,
            wanted="fixed, random or increment",
            got="decrement",
            fix="choose what becomes of the seed after a run",
        )
    ]


def _fits(declared: InputSchema | None, value: JsonValue) -> bool:
    if declared is None:
        return True
    if declared.type in ("INT", "FLOAT") and not _is_number(value):
        return False
    if declared.type in ("STRING", "COMBO") and not isinstance(value, str):
        return False
    if declared.type == "BOOLEAN" and not isinstance(value, bool):
        return False
    try:
        read_literal(declared, value)
    except LiteralError:
        return False
    return True
