"""The async driver: joining, leaving, failing, sharing the lane."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from engine.errors import Cancelled, OutOfMemory
from engine.ldm.condition import Condition
from engine.ldm.sampling.denoisers import EpsDenoiser
from engine.ldm.sampling.drive import OnStep, Sampling, begin, sample
from engine.ldm.sampling.sigmas import sampler_sigmas
from engine.models.device import Device, Fence
from engine.models.handles import Model
from engine.models.manager import ModelManager
from engine.models.step_driver import StepDriver
from tests.models import files

SCHEDULE = files.CONFIG.schedule()
STEPS = 6


@pytest.fixture
def lane() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


class Watched(nn.Module):
    """Passes calls on and keeps the rows of each; `before` is called first with their count."""

    def __init__(self, network: nn.Module, before: Callable[[int], None] | None = None) -> None:
        super().__init__()
        self.network, self.before, self.rows = network, before, list[int]()

    def forward(self, x: Tensor, timesteps: Tensor, context: Tensor | None = None, y: Tensor | None = None) -> Tensor:
        self.rows.append(len(x))
        if self.before:
            self.before(len(x))
        return self.network(x, timesteps, context=context)


@pytest.fixture(scope="module")
def unet(tmp_path_factory: pytest.TempPathFactory) -> nn.Module:
    return Model.open(files.checkpoint(tmp_path_factory.mktemp("models") / "a.safetensors")).build(Device())


def one(network: nn.Module, seed: int = 0, steps: int = STEPS, on_step: OnStep | None = None) -> Sampling:
    context = torch.randn(1, 8, 16, generator=torch.Generator().manual_seed(seed))
    denoiser = EpsDenoiser(network, SCHEDULE, Condition(context=context))
    sigmas = sampler_sigmas(SCHEDULE, "normal", steps)
    return begin(denoiser, SCHEDULE, sigmas, torch.zeros(1, 4, 8, 8), seed, on_step=on_step)


def alone(network: nn.Module, seed: int = 0, steps: int = STEPS) -> Tensor:
    context = torch.randn(1, 8, 16, generator=torch.Generator().manual_seed(seed))
    denoiser = EpsDenoiser(network, SCHEDULE, Condition(context=context))
    sigmas = sampler_sigmas(SCHEDULE, "normal", steps)
    return sample(denoiser, SCHEDULE, sigmas, torch.zeros(1, 4, 8, 8), seed)


async def test_samplings_at_the_same_time_share_every_pass(lane: Executor, unet: nn.Module) -> None:
    network = Watched(unet)
    driver = StepDriver(lane)
    results = await asyncio.gather(*(driver.sample(one(network, seed)) for seed in range(4)))
    assert network.rows == [4] * STEPS
    for seed, result in enumerate(results):
        torch.testing.assert_close(result, alone(unet, seed), rtol=1e-5, atol=1e-4)
        assert not result.is_inference()


async def test_a_sampling_that_comes_later_joins_at_the_next_step(lane: Executor, unet: nn.Module) -> None:
    network = Watched(unet)
    driver = StepDriver(lane)
    loop = asyncio.get_running_loop()
    second: list[asyncio.Task[Tensor]] = []

    def join(step: int, x: Tensor, denoised: Tensor) -> None:
        if step == 1:
            joined = asyncio.run_coroutine_threadsafe(start(), loop)
            joined.result()

    async def start() -> None:
        second.append(asyncio.create_task(driver.sample(one(network, 1))))
        await asyncio.sleep(0)

    first = await driver.sample(one(network, 0, on_step=join))
    result = await second[0]
    assert network.rows == [1, 1, 2, 2, 2, 2, 1, 1]
    torch.testing.assert_close(first, alone(unet, 0), rtol=1e-5, atol=1e-4)
    torch.testing.assert_close(result, alone(unet, 1), rtol=1e-5, atol=1e-4)


async def test_a_cancelled_sampling_stops_after_one_call_and_leaves_the_others(lane: Executor, unet: nn.Module) -> None:
    network = Watched(unet)
    stop: list[int] = []

    def ask(step: int, x: Tensor, denoised: Tensor) -> None:
        if step == 2:
            stop.append(step)

    driver = StepDriver(lane)
    stopped, other = await asyncio.gather(
        driver.sample(one(network, 0, on_step=ask), cancelled=lambda: bool(stop)),
        driver.sample(one(network, 1)),
        return_exceptions=True,
    )
    assert isinstance(stopped, Cancelled)
    assert network.rows == [2, 2, 2, 1, 1, 1]
    assert isinstance(other, Tensor)
    torch.testing.assert_close(other, alone(unet, 1), rtol=1e-5, atol=1e-4)


async def test_a_waiter_that_the_loop_cancels_ends_its_sampling(lane: Executor, unet: nn.Module) -> None:
    network = Watched(unet)
    driver = StepDriver(lane)
    loop = asyncio.get_running_loop()
    reached = asyncio.Event()
    task = asyncio.create_task(
        driver.sample(one(network, 0, 500, lambda step, x, d: loop.call_soon_threadsafe(reached.set) and None))
    )
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await driver.sample(one(network, 1))
    assert len(network.rows) < 100


async def test_a_failing_sampling_leaves_the_others(lane: Executor, unet: nn.Module) -> None:
    def refuse(step: int, x: Tensor, denoised: Tensor) -> None:
        raise ValueError("no")

    driver = StepDriver(lane)
    failed, other = await asyncio.gather(
        driver.sample(one(unet, 0, on_step=refuse)), driver.sample(one(unet, 1)), return_exceptions=True
    )
    assert isinstance(failed, ValueError)
    assert isinstance(other, Tensor)
    torch.testing.assert_close(await driver.sample(one(unet, 2)), alone(unet, 2))


async def test_other_work_on_the_lane_comes_between_two_steps(lane: Executor, unet: nn.Module) -> None:
    order: list[str] = []
    network = Watched(unet, lambda rows: order.append("step"))
    loop = asyncio.get_running_loop()

    def queue(step: int, x: Tensor, denoised: Tensor) -> None:
        if step == 1:
            lane.submit(order.append, "decode")

    await StepDriver(lane).sample(one(network, 0, on_step=queue))
    assert loop.is_running()
    assert order == ["step"] * 2 + ["decode"] + ["step"] * 4


async def test_a_sampling_brings_its_model_and_lets_it_go(lane: Executor, tmp_path: Path) -> None:
    manager = ModelManager(Device(), 0)
    model = Model.open(files.checkpoint(tmp_path / "a.safetensors"))
    resident: list[int] = []

    def with_model(seed: int) -> Sampling:
        with manager.use(model) as network:
            return (yield from one(network, seed, on_step=lambda *_: resident.append(manager.resident_bytes)))

    driver = StepDriver(lane, relieve=manager.relieve, after_step=Fence(Device()))
    results = await asyncio.gather(*(driver.sample(with_model(seed)) for seed in range(2)))
    assert len(set(resident)) == 1 and resident[0] > 0  # one copy for both
    assert manager.resident_bytes == 0
    torch.testing.assert_close(results[1], alone(model.build(Device()), 1), rtol=1e-5, atol=1e-4)


async def test_running_out_of_memory_is_said_in_figures_and_the_next_sampling_works(
    lane: Executor, tmp_path: Path
) -> None:
    manager = ModelManager(Device(), 2**30)
    model = Model.open(files.checkpoint(tmp_path / "a.safetensors"))
    calls: list[int] = []

    def too_large(rows: int) -> None:
        calls.append(rows)
        raise torch.OutOfMemoryError("CUDA out of memory")

    def hungry() -> Sampling:
        with manager.use(model) as network:
            return (yield from one(Watched(network, too_large)))

    driver = StepDriver(lane, relieve=manager.relieve)
    with pytest.raises(OutOfMemory, match=r"the model a\.safetensors needs more memory to compute, cpu has .* free"):
        await driver.sample(hungry())
    assert calls == [1, 1]  # tried again once there was room
    torch.testing.assert_close(await driver.sample(one(model.build(Device()), 3)), alone(model.build(Device()), 3))


async def test_a_lane_that_is_gone_fails_the_sampling(unet: nn.Module) -> None:
    lane = ThreadPoolExecutor(1)
    lane.shutdown()
    with pytest.raises(RuntimeError, match="shutdown"):
        await StepDriver(lane).sample(one(unet))
