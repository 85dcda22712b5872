"""One node's inputs checked against its schema: literals read, links resolved, defaults filled in, gaps reported."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from pydantic import JsonValue

from engine.errors import Problem
from engine.graph.graph import Source
from engine.graph.links import Absent, Links
from engine.graph.literals import LiteralError, read_literal
from engine.graph.wording import describe, either, nearest, shorten
from engine.graph.workflow import InputValue, Link, WorkflowNode, all_links
from engine.node.schema import InputSchema, NodeSchema

CheckFile = Callable[[str, str], Problem | None]
"""Says what is wrong with a file, by its folder (`checkpoints`, `input`, ...) and name; the caller adds where."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A schema, prepared once for all nodes of its type."""

    schema: NodeSchema
    inputs: Mapping[str, InputSchema]
    defaults: Mapping[str, JsonValue]
    """What inputs that were not given become, read like any literal so that it makes no difference to the key."""

    @classmethod
    def of(cls, schema: NodeSchema) -> Shape:
        inputs = {each.name: each for each in schema.inputs}
        return cls(schema, inputs, {each.name: _default(each) for each in schema.inputs if each.default is not None})

    def growing(self, name: str) -> InputSchema | None:
        """The growing input that a dotted name (`images.0`, ComfyUI's `images.image0`) belongs to."""
        head, dot, _ = name.partition(".")
        declared = self.inputs.get(head) if dot else None
        return declared if declared is not None and declared.variadic else None


def _default(declared: InputSchema) -> JsonValue:
    try:
        return read_literal(declared, declared.default)
    except LiteralError:
        return declared.default  # outside its own range on purpose: the author's word counts


@dataclass(slots=True)
class NodeInputs:
    """Reads the inputs of one node into `literals` and `links`.

    Args:
        lenient: drop undeclared literals, as ComfyUI does with leftovers of its editor (the `upload` of its LoadImage),
            unless they look like a slip for an input that was not given.
    """

    id: str
    node: WorkflowNode
    resolver: Links
    report: Callable[[Problem], None]
    check_file: CheckFile | None
    lenient: bool
    literals: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    links: dict[str, Source] = field(default_factory=dict[str, Source])

    def read(self, shape: Shape) -> None:
        """Read everything against the schema."""
        given = set[str]()
        absent: dict[str, Absent] = {}
        growing: dict[str, list[tuple[str, InputValue]]] = {}
        for name, value in self.node.inputs.items():
            declared = shape.inputs.get(name)
            if declared is None:
                if (dotted := shape.growing(name)) is not None:
                    growing.setdefault(dotted.name, []).append((name, value))
                else:
                    self._undeclared(name, value, shape)
            elif declared.variadic:
                items = value if isinstance(value, tuple) else [] if value is None else [value]
                growing.setdefault(name, []).extend((f"{name}.{index}", item) for index, item in enumerate(items))
            elif isinstance(value, Link) and declared.folder:
                given.add(name)
                self.report(self._must_be_named(declared))
            elif isinstance(value, Link):
                reason = self._link(name, name, declared.type, value)
                if reason is None:
                    given.add(name)
                else:
                    absent[name] = reason
            elif not _says_nothing(declared, value):
                given.add(name)
                self._literal(declared, value)
        given.update(name for name, items in growing.items() if self._grow(shape.inputs[name], items))
        for name, declared in shape.inputs.items():
            if name not in given:
                self._fill(declared, shape, absent.get(name))

    def read_links_only(self) -> None:
        """Resolve the links of a node of unknown type, so that what is upstream of it is checked too."""
        for name, value in self.node.inputs.items():
            for index, link in enumerate(all_links(value)):
                self._link(f"{name}.{index}", name, "*", link)

    def _link(self, slot: str, name: str, wanted: str, link: Link) -> Absent | None:
        """Resolve a link into `links[slot]`; return why it leads to nothing, if it does."""
        source = self.resolver.resolve(self.id, name, wanted, link)
        if isinstance(source, Absent):
            return source
        if source is not None:
            self.links[slot] = source
        return None

    def _grow(self, declared: InputSchema, items: list[tuple[str, InputValue]]) -> bool:
        """Link the items of an input that grows as `name.0`, `name.1`, ...; whether there are any."""
        count = 0
        for name, value in sorted(items, key=lambda item: _number(item[0])):
            if not isinstance(value, Link):
                self.report(self._must_be_linked(name, declared, value))
            elif self._link(f"{declared.name}.{count}", name, declared.type, value) is not None:
                continue  # from a muted node: the next one closes the gap
            count += 1
        return count > 0

    def _literal(self, declared: InputSchema, value: InputValue) -> None:
        name = declared.name
        if isinstance(value, Link | tuple):
            self.report(
                Problem("one_link_only", "It takes one link, not a list.", self.id, name, fix="link one output")
            )
            return
        if declared.widget is None:
            self.report(self._must_be_linked(name, declared, value))
            return
        try:
            self.literals[name] = read_literal(declared, value)
        except LiteralError as bad:
            self.report(Problem(bad.code, bad.message, self.id, name, bad.wanted, bad.got, bad.fix))
        else:
            self._check_file(declared)

    def _fill(self, declared: InputSchema, shape: Shape, absent: Absent | None) -> None:
        if declared.name in shape.defaults:
            self.literals[declared.name] = shape.defaults[declared.name]
            self._check_file(declared)
        elif declared.required:
            self.report(self._missing(declared, absent))

    def _check_file(self, declared: InputSchema) -> None:
        value = self.literals[declared.name]
        if declared.widget == "drawing" and value == "":
            self.report(self._nothing_drawn(declared))
        elif declared.folder and self.check_file and isinstance(value, str):
            problem = self.check_file(declared.folder, value)
            if problem is not None:
                self.report(replace(problem, node=self.id, input=declared.name))

    def _undeclared(self, name: str, value: InputValue, shape: Shape) -> None:
        near = nearest(name, [each for each in shape.inputs if each not in self.node.inputs])
        if self.lenient and not all_links(value) and not near:
            return
        names = list(shape.inputs)
        self.report(
            Problem(
                "unknown_input",
                f"{shape.schema.name} has no input '{shorten(name)}'.",
                self.id,
                name,
                wanted=either(names) if names else "no inputs",
                got=shorten(name),
                fix=f"use {either(near or nearest(name, names) or names)}" if names else "remove it",
            )
        )

    def _missing(self, declared: InputSchema, absent: Absent | None) -> Problem:
        linked = declared.widget is None
        return Problem(
            "missing_input",
            f"It is needed, but it comes from {absent.reason}." if absent else "It is needed, and it is not given.",
            self.id,
            declared.name,
            wanted=f"a link of type {declared.type}" if linked else f"a value or a link of type {declared.type}",
            got="nothing",
            fix=f"link an output of type {declared.type} to it" if linked else "give a value",
        )

    def _must_be_named(self, declared: InputSchema) -> Problem:
        # The file's content is part of the key, which is computed before anything runs.
        return Problem(
            "value_required",
            "It names a file, which must be known before the run; it cannot be linked.",
            self.id,
            declared.name,
            wanted=f"the name of a file in '{declared.folder}'",
            got="a link",
            fix="write the file's name",
        )

    def _nothing_drawn(self, declared: InputSchema) -> Problem:
        return Problem(
            "nothing_drawn",
            "Nothing is drawn yet.",
            self.id,
            declared.name,
            wanted="a drawing",
            got="nothing",
            fix="press Draw",
        )

    def _must_be_linked(self, name: str, declared: InputSchema, value: JsonValue | tuple[Link, ...]) -> Problem:
        return Problem(
            "link_required",
            "It takes a link, not a value.",
            self.id,
            name,
            wanted=f"a link of type {declared.type}",
            got=describe(value),
            fix=f"link an output of type {declared.type} to it",
        )


def _says_nothing(declared: InputSchema, value: InputValue) -> bool:
    """Whether a null means that the input was left out: where only a link would do, or null is the default."""
    return value is None and (declared.widget is None or (not declared.required and declared.default is None))


def _number(name: str) -> int:
    digits = re.search(r"[0-9]{1,9}$", name)
    return int(digits.group()) if digits else 0
