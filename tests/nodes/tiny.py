"""A whole text-to-image model of random weights, small enough to sample in a blink."""

from __future__ import annotations

from pathlib import Path

import torch

from engine.ldm.autoencoder import AutoencoderConfig
from engine.ldm.checkpoint import save_latent_diffusion
from engine.ldm.config import LatentDiffusionConfig
from engine.ldm.latent_diffusion import LatentDiffusion
from engine.ldm.text.tokenizer import BertTokenizer, train_vocabulary
from engine.ldm.text.transformer import TextTransformerConfig
from engine.ldm.unet import UNetConfig

TOKENS = 8
WIDTH = 16
"""Of the text encoder's output."""
FACTOR = 4
"""Pixels a latent cell."""
VOCABULARY = train_vocabulary(["a red apple", "a green pear", "blue"], 80, whole_words=1)


def config(context_dim: int = WIDTH, beside: int = 0) -> LatentDiffusionConfig:
    """`beside`: channels that the U-Net takes next to the latent, as inpainting models do."""
    return LatentDiffusionConfig(
        unet=UNetConfig(
            4 + beside,
            4,
            32,
            (1, 2),
            1,
            attention_resolutions=(2,),
            num_heads=4,
            context_dim=context_dim,
            norm_groups=8,
        ),
        first_stage=AutoencoderConfig(
            ch=16, ch_mult=(1, 1, 1), num_res_blocks=1, z_channels=4, embed_dim=4, resolution=32, norm_groups=8
        ),
        conditioner=TextTransformerConfig(context_dim, 1, len(VOCABULARY), TOKENS, 2, 8, logits=False),
        conditioning_key="hybrid" if beside else "crossattn",
        linear_start=0.00085,
        linear_end=0.012,
        scale_factor=0.5,
        use_ema=False,
    )


def save_checkpoint(path: Path, config: LatentDiffusionConfig, seed: int = 0) -> Path:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = LatentDiffusion(config, BertTokenizer(VOCABULARY, TOKENS))
        for name, parameter in model.named_parameters():
            # layers that start as zero would hide what is behind them
            torch.nn.init.normal_(parameter, mean=1.0 if name.endswith("norm.weight") else 0.0, std=0.1)
    save_latent_diffusion(path, model)
    return path
