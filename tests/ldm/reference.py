"""Builds the original's toy models and replays the noise it drew."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from engine.ldm.condition import Condition
from engine.ldm.config import LatentDiffusionConfig
from engine.ldm.original_config import latent_diffusion_config
from engine.ldm.sampling.denoisers import EpsDenoiser
from engine.ldm.sampling.drive import drive, sampling
from engine.ldm.sampling.noise import from_vp, to_vp
from engine.ldm.sampling.protocol import Denoiser, Noise, Sampler
from engine.ldm.unet import UNetModel
from tests.ldm import fixtures

UNET = "model.diffusion_model."


def config(name: str) -> LatentDiffusionConfig:
    return latent_diffusion_config(fixtures.config(name))


def unet(name: str, ema: bool = False) -> UNetModel:
    """The U-Net of a fixture, with its own or its averaged weights."""
    weights = fixtures.weights(name)
    network = UNetModel(config(name).unet)
    keys = {
        key: f"model_ema.diffusion_model{key.replace('.', '')}" if ema else UNET + key for key in network.state_dict()
    }
    network.load_state_dict({key: weights[there] for key, there in keys.items()})
    return network.eval()


def denoiser(name: str, condition: Condition | None = None, ema: bool = False) -> EpsDenoiser:
    return EpsDenoiser(unet(name, ema), config(name).schedule(), condition or Condition())


def replay(noise: Tensor) -> Noise:
    """The noise the original drew, one at a time: [steps, B, C, h, w]."""
    return iter(noise).__next__


def no_noise() -> Tensor:
    raise AssertionError("a deterministic sampler draws no noise")


def run(
    denoise: Denoiser,
    sampler: Sampler,
    x_t: Tensor,
    sigmas: list[float],
    noise: Noise = no_noise,
    on_step: Callable[[int, Tensor, Tensor], None] | None = None,
) -> Tensor:
    """Sample from the original's x_T (unit variance) and return its final x_t."""
    with torch.inference_mode():
        start = from_vp(x_t, sigmas[0])
        (result,) = drive([sampling(sampler(start, sigmas, noise), denoise, on_step)])
    if isinstance(result, Exception):
        raise result
    return to_vp(result, sigmas[-1])
