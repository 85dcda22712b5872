"""What workers print, in a file of bounded size, and the last of it at hand to say why one ended."""

from __future__ import annotations

import asyncio
from collections import deque
from pathlib import Path

LIMIT_BYTES = 2 * 2**20
"""Of one file; the one before it is kept under `.1`."""
TAIL_LINES = 20


class WorkerLog:
    """A log file that all workers of a server share. Printing costs a worker nothing if the disk is full.

    Args:
        path: its folder is made when there is something to write.
    """

    def __init__(self, path: Path, limit_bytes: int = LIMIT_BYTES) -> None:
        self._path = path
        self._limit_bytes = limit_bytes

    async def follow(self, output: asyncio.StreamReader, tail: deque[str]) -> None:
        """Write down all that a worker prints until it ends, and keep its last lines in `tail`."""
        rest = b""
        while part := await output.read(2**16):
            self._write(part)
            *lines, rest = (rest + part).split(b"\n")
            rest = rest[-2_000:]  # a progress bar never ends its line
            tail.extend(line.decode("utf-8", "replace") for line in lines[-TAIL_LINES:] if line.strip())
        if rest.strip():
            tail.append(rest.decode("utf-8", "replace"))

    def _write(self, part: bytes) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                file.write(part)
                is_full = file.tell() > self._limit_bytes
            if is_full:
                self._path.replace(self._path.with_name(self._path.name + ".1"))
        except OSError:
            return
