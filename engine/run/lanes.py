"""Where nodes run: a thread for the device, a pool for the CPU, the event loop for async nodes."""

from __future__ import annotations

from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType

ASYNC_NODES = 32
"""How many async nodes of a run are under way at once: enough to fill a batch on any device."""


@dataclass(frozen=True, slots=True)
class Lanes:
    """The lanes that all runs share. The device lane also belongs to whatever else steps models (one thread: one user
    of the device at a time)."""

    device: Executor
    cpu: Executor
    disk: Executor
    cpu_width: int
    loop_width: int = ASYNC_NODES

    @classmethod
    def open(cls, cpu_width: int = 4) -> Lanes:
        return cls(
            ThreadPoolExecutor(1, "device"),
            ThreadPoolExecutor(cpu_width, "cpu"),
            ThreadPoolExecutor(1, "disk"),
            cpu_width,
        )

    def close(self) -> None:
        for lane in (self.device, self.cpu, self.disk):
            lane.shutdown()

    def __enter__(self) -> Lanes:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
