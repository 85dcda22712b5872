"""`@node`: make a typed function a node.

    @node(category="image")
    def InvertImage(image: Image) -> Image:
        '''Turn an image into its negative.'''
        return Image(1 - image.pixels)

The decorated object is still the function: calling it runs the body, and type checkers check the call. Its `.type` is
what the engine uses.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import update_wrapper
from typing import Generic, ParamSpec, TypeVar

from engine.errors import PluginError
from engine.node.docs import read_docstring
from engine.node.node_type import Fingerprint, Migration, NodeType
from engine.node.ports import read_signature
from engine.node.schema import Lane, NodeSchema

P = ParamSpec("P")
R = TypeVar("R")

WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z]{2})(?=[A-Z][a-z])")


class NodeFunction(Generic[P, R]):
    """A function that is a node. Call it as the function it was; hand `.type` to the engine."""

    def __init__(self, function: Callable[P, R], type: NodeType) -> None:
        self._function = function
        self.type = type
        update_wrapper(self, function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self._function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<node {self.type.schema.name} version {self.type.schema.version}>"

    def migration(self, from_version: int) -> Callable[[Migration], Migration]:
        """Register a function that lifts the inputs of `from_version` to the next version.

        Raises:
            PluginError: there is no such older version, or it has a migration already.
        """
        schema = self.type.schema
        if not 1 <= from_version < schema.version:
            raise PluginError(
                f"{schema.name}: migration({from_version}) lifts to version {from_version + 1}, "
                f"but the node is version {schema.version}; raise `version=`"
            )
        if from_version in self.type.migrations:
            raise PluginError(f"{schema.name}: migration({from_version}) is given twice")

        def register(migration: Migration) -> Migration:
            self.type = replace(self.type, migrations={**self.type.migrations, from_version: migration})
            return migration

        return register


def node(
    *,
    category: str,
    version: int = 1,
    title: str | None = None,
    output: bool = False,
    lane: Lane | None = None,
    aliases: Sequence[str] = (),
    fingerprint: Fingerprint | None = None,
    experimental: bool = False,
) -> Callable[[Callable[P, R]], NodeFunction[P, R]]:
    """Make a typed function a node.

    Args:
        category: menu path, such as `image/transform`.
        version: raise it when inputs change meaning, and lift old workflows with `@X.migration(old)`.
        title: for the menu; by default the name in words.
        output: the node has an effect on the world, such as saving a file.
        lane: `device` runs one at a time on the accelerator, `cpu` (the default) in a pool, `loop` (the default of
            `async def`) on the event loop.
        aliases: other names under which workflows may know the node.
        fingerprint: `(literals, folders) -> JSON`; the node runs again when its answer changes.
        experimental: say so in the editor.

    Raises:
        PluginError: the function cannot be a node; says which parameter and why.
    """

    def decorate(function: Callable[P, R]) -> NodeFunction[P, R]:
        name = function.__name__
        if version < 1:
            raise PluginError(f"{name}: version is {version}; versions start at 1")
        docstring = inspect.getdoc(function)
        if not docstring:
            raise PluginError(f"{name}: the docstring is missing; its first line is the node's help in the editor")
        is_async = inspect.iscoroutinefunction(function)
        if is_async and lane not in (None, "loop"):
            raise PluginError(f"{name}: an async node runs on the event loop, not on lane {lane!r}")
        doc = read_docstring(docstring)
        signature = read_signature(function, doc)
        schema = NodeSchema(
            name=name,
            title=title or WORDS.sub(" ", name),
            version=version,
            category=category,
            help=doc.help,
            inputs=signature.inputs,
            outputs=signature.outputs,
            output=output,
            lane=lane or ("loop" if is_async else "cpu"),
            aliases=tuple(aliases),
            fingerprinted=fingerprint is not None,
            experimental=experimental,
        )
        type = NodeType(
            schema,
            function,
            signature.classes,
            signature.context,
            signature.variadic,
            signature.positional,
            fingerprint,
        )
        return NodeFunction(function, type)

    return decorate
