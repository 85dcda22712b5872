"""The manager: loading once, keeping, evicting, running out of memory, many threads."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import nn

from engine.errors import OutOfMemory
from engine.models.device import Device
from engine.models.handles import VAE, Model, TextEncoder
from engine.models.manager import ModelManager
from tests.models import files


@dataclass(frozen=True)
class Toy:
    """A handle to `size` float32 weights."""

    name: str
    size: int = 250
    log: tuple[list[str]] = ([],)

    @property
    def label(self) -> str:
        return f"toy {self.name}"

    def __hash__(self) -> int:
        return hash(self.name)

    def build(self, device: Device) -> nn.Module:
        self.log[0].append(self.name)
        return nn.Linear(self.size, 1, bias=False)


def toys(*sizes: int) -> tuple[list[str], list[Toy]]:
    log: list[str] = []
    return log, [Toy(f"{i}", size, (log,)) for i, size in enumerate(sizes)]


def test_a_network_is_loaded_once_and_kept() -> None:
    log, (toy,) = toys(250)
    manager = ModelManager(Device(), 10_000)
    with manager.use(toy) as first:
        pass
    with manager.use(Toy("0", 250, (log,))) as second:
        assert second is first
    assert log == ["0"]
    assert manager.resident_bytes == 1000


def test_what_was_not_used_for_longest_goes_first() -> None:
    log, (a, b, c) = toys(250, 250, 250)
    manager = ModelManager(Device(), 2000)
    for toy in (a, b, c):
        with manager.use(toy):
            assert manager.resident_bytes <= 2000
    for toy in (b, a, b):
        with manager.use(toy):
            pass
    assert log == ["0", "1", "2", "0"]
    assert manager.resident_bytes == 2000


def test_what_is_in_use_stays_even_beyond_the_budget() -> None:
    log, (a, b) = toys(250, 250)
    manager = ModelManager(Device(), 1000)
    with manager.use(a), manager.use(b):
        assert manager.resident_bytes == 2000
    assert manager.resident_bytes == 1000
    with manager.use(a):
        pass
    assert log == ["0", "1"]


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="asks Linux which memory is a file's")
def test_a_file_is_mapped_not_copied(tmp_path: Path) -> None:
    path = files.checkpoint(tmp_path / "a.safetensors")
    manager = ModelManager(Device(), 2**30)
    with manager.use(Model.open(path)) as unet, manager.use(VAE.open(path)) as vae:
        for weight in (*unet.parameters(), *vae.parameters()):
            assert any(weight.data_ptr() in pages for pages in mapped(path))


def mapped(path: Path) -> list[range]:
    """Where in this process's memory the pages of a file are: proc(5), "maps"."""
    lines = [line.split() for line in Path("/proc/self/maps").read_text().splitlines()]
    spans = [line[0].split("-") for line in lines if line[-1] == str(path)]
    return [range(int(start, 16), int(end, 16)) for start, end in spans]


def test_all_three_parts_of_a_checkpoint_make_a_picture(tmp_path: Path) -> None:
    path = files.checkpoint(tmp_path / "a.safetensors")
    manager = ModelManager(Device(), 2**30)
    with torch.inference_mode():
        with manager.use(TextEncoder.open(path)) as encoder:
            context = encoder(torch.arange(8)[None])
        with manager.use(Model.open(path)) as unet:
            latent = unet(torch.zeros(1, 4, 8, 8), torch.zeros(1), context=context)
        with manager.use(VAE.open(path)) as vae:
            assert vae.decode(latent).shape == (1, 3, 16, 16)


def test_running_out_of_memory_while_loading_makes_room_and_tries_again() -> None:
    class Big(Toy):
        """Needs all the memory there is."""

        def build(self, device: Device) -> nn.Module:
            tries.append(manager.resident_bytes)
            if manager.resident_bytes:
                raise torch.OutOfMemoryError("no room")
            return super().build(device)

    tries: list[int] = []
    manager = ModelManager(Device(), 10_000)
    _, (small, used) = toys(250, 250)
    with manager.use(small):
        pass
    with manager.use(Big("big", 10, ([],))):
        assert tries == [1000, 0]
    with manager.use(used), pytest.raises(OutOfMemory, match=r"toy huge needs more memory to load, cpu has .* free"):
        manager.use(Big("huge", 10, ([],))).__enter__()
    assert len(tries) == 4
    with manager.use(used):
        pass  # the next job goes on


def test_work_that_runs_out_of_memory_is_tried_once_more_with_room() -> None:
    _, (idle, toy) = toys(250, 250)
    manager = ModelManager(Device(), 10_000)
    with manager.use(idle):
        pass
    rooms: list[int] = []

    def work(network: nn.Module) -> str:
        rooms.append(manager.resident_bytes)
        if len(rooms) == 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return "done"

    assert manager.run(toy, work) == "done"
    assert rooms == [2000, 1000]

    def hopeless(network: nn.Module) -> str:
        raise MemoryError

    with pytest.raises(OutOfMemory, match="toy 1 needs more memory to compute"):
        manager.run(toy, hopeless)


def test_another_error_passes_through_and_releases_the_network() -> None:
    _, (toy, other) = toys(250, 250)
    manager = ModelManager(Device(), 1000)
    with pytest.raises(ZeroDivisionError), manager.use(toy):
        _ = 1 / 0
    with manager.use(other):
        assert manager.resident_bytes == 1000


def test_many_threads_get_one_network() -> None:
    log, (toy,) = toys(250)
    manager = ModelManager(Device(), 10_000)
    start = threading.Barrier(8)

    def use() -> int:
        start.wait()
        with manager.use(toy) as network:
            return id(network)

    with ThreadPoolExecutor(8) as pool:
        seen = {future.result() for future in [pool.submit(use) for _ in range(8)]}
    assert len(seen) == 1 and log == ["0"]


def test_what_is_larger_than_the_budget_goes_once_nobody_uses_it() -> None:
    _, (toy,) = toys(250)
    manager = ModelManager(Device(), 500)
    with manager.use(toy), manager.use(toy):
        assert manager.resident_bytes == 1000
    assert manager.resident_bytes == 0


def test_a_network_loaded_while_sampling_can_be_trained_on_later(tmp_path: Path) -> None:
    manager = ModelManager(Device(), 2**30)
    model = Model.open(files.checkpoint(tmp_path / "a.safetensors"))
    with torch.inference_mode(), manager.use(model):
        pass
    with manager.use(model) as unet:
        x = torch.zeros(1, 4, 8, 8, requires_grad=True)
        unet(x, torch.zeros(1), context=torch.zeros(1, 8, 16)).sum().backward()
        assert x.grad is not None


@pytest.mark.gpu
def test_a_model_on_the_gpu_computes_in_half_precision_what_the_cpu_computes(tmp_path: Path) -> None:
    path = files.checkpoint(tmp_path / "a.safetensors")
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, 4, 16, 16, generator=generator)
    context = torch.randn(2, 8, 16, generator=generator)
    outputs = []
    for device in (Device(), Device("cuda:0", "fp16"), Device("cuda:0", "fp32")):
        with torch.inference_mode(), ModelManager(device, 2**30).use(Model.open(path)) as unet:
            there = device.torch_device
            outputs.append(unet(x.to(there), torch.tensor([1.0, 900.0], device=there), context=context.to(there)).cpu())
    cpu, half, single = outputs
    assert half.dtype == torch.float32
    assert (half - cpu).abs().max() <= 2e-2 * cpu.abs().max()
    assert (single - cpu).abs().max() <= 2e-3 * cpu.abs().max()  # convolutions use TF32 there
