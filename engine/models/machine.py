"""What computes here, as one object: made when the first model is asked for, emptied and described on demand."""

from __future__ import annotations

import importlib
import platform
import sys
from concurrent.futures import Executor
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from engine.models.device import DeviceClass, device_class

if TYPE_CHECKING:
    from engine.models.device import Device
    from engine.models.manager import ModelManager
    from engine.models.step_driver import StepDriver

Stats = dict[str, str | int | None]


class Machine:
    """The device with its model manager and step driver. Making it imports nothing heavy; any thread may call.

    Args:
        device: `auto`, `cpu`, `cuda:N` or `mps`.
        lane: the device's thread.

    Raises:
        InputProblem: there is no such device.
    """

    def __init__(self, device: str, lane: Executor) -> None:
        self.kind: DeviceClass = device_class(device)
        self._name = device
        self._lane = lane
        self._lock = Lock()
        self._made: tuple[Device, ModelManager, StepDriver] | None = None

    def services(self) -> tuple[ModelManager, StepDriver]:
        """What nodes that compute with models ask the context for. Imports torch."""
        _, manager, driver = self._make()
        return manager, driver

    def warm(self) -> None:
        """Do now what the first model would wait for: import the libraries, open the device."""
        self._make()
        for library in ("engine.ldm.latent_diffusion", "engine.ldm.sampling.drive"):
            importlib.import_module(library)

    def unload(self) -> None:
        """Put away every network that is not in use."""
        if self._made is not None:
            self._made[1].make_room()

    def stats(self) -> Stats:
        """Describe the machine: versions, and memory in bytes. Of torch only what is known without importing it."""
        total, free = _host_memory()
        found: Stats = {
            "device": self.device_name,
            "kind": self.kind,
            "label": platform.processor() or platform.machine(),
            "total_bytes": total,
            "free_bytes": free,
            "torch_total_bytes": total,
            "torch_free_bytes": free,
            "ram_total_bytes": total,
            "ram_free_bytes": free,
            "process_bytes": _process_bytes(),
            "models_bytes": 0 if self._made is None else self._made[1].resident_bytes,
            "python": sys.version,
            "torch": None,
        }
        library: Any = sys.modules.get("torch")
        if hasattr(library, "__version__"):  # else another thread is importing it right now
            found["torch"] = str(library.__version__)
        if self._made is not None and self.kind == "cuda":
            import torch

            device = self._made[0].torch_device
            free_bytes, total_bytes = torch.cuda.mem_get_info(device)
            reserved, allocated = torch.cuda.memory_reserved(device), torch.cuda.memory_allocated(device)
            found |= {
                "label": torch.cuda.get_device_name(device),
                "total_bytes": total_bytes,
                "free_bytes": free_bytes + reserved - allocated,
                "torch_total_bytes": reserved,
                "torch_free_bytes": reserved - allocated,
            }
        return found

    @property
    def device_name(self) -> str:
        """The name torch knows the device by, as far as it is known without torch."""
        if self._made is not None:
            return self._made[0].name
        if self._name == "auto" or self.kind != "cuda":
            return "cuda:0" if self.kind == "cuda" else self.kind
        return self._name if ":" in self._name else f"{self._name}:0"

    def _make(self) -> tuple[Device, ModelManager, StepDriver]:
        from engine.models.device import Fence, default_budget, open_device
        from engine.models.manager import ModelManager
        from engine.models.step_driver import StepDriver

        with self._lock:
            if self._made is None:
                opened = open_device(self._name)
                manager = ModelManager(opened, default_budget(opened))
                driver = StepDriver(self._lane, relieve=manager.relieve, after_step=Fence(opened))
                self._made = opened, manager, driver
            return self._made


def _host_memory() -> tuple[int | None, int | None]:
    """The computer's memory and what of it is available, in bytes (proc(5)); None where that cannot be asked."""
    found = _kilobytes(Path("/proc/meminfo"), ("MemTotal", "MemAvailable"))
    return found.get("MemTotal"), found.get("MemAvailable")


def _process_bytes() -> int | None:
    return _kilobytes(Path("/proc/self/status"), ("VmRSS",)).get("VmRSS")


def _kilobytes(path: Path, names: tuple[str, ...]) -> dict[str, int]:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return {}
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    return {name: int(value.split()[0]) * 1024 for name, value in pairs if name in names}
