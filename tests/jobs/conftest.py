"""A workshop for the tests of jobs, too."""

from __future__ import annotations

from tests.run.conftest import workshop

__all__ = ["workshop"]
