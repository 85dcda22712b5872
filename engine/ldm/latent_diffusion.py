"""A whole latent diffusion model in the original's checkpoint layout: networks, first stage, condition, schedule.

The module's `state_dict` is the checkpoint: `model.diffusion_model.*`, `first_stage_model.*`, `cond_stage_model.*`, the
schedule's tables, `scale_factor` and `model_ema.*`, so that what is loaded is saved again under the same keys.

Source: Rombach et al. 2022 (arXiv:2112.10752), sec. 3; `LatentDiffusion` of CompVis/latent-diffusion,
ldm/models/diffusion/ddpm.py.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from engine.errors import InputProblem
from engine.ldm.autoencoder import AutoencoderKL, VQModel, build_autoencoder
from engine.ldm.condition import Condition
from engine.ldm.conditioners.classes import ClassConfig, ClassEmbedder
from engine.ldm.conditioners.hybrid import HybridConditioner
from engine.ldm.conditioners.spatial import RescalerConfig, SpatialRescaler
from engine.ldm.conditioners.text import BERTEmbedder
from engine.ldm.config import ConditionerConfig, HybridConfig, LatentDiffusionConfig
from engine.ldm.schedules import NoiseSchedule
from engine.ldm.text.tokenizer import BertTokenizer
from engine.ldm.text.transformer import TextTransformerConfig
from engine.ldm.training.ema import EMA
from engine.ldm.unet import UNetModel


class DiffusionWrapper(nn.Module):
    """The U-Net and where its condition goes; the extra level gives the checkpoint's keys."""

    def __init__(self, unet: UNetModel) -> None:
        super().__init__()
        self.diffusion_model = unet

    def forward(self, x: Tensor, t: Tensor, condition: Condition) -> Tensor:
        if condition.concat is not None:
            x = torch.cat([x, condition.concat], dim=1)  # [B, C + C_cond, h, w]
        return self.diffusion_model(x, t, condition.context, condition.y)


class LatentDiffusion(nn.Module):
    """Networks of one model, with random weights until a checkpoint is loaded.

    Args:
        config: What to build.
        tokenizer: For a text conditioner that is to take strings.
    """

    scale_factor: Tensor | float

    def __init__(self, config: LatentDiffusionConfig, tokenizer: BertTokenizer | None = None) -> None:
        super().__init__()
        self.config = config
        self.model = DiffusionWrapper(UNetModel(config.unet))
        self.first_stage_model = None if config.first_stage is None else build_autoencoder(config.first_stage)
        # The original registers the first stage a second time as conditioner, so its keys occur twice.
        self.cond_stage_model = (
            self.first_stage_model if config.cond_is_first_stage else build_conditioner(config.conditioner, tokenizer)
        )
        for name, table in config.schedule().buffers().items():
            self.register_buffer(name, table)
        if config.scale_by_std:
            self.register_buffer("scale_factor", torch.tensor(config.scale_factor))
        else:
            self.scale_factor = config.scale_factor
        if config.learn_logvar:
            self.logvar = nn.Parameter(torch.full((config.timesteps,), config.logvar_init))
        self.model_ema = EMA(self.model) if config.use_ema else None

    @property
    def device(self) -> torch.device:
        return next(self.model.parameters()).device

    @property
    def unet(self) -> UNetModel:
        return self.model.diffusion_model

    def schedule(self) -> NoiseSchedule:
        """The noise schedule the model was trained on, in float64."""
        return self.config.schedule()

    def apply_model(self, x: Tensor, t: Tensor, condition: Condition | None = None) -> Tensor:
        """Predict the noise (or v, or x0) in a latent.

        Args:
            x: [B, C, h, w], noisy latents.
            t: [B], timesteps in [0, T).
            condition: The parts that the model's conditioning key asks for.

        Returns:
            [B, C, h, w].

        Raises:
            InputProblem: a part is missing or one too many.
        """
        condition = condition or Condition()
        self._check(condition)
        return self.model(x, t, condition)

    def encode_condition(self, value: Tensor, context: Tensor | None = None) -> Condition:
        """Encode what the model is conditioned on: token ids [B, T], classes [B], maps or pictures [B, C, H, W].

        Without a conditioner the value is used as it is. The first stage as conditioner gives unscaled latents. A
        hybrid model takes two: what goes beside the latent, and what goes into `context`.
        """
        stage = self.cond_stage_model
        if self.config.conditioning_key == "hybrid" and context is not None:
            return Condition(concat=value, context=context) if stage is None else stage(value, context)
        if isinstance(stage, AutoencoderKL | VQModel):
            value = stage.encode_mode(value)
        elif stage is not None:
            value = stage(value)
        return Condition.of(self.config.conditioning_key, value)

    def encode_first_stage(self, x: Tensor, noise: Tensor | None = None) -> Tensor:
        """Encode pictures to scaled latents: z = s E(x).

        Args:
            x: [B, 3, H, W] in [-1, 1].
            noise: [B, C, H/f, W/f], standard normal, to sample a KL posterior; None takes its mode. VQ has no noise.

        Returns:
            [B, C, H/f, W/f]; a VQ model's before the codebook.
        """
        stage = self.first_stage_model
        if stage is None:
            return self.scale_factor * x
        if isinstance(stage, AutoencoderKL) and noise is not None:
            return self.scale_factor * stage.encode(x).sample(noise)
        return self.scale_factor * stage.encode_mode(x)

    def decode_first_stage(self, z: Tensor, quantize: bool = True) -> Tensor:
        """Decode scaled latents to pictures: x = D(z / s).

        Args:
            z: [B, C, h, w].
            quantize: Snap to the codebook first (VQ only).

        Returns:
            [B, 3, h*f, w*f], about [-1, 1], not clamped.
        """
        z = z / self.scale_factor
        stage = self.first_stage_model
        if stage is None:
            return z
        return stage.decode(z, quantize) if isinstance(stage, VQModel) else stage.decode(z)

    def _check(self, condition: Condition) -> None:
        parts = {"concat": condition.concat, "context": condition.context, "y": condition.y}
        given = {name for name, part in parts.items() if part is not None}
        wanted = {
            None: set[str](),
            "concat": {"concat"},
            "crossattn": {"context"},
            "hybrid": {"concat", "context"},
            "adm": {"y"},
        }[self.config.conditioning_key]
        if given != wanted:
            raise InputProblem(
                f"this model is conditioned by {' and '.join(sorted(wanted)) or 'nothing'}, "
                f"given was {' and '.join(sorted(given)) or 'nothing'}"
            )


def build_conditioner(config: ConditionerConfig | None, tokenizer: BertTokenizer | None = None) -> nn.Module | None:
    """The conditioner a configuration describes, with random weights; None where conditions come ready."""
    match config:
        case None:
            return None
        case TextTransformerConfig():
            return BERTEmbedder(config, tokenizer)
        case ClassConfig():
            return ClassEmbedder(config)
        case RescalerConfig():
            return SpatialRescaler(config)
        case HybridConfig():
            concat = build_conditioner(config.concat) or nn.Identity()
            return HybridConditioner(concat, build_conditioner(config.crossattn, tokenizer) or nn.Identity())
