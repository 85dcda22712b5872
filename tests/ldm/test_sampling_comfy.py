"""Samplers, guidance, masks and noise against what ComfyUI computed with its tiny Stable Diffusion."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.ldm.condition import Condition
from engine.ldm.sampling.denoisers import EpsDenoiser, Guided, Masked, VDenoiser
from engine.ldm.sampling.drive import sample
from engine.ldm.sampling.noise import SeededNoise, initial_noise
from engine.ldm.sampling.samplers import SAMPLERS
from engine.ldm.sampling.sigmas import sampler_sigmas
from engine.ldm.unet import UNetModel
from tests.ldm import comfy
from tests.ldm.comfy import SCALE_FACTOR, SD_SCHEDULE, assert_relative

SEED, STEPS, CFG = 42, 8, 7.0
DETERMINISTIC = ["euler", "heun", "dpm_2", "lms", "dpmpp_2m", "ddim"]
STOCHASTIC = ["euler_ancestral", "dpm_2_ancestral", "dpmpp_2s_ancestral", "ddpm"]
NOTHING = torch.zeros(1, 4, 16, 16)


@pytest.fixture(scope="module")
def unet() -> UNetModel:
    return comfy.unet()


def guided(unet: UNetModel, cfg: float = CFG, kind: type[EpsDenoiser] | type[VDenoiser] = EpsDenoiser) -> Guided:
    cond = comfy.tensors("cond")
    towards = kind(unet, SD_SCHEDULE, Condition(context=cond["positive"]))
    return Guided(towards, kind(unet, SD_SCHEDULE, Condition(context=cond["negative"])), cfg)


def sigmas_of(sampler: str, scheduler: str, denoise: float = 1.0) -> list[float]:
    return sampler_sigmas(SD_SCHEDULE, scheduler, STEPS, denoise, sampler)


@pytest.mark.parametrize("scheduler", ["normal", "karras", "sgm_uniform", "simple"])
@pytest.mark.parametrize("name", DETERMINISTIC + STOCHASTIC)
def test_samplers_make_comfyuis_latents(unet: UNetModel, name: str, scheduler: str) -> None:
    sigmas = sigmas_of(name, scheduler)
    out = sample(guided(unet), SD_SCHEDULE, sigmas, NOTHING, SEED, SAMPLERS[name])
    # the latents of random weights grow to a spread of 100 and with them the rounding; ancestral steps add to it
    tolerance = 1e-3 if name in STOCHASTIC else 1e-4
    assert_relative(out / SCALE_FACTOR, comfy.tensors("samples")[f"{name}/{scheduler}"], tolerance)


@pytest.mark.parametrize(("name", "scheduler"), [("euler", "normal"), ("heun", "normal"), ("dpmpp_2m", "karras")])
def test_samplers_pass_through_comfyuis_states(unet: UNetModel, name: str, scheduler: str) -> None:
    reference = comfy.tensors("trajectories")
    seen: list[tuple[Tensor, Tensor]] = []
    sample(
        guided(unet), SD_SCHEDULE, sigmas_of(name, scheduler), NOTHING, SEED, SAMPLERS[name],
        on_step=lambda step, x, denoised: seen.append((x, denoised)),
    )  # fmt: skip
    assert len(seen) == STEPS
    for step, (x, denoised) in enumerate(seen):
        assert_relative(x, reference[f"{name}/{scheduler}/{step}/x"], 1e-4)
        assert_relative(denoised, reference[f"{name}/{scheduler}/{step}/denoised"], 1e-4)


@pytest.mark.parametrize("denoise", [0.5, 0.75, 1.0])
@pytest.mark.parametrize(
    ("name", "scheduler"), [("euler", "normal"), ("dpmpp_2m", "karras"), ("dpm_2", "normal"), ("ddim", "ddim_uniform")]
)
def test_a_picture_is_changed_as_comfyui_changes_it(unet: UNetModel, name: str, scheduler: str, denoise: float) -> None:
    reference = comfy.tensors("img2img")
    latent = reference["latent"] * SCALE_FACTOR
    out = sample(guided(unet), SD_SCHEDULE, sigmas_of(name, scheduler, denoise), latent, SEED, SAMPLERS[name])
    assert_relative(out / SCALE_FACTOR, reference[f"{name}/{scheduler}/denoise{denoise}"], 1e-4)


@pytest.mark.parametrize("denoise", [0.5, 1.0])
@pytest.mark.parametrize(
    ("name", "scheduler"),
    [("euler", "normal"), ("dpmpp_2m", "karras"), ("euler_ancestral", "normal"), ("ddim", "normal")],
)
def test_a_mask_repaints_what_comfyui_repaints(unet: UNetModel, name: str, scheduler: str, denoise: float) -> None:
    reference = comfy.tensors("inpaint")
    mask = F.interpolate(reference["mask"], size=(16, 16), mode="bilinear")
    torch.testing.assert_close(mask.expand(1, 4, -1, -1), reference["mask_in_latent_space"])
    out = repaint(unet, mask, name, scheduler, denoise)
    assert_relative(out, reference[f"{name}/{scheduler}/denoise{denoise}"], 1e-3 if name in STOCHASTIC else 1e-4)


def test_a_soft_mask_blends_as_comfyui_blends(unet: UNetModel) -> None:
    mask = 0.5 * F.interpolate(comfy.tensors("inpaint")["mask"], size=(16, 16), mode="bilinear")
    out = repaint(unet, mask, "euler", "normal", 1.0)
    assert_relative(out, comfy.tensors("inpaint")["euler/normal/soft/denoise1.0"], 1e-4)


def repaint(unet: UNetModel, mask: Tensor, name: str, scheduler: str, denoise: float) -> Tensor:
    latent = comfy.tensors("vae")["encoded"] * SCALE_FACTOR
    # "ddim" draws noise of its own for the kept part
    noise = initial_noise(latent.shape, SEED + 1 if name == "ddim" else SEED)
    masked = Masked(guided(unet), mask, latent, noise)
    out = sample(masked, SD_SCHEDULE, sigmas_of(name, scheduler, denoise), latent, SEED, SAMPLERS[name])
    return out / SCALE_FACTOR


@pytest.mark.parametrize("cfg", [0, 1])
def test_guidance_of_zero_and_one(unet: UNetModel, cfg: int) -> None:
    out = sample(guided(unet, cfg), SD_SCHEDULE, sigmas_of("euler", "normal"), NOTHING, SEED)
    assert_relative(out / SCALE_FACTOR, comfy.tensors("advanced")[f"cfg{cfg}/euler/normal"], 1e-4)


@pytest.mark.parametrize("name", ["euler", "euler_ancestral"])
def test_a_batch_of_three(unet: UNetModel, name: str) -> None:
    nothing = torch.zeros(3, 4, 16, 16)
    out = sample(guided(unet), SD_SCHEDULE, sigmas_of(name, "normal"), nothing, SEED, SAMPLERS[name])
    expected = comfy.tensors("advanced")[f"batch3/{name}/normal"]
    assert_relative(out / SCALE_FACTOR, expected, 1e-3 if name in STOCHASTIC else 1e-4)


def test_a_latent_that_is_not_square(unet: UNetModel) -> None:
    out = sample(guided(unet), SD_SCHEDULE, sigmas_of("euler", "normal"), torch.zeros(1, 4, 24, 16), SEED)
    assert_relative(out / SCALE_FACTOR, comfy.tensors("advanced")["size24x16/euler/normal"], 1e-4)


def test_a_network_that_predicts_v(unet: UNetModel) -> None:
    out = sample(guided(unet, kind=VDenoiser), SD_SCHEDULE, sigmas_of("euler", "normal"), NOTHING, SEED)
    assert_relative(out / SCALE_FACTOR, comfy.tensors("advanced")["vpred_zsnrFalse/euler/normal"], 1e-4)


def test_prompts_of_different_lengths_guide_together(unet: UNetModel) -> None:
    cond = comfy.tensors("cond")
    longer = comfy.tensors("advanced")["cond/concat/tensor"]
    towards = EpsDenoiser(unet, SD_SCHEDULE, Condition(context=longer))
    away = EpsDenoiser(unet, SD_SCHEDULE, Condition(context=cond["negative"]))
    out = sample(Guided(towards, away, CFG), SD_SCHEDULE, sigmas_of("euler", "normal"), NOTHING, SEED)
    assert_relative(out / SCALE_FACTOR, comfy.tensors("advanced")["cond/concat/euler/normal"], 1e-4)


@pytest.mark.parametrize("seed", [0, 1, 42, 2**32, 2**63, 2**64 - 1])
def test_noise_is_comfyuis_for_every_seed(seed: int) -> None:
    assert torch.equal(initial_noise((1, 4, 16, 16), seed), comfy.tensors("noise")[f"prepare/{seed}"])


def test_noise_of_a_batch_and_of_some_of_its_rows() -> None:
    reference = comfy.tensors("noise")
    assert torch.equal(initial_noise((3, 4, 16, 16), 42), reference["prepare_batch3/42"])
    assert torch.equal(initial_noise((2, 4, 16, 16), 42, batch_index=[0, 2]), reference["prepare_batch_index_0_2/42"])


def test_noise_between_steps_is_comfyuis() -> None:
    reference = comfy.tensors("noise")
    fresh = SeededNoise(NOTHING, 42)
    for i in range(4):
        assert torch.equal(fresh(), reference[f"default_noise_sampler/42/call{i}"])
