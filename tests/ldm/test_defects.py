"""The original's defects that are not copied, one by one (its behaviour was observed by running it).

Source: CompVis/latent-diffusion at a506df5.
"""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
import torch

from engine.ldm.autoencoder import AutoencoderConfig, identity_config
from engine.ldm.checkpoint import load_first_stage
from engine.ldm.condition import Condition
from engine.ldm.conditioners.layout import Box, LayoutTokenizer
from engine.ldm.config import LatentDiffusionConfig
from engine.ldm.original_config import latent_diffusion_config, to_original
from engine.ldm.patches import PatchedNetwork, PatchGrid
from engine.ldm.sampling.denoisers import EpsDenoiser, Guided
from engine.ldm.sampling.drive import sample
from engine.ldm.sampling.protocol import Sampler
from engine.ldm.sampling.samplers import SAMPLERS
from engine.ldm.sampling.sigmas import ldm_sigmas
from engine.ldm.sampling.vp import ddim, plms
from engine.ldm.schedules import NoiseSchedule
from engine.ldm.training.loop import FitSettings
from engine.ldm.training.pictures import Picture, PictureSet
from engine.ldm.training.stages import train_autoencoder
from engine.ldm.unet import UNetConfig, UNetModel
from engine.ldm.weights import open_model, save_model
from engine.ldm.zoo import MODELS
from engine.values import Image
from nodes.inpaint import ImagePadForOutpaint
from tests.ldm.test_latent_diffusion import hybrid_model

SCHEDULE = NoiseSchedule.named("linear", 1000, 0.0015, 0.0195)


class Nowhere(torch.nn.Module):
    """A network on the device it was asked on; it has no weights that could be anywhere else."""

    def forward(
        self, x: torch.Tensor, t: torch.Tensor, context: torch.Tensor | None = None, y: torch.Tensor | None = None
    ) -> torch.Tensor:
        assert x.device == t.device
        return x * 0.5


@pytest.mark.parametrize("sampler", [ddim, plms])
def test_the_samplers_want_no_cuda(sampler: Sampler) -> None:
    """`register_buffer` of DDIM and PLMS moves every table to cuda there."""
    steps = sampler(torch.ones(1, 3, 8, 8, device="meta"), ldm_sigmas(SCHEDULE, 5), lambda: torch.empty(0))
    question = next(steps)
    with pytest.raises(StopIteration) as done:
        while True:
            question = steps.send(question.x)
    assert done.value.value.device.type == "meta"


@pytest.mark.parametrize("name", ["ddim", "plms", "euler_ancestral", "dpmpp_2m"])
def test_a_hybrid_model_is_sampled_with_guidance(name: str) -> None:
    """There a dict of lists fails in DDIM's sample() (`'list' has no 'shape'`) and guidance joins tensors only."""
    model = hybrid_model()
    maps = torch.randn(2, 4, 32, 32, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        towards = model.encode_condition(maps, torch.tensor([1, 2]))
        away = model.encode_condition(maps, torch.tensor([0, 0]))
    network, schedule = model.unet.eval(), model.schedule()

    def made(condition: Condition, other: Condition, scale: float) -> torch.Tensor:
        guided = Guided(EpsDenoiser(network, schedule, condition), EpsDenoiser(network, schedule, other), scale)
        return sample(guided, schedule, ldm_sigmas(schedule, 4), torch.zeros(2, 3, 8, 8), 0, SAMPLERS[name])

    strong = made(towards, away, 5.0)
    assert strong.shape == (2, 3, 8, 8) and strong.isfinite().all()
    assert not torch.allclose(strong, made(towards, away, 1.0))
    assert torch.allclose(made(towards, towards, 5.0), made(towards, away, 1.0), atol=1e-3)


@pytest.mark.parametrize("steps", [300, 333, 999, 1000])
@pytest.mark.parametrize("sampler", [ddim, plms])
def test_counts_of_steps_that_do_not_divide_the_table_run(sampler: Sampler, steps: int) -> None:
    """There index 1000 is out of bounds for these."""
    denoiser, sigmas = EpsDenoiser(Nowhere(), SCHEDULE), ldm_sigmas(SCHEDULE, steps)
    out = sample(denoiser, SCHEDULE, sigmas, torch.zeros(1, 1, 2, 2), 0, sampler)
    assert out.isfinite().all()


def test_a_vq_autoencoder_trains() -> None:
    """There VQModel lacks names it uses, and hands the loss an argument it does not take."""
    config = AutoencoderConfig(16, (1, 2), 1, 3, 3, resolution=16, norm_groups=4, n_embed=32)
    pixels = torch.full((2, 3, 16, 16), 255, dtype=torch.uint8)
    pixels[1, :, 4:12, 4:12] = 20
    pictures = PictureSet(tuple(Picture(Path(f"{row}.png"), "square") for row in range(2)), pixels)
    settings = partial(FitSettings, batch_size=2, learning_rate=1e-3, warm_up=1, ema_decay=0)
    once, twice = (train_autoencoder(pictures, config, settings(steps=steps))[0].state_dict() for steps in (1, 2))
    moved = [name for name, value in once.items() if not torch.equal(value, twice[name])]
    assert {"quantize.embedding.weight", "encoder.conv_in.weight", "decoder.conv_out.weight"} <= set(moved)


def test_outpainting_masks_what_is_outside() -> None:
    """There the samples logged as "outpainting" are made with the mask of inpainting."""
    padded = ImagePadForOutpaint(Image(torch.zeros(1, 8, 8, 3)), left=8, feathering=0)
    assert (padded.mask.values[0, :, :8] == 1).all() and (padded.mask.values[0, :, 8:] == 0).all()


@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_configuration_points_at_no_file(name: str) -> None:
    """There three training configurations give a .yaml as the first stage's checkpoint."""
    written = to_original(MODELS[name])
    assert "ckpt" not in json.dumps(written) and ".yaml" not in json.dumps(written)
    first_stage = written["params"]["first_stage_config"]  # type: ignore[index]
    first_stage["params"]["ckpt_path"] = "configs/first_stage_models/vq-f4/config.yaml"
    assert latent_diffusion_config(written) == MODELS[name]


def test_a_box_inside_something_is_decoded_as_inside() -> None:
    """There `is_inside` is read from the bit of `depiction`."""
    tokenizer = LayoutTokenizer()
    corners = (0.0, 0.0, 1.0, 1.0)
    boxes, _ = tokenizer.decode(tokenizer.encode([Box(3, corners, inside=True), Box(4, corners, depiction=True)]))
    assert [(box.inside, box.depiction) for box in boxes] == [(True, False), (False, True)]


def test_a_model_without_a_first_stage_paints_in_patches(tmp_path: Path) -> None:
    """There IdentityFirstStage has no encoder to ask for the factor that patches of a layout need."""
    unet = UNetConfig(3, 3, 32, (1, 1), 1, attention_resolutions=(2,), num_heads=2)
    config = LatentDiffusionConfig(unet, use_ema=False)
    network = UNetModel(unet)
    tensors = {f"model.diffusion_model.{name}": value for name, value in network.state_dict().items()}
    metadata = {"darkroom.config": json.dumps(to_original(config))}
    save_model(tmp_path / "pixels.safetensors", tensors, metadata)
    stage = load_first_stage(open_model(tmp_path / "pixels.safetensors"))
    assert stage.config == identity_config(3) and stage.config.downsampling == 1
    patched = PatchedNetwork(partial(network), PatchGrid((8, 8), (4, 4)))
    with torch.no_grad():
        out = patched(stage.encode_mode(torch.randn(1, 3, 16, 24)), torch.zeros(1))
    assert stage.decode(out).shape == (1, 3, 16, 24)
