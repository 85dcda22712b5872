"""The models published with the paper: their configurations, for checkpoints that come without a YAML file.

Source: configs/latent-diffusion, configs/retrieval-augmented-diffusion and
models/{first_stage_models,ldm}/*/config.yaml of CompVis/latent-diffusion; Stable Diffusion's U-Nets from the YAML files
of CompVis/stable-diffusion and Stability-AI/generative-models.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from engine.ldm.autoencoder import AutoencoderConfig
from engine.ldm.conditioners.classes import ClassConfig
from engine.ldm.conditioners.spatial import RescalerConfig
from engine.ldm.config import LatentDiffusionConfig
from engine.ldm.text.transformer import TextTransformerConfig
from engine.ldm.unet import UNetConfig


def _kl(ch_mult: tuple[int, ...], channels: int, attention: tuple[int, ...] = ()) -> AutoencoderConfig:
    return AutoencoderConfig(ch_mult=ch_mult, z_channels=channels, embed_dim=channels, attn_resolutions=attention)


def _vq(
    ch_mult: tuple[int, ...], channels: int, n_embed: int, attention: tuple[int, ...] = (), mid: bool = True
) -> AutoencoderConfig:
    return replace(_kl(ch_mult, channels, attention), n_embed=n_embed, mid_attention=mid)


FIRST_STAGES: Mapping[str, AutoencoderConfig] = MappingProxyType(
    {
        "kl-f4": _kl((1, 2, 4), 3),
        "kl-f8": _kl((1, 2, 4, 4), 4),
        "kl-f16": _kl((1, 1, 2, 2, 4), 16, (16,)),
        "kl-f32": _kl((1, 1, 2, 2, 4, 4), 64, (16, 8)),
        "vq-f4": _vq((1, 2, 4), 3, 8192),
        "vq-f4-noattn": _vq((1, 2, 4), 3, 8192, mid=False),
        "vq-f8": _vq((1, 2, 2, 4), 4, 16384, (32,)),
        "vq-f8-n256": _vq((1, 2, 2, 4), 4, 256, (32,)),
        "vq-f16": _vq((1, 1, 2, 2, 4), 8, 16384, (16,)),
    }
)

_UNCONDITIONAL = LatentDiffusionConfig(  # CelebA-HQ, FFHQ, LSUN bedrooms
    UNetConfig(3, 3, 224, (1, 2, 3, 4), attention_resolutions=(8, 4, 2), num_head_channels=32),
    FIRST_STAGES["vq-f4"],
    linear_start=0.0015,
    linear_end=0.0195,
)
_CHURCHES = LatentDiffusionConfig(
    UNetConfig(
        4, 4, 192, (1, 2, 2, 4, 4),
        attention_resolutions=(1, 2, 4, 8), num_heads=8, use_scale_shift_norm=True, resblock_updown=True,
    ),
    FIRST_STAGES["kl-f8"],
    linear_start=0.0015,
    linear_end=0.0155,
    scale_by_std=True,
    loss_type="l1",
)  # fmt: skip
_CLASSES = LatentDiffusionConfig(
    UNetConfig(4, 4, 256, (1, 2, 4), attention_resolutions=(4, 2, 1), num_head_channels=32, context_dim=512),
    FIRST_STAGES["vq-f8"],
    ClassConfig(512, 1000),
    conditioning_key="crossattn",
    linear_start=0.0015,
    linear_end=0.0195,
)
_CLASSES_V2 = replace(
    _CLASSES,
    unet=UNetConfig(3, 3, 192, (1, 2, 3, 5), attention_resolutions=(8, 4, 2), num_heads=1, context_dim=512),
    first_stage=FIRST_STAGES["vq-f4"],
    conditioner=ClassConfig(512, 1001),
    use_ema=False,
)
_TEXT = replace(
    _CLASSES,
    unet=UNetConfig(3, 3, 192, (1, 2, 3, 5), attention_resolutions=(8, 4, 2), num_head_channels=32, context_dim=640),
    first_stage=FIRST_STAGES["vq-f4"],
    conditioner=TextTransformerConfig(dim=640, depth=32),
)
_TEXT_1P4B = LatentDiffusionConfig(
    UNetConfig(4, 4, 320, (1, 2, 4, 4), attention_resolutions=(4, 2, 1), num_heads=8, context_dim=1280),
    FIRST_STAGES["kl-f8"],
    TextTransformerConfig(dim=1280, depth=32),
    conditioning_key="crossattn",
    linear_start=0.00085,
    linear_end=0.012,
    scale_factor=0.18215,
    use_ema=False,
)
_LAYOUT = LatentDiffusionConfig(
    UNetConfig(
        3, 3, 128, (1, 2, 3, 4),
        attention_resolutions=(8, 4, 2), num_head_channels=32, context_dim=512, transformer_depth=3,
    ),
    FIRST_STAGES["vq-f4"],
    TextTransformerConfig(dim=512, depth=16, vocab_size=8192, max_seq_len=92),
    conditioning_key="crossattn",
    linear_start=0.0015,
    linear_end=0.0205,
    loss_type="l1",
)  # fmt: skip
_SUPERRESOLUTION = LatentDiffusionConfig(
    UNetConfig(6, 3, 160, (1, 2, 2, 4), attention_resolutions=(16, 8), num_head_channels=32),
    FIRST_STAGES["vq-f4"],
    conditioning_key="concat",
    linear_start=0.0015,
    linear_end=0.0155,
)
_INPAINTING = LatentDiffusionConfig(
    UNetConfig(7, 3, 256, (1, 2, 3, 4), attention_resolutions=(8, 4, 2), num_heads=8, resblock_updown=True),
    FIRST_STAGES["vq-f4-noattn"],
    cond_is_first_stage=True,
    conditioning_key="concat",
    linear_start=0.0015,
    linear_end=0.0205,
    loss_type="l1",
)
_SEMANTIC = LatentDiffusionConfig(
    UNetConfig(6, 3, 128, (1, 4, 8), attention_resolutions=(32, 16, 8), num_heads=8),
    FIRST_STAGES["vq-f4"],
    RescalerConfig(n_stages=2, in_channels=182, out_channels=3),
    conditioning_key="concat",
    linear_start=0.0015,
    linear_end=0.0205,
    loss_type="l1",
)
_RETRIEVAL = LatentDiffusionConfig(
    UNetConfig(16, 16, 448, (1, 2, 3, 4), attention_resolutions=(4, 2, 1), num_head_channels=32, context_dim=768),
    FIRST_STAGES["kl-f16"],
    conditioning_key="crossattn",
    linear_start=0.0015,
    linear_end=0.015,
    scale_factor=0.22765929,
)

MODELS: Mapping[str, LatentDiffusionConfig] = MappingProxyType(
    {
        "celeba256": _UNCONDITIONAL,
        "ffhq256": _UNCONDITIONAL,
        "lsun_beds256": _UNCONDITIONAL,
        "lsun_churches256": _CHURCHES,
        "cin256": _CLASSES,
        "cin256-v2": _CLASSES_V2,
        "text2img256": _TEXT,
        "txt2img-1p4B": _TEXT_1P4B,
        "layout2img-openimages256": _LAYOUT,
        "bsr_sr": _SUPERRESOLUTION,
        "inpainting_big": _INPAINTING,
        "semantic_synthesis256": _SEMANTIC,
        "semantic_synthesis512": _SEMANTIC,
        "rdm-768x768": _RETRIEVAL,
    }
)

_SD1 = UNetConfig(4, 4, 320, (1, 2, 4, 4), attention_resolutions=(4, 2, 1), num_heads=8, context_dim=768)
_SD2 = replace(_SD1, num_heads=None, num_head_channels=64, context_dim=1024, use_linear_in_transformer=True)
_SDXL = replace(
    _SD2,
    channel_mult=(1, 2, 4),
    attention_resolutions=(4, 2),
    context_dim=2048,
    transformer_depth=(0, 2, 10),
    adm_in_channels=2816,
)

OTHER_UNETS: tuple[UNetConfig, ...] = (
    _SD1,
    replace(_SD1, in_channels=9),  # inpainting
    _SD2,
    replace(_SD2, in_channels=9),
    replace(_SD2, in_channels=5),  # depth
    _SDXL,
)


def find_model(inferred: UNetConfig) -> LatentDiffusionConfig | None:
    """Find the model of the zoo whose U-Net has these tensors; None where there is none."""
    return next((model for model in MODELS.values() if without_heads(model.unet) == without_heads(inferred)), None)


def find_unet(inferred: UNetConfig) -> UNetConfig | None:
    """Find the known U-Net, of the zoo or of Stable Diffusion, that has these tensors."""
    known = (*(model.unet for model in MODELS.values()), *OTHER_UNETS)
    return next((unet for unet in known if without_heads(unet) == without_heads(inferred)), None)


def without_heads(unet: UNetConfig) -> UNetConfig:
    """What the tensors of a U-Net tell: no heads, no order of them, and only those attention factors that occur."""
    factors = (2**level for level in range(len(unet.channel_mult)))
    return replace(
        unet,
        num_heads=None,
        num_head_channels=None,
        dropout=0.0,
        use_new_attention_order=False,
        attention_resolutions=tuple(factor for factor in factors if factor in unet.attention_resolutions),
    )
