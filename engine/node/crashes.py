"""Plugins whose import ended the process: marked while they are imported, named afterwards, and not tried for ever.

A process that a plugin ends (`os._exit`, a segmentation fault, a hang until it is killed) can note nothing any more. So
what is about to be imported is written down first; the next process finds the mark of one that is gone.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

IMPORTING = "importing"
"""The folder of the cache for the marks."""
CRASHED = "crashed"


@dataclass(frozen=True, slots=True)
class Crashes:
    """The marks in one folder, which all processes of a user share. Where it cannot be written, nothing is marked.

    Args:
        folder: holds `NAME.PID.PARENT` for each import under way and `NAME.crashed` for each package that ended its
            process, with the digest of its code inside. NAME has no dots.
    """

    folder: Path

    def has_crashed(self, name: str, code: str) -> bool:
        """Whether this very code of a package ended a process that imported it."""
        for mark in self._marks(name):
            match self._judge(mark, code):
                case "crashed":
                    with suppress(OSError):
                        mark.replace(mark.with_name(f"{_stem(name)}.{CRASHED}"))
                    return True
                case "stale":
                    mark.unlink(missing_ok=True)
                case "running":
                    pass
        return False

    @contextmanager
    def importing(self, name: str, code: str) -> Generator[None]:
        """Mark a package as being imported here."""
        mark = self.folder / f"{_stem(name)}.{os.getpid()}.{os.getppid()}"
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            mark.write_text(code)
        try:
            yield
        finally:
            with suppress(OSError):
                mark.unlink(missing_ok=True)

    def forget(self) -> None:
        """Give every package another try."""
        for mark in self.folder.glob("*"):
            if self._judge(mark, None) != "running":
                with suppress(OSError):
                    mark.unlink(missing_ok=True)

    def _marks(self, name: str) -> list[Path]:
        return [mark for mark in self.folder.glob("*") if mark.name.partition(".")[0] == _stem(name)]

    def _judge(self, mark: Path, code: str | None) -> Literal["crashed", "running", "stale"]:
        """What a mark means for a package of this code."""
        _, _, rest = mark.name.partition(".")
        try:
            noted = mark.read_text()
        except OSError:
            return "stale"
        if rest != CRASHED:
            pid, _, parent = rest.partition(".")
            if _is_alive(pid):
                return "running"
            if not _is_alive(parent):
                return "stale"  # the process went with the one that kept it: a power cut, or the server was killed
        return "crashed" if noted == code else "stale"


def _stem(name: str) -> str:
    return quote(name, safe="").replace(".", "%2E")


def _is_alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except PermissionError:
        return True
    except (OSError, OverflowError, ValueError):
        return False
    return True
