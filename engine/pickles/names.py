"""The names a checkpoint may use, and what calling them makes: tensors, tables, numbers, or nothing of interest."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, cast

from engine.errors import ModelFileError
from engine.pickles.machine import Name, Unknown

BYTES = MappingProxyType(
    {
        "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1, "F8_E5M2": 1,
        "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U64": 8, "U32": 4, "U16": 2, "U8": 1, "BOOL": 1,
    }
)  # fmt: skip
STORAGES = MappingProxyType(
    {
        "DoubleStorage": "F64", "FloatStorage": "F32", "HalfStorage": "F16", "BFloat16Storage": "BF16",
        "LongStorage": "I64", "IntStorage": "I32", "ShortStorage": "I16", "CharStorage": "I8", "ByteStorage": "U8",
        "BoolStorage": "BOOL", "UntypedStorage": "U8",
    }
)  # fmt: skip
DTYPES = MappingProxyType(
    {
        "float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16", "float8_e4m3fn": "F8_E4M3",
        "float8_e5m2": "F8_E5M2", "int64": "I64", "int32": "I32", "int16": "I16", "int8": "I8", "uint64": "U64",
        "uint32": "U32", "uint16": "U16", "uint8": "U8", "bool": "BOOL",
    }
)  # fmt: skip

UNINTERESTING = (
    "pytorch_lightning",
    "lightning",
    "lightning_fabric",
    "lightning_utilities",
    "omegaconf",
    "torchmetrics",
)
"""Packages whose objects lie beside the weights: callbacks, settings. They become `Unknown`, whatever they are."""
UNINTERESTING_NAMES = frozenset(
    {
        "argparse.Namespace", "pathlib.PosixPath", "pathlib.WindowsPath", "pathlib.Path", "typing.Any",
        "torch.device", "torch.Generator", "torch.layout", "numpy.ndarray",
        "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct",
        "builtins.int", "builtins.float", "builtins.str", "builtins.bool", "builtins.bytes", "builtins.list",
        "builtins.dict", "builtins.tuple", "builtins.set", "builtins.frozenset", "builtins.complex",
        "__builtin__.set", "__builtin__.long", "collections.defaultdict", "collections.Counter",
    }
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Storage:
    """A run of numbers in the file: `size` of them."""

    dtype: str
    key: str
    size: int


@dataclass(frozen=True, eq=False)
class TensorRef:
    """A tensor: which numbers of a storage, in which order."""

    storage: Storage
    dtype: str
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]

    @property
    def count(self) -> int:
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        return self.count * BYTES[self.dtype]

    @property
    def contiguous(self) -> bool:
        step = 1
        for size, stride in zip(reversed(self.shape), reversed(self.stride), strict=True):
            if size != 1 and stride != step:
                return False
            step *= size
        return True


def check(name: Name) -> None:
    """Refuse a name that nothing in a checkpoint needs.

    Raises:
        ModelFileError: names it.
    """
    full = str(name)
    package = name.module.partition(".")[0]
    plain = all(part.isidentifier() for part in full.split("."))
    uninteresting = package in UNINTERESTING or full in UNINTERESTING_NAMES
    # Neither a name that is called nor a package may be climbed out of by attributes: "torch._utils", "x.__globals__".
    if plain and "__" not in name.name and (full in CALLED or uninteresting or _is_dtype(name) or _is_storage(name)):
        return
    raise ModelFileError(
        f"its pickle asks for {full[:120]!r}, which no weights need and which could run code; it was not run. Do not "
        "open this file with other programs"
    )


def made(name: Name, arguments: tuple[Any, ...]) -> object:
    """What calling an allowed name makes.

    Raises:
        ModelFileError: the arguments make no sense.
    """
    maker = CALLED.get(str(name))
    return Unknown(str(name)) if maker is None else maker(arguments)


def persistent(value: object) -> Storage:
    """What a persistent id stands for: ("storage", type, key, device, size[, part]).

    Raises:
        ModelFileError: it is no storage.
    """
    if not isinstance(value, tuple):
        raise ModelFileError("the pickle refers to something outside that is no storage")
    kind, storage, key, _, size, *rest = cast("tuple[Any, ...]", value)
    if kind != "storage" or not isinstance(storage, Name) or not _is_storage(storage) or not isinstance(key, str):
        raise ModelFileError(f"the pickle refers to {str(kind)[:40]!r} of type {str(storage)[:80]!r}, not to a storage")
    if rest and rest[0] is not None:
        raise ModelFileError("the file shares storages in a way that PyTorch gave up before 1.0; save it again")
    return Storage(STORAGES[storage.name], key, _natural(size))


def _is_storage(name: Name) -> bool:
    return name.module in ("torch", "torch.cuda", "torch.storage") and name.name in STORAGES


def _is_dtype(name: Name) -> bool:
    return name.module == "torch" and name.name in DTYPES


def _tensor(arguments: tuple[Any, ...]) -> TensorRef:
    """`_rebuild_tensor(_v2)`: storage, offset, shape, stride and what training needs."""
    storage = arguments[0]
    if not isinstance(storage, Storage):
        raise ModelFileError("a tensor of the pickle has no storage")
    return _checked(storage, storage.dtype, *arguments[1:4])


def _tensor_of_dtype(arguments: tuple[Any, ...]) -> TensorRef:
    """`_rebuild_tensor_v3`: the dtype comes seventh, the storage is bytes."""
    storage, dtype = arguments[0], arguments[6]
    if not isinstance(storage, Storage) or not isinstance(dtype, Name) or not _is_dtype(dtype):
        raise ModelFileError("a tensor of the pickle has no storage or dtype")
    return _checked(storage, DTYPES[dtype.name], *arguments[1:4])


def _checked(storage: Storage, dtype: str, offset: object, shape: object, stride: object) -> TensorRef:
    """A tensor that lies inside its storage and is no larger than it."""
    sizes, strides = _naturals(shape), _naturals(stride)
    ref = TensorRef(storage, dtype, _natural(offset), sizes, strides)
    available = storage.size * BYTES[storage.dtype] // BYTES[dtype]
    last = ref.offset + sum((size - 1) * step for size, step in zip(sizes, strides, strict=True))
    if ref.count > available or (ref.count and last >= available):
        raise ModelFileError(
            f"a tensor of shape {list(sizes)[:8]} does not fit into its {available} numbers; the file is damaged"
        )
    return ref


def _naturals(values: object) -> tuple[int, ...]:
    if not isinstance(values, tuple) or len(cast("tuple[Any, ...]", values)) > 16:
        raise ModelFileError("a tensor of the pickle has no shape")
    return tuple(_natural(value) for value in cast("tuple[Any, ...]", values))


def _natural(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**48:
        raise ModelFileError(f"{str(value)[:40]} stands where a size should be; the file is damaged")
    return value


def _parameter(arguments: tuple[Any, ...]) -> object:
    return arguments[0]


def _ordered(arguments: tuple[Any, ...]) -> object:
    return dict(cast("list[Any]", arguments[0])) if arguments else {}


def _encoded(arguments: tuple[Any, ...]) -> object:
    """Bytes as Python 2's protocol spells them: latin-1 text."""
    text = arguments[0]
    return text.encode("latin-1") if isinstance(text, str) and arguments[1:] in ((), ("latin1",)) else Unknown("bytes")


def _unknown(arguments: tuple[Any, ...]) -> object:
    return Unknown("numpy scalar")


CALLED: Mapping[str, Callable[[tuple[Any, ...]], object]] = MappingProxyType(
    {
        "torch._utils._rebuild_tensor": _tensor,
        "torch._utils._rebuild_tensor_v2": _tensor,
        "torch._utils._rebuild_tensor_v3": _tensor_of_dtype,
        "torch._utils._rebuild_parameter": _parameter,
        "torch._utils._rebuild_parameter_with_state": _parameter,
        "torch.Size": lambda arguments: tuple(cast("list[Any]", arguments[0])) if arguments else (),
        "torch.nn.parameter.Parameter": _parameter,
        "collections.OrderedDict": _ordered,
        "_codecs.encode": _encoded,
        "numpy.core.multiarray.scalar": _unknown,
        "numpy._core.multiarray.scalar": _unknown,
        "numpy.dtype": _unknown,
    }
)
