"""Which device computes, and in what precision.

Float32 on the CPU, always: half precision is slower there. On a GPU the U-Net runs in float16, and what decides a
picture's colours or is run once (autoencoder, text encoder, samplers) stays float32.
"""

from __future__ import annotations

import ctypes
import platform
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from engine.errors import DarkroomError, InputProblem

if TYPE_CHECKING:
    import torch

DeviceClass = Literal["cpu", "cuda", "mps"]
Precision = Literal["fp32", "fp16", "bf16"]
PRECISIONS: tuple[Precision, ...] = ("fp32", "fp16", "bf16")


@dataclass(frozen=True)
class Device:
    """A device by the name torch knows it by (`cpu`, `cuda:0`, `mps`), and the precision of a U-Net on it."""

    name: str = "cpu"
    precision: Precision = "fp32"

    @property
    def kind(self) -> DeviceClass:
        return device_class(self.name)

    @property
    def torch_device(self) -> torch.device:
        import torch

        return torch.device(self.name)

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of a U-Net's weights here."""
        import torch

        return {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}[self.precision]

    def free_bytes(self) -> int | None:
        """Memory that can still be had here, in bytes; None where that cannot be asked."""
        import torch

        if self.kind == "cuda":
            unused = torch.cuda.memory_reserved(self.torch_device) - torch.cuda.memory_allocated(self.torch_device)
            return torch.cuda.mem_get_info(self.torch_device)[0] + unused
        if self.kind == "mps":
            return torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()
        return _free_host_bytes()

    def empty_cache(self) -> None:
        """Give memory that torch keeps for later back to the device."""
        import torch

        if self.kind == "cuda":
            torch.cuda.empty_cache()
        elif self.kind == "mps":
            torch.mps.empty_cache()


def device_class(name: str = "auto") -> DeviceClass:
    """Tell what `--device NAME` computes on, without importing torch: part of every cache key.

    Raises:
        InputProblem: no such device.
    """
    if name == "auto":
        return _best_class()
    kind, _, index = name.partition(":")
    if kind == "cuda" and (not index or index.isdecimal()):
        return "cuda"
    if name == "cpu":
        return "cpu"
    if name == "mps":
        return "mps"
    raise InputProblem(f"no device '{name}'; use auto, cpu, cuda, cuda:N or mps.", "device")


def default_precision(kind: DeviceClass) -> Precision:
    """The precision of a U-Net where nothing else is asked for."""
    return "fp32" if kind == "cpu" else "fp16"


def open_device(name: str = "auto", precision: Precision | None = None) -> Device:
    """Find the device that `--device NAME` means and make sure that torch can use it.

    Raises:
        InputProblem: no such device.
        DarkroomError: torch cannot use it.
    """
    import torch

    kind = device_class(name)
    precision = precision or default_precision(kind)
    if kind == "cuda":
        index = int(name.partition(":")[2] or 0)
        if not torch.cuda.is_available():
            raise DarkroomError(
                f"this torch ({torch.__version__}) cannot use a GPU here; install its CUDA build or a newer driver "
                "(see the README), or run with --device cpu"
            )
        if index >= torch.cuda.device_count():
            raise InputProblem(f"no device '{name}'; there are {torch.cuda.device_count()} GPUs.", "device")
        return Device(f"cuda:{index}", precision)
    if kind == "mps" and not torch.backends.mps.is_available():
        raise DarkroomError("this torch cannot use the Mac's GPU; run with --device cpu")
    return Device(kind, precision)


def default_budget(device: Device) -> int:
    """Bytes of weights to keep: 0.7 of a GPU's free memory, half of the host's; the rest is to compute in."""
    free = device.free_bytes()
    if free is None:
        return 4 * 2**30
    return int(free * (0.5 if device.kind == "cpu" else 0.7))


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out; on the CPU torch says so only in words."""
    import torch

    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)


class Fence:
    """Lets the host run at most one call ahead of the GPU, so that a cancelled job leaves no queue behind."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._last: torch.cuda.Event | None = None

    def __call__(self) -> None:
        if self._device.kind != "cuda":
            return
        import torch

        reached = torch.cuda.Event()
        reached.record(torch.cuda.current_stream(self._device.torch_device))
        if self._last is not None:
            self._last.synchronize()
        self._last = reached


def _best_class() -> DeviceClass:
    build = metadata.version("torch").partition("+")[2]
    if build == "cpu":
        return "cpu"
    if build.startswith("rocm"):  # torch calls AMD's GPUs cuda, too
        return "cuda" if Path("/dev/kfd").exists() else "cpu"
    if platform.system() == "Darwin":
        return "mps" if platform.machine() == "arm64" else "cpu"
    return "cuda" if _cuda_devices() else "cpu"


def _cuda_devices() -> int:
    """How many GPUs the NVIDIA driver offers to this process."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if platform.system() == "Windows" else "libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int()
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return 0
    return count.value


def _free_host_bytes() -> int | None:
    """The kernel's estimate of memory that new work can have without swapping (proc(5), MemAvailable)."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None)
