"""DDIM, PLMS and ancestral sampling against the original, in every mode of conditioning."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import Tensor

from engine.ldm.autoencoder import VQModel
from engine.ldm.condition import Condition
from engine.ldm.sampling.denoisers import Corrected, EpsDenoiser, Guided
from engine.ldm.sampling.noise import to_vp
from engine.ldm.sampling.samplers import SAMPLERS, euler, euler_ancestral
from engine.ldm.sampling.sigmas import ldm_sigmas
from engine.ldm.sampling.vp import KeepKnown, ddim, ddpm, plms, with_posterior
from engine.ldm.schedules import NoiseSchedule
from tests.ldm import fixtures, reference
from tests.ldm.fixtures import assert_close
from tests.ldm.reference import denoiser, replay, run

VQ, KL, TEXT = "ldm_uncond_vq", "ldm_uncond_kl_scale_by_std", "ldm_txt2img_bert"


class Watch:
    """Keeps the denoised latents of each step."""

    def __init__(self) -> None:
        self.xs: list[Tensor] = []
        self.denoised: list[Tensor] = []

    def __call__(self, step: int, x: Tensor, denoised: Tensor) -> None:
        assert step == len(self.denoised)
        self.xs.append(x)
        self.denoised.append(denoised)


def check_ddim(name: str, key: str, denoise: EpsDenoiser | Guided, steps: int, eta: float = 0.0) -> None:
    io = fixtures.io(name)
    noise = replay(io[f"{key}.noise"]) if eta else reference.no_noise
    sigmas = ldm_sigmas(reference.config(name).schedule(), steps)
    watch = Watch()
    out = run(denoise, partial(ddim, eta=eta), io[f"{key}.x_T"], sigmas, noise, watch)
    assert_close(out, io[f"{key}.out"])
    assert_close(watch.denoised[-1], io[f"{key}.pred_x0_last"])
    if f"{key}.x_inter" in io:
        for sigma, x, expected in zip(sigmas, watch.xs, io[f"{key}.x_inter"], strict=False):
            assert_close(x / (1 + sigma**2) ** 0.5, expected)


@pytest.mark.parametrize("name", [VQ, KL])
@pytest.mark.parametrize("eta", [0, 1])
def test_ddim_in_ten_steps(name: str, eta: int) -> None:
    check_ddim(name, f"ddim.S10.eta{eta}", denoiser(name), 10, eta)


@pytest.mark.parametrize("eta", [0, 1])
def test_ddim_in_twenty_five_steps(eta: int) -> None:
    check_ddim(VQ, f"ddim.S25.eta{eta}", denoiser(VQ), 25, eta)


def test_ddim_on_a_latent_that_is_not_square() -> None:
    check_ddim(VQ, "ddim_wide.S10.eta0", denoiser(VQ), 10)


def test_ddim_with_averaged_weights() -> None:
    check_ddim(VQ, "ema.ddim.S10.eta0", denoiser(VQ, ema=True), 10)


def test_ddim_with_latents_snapped_to_the_codebook() -> None:
    io = fixtures.io(VQ)
    first_stage = reference.config(VQ).first_stage
    assert first_stage is not None
    vq = VQModel(first_stage)
    prefix = "first_stage_model."
    vq.load_state_dict({k.removeprefix(prefix): v for k, v in fixtures.weights(VQ).items() if k.startswith(prefix)})
    sigmas = ldm_sigmas(reference.config(VQ).schedule(), 10)
    sampler = partial(ddim, eta=1.0, correct_x0=lambda x0: vq.quantize(x0).quantized)
    out = run(denoiser(VQ), sampler, io["ddim.S10.eta1.x_T"], sigmas, replay(io["ddim.S10.eta1.noise"]))
    assert_close(out, io["ddim_quant.S10.eta1.out"])


def test_ddim_keeps_what_the_original_keeps_under_a_mask() -> None:
    io = fixtures.io(VQ)
    keep = KeepKnown(io["z"], io["ddim_mask.S10.eta1.mask"], replay(io["ddim_mask.S10.eta1.q_noise"]))
    sigmas = ldm_sigmas(reference.config(VQ).schedule(), 10)
    sampler = partial(ddim, eta=1.0, before_step=keep)
    out = run(denoiser(VQ), sampler, io["ddim.S10.eta1.x_T"], sigmas, replay(io["ddim.S10.eta1.noise"]))
    assert_close(out, io["ddim_mask.S10.eta1.out"])


@pytest.mark.parametrize("eta", [0, 1])
def test_ddim_is_euler_with_the_same_eta_in_another_space(eta: int) -> None:
    io = fixtures.io(VQ)
    sigmas = ldm_sigmas(reference.config(VQ).schedule(), 10)
    key = f"ddim.S10.eta{eta}"
    if eta:
        out = run(denoiser(VQ), euler_ancestral, io[f"{key}.x_T"], sigmas, replay(io[f"{key}.noise"]))
    else:
        out = run(denoiser(VQ), euler, io[f"{key}.x_T"], sigmas)
    assert_close(out, io[f"{key}.out"])


@pytest.mark.parametrize(("name", "last"), [(VQ, 12), (KL, 12), (TEXT, 10)])
def test_the_end_of_the_ancestral_chain(name: str, last: int) -> None:
    io = fixtures.io(name)
    key = f"p_sample.last{last}"
    condition = Condition(context=io["c"]) if name == TEXT else Condition()
    sigmas = [*reversed(reference.config(name).schedule().sigmas[:last]), 0.0]
    out = run(denoiser(name, condition), ddpm, io[f"{key}.x_T"], sigmas, replay(io[f"{key}.noise"]))
    assert_close(out, io[f"{key}.out"])
    first = run(denoiser(name, condition), ddpm, io[f"{key}.x_T"], sigmas[:2], replay(io[f"{key}.noise"]))
    assert_close(first, io[f"{key}.after_first"])


def test_the_ancestral_chain_keeps_what_the_original_keeps_under_a_mask() -> None:
    io = fixtures.io(VQ)
    key = "p_sample_mask.last6"
    keep = KeepKnown(io["z"], io["ddim_mask.S10.eta1.mask"], replay(io[f"{key}.q_noise"]))
    sigmas = [*reversed(reference.config(VQ).schedule().sigmas[:6]), 0.0]
    noise = replay(io[f"{key}.noise"])
    out = run(denoiser(VQ), partial(ddpm, after_step=keep), io[f"{key}.x_T"], sigmas, noise)
    assert_close(out, io[f"{key}.out"])


def test_the_whole_chain_in_pixels_with_clamping() -> None:
    name = "ddpm_pixel_eps"
    io = fixtures.io(name)
    schedule = reference.config(name).schedule()
    sigmas = [*reversed(schedule.sigmas), 0.0]
    clamped = Corrected(denoiser(name), lambda x0: x0.clamp(-1, 1))
    watch = Watch()
    out = run(clamped, ddpm, io["chain.x_T"], sigmas, replay(io["chain.noise"]), watch)
    assert_close(out, io["chain.x"][-1])
    for sigma, x, expected in zip(sigmas[1:], watch.xs[1:], io["chain.x"], strict=False):
        assert_close(x / (1 + sigma**2) ** 0.5, expected)


def test_the_posterior_in_pixels() -> None:
    io = fixtures.io("ddpm_pixel_eps")
    mean, log_variance = reference.config("ddpm_pixel_eps").schedule().posterior(io["x"], io["noise"], io["t"])
    assert_close(mean, io["q_posterior.mean"])
    assert_close(log_variance, io["q_posterior.logvar"])


@pytest.mark.parametrize(("steps", "eta"), [(10, 0), (10, 1), (45, 0)])
def test_text_to_image_with_guidance(steps: int, eta: int) -> None:
    io = fixtures.io(TEXT)
    check_ddim(TEXT, f"ddim.S{steps}.eta{eta}.cfg5", guided_by_text(io), steps, eta)


@pytest.mark.parametrize("steps", [10, 50])
def test_plms_with_guidance(steps: int) -> None:
    io = fixtures.io(TEXT)
    key = f"plms.S{steps}.cfg5"
    watch = Watch()
    sigmas = ldm_sigmas(reference.config(TEXT).schedule(), steps)
    out = run(guided_by_text(io), plms, io[f"{key}.x_T"], sigmas, on_step=watch)
    assert_close(out, io[f"{key}.out"])
    for sigma, x, expected in zip(sigmas, watch.xs, io.get(f"{key}.x_inter", ()), strict=False):
        assert_close(x / (1 + sigma**2) ** 0.5, expected)


def test_plms_without_guidance() -> None:
    io = fixtures.io(KL)
    sigmas = ldm_sigmas(reference.config(KL).schedule(), 20)
    assert_close(run(denoiser(KL), plms, io["plms.S20.x_T"], sigmas), io["plms.S20.out"])


def guided_by_text(io: fixtures.Tensors) -> Guided:
    schedule, network = reference.config(TEXT).schedule(), reference.unet(TEXT)
    towards = EpsDenoiser(network, schedule, Condition(context=io["c"]))
    away = EpsDenoiser(network, schedule, Condition(context=io["uc"]))
    return Guided(towards, away, 5.0)


@pytest.mark.parametrize(
    ("name", "key", "steps", "eta", "condition"),
    [
        ("ldm_superres_concat", "ddim.S10.eta1", 10, 1, lambda io: Condition(concat=io["c"])),
        ("ldm_inpaint_concat", "ddim.S10.eta0", 10, 0, lambda io: Condition(concat=io["c"])),
        ("ldm_semantic_concat", "ddim.S20.eta1", 20, 1, lambda io: Condition(concat=io["c"])),
        ("ldm_adm", "ddim.S10.eta0", 10, 0, lambda io: Condition(y=io["y"])),
        ("ldm_layout_bbox", "ddim.S20.eta0", 20, 0, lambda io: Condition(context=io["c"])),
    ],
)
def test_other_conditions(name: str, key: str, steps: int, eta: int, condition) -> None:
    check_ddim(name, key, denoiser(name, condition(fixtures.io(name))), steps, eta)


@pytest.mark.parametrize("sampler", [ddim, plms])
def test_retrieved_neighbours_with_guidance(sampler) -> None:
    name = "ldm_rdm_clip_context"
    io = fixtures.io(name)
    context = torch.cat([io["clip_text"], io["neighbours"]], dim=1)  # [1, 5, 24]
    schedule, network = reference.config(name).schedule(), reference.unet(name)
    towards = EpsDenoiser(network, schedule, Condition(context=context))
    away = EpsDenoiser(network, schedule, Condition(context=torch.zeros_like(context)))
    key = f"{sampler.__name__}.S10.cfg5"
    out = run(Guided(towards, away, 5.0), sampler, io[f"{key}.x_T"], ldm_sigmas(schedule, 10))
    assert_close(out, io[f"{key}.out"])


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_ancestral_step_has_the_variance_that_the_schedule_names(share: float) -> None:
    schedule = NoiseSchedule(NoiseSchedule.named("linear", 50, 1e-3, 0.2).betas, share)
    sampler = with_posterior(SAMPLERS["ddpm"], schedule.v_posterior)
    for t in (1, 20, 49):
        steps = sampler(torch.zeros(1, 1, 1, 1), [schedule.sigmas[t], schedule.sigmas[t - 1]], lambda: torch.ones(1))
        next(steps)
        with pytest.raises(StopIteration) as done:
            steps.send(torch.zeros(1, 1, 1, 1))
        drawn = to_vp(done.value.value, schedule.sigmas[t - 1]).item() ** 2
        assert drawn == pytest.approx(schedule.posterior_variance[t].item(), rel=1e-4)
