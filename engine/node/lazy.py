"""Inputs that are computed only when the node asks for them.

A body annotated `image: Lazy[Image]` calls `image.get()`. When the value is not there yet, `get` raises `NeedsInput`;
the executor computes the input and calls the body again from its start. That is sound because bodies are pure.
"""

from __future__ import annotations

from typing import Generic, TypeVar, cast

T = TypeVar("T")


class NeedsInput(BaseException):
    """A body asked for the lazy input `name`. A BaseException, so that no `except Exception` of a body swallows it."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(name)


class _Missing:
    pass


_MISSING = _Missing()


class Lazy(Generic[T]):
    """A value that may not be computed yet.

    Args:
        name: of the input.
        value: what `get` answers, if it is known already: `Lazy("image", image)` calls a node from plain Python.
    """

    __slots__ = ("_value", "name")

    def __init__(self, name: str, value: T | _Missing = _MISSING) -> None:
        self.name = name
        self._value = value

    @property
    def known(self) -> bool:
        """Whether `get` answers without computing anything."""
        return not isinstance(self._value, _Missing)

    def get(self) -> T:
        """The value.

        Raises:
            NeedsInput: it is not computed yet. Let it through: the body is called again when it is.
        """
        if isinstance(self._value, _Missing):
            raise NeedsInput(self.name)
        return cast(T, self._value)
