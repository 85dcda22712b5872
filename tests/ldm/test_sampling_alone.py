"""The whole path from noise to a picture with `engine.ldm` alone: no graph, no server, no model manager."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import torch
from engine.ldm.condition import Condition
from engine.ldm.config import LatentDiffusionConfig
from engine.ldm.autoencoder import AutoencoderConfig
from engine.ldm.latent_diffusion import LatentDiffusion
from engine.ldm.sampling.denoisers import EpsDenoiser, Guided
from engine.ldm.sampling.drive import sample
from engine.ldm.sampling.samplers import dpmpp_2m
from engine.ldm.sampling.sigmas import sampler_sigmas
from engine.ldm.unet import UNetConfig

unet = UNetConfig(4, 4, 32, (1, 2), 1, attention_resolutions=(2,), num_heads=4, context_dim=16)
first_stage = AutoencoderConfig(ch=32, ch_mult=(1, 1), num_res_blocks=1, z_channels=4, embed_dim=4)
model = LatentDiffusion(LatentDiffusionConfig(unet, first_stage, conditioning_key="crossattn")).eval()
schedule = model.schedule()
prompts = [EpsDenoiser(model.unet, schedule, Condition(context=torch.randn(1, 8, 16))) for _ in range(2)]
sigmas = sampler_sigmas(schedule, "karras", 4)
latent = sample(Guided(*prompts, cfg_scale=5.0), schedule, sigmas, torch.zeros(1, 4, 8, 8), 42, dpmpp_2m)
with torch.no_grad():
    print(tuple(model.decode_first_stage(latent).shape))
"""
FOREIGN = "import sys; print(sorted({m.split('.')[0] for m in sys.modules} & {'pydantic', 'networkx', 'aiohttp'}))"


def test_a_short_script_makes_a_picture_without_the_graph_column() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT + FOREIGN], capture_output=True, text=True)
    assert done.stdout.splitlines() == ["(1, 3, 16, 16)", "[]"], done.stderr
