"""Model files: open without copying, load strictly by name, save atomically.

A file is mapped into memory: its tensors are views of the file's pages, read when first touched, so that a model of
1.7 GB is ready at once. The mapping is private: writing to a tensor (training) never reaches the file.
Only safetensors are read. A pickle is refused, because opening one runs whatever code it holds.
"""

from __future__ import annotations

import json
import mmap
import os
import secrets
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from engine.errors import FileProblem, ModelFileError
from engine.ldm.header import Header, read_header

TORCH_DTYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2,
    "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8,
    "U64": torch.uint64, "U32": torch.uint32, "U16": torch.uint16, "U8": torch.uint8, "BOOL": torch.bool,
}  # fmt: skip
FORMAT_NAMES = {dtype: name for name, dtype in TORCH_DTYPES.items()}
SHOWN = 4  # names listed in an error before "and N more"
ALIGNMENT = 8  # bytes; where the data of a file we write starts

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class ModelFile:
    """An open safetensors file. `metadata` is the text its author put beside the tensors."""

    path: Path
    header: Header
    _bytes: mmap.mmap | None

    @property
    def metadata(self) -> dict[str, str]:
        return self.header.metadata

    def shapes(self, prefix: str = "") -> dict[str, tuple[int, ...]]:
        """Return name -> shape of the tensors below `prefix`, the prefix removed."""
        return {n.removeprefix(prefix): e.shape for n, e in self.header.tensors.items() if n.startswith(prefix)}

    def tensor(self, name: str) -> Tensor:
        """Return one tensor, a view of the mapped file.

        Raises:
            ModelFileError: there is none of this name.
        """
        entry = self.header.tensors.get(name)
        if entry is None:
            raise ModelFileError(f"{self.path} has no tensor {name!r}")
        dtype = TORCH_DTYPES[entry.dtype]
        if entry.start == entry.end or self._bytes is None:
            return torch.empty(entry.shape, dtype=dtype)
        count = (entry.end - entry.start) // dtype.itemsize
        offset = self.header.data_start + entry.start
        return torch.frombuffer(self._bytes, dtype=dtype, count=count, offset=offset).reshape(entry.shape)

    def tensors(self, prefix: str = "") -> dict[str, Tensor]:
        """Return name -> tensor below `prefix`, the prefix removed; nothing is read from disk yet."""
        return {name.removeprefix(prefix): self.tensor(name) for name in self.header.tensors if name.startswith(prefix)}


def open_model(path: str | Path) -> ModelFile:
    """Map a safetensors file.

    Raises:
        ModelFileError: see `read_header`.
    """
    path = Path(path)
    header = read_header(path)
    if all(entry.start == entry.end for entry in header.tensors.values()):
        return ModelFile(path, header, None)
    try:
        with path.open("rb") as file:
            return ModelFile(path, header, _map(file.fileno()))
    except OSError as error:
        raise ModelFileError(f"{path} cannot be mapped into memory: {error.strerror or error}") from error


def check_keys(wanted: Shapes, given: Shapes, name: str) -> None:
    """Compare the names and shapes a network wants with those a file gives.

    Raises:
        ModelFileError: some are missing, unused or of another shape; the message names the first few of each.
    """
    missing = [key for key in wanted if key not in given]
    unused = [key for key in given if key not in wanted]
    other = [
        f"{key} is {list(given[key])}, wanted {list(shape)}"
        for key, shape in wanted.items()
        if key in given and tuple(given[key]) != tuple(shape)
    ]
    parts = [
        f"{len(names)} {what}: {_first_few(names)}"
        for names, what in ((missing, "missing"), (unused, "unused"), (other, "of another shape"))
        if names
    ]
    if parts:
        raise ModelFileError(
            f"{name} does not fit this network: {'; '.join(parts)}. Use the configuration this file was trained with."
        )


def load_strict(
    module: nn.Module, tensors: Mapping[str, Tensor], name: str = "the checkpoint", dtype: torch.dtype | None = None
) -> None:
    """Give a module its weights, all of them or none.

    The tensors themselves become the module's parameters (no copy), so build the module as a `Skeleton`. Frozen
    parameters stay frozen.

    Args:
        module: The network; its `state_dict` keys are the names wanted.
        tensors: name -> tensor, exactly those keys and shapes.
        name: What to call the file in an error.
        dtype: Convert floating-point weights to this; None keeps the file's.

    Raises:
        ModelFileError: names or shapes differ, or a weight is not a floating-point number.
    """
    wanted = module.state_dict()
    check_keys({k: tuple(v.shape) for k, v in wanted.items()}, {k: tuple(v.shape) for k, v in tensors.items()}, name)
    parameters = {key for key, _ in module.named_parameters(remove_duplicate=False)}
    integers = [key for key in parameters if not tensors[key].is_floating_point()]
    if integers:
        raise ModelFileError(f"{name} has weights that are not floating-point: {_first_few(integers)}")
    parts = cast(Iterator[tuple[str, nn.Module]], module.named_modules(remove_duplicate=False))
    for path, part in parts:
        prefix = f"{path}." if path else ""
        for key, parameter in list(part.named_parameters(recurse=False)):
            value = nn.Parameter(_converted(tensors[prefix + key], dtype), requires_grad=parameter.requires_grad)
            setattr(part, key, value)
        for key, _ in list(part.named_buffers(recurse=False)):
            if prefix + key in tensors:
                setattr(part, key, _converted(tensors[prefix + key], dtype))


def save_model(path: str | Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> None:
    """Write a safetensors file: whole or not at all, the same bytes for the same content.

    Tensors are written one after the other from wherever they live, so memory for a second copy is not needed; tensors
    that share memory are written twice, as two.

    Raises:
        FileProblem: the file cannot be written (no such folder, no permission, disk full); an older one is untouched.
    """
    path = Path(path)
    header = _header_bytes(tensors, metadata or {})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        try:
            with temporary.open("xb") as file:
                file.write(header)
                for name in sorted(tensors):
                    file.write(_data(tensors[name]))
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise FileProblem(f"cannot write {path}: {error.strerror or error}") from error


def tensor_bytes(tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> bytes:
    """What `save_model` writes, in memory: for small tensors that others write."""
    return b"".join((_header_bytes(tensors, metadata or {}), *(_data(tensors[name]) for name in sorted(tensors))))


def read_json_metadata(metadata: Mapping[str, str], key: str) -> dict[str, object] | None:
    """Return a JSON object kept in a file's metadata, or None where the key is absent.

    Raises:
        ModelFileError: the text is not a JSON object.
    """
    if key not in metadata:
        return None
    try:
        value = cast(object, json.loads(metadata[key]))
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"metadata {key!r} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ModelFileError(f"metadata {key!r} is not a JSON object")
    return cast(dict[str, object], value)


def _header_bytes(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bytes:
    head: dict[str, object] = {"__metadata__": dict(sorted(metadata.items()))} if metadata else {}
    position = 0
    for name in sorted(tensors):
        tensor = tensors[name]
        end = position + tensor.numel() * tensor.element_size()
        head[name] = {
            "dtype": FORMAT_NAMES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [position, end],
        }
        position = end
    text = json.dumps(head, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % ALIGNMENT)
    return len(text).to_bytes(8, "little") + text


def _data(tensor: Tensor) -> memoryview:
    return tensor.detach().to("cpu").contiguous().reshape(-1).view(torch.uint8).numpy().data


def _map(descriptor: int) -> mmap.mmap:
    """Map a file privately: pages written to are copied, the others belong to the file."""
    if sys.platform == "linux":
        # Without this flag Linux refuses to map a file larger than memory and swap, for fear that all is written to.
        no_reserve = 0x4000  # MAP_NORESERVE, which Python 3.11 does not name
        return mmap.mmap(descriptor, 0, flags=mmap.MAP_PRIVATE | no_reserve, prot=mmap.PROT_READ | mmap.PROT_WRITE)
    return mmap.mmap(descriptor, 0, access=mmap.ACCESS_COPY)


def _converted(tensor: Tensor, dtype: torch.dtype | None) -> Tensor:
    return tensor.to(dtype) if dtype is not None and tensor.is_floating_point() else tensor


def _first_few(names: Iterable[str]) -> str:
    names = list(names)
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
