"""A node's schema together with what only its code can do: run, fingerprint, migrate."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from engine.node.context import Context
from engine.node.folders import Folders
from engine.node.results import Result, normalise
from engine.node.schema import NodeSchema

Fingerprint = Callable[[Mapping[str, JsonValue], Folders], JsonValue]
"""`(literals, folders) -> anything JSON` that changes when the node must run again although its inputs did not."""
Migration = Callable[[dict[str, JsonValue]], dict[str, JsonValue]]
"""The inputs of one version of a node to those of the next: literals by name, links as they stand in the prompt."""


def _no_migrations() -> Mapping[int, Migration]:
    return {}


@dataclass(frozen=True, slots=True)
class NodeType:
    """What the executor needs of a node.

    `context` is the parameter that takes the Context, `variadic` the one that grows, `positional` the parameters in
    front of that one; `classes` are, for each output, those a value may have (None: any).
    """

    schema: NodeSchema
    function: Callable[..., object]
    classes: tuple[tuple[type, ...] | None, ...]
    context: str | None = None
    variadic: str | None = None
    positional: tuple[str, ...] = ()
    fingerprint: Fingerprint | None = None
    migrations: Mapping[int, Migration] = field(default_factory=_no_migrations)

    @property
    def is_async(self) -> bool:
        return inspect.iscoroutinefunction(self.function)

    def call(self, inputs: Mapping[str, object], ctx: Context) -> object:
        """Call the body. What it returns (for an async node, what its awaitable gives) goes to `result`.

        Args:
            inputs: value by input name; a variadic input is a tuple; inputs left out take their defaults.
        """
        named = dict(inputs)
        if self.context is not None:
            named[self.context] = ctx
        if self.variadic is None:
            return self.function(**named)
        grown = named.pop(self.variadic, ())
        if not isinstance(grown, (tuple, list)):
            raise TypeError(f"{self.schema.name}.{self.variadic} takes a tuple, not {type(grown).__name__}")
        leading = [named.pop(name, self._default(name)) for name in self.positional]
        return self.function(*leading, *grown, **named)

    def _default(self, name: str) -> object:
        return inspect.signature(self.function).parameters[name].default

    def result(self, returned: object) -> Result:
        """Bring what the body returned into one form, checked against the schema.

        Raises:
            InputProblem: the number of outputs or the class of one is not what the node announced.
        """
        return normalise(returned, self.schema, self.classes)
