"""Driving many samplings in shared forward passes."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from engine.ldm.condition import Condition
from engine.ldm.sampling.denoisers import EpsDenoiser, Guided, Masked, X0Denoiser
from engine.ldm.sampling.drive import Sampling, begin, begin_ldm, drive, sample, sampling
from engine.ldm.sampling.noise import from_vp, initial_noise, to_vp
from engine.ldm.sampling.samplers import SAMPLERS, euler
from engine.ldm.sampling.sigmas import SCHEDULERS, ldm_sigmas, sampler_sigmas
from engine.ldm.sampling.vp import ddim, plms
from engine.ldm.schedules import NoiseSchedule
from engine.ldm.unet import UNetConfig, UNetModel

SCHEDULE = NoiseSchedule.named("linear", 1000, 0.0015, 0.0195)


class Counted(nn.Module):
    """Passes calls on to a network and keeps the number of rows of each."""

    def __init__(self, network: nn.Module, largest: int = 1000) -> None:
        super().__init__()
        self.network, self.rows, self.largest = network, list[int](), largest

    def forward(self, x: Tensor, timesteps: Tensor, context: Tensor | None = None, y: Tensor | None = None) -> Tensor:
        self.rows.append(x.shape[0])
        if x.shape[0] > self.largest:
            raise MemoryError(f"{x.shape[0]} rows do not fit")
        return self.network(x, timesteps, context=context, y=y)


def small_unet(**changes: object) -> UNetModel:
    torch.manual_seed(0)
    config = UNetConfig(3, 3, 32, (1, 2), 1, attention_resolutions=(2,), num_heads=4, context_dim=8)
    unet = UNetModel(replace(config, **changes))  # type: ignore[arg-type]
    for parameter in unet.parameters():
        nn.init.normal_(parameter, std=0.05)
    return unet.eval()


def context(seed: int, rows: int = 1) -> Tensor:
    return torch.randn(rows, 4, 8, generator=torch.Generator().manual_seed(seed))


def crowd(network: nn.Module) -> list[Sampling]:
    """Eight samplings of one shape and eight different everything else."""
    samplers = ["euler", "heun", "dpmpp_2m", "euler_ancestral", "ddim", "plms", "ddpm", "dpm_2"]
    made: list[Sampling] = []
    for i, (sampler, scheduler) in enumerate(zip(samplers, list(SCHEDULERS)[:8], strict=True)):
        towards = EpsDenoiser(network, SCHEDULE, Condition(context=context(i)))
        away = EpsDenoiser(network, SCHEDULE, Condition(context=context(100 + i)))
        sigmas = sampler_sigmas(SCHEDULE, scheduler, 6, sampler=sampler)
        made.append(
            begin(Guided(towards, away, 1.5 + i), SCHEDULE, sigmas, torch.zeros(1, 3, 8, 8), i, SAMPLERS[sampler])
        )
    return made


def latents(outcomes: list[Tensor | Exception]) -> list[Tensor]:
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome
    return [outcome for outcome in outcomes if isinstance(outcome, Tensor)]


def test_eight_samplings_share_their_calls_and_get_what_each_gets_alone() -> None:
    unet = small_unet()
    alone, shared = Counted(unet), Counted(unet)
    expected = [latents(drive([each]))[0] for each in crowd(alone)]
    together = latents(drive(crowd(shared)))
    assert len(shared.rows) <= 0.25 * len(alone.rows)
    for one, other in zip(together, expected, strict=True):
        assert (one - other).abs().max() <= 1e-5 * other.abs().max()


def test_no_pass_has_more_rows_than_allowed() -> None:
    network = Counted(small_unet())
    latents(drive(crowd(network), max_rows=6))
    assert max(network.rows) == 6


def test_large_latents_are_passed_a_pair_at_a_time_on_the_cpu() -> None:
    rows: list[int] = []

    def network(x: Tensor, timesteps: Tensor, context: Tensor | None = None, y: Tensor | None = None) -> Tensor:
        rows.append(x.shape[0])
        return x

    guided = Guided(EpsDenoiser(network, SCHEDULE), EpsDenoiser(network, SCHEDULE), 2.0)
    for side, most in ((16, 16), (32, 8), (64, 2), (256, 2)):
        rows.clear()
        latent = torch.zeros(1, 1, side, side)
        latents(drive([begin(guided, SCHEDULE, [1.0, 0.0], latent, seed) for seed in range(8)]))
        assert rows == [most] * (16 // most)


def test_a_crowd_too_large_for_memory_is_halved() -> None:
    unet = small_unet()
    expected = latents(drive(crowd(unet)))
    network = Counted(unet, largest=4)
    for one, other in zip(latents(drive(crowd(network))), expected, strict=True):
        assert (one - other).abs().max() <= 1e-5 * other.abs().max()


def test_a_sampling_at_fault_fails_alone() -> None:
    unet = small_unet()
    latent = torch.zeros(1, 3, 8, 8)
    sigmas = ldm_sigmas(SCHEDULE, 4)

    def one(width: int) -> Sampling:
        condition = Condition(context=torch.zeros(1, 4, width))
        return begin(EpsDenoiser(unet, SCHEDULE, condition), SCHEDULE, sigmas, latent, 0, ddim)

    def refuse(step: int, x: Tensor, denoised: Tensor) -> None:
        raise RuntimeError("stop here")

    angry = begin(EpsDenoiser(unet, SCHEDULE, Condition(context=context(1))), SCHEDULE, sigmas, latent, 0, ddim, refuse)
    good, wrong, raising, also_good = drive([one(8), one(7), angry, one(8)])
    assert isinstance(wrong, RuntimeError) and isinstance(raising, RuntimeError)
    assert isinstance(good, Tensor) and isinstance(also_good, Tensor)
    torch.testing.assert_close(good, also_good)


def test_shapes_that_differ_are_passed_apart() -> None:
    network = Counted(small_unet())
    denoiser = EpsDenoiser(network, SCHEDULE, Condition(context=context(0)))
    sigmas = sampler_sigmas(SCHEDULE, "karras", 3)
    shapes = [(1, 3, 8, 8), (2, 3, 8, 8), (1, 3, 8, 16)]
    out = latents(drive([begin(denoiser, SCHEDULE, sigmas, torch.zeros(shape), 3) for shape in shapes]))
    assert [tuple(each.shape) for each in out] == shapes
    assert sorted(network.rows) == [1] * 3 + [3] * 3


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_sampler_takes_a_batch_and_ends_at_the_denoised_latent(name: str) -> None:
    """Where the network always answers with the same latent, that latent is what comes out."""
    # in float64: two steps from sigma 13 to 0.04 blow rounding up by their ratio
    target = torch.randn(3, 2, 4, 4, generator=torch.Generator().manual_seed(5), dtype=torch.float64)

    def network(x: Tensor, timesteps: Tensor, context: Tensor | None = None, y: Tensor | None = None) -> Tensor:
        return target

    for steps in (1, 2, 9):
        sigmas = sampler_sigmas(SCHEDULE, "karras", steps, sampler=name)
        out = sample(X0Denoiser(network, SCHEDULE), SCHEDULE, sigmas, torch.zeros_like(target), 7, SAMPLERS[name])
        torch.testing.assert_close(out, target, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize(
    ("name", "order"), [("euler", 1), ("ddim", 1), ("heun", 2), ("dpm_2", 2), ("dpmpp_2m", 2), ("lms", 3)]
)
def test_solvers_converge_as_fast_as_their_order(name: str, order: int) -> None:
    """For data spread as N(0, 1/4) the clean latent is x / (1 + 4 sigma^2), and x follows sqrt(1/4 + sigma^2)."""

    def denoiser(x: Tensor, sigma: float):
        return x / (1 + 4 * sigma**2)
        yield

    def error(steps: int) -> float:
        sigmas = [8.0 * (0.5 / 8.0) ** (i / steps) for i in range(steps + 1)]
        start = torch.full((1, 1, 1, 1), (0.25 + sigmas[0] ** 2) ** 0.5, dtype=torch.float64)
        (out,) = latents(drive([sampling(SAMPLERS[name](start, sigmas, lambda: start), denoiser)]))
        exact = (0.25 + sigmas[-1] ** 2) ** 0.5
        return abs(out.item() - exact)

    rate = error(40) / error(80)
    assert rate > 0.8 * 2**order


def test_the_same_seed_gives_the_same_latent_and_another_seed_another() -> None:
    denoiser = EpsDenoiser(small_unet(), SCHEDULE, Condition(context=context(0)))
    sigmas = sampler_sigmas(SCHEDULE, "normal", 4)
    latent = torch.zeros(1, 3, 8, 8)
    first, second, other = (
        sample(denoiser, SCHEDULE, sigmas, latent, seed, SAMPLERS["euler_ancestral"]) for seed in (1, 1, 2)
    )
    assert torch.equal(first, second)
    assert not torch.allclose(first, other)


def test_without_sigmas_the_latent_stays() -> None:
    latent = torch.randn(1, 3, 8, 8)
    denoiser = EpsDenoiser(small_unet(), SCHEDULE)
    assert torch.equal(sample(denoiser, SCHEDULE, [], latent, 0), latent)
    assert torch.equal(sample(denoiser, SCHEDULE, [3.0], latent, 0), latent)


def test_ldms_way_starts_from_pure_noise_and_ends_in_x_t() -> None:
    denoiser = EpsDenoiser(small_unet(), SCHEDULE, Condition(context=context(0)))
    sigmas = ldm_sigmas(SCHEDULE, 5)
    (out,) = latents(drive([begin_ldm(denoiser, SCHEDULE, sigmas, torch.zeros(1, 3, 8, 8), 3, ddim)]))
    x_t = initial_noise((1, 3, 8, 8), 3)
    start = from_vp(x_t, sigmas[0])
    (expected,) = latents(drive([sampling(ddim(start, sigmas, torch.Tensor), denoiser)]))
    torch.testing.assert_close(out, to_vp(expected, sigmas[-1]))


def test_ldms_way_noises_a_picture_by_the_forward_process() -> None:
    """With one step down to sigma 0 of a network that sees no noise, the noised picture itself comes out."""
    latent = torch.randn(1, 3, 8, 8, generator=torch.Generator().manual_seed(2))
    sigma = SCHEDULE.sigmas[400]

    def network(x: Tensor, timesteps: Tensor, context: Tensor | None = None, y: Tensor | None = None) -> Tensor:
        return torch.zeros_like(x)

    (out,) = latents(drive([begin_ldm(EpsDenoiser(network, SCHEDULE), SCHEDULE, [sigma, 0.0], latent, 4)]))
    noised = SCHEDULE.add_noise(latent, torch.tensor([400]), initial_noise(latent.shape, 4))
    torch.testing.assert_close(to_vp(out, sigma), noised)


@pytest.mark.parametrize("sampler", [ddim, plms, partial(ddim, eta=1.0)])
def test_hybrid_conditions_are_sampled_with_guidance(sampler) -> None:
    """The original crashes here (a dict of lists has no shape; guidance concatenates tensors only)."""
    network = Counted(small_unet(in_channels=5))
    concat = torch.randn(1, 2, 8, 8, generator=torch.Generator().manual_seed(8))
    towards = EpsDenoiser(network, SCHEDULE, Condition(concat=concat, context=context(0)))
    away = EpsDenoiser(network, SCHEDULE, Condition(concat=concat, context=context(1)))
    latent = torch.zeros(2, 3, 8, 8)
    sigmas = ldm_sigmas(SCHEDULE, 5)

    guided = sample(Guided(towards, away, 3.0), SCHEDULE, sigmas, latent, 0, sampler)
    assert guided.shape == latent.shape and guided.isfinite().all()
    assert set(network.rows) == {4}
    # guidance of 1 is the condition alone, of 0 none
    only = sample(Guided(towards, away, 1.0), SCHEDULE, sigmas, latent, 0, sampler)
    torch.testing.assert_close(only, sample(towards, SCHEDULE, sigmas, latent, 0, sampler))
    assert not torch.allclose(guided, only, rtol=1e-3)
    other = EpsDenoiser(network, SCHEDULE, Condition(concat=-concat, context=context(0)))
    assert not torch.allclose(sample(other, SCHEDULE, sigmas, latent, 0, sampler), only, rtol=1e-3)


def test_a_mask_keeps_what_it_covers() -> None:
    denoiser = EpsDenoiser(small_unet(), SCHEDULE, Condition(context=context(0)))
    latent = torch.randn(1, 3, 8, 8, generator=torch.Generator().manual_seed(2))
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., 4:] = 1
    masked = Masked(denoiser, mask, latent, initial_noise(latent.shape, 0))
    out = sample(masked, SCHEDULE, sampler_sigmas(SCHEDULE, "karras", 5), latent, 0, euler)
    torch.testing.assert_close(out[..., :4], latent[..., :4])
    assert not torch.allclose(out[..., 4:], latent[..., 4:], rtol=0.1)


def test_a_class_and_a_vector_condition_reach_the_network() -> None:
    unet = small_unet(context_dim=None, num_classes=5)
    sigmas = sampler_sigmas(SCHEDULE, "karras", 3)
    latent = torch.zeros(1, 3, 8, 8)
    first, second = (
        sample(EpsDenoiser(unet, SCHEDULE, Condition(y=torch.tensor([c]))), SCHEDULE, sigmas, latent, 0) for c in (1, 2)
    )
    assert not torch.allclose(first, second)
    both = latents(
        drive(
            begin(EpsDenoiser(unet, SCHEDULE, Condition(y=torch.tensor([c]))), SCHEDULE, sigmas, latent, 0)
            for c in (1, 2)
        )
    )
    torch.testing.assert_close(both, [first, second])


@pytest.mark.gpu
def test_the_gpu_samples_what_the_cpu_samples() -> None:
    unet = small_unet()
    sigmas = sampler_sigmas(SCHEDULE, "karras", 8)

    def on(device: str) -> Tensor:
        denoiser = EpsDenoiser(unet.to(device), SCHEDULE, Condition(context=context(0).to(device)))
        latent = torch.zeros(1, 3, 16, 16, device=device)
        return sample(denoiser, SCHEDULE, sigmas, latent, 5, SAMPLERS["euler_ancestral"]).cpu()

    cpu = on("cpu")
    # convolutions use TF32 there, and eight steps add up
    assert (on("cuda") - cpu).abs().max() <= 1e-2 * cpu.abs().max()
