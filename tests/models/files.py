"""Makes small model files to load."""

from __future__ import annotations

from pathlib import Path

import torch

from engine.ldm.autoencoder import AutoencoderConfig
from engine.ldm.checkpoint import save_latent_diffusion
from engine.ldm.config import LatentDiffusionConfig
from engine.ldm.latent_diffusion import LatentDiffusion
from engine.ldm.text.transformer import TextTransformerConfig
from engine.ldm.unet import UNetConfig

CONFIG = LatentDiffusionConfig(
    unet=UNetConfig(4, 4, 32, (1, 2), 1, attention_resolutions=(2,), num_heads=4, context_dim=16),
    first_stage=AutoencoderConfig(ch=32, ch_mult=(1, 1), num_res_blocks=1, z_channels=4, embed_dim=4),
    conditioner=TextTransformerConfig(dim=16, depth=1, vocab_size=50, max_seq_len=8, heads=2, dim_head=8),
    conditioning_key="crossattn",
    linear_start=0.00085,
    linear_end=0.012,
    scale_factor=0.5,
    use_ema=False,
)


def checkpoint(path: Path, seed: int = 0) -> Path:
    """Write a whole latent diffusion model of 0.7 M random weights."""
    torch.manual_seed(seed)
    model = LatentDiffusion(CONFIG)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    save_latent_diffusion(path, model)
    return path
