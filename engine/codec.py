"""Values as bytes: what the cache writes to disk, measures and compares, without knowing what a tensor is.

The bytes of a value are JSON when it holds no tensor, else a safetensors file: the tensors are named `0`, `1`, ... and
the JSON is in the metadata, under `value`. Only tensors, plain values, tuples, lists, dictionaries and dataclasses from
an explicit list are written, and reading makes nothing else: no pickle, no class chosen by a file. torch is imported
when the first tensor is met.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeGuard, cast

from blake3 import blake3

from engine.errors import InputProblem

if TYPE_CHECKING:
    from torch import Tensor

Tree = Any
"""JSON: plain values stand for themselves, everything else is an object with one key that says what it is."""


class _NotStorableError(Exception):
    pass


class ValueCodec:
    """Encodes dataclasses of tensors, numbers, text and each other.

    Args:
        classes: Gives the dataclasses that may be encoded, and for each whether it goes to disk. Called when the first
            one is met, so that a run that loads no value does not import their module.
    """

    def __init__(self, classes: Callable[[], Mapping[type, bool]]) -> None:
        self._load_classes = classes

    @cached_property
    def _classes(self) -> Mapping[type, bool]:
        return self._load_classes()

    @cached_property
    def _by_name(self) -> Mapping[str, type]:
        return {each.__name__: each for each in self._classes}

    def encode(self, value: object) -> bytes | None:
        """Give the value as bytes, or None when any part of it is not to be written (a handle, a picture)."""
        return self._encode(value, to_disk=True)

    def decode(self, data: bytes) -> object:
        """Read what `encode` wrote; tensors are on the CPU.

        Raises:
            ValueError: these bytes are something else.
        """
        try:
            # safetensors begins with a 64-bit length, far below 2**56; JSON has no zero bytes.
            tree, tensors = _read_safetensors(data) if data[7:8] == b"\0" else (json.loads(data), {})
            return self._plant(tree, tensors)
        except (KeyError, TypeError, IndexError, AttributeError, RecursionError, InputProblem) as error:
            raise ValueError(f"not an encoded value: {error}") from error

    def digest(self, value: object) -> str | None:
        """BLAKE3 of the value's content, also of values that do not go to disk; None when some part is not known."""
        data = self._encode(value, to_disk=False)
        return None if data is None else blake3(data).hexdigest()

    def size(self, value: object) -> int:
        """Bytes of memory held: those of tensors, arrays and text; other objects are handles and hold none."""
        total = 0
        left: list[object] = [value]
        while left:
            each = left.pop()
            if isinstance(each, str | bytes):
                total += len(each)
            elif isinstance(each, list | tuple):
                left.extend(cast(Sequence[object], each))
            elif isinstance(each, dict):
                left.extend(cast(dict[object, object], each).values())
            elif isinstance(held := getattr(each, "nbytes", None), int):
                total += held
            elif dataclasses.is_dataclass(each):
                left.extend(getattr(each, field.name, None) for field in dataclasses.fields(each))
        return total

    def _encode(self, value: object, *, to_disk: bool) -> bytes | None:
        tensors: list[Tensor] = []
        try:
            tree = self._uproot(value, tensors, to_disk=to_disk)
        except (_NotStorableError, RecursionError):
            return None
        if not tensors:
            return json.dumps(tree).encode("ascii")
        from safetensors.torch import save

        named = {str(index): _own(tensor) for index, tensor in enumerate(tensors)}
        return save(named, metadata={"value": json.dumps(tree)})

    def _uproot(self, value: object, tensors: list[Tensor], *, to_disk: bool) -> Tree:
        if value is None or type(value) in (bool, int, float, str):
            return value
        kind = type(value)
        if kind in (list, tuple):
            items = [self._uproot(each, tensors, to_disk=to_disk) for each in cast(Sequence[object], value)]
            return {kind.__name__: items}
        if kind is dict:
            pairs = cast(dict[object, object], value).items()
            return {"dict": [[self._uproot(part, tensors, to_disk=to_disk) for part in pair] for pair in pairs]}
        if _is_tensor(value):
            tensors.append(value)
            return {"tensor": len(tensors) - 1}
        if dataclasses.is_dataclass(value) and kind in self._classes and (self._classes[kind] or not to_disk):
            fields = dataclasses.fields(value)
            parts = {each.name: self._uproot(getattr(value, each.name), tensors, to_disk=to_disk) for each in fields}
            return {"class": [kind.__name__, parts]}
        raise _NotStorableError(kind.__name__)

    def _plant(self, tree: Tree, tensors: Mapping[str, Tensor]) -> object:
        if not isinstance(tree, dict):
            return tree
        ((kind, content),) = cast(dict[str, Tree], tree).items()
        match kind:
            case "list":
                return [self._plant(each, tensors) for each in content]
            case "tuple":
                return tuple(self._plant(each, tensors) for each in content)
            case "dict":
                return {self._plant(key, tensors): self._plant(each, tensors) for key, each in content}
            case "tensor":
                return tensors[str(content)]
            case "class":
                name, parts = content
                return self._by_name[name](**{field: self._plant(each, tensors) for field, each in parts.items()})
            case _:
                raise ValueError(f"not an encoded value: unknown kind {kind!r}")


def _is_tensor(value: object) -> TypeGuard[Tensor]:
    torch = sys.modules.get("torch")  # where torch was never imported, nothing is a tensor
    return torch is not None and type(value) is torch.Tensor


def _read_safetensors(data: bytes) -> tuple[Tree, dict[str, Tensor]]:
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        tensors = load(data)
    except SafetensorError as error:
        raise ValueError(f"not an encoded value: {error}") from error
    length = int.from_bytes(data[:8], "little")
    return json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["value"]), tensors


def _own(tensor: Tensor) -> Tensor:
    """The tensor on the CPU with memory of its own: safetensors refuses tensors that share it."""
    return tensor.detach().to("cpu", copy=True).contiguous()
