"""A debug switch: catch nodes that change their inputs. Values are shared by the cache and by other nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from engine.errors import InputProblem
from engine.node.lazy import Lazy
from engine.run.outcome import Codec


@dataclass(frozen=True, slots=True)
class MutationGuard:
    """Compares digests of all arguments before and after a call. Slow; values of unknown kinds are not watched."""

    codec: Codec

    def before(self, arguments: Mapping[str, Any]) -> object:
        return {name: self._digest(value) for name, value in arguments.items()}

    def after(self, arguments: Mapping[str, Any], seen: object) -> None:
        """Compare with what `before` saw.

        Raises:
            InputProblem: an argument changed.
        """
        for name, digest in cast(dict[str, str | None], seen).items():
            if self._digest(arguments[name]) != digest:
                raise InputProblem(
                    f"changed its input '{name}' in place, which others share; make a copy and change that",
                    input=name,
                )

    def _digest(self, value: object) -> str | None:
        if isinstance(value, Lazy):
            known = cast(Lazy[object], value)
            return self.codec.digest(known.get()) if known.known else None
        return self.codec.digest(value)
