"""From a checkpoint's content to a safetensors file: which tensors are the weights, and copying their bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from engine.errors import ModelFileError
from engine.pickles.archive import Checkpoint
from engine.pickles.names import BYTES, TensorRef

TABLES = ("state_dict", "model_state_dict", "model", "weights")
"""Where weights lie in what training programs save; Lightning's is the first."""
MOST_COPIES = 4
"""Tensors may share storages, as the doubled first stage of the paper's inpainting model does; so often at most."""
PIECE = 2**20


@dataclass(frozen=True)
class Written:
    """How many tensors were written, and what of the file's table was no tensor."""

    tensors: int
    left_out: list[str]


def find_weights(content: object) -> tuple[dict[str, TensorRef], list[str]]:
    """Find the table of weights in what a pickle holds: name -> tensor, and the names of what is no tensor.

    Raises:
        ModelFileError: there is none.
    """
    if not isinstance(content, dict):
        raise ModelFileError(f"the file holds a {type(content).__name__}, no table of weights")
    whole = cast("dict[Any, Any]", content)
    tables = [whole.get(name) for name in TABLES] + [whole]
    for table in tables:
        if not isinstance(table, dict):
            continue
        entries = cast("dict[Any, Any]", table)
        found = {name: value for name, value in entries.items() if isinstance(value, TensorRef)}
        if found and all(isinstance(name, str) for name in found):
            others = [str(name)[:80] for name, value in entries.items() if not isinstance(value, TensorRef)]
            return cast("dict[str, TensorRef]", found), others
    known = ", ".join(str(name)[:40] for name in list(whole)[:8])
    raise ModelFileError(f"there are no weights in the file; it has {known or 'nothing'}")


def write_safetensors(checkpoint: Checkpoint, target: Path, metadata: Mapping[str, str]) -> Written:
    """Copy the weights of a checkpoint into a new file, a piece at a time.

    Raises:
        ModelFileError: there are no weights, they do not lie in the file, or are more than it can hold.
    """
    weights, left_out = find_weights(checkpoint.content)
    total = sum(ref.bytes for ref in weights.values())
    if total > MOST_COPIES * checkpoint.path.stat().st_size:
        raise ModelFileError(f"its tensors would take {total} bytes, many times the file's own size; it is damaged")
    with target.open("xb") as file:
        file.write(_header(weights, metadata))
        for name in sorted(weights):
            _copy(checkpoint, weights[name], file)
    return Written(len(weights), left_out)


def _header(weights: Mapping[str, TensorRef], metadata: Mapping[str, str]) -> bytes:
    head: dict[str, object] = {"__metadata__": dict(sorted(metadata.items()))}
    position = 0
    for name in sorted(weights):
        ref = weights[name]
        head[name] = {"dtype": ref.dtype, "shape": list(ref.shape), "data_offsets": [position, position + ref.bytes]}
        position += ref.bytes
    text = json.dumps(head, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def _copy(checkpoint: Checkpoint, ref: TensorRef, target: IO[bytes]) -> None:
    if not ref.count:
        return
    with checkpoint.open_storage(ref.storage) as source:
        if not ref.contiguous:
            target.write(_gathered(source, ref))
            return
        source.seek(ref.offset * BYTES[ref.dtype], 1)
        left = ref.bytes
        while left:
            piece = source.read(min(left, PIECE))
            if not piece:
                raise ModelFileError("the file is cut short; fetch it again")
            target.write(piece)
            left -= len(piece)


def _gathered(source: IO[bytes], ref: TensorRef) -> bytes:
    """The numbers of a tensor that do not lie in a row, such as a transposed one's, in order."""
    import numpy as np  # most files need none of it

    width = BYTES[ref.dtype]
    storage = np.frombuffer(source.read(ref.storage.size * BYTES[ref.storage.dtype]), dtype=f"V{width}")
    # Inside of the storage: `names._checked` has seen to that.
    strides = [step * width for step in ref.stride]
    return np.lib.stride_tricks.as_strided(storage[ref.offset :], ref.shape, strides, writeable=False).tobytes()
