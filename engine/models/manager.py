"""The one door to the device's memory: turns handles into networks there, keeps them, and makes room."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Generator, Hashable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, cast

from engine.errors import OutOfMemory
from engine.models.device import Device, is_out_of_memory
from engine.models.handles import Handle

if TYPE_CHECKING:
    from torch import nn

N = TypeVar("N", bound="nn.Module")
T = TypeVar("T")


@dataclass(eq=False)
class Resident:
    """A network on the device; `users` hold it there."""

    network: nn.Module
    bytes: int
    users: int = 0


class ModelManager:
    """Networks on one device, up to a budget in bytes.

    When the budget is exceeded, the networks unused for longest go: all load about equally fast for their size, so
    there is no other difference in worth. Networks in use never go, so the budget may be exceeded by what is needed at
    once. What went is loaded again from its file, which the operating system still has in memory if it can.

    Any thread may call; loading is done by one at a time.
    """

    def __init__(self, device: Device, budget_bytes: int) -> None:
        self.device = device
        self.budget_bytes = budget_bytes
        self._residents: dict[Hashable, Resident] = {}
        """The one used last is last."""
        self._lock = threading.RLock()

    @property
    def resident_bytes(self) -> int:
        """Bytes of weights on the device."""
        with self._lock:
            return sum(each.bytes for each in self._residents.values())

    @contextmanager
    def use(self, handle: Handle[N]) -> Generator[N]:
        """Have a handle's network on the device for the length of a `with` block.

        Raises:
            ModelFileError: the network cannot be loaded from its file.
            OutOfMemory: it does not fit, or the block ran out of memory; everything unused has been put away by then.
        """
        resident = self._take(handle)
        try:
            yield cast(N, resident.network)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            self.make_room()
            raise self._out_of_memory(handle.label, "to compute", None) from error
        finally:
            with self._lock:
                resident.users -= 1
                self._evict(self.budget_bytes)

    def run(self, handle: Handle[N], work: Callable[[N], T]) -> T:
        """Do something with a network; when memory runs out, put away all that is unused and try once more.

        Raises:
            ModelFileError, OutOfMemory: as `use`.
        """
        try:
            with self.use(handle) as network:
                return work(network)
        except OutOfMemory:
            pass
        with self.use(handle) as network:
            return work(network)

    def expect(self, needed_bytes: int, purpose: str) -> None:
        """Refuse what cannot fit, whatever were put away, before any time goes into it.

        Args:
            needed_bytes: at least this much (`engine.models.needs`).
            purpose: completes "cannot ...": "decode 64 pictures of 4096x4096".

        Raises:
            OutOfMemory: with what is needed, what there is, and what to lower.
        """
        free = self.device.free_bytes()
        if free is None or needed_bytes <= free:
            return
        with self._lock:
            room = free + sum(each.bytes for each in self._residents.values() if not each.users)
        if needed_bytes > room:
            raise OutOfMemory(
                f"{self.device.name} cannot {purpose}: that takes at least {_size(needed_bytes)}, and only "
                f"{_size(room)} can be had; ask for fewer or smaller pictures"
            )

    def make_room(self) -> None:
        """Put away every network that is not in use, and what torch keeps for later."""
        with self._lock:
            self._evict(0)
        gc.collect()  # exceptions with tracebacks hold tensors in cycles
        self.device.empty_cache()

    def relieve(self, error: Exception) -> bool:
        """Make room if an error says that memory ran out; tells whether trying again may help."""
        if not is_out_of_memory(error):
            return False
        self.make_room()
        return True

    def _take(self, handle: Handle[nn.Module]) -> Resident:
        with self._lock:
            resident = self._residents.pop(handle, None) or self._load(handle)
            self._residents[handle] = resident
            resident.users += 1
            return resident

    def _load(self, handle: Handle[nn.Module]) -> Resident:
        """Build a network and bring it to the device; tries twice, with room made in between."""
        try:
            return self._bring(handle)
        except OutOfMemory:
            self.make_room()
        return self._bring(handle)

    def _bring(self, handle: Handle[nn.Module]) -> Resident:
        import torch

        size = None
        try:
            with torch.inference_mode(False):  # samplings load inside it, and what is made there can never be trained
                network = handle.build(self.device)
                size = sum(tensor.nbytes for tensor in (*network.parameters(), *network.buffers()))
                self._evict(self.budget_bytes - size)
                if self.device.kind != "cpu":  # there it is already: mapped
                    network = network.to(self.device.torch_device)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            raise self._out_of_memory(handle.label, "to load", size) from error
        return Resident(network, size)

    def _evict(self, allowed_bytes: int) -> None:
        """Put away unused networks, the longest unused first, until `allowed_bytes` are left."""
        unused = [handle for handle, each in self._residents.items() if not each.users]
        excess = sum(each.bytes for each in self._residents.values()) - allowed_bytes
        for handle in unused:
            if excess <= 0:
                break
            excess -= self._residents.pop(handle).bytes

    def _out_of_memory(self, label: str, purpose: str, needed: int | None) -> OutOfMemory:
        free = self.device.free_bytes()
        needs = f"needs {_size(needed) if needed is not None else 'more memory'} {purpose}"
        has = f"has {_size(free)} free" if free is not None else "has less"
        return OutOfMemory(
            f"{label} {needs}, {self.device.name} {has}; use a smaller picture, batch or model, or --device cpu"
        )


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.1f} MiB"
