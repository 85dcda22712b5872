"""A PyTorch checkpoint to safetensors, through a process that can do no harm."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from engine.errors import FileProblem, ModelFileError

ROOT = Path(__file__).resolve().parents[2]
MEMORY = 4 * 2**30
"""Bytes: the pickle as data takes little, a transposed tensor twice its size."""
SECONDS_PER_GB, LEAST_SECONDS = 60, 120
START = "import sys; sys.path.insert(0, {root!r}); from engine.pickles.child import main; main()"


@dataclass(frozen=True)
class Converted:
    """`left_out`: entries of the file's table that were no tensors."""

    path: Path
    tensors: int
    left_out: tuple[str, ...]


def convert(
    source: Path, target: Path, metadata: dict[str, str], seconds: int | None = None, memory: int = MEMORY
) -> Converted:
    """Write the weights of a checkpoint to a safetensors file: whole or not at all.

    Args:
        source: .ckpt, .pt, .pth or .bin, as `torch.save` writes it.
        target: replaced if it is there.
        metadata: text to put beside the tensors.
        seconds: of processor time; None allows for the file's size.
        memory: bytes that the process may take.

    Raises:
        FileProblem: a file cannot be read or written.
        ModelFileError: the checkpoint is damaged, holds no weights, or its pickle asks for what weights do not need.
            Nothing of it was run, and nothing is left behind.
    """
    source, target = source.absolute(), target.absolute()
    if not source.is_file():
        raise FileProblem(f"{source} is no file; give a checkpoint")
    seconds = seconds or LEAST_SECONDS + SECONDS_PER_GB * (source.stat().st_size // 10**9)
    try:
        with tempfile.TemporaryDirectory(prefix=".converting-", dir=target.parent) as folder:
            part = Path(folder) / "weights.safetensors"
            answer = _run_child(source, part, metadata, seconds, memory)
            if "refused" in answer:
                raise ModelFileError(f"{source} was not converted: {answer['refused']}")
            with part.open("rb") as file:
                os.fsync(file.fileno())
            part.replace(target)
    except OSError as error:
        raise FileProblem(f"cannot write {target}: {error.strerror or error}") from error
    return Converted(target, cast(int, answer["tensors"]), tuple(cast("list[str]", answer["left_out"])))


def _run_child(source: Path, part: Path, metadata: dict[str, str], seconds: int, memory: int) -> dict[str, object]:
    code = START.format(root=str(ROOT))
    # -I: neither the environment nor the folder it stands in decide what it imports
    command = [sys.executable, "-I", "-B", "-c", code, str(source), str(part), json.dumps(metadata), str(memory)]
    try:
        done = subprocess.run(
            [*command, str(seconds)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd=part.parent,
            env={"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", **_needed()},
            timeout=4 * seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"refused": f"reading it took longer than {4 * seconds} seconds"}
    try:
        answer = cast(object, json.loads(done.stdout))
    except ValueError:
        answer = None
    if isinstance(answer, dict):
        return cast("dict[str, object]", answer)
    if done.returncode < 0:
        return {"refused": f"reading it takes more than the {seconds} seconds or the memory that weights need"}
    last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2][:300]
    return {"refused": f"reading it failed: {last or f'exit code {done.returncode}'}"}


def _needed() -> dict[str, str]:
    """Variables without which a process cannot start on Windows."""
    return {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}
