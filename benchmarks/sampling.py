"""Samplings: what the loop costs beside the network, and what eight at once gain over one after another."""

from __future__ import annotations

import asyncio
import math
import statistics
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import torch
from torch import Tensor, nn

from benchmarks.row import Row, at_least, at_most, cpu_seconds
from engine.ldm.condition import Condition
from engine.ldm.sampling.denoisers import EpsDenoiser, Guided
from engine.ldm.sampling.drive import Sampling, begin, drive, sample
from engine.ldm.sampling.noise import initial_noise
from engine.ldm.sampling.sigmas import sampler_sigmas
from engine.ldm.schedules import NoiseSchedule
from engine.ldm.unet import UNetConfig, UNetModel
from engine.models.step_driver import StepDriver

SCHEDULE = NoiseSchedule.named("linear", 1000, 0.00085, 0.012)
STEPS, CFG_SCALE, USERS = 10, 4.0, 8
SIZES = (4, 8, 16)
"""Sides of the latents in cells: the smallest is bound by launching operations, the largest by arithmetic."""
REPEATS = 7


class Counted(nn.Module):
    """Counts the calls of a network."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network, self.calls = network, 0

    def forward(self, x: Tensor, timesteps: Tensor, context: Tensor | None = None, y: Tensor | None = None) -> Tensor:
        self.calls += 1
        return self.network(x, timesteps, context)


def rows() -> list[Row]:
    """Loop against bare loop, alone and through the driver; eight together against eight in turn at three sizes."""
    unet = make_unet()
    found = [*loop_rows(unet)]
    for size in SIZES:
        found += crowd_rows(unet, size)
    return found


def make_unet() -> UNetModel:
    """A U-Net as small as the embedded model's (10 M parameters), with random weights."""
    torch.manual_seed(0)
    unet = UNetModel(
        UNetConfig(4, 4, 64, (1, 2, 3), 1, attention_resolutions=(4,), num_head_channels=32, context_dim=128)
    )
    for parameter in unet.parameters():
        nn.init.normal_(parameter, std=0.02)
    return unet.eval().requires_grad_(False)


def loop_rows(unet: UNetModel) -> list[Row]:
    latent = torch.zeros(1, 4, 16, 16)
    sigmas = sampler_sigmas(SCHEDULE, "normal", STEPS)
    contexts = [context(0), context(1)]
    denoiser = guided(unet, *contexts)

    async def through_driver(driver: StepDriver) -> Tensor:
        return await driver.sample(begin(denoiser, SCHEDULE, sigmas, latent, 0))

    with ThreadPoolExecutor(1) as lane, asyncio.Runner() as runner:
        driver = StepDriver(lane)
        alone, driven = ratios(
            lambda: bare_loop(unet, latent, sigmas, *contexts),
            lambda: sample(denoiser, SCHEDULE, sigmas, latent, 0),
            lambda: runner.run(through_driver(driver)),
        )
    return [
        at_most("sampling loop / bare loop round the same network", "P8", alone, 1.03, "x"),
        at_most("sampling through the step driver / bare loop", "P8", driven, 1.03, "x"),
    ]


def crowd_rows(unet: UNetModel, size: int) -> list[Row]:
    """Eight samplings with prompts and seeds of their own, in turn and together."""
    counted = Counted(unet)

    def make() -> list[Sampling]:
        sigmas = sampler_sigmas(SCHEDULE, "karras", STEPS)
        zeros = torch.zeros(1, 4, size, size)
        return [begin(guided(counted, context(i), context(99)), SCHEDULE, sigmas, zeros, seed=i) for i in range(USERS)]

    def in_turn() -> list[Tensor]:
        return [latents(drive([each]))[0] for each in make()]

    def together() -> list[Tensor]:
        return latents(drive(make()))

    alone = in_turn()
    calls_alone, counted.calls = counted.calls, 0
    shared = together()
    calls_shared = counted.calls
    difference = max(float((a - b).abs().max() / b.abs().max()) for a, b in zip(shared, alone, strict=True))
    (share,) = ratios(in_turn, together)
    least = 2.3 if size == min(SIZES) else 0.97
    where = f"8 samplings, {size}x{size} latents"
    return [
        at_least(f"{where}: together / in turn, throughput", "P7", 1 / share, least, "x"),
        at_most(f"{where}: network calls", "P7", calls_shared / calls_alone, 0.25, "x"),
        at_most(f"{where}: largest difference from alone, of the largest value", "P7", difference * 1e6, 10, "1e-6"),
    ]


def bare_loop(unet: UNetModel, latent: Tensor, sigmas: Sequence[float], towards: Tensor, away: Tensor) -> Tensor:
    """Euler with guidance written straight out: what any loop must do."""
    with torch.inference_mode():
        x = latent + initial_noise(latent.shape, 0) * math.sqrt(1 + sigmas[0] ** 2)
        both = torch.cat([away, towards])
        for sigma, sigma_next in pairwise(sigmas):
            scaled = (x / math.sqrt(1 + sigma**2)).expand(2, -1, -1, -1)
            eps_away, eps = unet(scaled, torch.full((2,), float(SCHEDULE.timestep(sigma))), both).chunk(2)
            eps = eps_away + CFG_SCALE * (eps - eps_away)
            x = x + eps * (sigma_next - sigma)
        return x


def guided(network: nn.Module, towards: Tensor, away: Tensor) -> Guided:
    conditional = EpsDenoiser(network, SCHEDULE, Condition(context=towards))
    return Guided(conditional, EpsDenoiser(network, SCHEDULE, Condition(context=away)), CFG_SCALE)


def context(seed: int) -> Tensor:
    return torch.randn(1, 32, 128, generator=torch.Generator().manual_seed(seed))


def latents(outcomes: Sequence[Tensor | Exception]) -> list[Tensor]:
    return [outcome for outcome in outcomes if isinstance(outcome, Tensor)]


def ratios(base: Callable[[], object], *others: Callable[[], object]) -> list[float]:
    """CPU time of each of the others over that of the base: medians over rounds in which all take turns."""
    base()
    for each in others:
        each()
    taken: list[list[float]] = [[] for _ in others]
    for _ in range(REPEATS):
        unit = cpu_seconds(base, 1)
        for times, each in zip(taken, others, strict=True):
            times.append(cpu_seconds(each, 1) / unit)
    return [statistics.median(times) for times in taken]
