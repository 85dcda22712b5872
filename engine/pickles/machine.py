"""Reads one pickle as data: what its opcodes would build, without importing or calling anything.

Python's own unpickler looks up any name a pickle asks for and calls it. This one has no such step: a name is a `Name`,
and "calling" it means `engine.pickles.names.made`, a closed table. Python's `pickletools` splits the bytes into
opcodes; it executes nothing.
"""

from __future__ import annotations

import io
import pickletools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, cast

from engine.errors import ModelFileError

MOST_OPCODES = 20_000_000
"""The largest published checkpoint needs 0.3 million."""


@dataclass(frozen=True)
class Name:
    """A global that a pickle names: `module.name`. Nothing is looked up."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(frozen=True, eq=False)
class Unknown:
    """An object of no interest, such as a training callback: what it was called."""

    name: str


class _Mark:
    """Where a list of arguments begins on the stack."""


MARK = _Mark()
Made = Callable[[Name, tuple[Any, ...]], object]
Persistent = Callable[[object], object]


@dataclass
class Machine:
    """The stack and the memo of one pickle.

    Args:
        check: raises for a name that is not allowed.
        made: what calling a name with arguments makes.
        persistent: what a persistent id stands for: of PyTorch's pickles a storage.
    """

    check: Callable[[Name], None]
    made: Made
    persistent: Persistent
    stack: list[Any] = field(default_factory=list[Any])
    memo: dict[int, Any] = field(default_factory=dict[int, Any])

    def read(self, file: io.BytesIO) -> object:
        """Read one pickle from where the file stands; it stands behind it afterwards.

        Raises:
            ModelFileError: the pickle is damaged, or names or does what is not allowed.
        """
        try:
            for count, (opcode, argument, _) in enumerate(pickletools.genops(file)):
                if count > MOST_OPCODES:
                    raise ModelFileError(f"the pickle has more than {MOST_OPCODES:,} opcodes")
                if opcode.name == "STOP":
                    return self.stack.pop()
                self._step(opcode.name, argument)
        except (ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise ModelFileError(f"the pickle is damaged: {type(error).__name__}: {str(error)[:200]}") from error
        raise ModelFileError("the pickle has no end")

    def _step(self, opcode: str, argument: Any) -> None:
        if opcode in LITERALS:
            self.stack.append(argument)
        elif opcode in CONSTANTS:
            self.stack.append(CONSTANTS[opcode]())
        elif opcode in STEPS:
            STEPS[opcode](self, argument)
        elif opcode not in ("PROTO", "FRAME"):
            raise ModelFileError(f"the pickle uses {opcode}, which no checkpoint needs")

    # Each of these does what the opcode of its name does; see `pickletools`.

    def pop_to_mark(self, _: Any = None) -> list[Any]:
        for position in range(len(self.stack) - 1, -1, -1):
            if self.stack[position] is MARK:
                items = self.stack[position + 1 :]
                del self.stack[position:]
                return items
        raise ValueError("no mark")

    def pop(self, _: Any) -> None:
        self.stack.pop()

    def mark(self, _: Any) -> None:
        self.stack.append(MARK)

    def dup(self, _: Any) -> None:
        self.stack.append(self.stack[-1])

    def put(self, index: int) -> None:
        self.memo[index] = self.stack[-1]

    def memoize(self, _: Any) -> None:
        self.memo[len(self.memo)] = self.stack[-1]

    def get(self, index: int) -> None:
        self.stack.append(self.memo[index])

    def append(self, _: Any) -> None:
        item = self.stack.pop()
        self._extend([item])

    def appends(self, _: Any) -> None:
        self._extend(self.pop_to_mark())

    def add_items(self, _: Any) -> None:
        items = self.pop_to_mark()
        cast("set[Any]", _of(self.stack[-1], set)).update(items)

    def set_item(self, _: Any) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._set([key, value])

    def set_items(self, _: Any) -> None:
        self._set(self.pop_to_mark())

    def make_tuple(self, count: int) -> None:
        items = tuple(self.stack[len(self.stack) - count :])
        if len(items) < count:
            raise ValueError("too few items")
        del self.stack[len(self.stack) - count :]
        self.stack.append(items)

    def marked(self, kind: Callable[[list[Any]], Any]) -> None:
        self.stack.append(kind(self.pop_to_mark()))

    def marked_dict(self, _: Any) -> None:
        items = self.pop_to_mark()
        self.stack.append({})
        self._set(items)

    def name(self, argument: str) -> None:
        module, _, name = argument.partition(" ")
        self._name(module, name)

    def stack_name(self, _: Any) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        self._name(cast(str, _of(module, str)), cast(str, _of(name, str)))

    def instance(self, argument: str) -> None:
        items = tuple(self.pop_to_mark())
        self.name(argument)
        self._call(self.stack.pop(), items)

    def object(self, _: Any) -> None:
        kind, *items = self.pop_to_mark()
        self._call(kind, tuple(items))

    def reduce(self, _: Any) -> None:
        arguments, called = self.stack.pop(), self.stack.pop()
        self._call(called, arguments)

    def new_with_keywords(self, _: Any) -> None:
        _, arguments, kind = self.stack.pop(), self.stack.pop(), self.stack.pop()
        self._call(kind, arguments)

    def build(self, _: Any) -> None:
        """An object's attributes: of no interest, since no object here has any."""
        self.stack.pop()
        _ = self.stack[-1]

    def persistent_text(self, argument: str) -> None:
        self.stack.append(self.persistent(argument))

    def persistent_id(self, _: Any) -> None:
        self.stack.append(self.persistent(self.stack.pop()))

    def _name(self, module: str, name: str) -> None:
        found = Name(module, name)
        self.check(found)
        self.stack.append(found)

    def _call(self, called: object, arguments: object) -> None:
        if not isinstance(called, Name):
            raise ModelFileError(f"the pickle calls a {type(called).__name__}, not a name")
        self.stack.append(self.made(called, cast("tuple[Any, ...]", _of(arguments, tuple))))

    def _extend(self, items: list[Any]) -> None:
        if not isinstance(self.stack[-1], Unknown):
            cast("list[Any]", _of(self.stack[-1], list)).extend(items)

    def _set(self, items: list[Any]) -> None:
        if len(items) % 2:
            raise ValueError("a key without a value")
        if not isinstance(self.stack[-1], Unknown):
            table = cast("dict[Any, Any]", _of(self.stack[-1], dict))
            table.update(zip(items[::2], items[1::2], strict=True))


def _of(value: object, kind: type) -> object:
    if not isinstance(value, kind):
        raise TypeError(f"{type(value).__name__} where a {kind.__name__} should be")
    return value


LITERALS = frozenset(
    {
        "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT",
        "STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8",
        "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8",
    }
)  # fmt: skip
CONSTANTS: Mapping[str, Callable[[], Any]] = MappingProxyType(
    {
        "NONE": lambda: None,
        "NEWTRUE": lambda: True,
        "NEWFALSE": lambda: False,
        "EMPTY_LIST": list,
        "EMPTY_TUPLE": tuple,
        "EMPTY_DICT": dict,
        "EMPTY_SET": set,
    }
)
STEPS: Mapping[str, Callable[[Machine, Any], object]] = MappingProxyType(
    {
        "MARK": Machine.mark,
        "POP": Machine.pop,
        "POP_MARK": Machine.pop_to_mark,
        "DUP": Machine.dup,
        "PUT": Machine.put,
        "BINPUT": Machine.put,
        "LONG_BINPUT": Machine.put,
        "MEMOIZE": Machine.memoize,
        "GET": Machine.get,
        "BINGET": Machine.get,
        "LONG_BINGET": Machine.get,
        "APPEND": Machine.append,
        "APPENDS": Machine.appends,
        "ADDITEMS": Machine.add_items,
        "SETITEM": Machine.set_item,
        "SETITEMS": Machine.set_items,
        "TUPLE1": lambda machine, _: machine.make_tuple(1),
        "TUPLE2": lambda machine, _: machine.make_tuple(2),
        "TUPLE3": lambda machine, _: machine.make_tuple(3),
        "TUPLE": lambda machine, _: machine.marked(tuple),
        "LIST": lambda machine, _: machine.marked(list),
        "FROZENSET": lambda machine, _: machine.marked(frozenset),
        "DICT": Machine.marked_dict,
        "GLOBAL": Machine.name,
        "STACK_GLOBAL": Machine.stack_name,
        "INST": Machine.instance,
        "OBJ": Machine.object,
        "NEWOBJ": Machine.reduce,
        "NEWOBJ_EX": Machine.new_with_keywords,
        "REDUCE": Machine.reduce,
        "BUILD": Machine.build,
        "PERSID": Machine.persistent_text,
        "BINPERSID": Machine.persistent_id,
    }
)
