"""The process that reads a strange file: little memory and time, no network, no other process, one folder to write to.

It is started by `engine.pickles.convert`; what it says is one line of JSON.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path

from engine.errors import ModelFileError
from engine.pickles.archive import read_checkpoint
from engine.pickles.writing import write_safetensors

FORBIDDEN = (
    "socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.spawn", "os.posix_spawn", "os.startfile",
    "os.kill", "os.remove", "os.rename", "os.rmdir", "os.link", "os.symlink", "os.chmod", "os.chown", "os.truncate",
    "shutil.", "ctypes.", "webbrowser.", "ftplib.", "http.", "smtplib.", "urllib.", "pickle.find_class", "exec",
    "compile",
)  # fmt: skip
"""Audit events of what reading a file never does (docs.python.org/3/library/audit_events.html)."""


def main() -> None:
    """Convert `argv[1]` to `argv[2]`; `argv[3]` is the metadata as JSON, `argv[4:]` are bytes of memory and seconds."""
    source, target, metadata = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])
    for each in ("numpy", "encodings.cp437"):  # later nothing may be imported
        importlib.import_module(each)
    limit(int(sys.argv[4]), int(sys.argv[5]), 8 * source.stat().st_size + 2**20)
    guard(target)
    try:
        written = write_safetensors(read_checkpoint(source), target, metadata)
        answer: dict[str, object] = {"tensors": written.tensors, "left_out": written.left_out[:100]}
    except ModelFileError as error:
        answer = {"refused": str(error)}
    except MemoryError:
        answer = {"refused": "reading it takes more memory than weights do"}
    except OSError as error:
        answer = {"refused": error.strerror or str(error)}
    sys.stdout.write(json.dumps(answer))
    sys.stdout.flush()
    os._exit(0)


def limit(memory: int, seconds: int, largest_file: int) -> None:
    """Bound what this process may use, as far as the operating system can."""
    if sys.platform == "win32":
        return
    import resource

    limits = (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, largest_file),
        (resource.RLIMIT_NOFILE, 32),
        (resource.RLIMIT_CORE, 0),
        *([(resource.RLIMIT_AS, memory)] if sys.platform == "linux" else []),
    )
    for kind, most in limits:
        hard = resource.getrlimit(kind)[1]
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (allowed, allowed))


def guard(target: Path) -> None:
    """From here on, end the process at whatever reading a file does not need. This cannot be undone."""
    allowed = str(target)

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        writes = event == "open" and _writes(arguments) and str(arguments[0]) != allowed
        if writes or event.startswith(FORBIDDEN):
            sys.stdout.write(json.dumps({"refused": f"reading it would do {event}, which reading weights never does"}))
            sys.stdout.flush()
            os._exit(1)

    sys.addaudithook(hook)


def _writes(arguments: tuple[object, ...]) -> bool:
    mode, flags = arguments[1], arguments[2]
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


if __name__ == "__main__":
    main()
