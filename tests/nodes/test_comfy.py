"""The nodes against what ComfyUI's nodes of the same name made with its tiny Stable Diffusion 1 model.

Its text encoder is not among ours, so prompts are the conditionings that ComfyUI stored. Random weights make latents
with a spread of 100; differences are measured against the largest value.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from engine.ldm.weights import save_model
from engine.models.handles import VAE, Model
from engine.node import NullContext
from engine.values import Conditioning, ConditioningPart, Image, Latent, Mask
from nodes.conditioning import (
    ConditioningAverage,
    ConditioningCombine,
    ConditioningConcat,
    ConditioningSetArea,
    ConditioningSetMask,
    ConditioningSetTimestepRange,
    ConditioningZeroOut,
)
from nodes.inpaint import VAEEncodeForInpaint
from nodes.latent import LatentFromBatch, SetLatentNoiseMask
from nodes.sampling import KSampler, KSamplerAdvanced
from nodes.vae import VAEDecode, VAEEncode
from tests.ldm.comfy import SCALE_FACTOR, TINY, assert_relative, tensors

SEED, STEPS, CFG = 42, 8, 7.0
EXACT, ROUGH = 1e-4, 1e-3
"""Of the largest value. Steps that add noise of their own carry the rounding of one step on into the next."""
ANCESTRAL = ("euler_ancestral", "dpm_2_ancestral", "dpmpp_2s_ancestral", "ddpm")
SAMPLERS = ("euler", "heun", "dpm_2", "lms", "dpmpp_2m", "ddim", *ANCESTRAL)

CONFIG = """
model:
  target: ldm.models.diffusion.ddpm.LatentDiffusion
  params:
    linear_start: 0.00085
    linear_end: 0.0120
    timesteps: 1000
    scale_factor: 0.18215
    conditioning_key: crossattn
    unet_config:
      target: ldm.modules.diffusionmodules.openaimodel.UNetModel
      params:
        image_size: 32
        in_channels: 4
        out_channels: 4
        model_channels: 32
        attention_resolutions: [1, 2]
        num_res_blocks: 1
        channel_mult: [1, 2]
        num_heads: 8
        use_spatial_transformer: true
        transformer_depth: 1
        context_dim: 64
    first_stage_config:
      target: ldm.models.autoencoder.AutoencoderKL
      params:
        embed_dim: 4
        ddconfig:
          double_z: true
          z_channels: 4
          resolution: 256
          in_channels: 3
          out_ch: 3
          ch: 32
          ch_mult: [1, 1, 2, 2]
          num_res_blocks: 1
          attn_resolutions: []
          dropout: 0.0
    cond_stage_config: {target: torch.nn.Identity}
"""


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ComfyUI's checkpoint without its text encoder, and its configuration beside it as the original writes it."""
    source = TINY / "checkpoint.safetensors"
    if not source.exists():
        pytest.skip("the reference checkpoint is not at hand")
    path = tmp_path_factory.mktemp("comfy") / "tiny.safetensors"
    weights = {name: w for name, w in load_file(source).items() if not name.startswith("cond_stage_model.")}
    save_model(path, weights)
    path.with_suffix(".yaml").write_text(CONFIG)
    return path


def prompt(name: str) -> Conditioning:
    return Conditioning((ConditioningPart(tensors("cond")[name]),))


def blank(batch: int = 1, height: int = 16, width: int = 16) -> Latent:
    return Latent(torch.zeros(batch, 4, height, width))


class Samplers:
    """KSampler and KSamplerAdvanced with the settings of the reference, unless told otherwise."""

    def __init__(self, checkpoint: Path, ctx: NullContext) -> None:
        self.ctx = ctx
        model = Model.open(checkpoint)
        assert model.config.scale_factor == SCALE_FACTOR
        self.inputs: dict[str, Any] = {
            "model": model,
            "positive": prompt("positive"),
            "negative": prompt("negative"),
            "latent_image": blank(),
            "steps": STEPS,
            "cfg": CFG,
        }

    async def __call__(self, **inputs: Any) -> Tensor:
        return (await KSampler(**{"seed": SEED, **self.inputs, **inputs}, ctx=self.ctx)).samples

    async def advanced(self, **inputs: Any) -> Latent:
        return await KSamplerAdvanced(**{"noise_seed": SEED, **self.inputs, **inputs}, ctx=self.ctx)


@pytest.fixture
def sample(checkpoint: Path, ctx: NullContext) -> Samplers:
    return Samplers(checkpoint, ctx)


def tolerance(sampler: str) -> float:
    return ROUGH if sampler in ANCESTRAL else EXACT


# ------------------------------------------------------------------------------------------------------------ KSampler


@pytest.mark.parametrize(
    ("name", "scheduler"),
    # every pair is compared below the nodes, in tests/ldm
    [(name, "normal") for name in SAMPLERS]
    + [(name, "karras") for name in ("dpmpp_2m", "dpm_2", "euler_ancestral")]
    + [("euler", "sgm_uniform"), ("euler", "simple")],
)
async def test_an_empty_latent_becomes_comfyuis(sample: Samplers, name: str, scheduler: str) -> None:
    out = await sample(sampler_name=name, scheduler=scheduler)
    assert_relative(out, tensors("samples")[f"{name}/{scheduler}"], tolerance(name))


@pytest.mark.parametrize("denoise", [0.5, 0.75, 1.0])
@pytest.mark.parametrize(
    ("name", "scheduler"), [("euler", "normal"), ("dpmpp_2m", "karras"), ("dpm_2", "normal"), ("ddim", "ddim_uniform")]
)
async def test_a_picture_is_changed_as_comfyui_changes_it(
    sample: Samplers, name: str, scheduler: str, denoise: float
) -> None:
    reference = tensors("img2img")
    latent = Latent(reference["latent"])
    out = await sample(latent_image=latent, sampler_name=name, scheduler=scheduler, denoise=denoise)
    assert_relative(out, reference[f"{name}/{scheduler}/denoise{denoise}"], EXACT)


@pytest.mark.parametrize("denoise", [0.5, 1.0])
@pytest.mark.parametrize(
    ("name", "scheduler"),
    [("euler", "normal"), ("dpmpp_2m", "karras"), ("euler_ancestral", "normal"), ("ddim", "normal")],
)
async def test_a_hole_is_repainted_as_comfyui_repaints_it(
    sample: Samplers, name: str, scheduler: str, denoise: float
) -> None:
    out = await sample(latent_image=holed(1.0), sampler_name=name, scheduler=scheduler, denoise=denoise)
    assert_relative(out, tensors("inpaint")[f"{name}/{scheduler}/denoise{denoise}"], tolerance(name))


async def test_a_soft_mask_blends_as_comfyui_blends(sample: Samplers) -> None:
    assert_relative(await sample(latent_image=holed(0.5)), tensors("inpaint")["euler/normal/soft/denoise1.0"], EXACT)


def test_a_picture_with_a_hole_is_encoded_as_comfyui_encodes_it(checkpoint: Path, ctx: NullContext) -> None:
    reference = tensors("inpaint")
    image, mask = Image(tensors("vae")["image"]), Mask(reference["mask"][:, 0])
    latent = VAEEncodeForInpaint(image, VAE.open(checkpoint), mask, ctx)
    assert_relative(latent.samples, reference["vae_encode_for_inpaint/samples"], EXACT)
    assert latent.noise_mask is not None
    assert torch.equal(latent.noise_mask, reference["vae_encode_for_inpaint/noise_mask"][:, 0])


def holed(strength: float) -> Latent:
    mask = tensors("inpaint")["mask"][:, 0] * strength  # [1, 128, 128]
    return SetLatentNoiseMask(Latent(tensors("vae")["encoded"]), Mask(mask))


@pytest.mark.parametrize("name", ["euler", "euler_ancestral"])
async def test_a_batch_of_three_is_comfyuis(sample: Samplers, name: str) -> None:
    out = await sample(latent_image=blank(3), sampler_name=name)
    assert_relative(out, tensors("advanced")[f"batch3/{name}/normal"], tolerance(name))


async def test_each_picture_of_comfyuis_batch_is_made_alone(sample: Samplers) -> None:
    for index in range(3):
        out = await sample(latent_image=LatentFromBatch(blank(3), index))
        assert_relative(out, tensors("advanced")["batch3/euler/normal"][index : index + 1], EXACT)


@pytest.mark.parametrize("cfg", [0, 1])
async def test_scales_of_0_and_1_are_comfyuis(sample: Samplers, cfg: int) -> None:
    assert_relative(await sample(cfg=float(cfg)), tensors("advanced")[f"cfg{cfg}/euler/normal"], EXACT)


async def test_a_picture_that_is_not_square_is_comfyuis(sample: Samplers) -> None:
    out = await sample(latent_image=blank(1, 24, 16))
    assert_relative(out, tensors("advanced")["size24x16/euler/normal"], EXACT)


# ---------------------------------------------------------------------------------------------------- KSamplerAdvanced


@pytest.mark.parametrize(
    ("key", "window"),
    [
        ("euler_normal_20_start0_end10_full", {"start_at_step": 0, "end_at_step": 10}),
        (
            "euler_normal_20_start5_end12_leftover",
            {"start_at_step": 5, "end_at_step": 12, "return_with_leftover_noise": "enable"},
        ),
    ],
)
async def test_a_window_of_the_schedule_is_comfyuis(sample: Samplers, key: str, window: dict[str, Any]) -> None:
    out = await sample.advanced(steps=20, **window)
    assert_relative(out.samples, tensors("advanced")[key], EXACT)


async def test_going_on_without_noise_is_comfyuis(sample: Samplers) -> None:
    picture = Latent(tensors("vae")["encoded"])
    out = await sample.advanced(steps=20, latent_image=picture, add_noise="disable", start_at_step=10)
    assert_relative(out.samples, tensors("advanced")["euler_normal_20_start10_nonoise"], EXACT)


# -------------------------------------------------------------------------------------------------------- conditioning


async def test_an_average_of_prompts_is_comfyuis(sample: Samplers) -> None:
    positive = ConditioningAverage(prompt("positive"), prompt("positive2"), 0.3)
    assert positive.parts[0].context is not None
    assert_relative(positive.parts[0].context, tensors("advanced")["cond/average0.3/tensor"], 1e-6)
    assert_relative(await sample(positive=positive), tensors("advanced")["cond/average0.3/euler/normal"], EXACT)


async def test_prompts_joined_are_comfyuis(sample: Samplers) -> None:
    positive = ConditioningConcat(prompt("positive"), prompt("positive2"))
    assert positive.parts[0].context is not None
    assert positive.parts[0].context.equal(tensors("advanced")["cond/concat/tensor"])
    assert_relative(await sample(positive=positive), tensors("advanced")["cond/concat/euler/normal"], EXACT)


async def test_prompts_combined_are_comfyuis(sample: Samplers) -> None:
    positive = ConditioningCombine(prompt("positive"), prompt("positive2"))
    assert_relative(await sample(positive=positive), tensors("advanced")["cond/combine/euler/normal"], EXACT)


async def test_an_emptied_prompt_is_comfyuis(sample: Samplers) -> None:
    positive = ConditioningZeroOut(prompt("positive"))
    assert_relative(await sample(positive=positive), tensors("advanced")["cond/zero_out/euler/normal"], EXACT)


async def test_a_prompt_in_an_area_is_comfyuis(sample: Samplers) -> None:
    area = ConditioningSetArea(prompt("positive"), 64, 64, 32, 16, 1.0)
    out = await sample(positive=ConditioningCombine(prompt("positive2"), area))
    assert_relative(out, tensors("advanced")["cond/set_area/euler/normal"], EXACT)


async def test_a_prompt_under_a_mask_is_comfyuis(sample: Samplers) -> None:
    masked = ConditioningSetMask(prompt("positive"), Mask(tensors("inpaint")["mask"][:, 0]), 0.8)
    out = await sample(positive=ConditioningCombine(prompt("positive2"), masked))
    assert_relative(out, tensors("advanced")["cond/set_mask/euler/normal"], EXACT)


async def test_a_prompt_that_gives_way_to_another_is_comfyuis(sample: Samplers) -> None:
    early = ConditioningSetTimestepRange(prompt("positive"), 0.0, 0.4)
    late = ConditioningSetTimestepRange(prompt("positive2"), 0.4, 1.0)
    out = await sample(positive=ConditioningCombine(early, late))
    assert_relative(out, tensors("advanced")["cond/timestep_range/euler/normal"], EXACT)


# ----------------------------------------------------------------------------------------------------------------- VAE


@pytest.fixture
def vae(checkpoint: Path) -> VAE:
    return VAE.open(checkpoint)


@pytest.mark.parametrize(("picture", "latent"), [("image", "encoded"), ("image_odd", "encoded_odd")])
def test_a_picture_is_encoded_as_comfyui_encodes_it(vae: VAE, ctx: NullContext, picture: str, latent: str) -> None:
    reference = tensors("vae")
    assert_relative(VAEEncode(Image(reference[picture]), vae, ctx).samples, reference[latent], EXACT)


@pytest.mark.parametrize("key", ["decoded", "decoded_sample"])
def test_a_latent_is_decoded_as_comfyui_decodes_it(vae: VAE, ctx: NullContext, key: str) -> None:
    latent = tensors("vae")["encoded"] if key == "decoded" else tensors("samples")["euler/normal"]
    image = VAEDecode(Latent(latent), vae, ctx).pixels
    assert (image - tensors("vae")[key]).abs().max() <= 1e-4
