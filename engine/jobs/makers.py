"""Which job and node made a file, from what finished jobs showed. The database keeps it, see `schema`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import NamedTuple


class FileRef(NamedTuple):
    """A file as jobs show it: `type` is `output`, `temp` or `input`."""

    type: str
    subfolder: str
    filename: str


class Maker(NamedTuple):
    """Ids of a job and of the node in it."""

    job: str
    node: str


def makers(connection: sqlite3.Connection, files: Iterable[FileRef]) -> Mapping[FileRef, Maker]:
    """The makers of those files that a job in the history showed."""
    query = "SELECT job, node FROM made WHERE type = ? AND subfolder = ? AND filename = ?"
    found = {file: connection.execute(query, file).fetchone() for file in files}
    return {file: Maker(*row) for file, row in found.items() if row is not None}
