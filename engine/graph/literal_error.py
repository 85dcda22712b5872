"""What is wrong with a literal."""

from __future__ import annotations


class LiteralError(Exception):
    """A literal does not fit its input; the attributes are those of a `Problem`."""

    def __init__(self, code: str, message: str, wanted: str, got: str, fix: str) -> None:
        self.code, self.message, self.wanted, self.got, self.fix = code, message, wanted, got, fix
        super().__init__(message)
