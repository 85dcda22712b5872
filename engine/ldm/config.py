"""The configuration of a whole latent diffusion model.

The parts' own configurations stand beside their networks; `original_config.py` reads and writes files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeVar

from engine.ldm.autoencoder import AutoencoderConfig
from engine.ldm.condition import ConditioningKey
from engine.ldm.conditioners.classes import ClassConfig
from engine.ldm.conditioners.spatial import RescalerConfig
from engine.ldm.schedules import BetaScheduleName, NoiseSchedule
from engine.ldm.text.transformer import TextTransformerConfig
from engine.ldm.unet import UNetConfig

Parameterization = Literal["eps", "x0", "v"]
LossType = Literal["l1", "l2"]


@dataclass(frozen=True)
class HybridConfig:
    """A spatial conditioner (None: what comes is used as it is) and a context conditioner."""

    concat: RescalerConfig | None
    crossattn: ConditionerConfig | None


ConditionerConfig = TextTransformerConfig | ClassConfig | RescalerConfig | HybridConfig
C = TypeVar("C", TextTransformerConfig, ClassConfig, RescalerConfig)


@dataclass(frozen=True)
class LatentDiffusionConfig:
    """Everything about one latent diffusion model; the names are those of the original's YAML files.

    `first_stage` None: the "latents" are pixels. `conditioner` None: conditions come ready (or there are none).
    `cond_is_first_stage`: conditions are encoded by the first stage, whose weights the checkpoint then holds twice.
    `scale_by_std`: the scale factor is a tensor of the checkpoint; otherwise it is `scale_factor`.
    `clip_denoised`: each predicted x0 is clamped to [-1, 1] while sampling, as the original does in pixel space.
    """

    unet: UNetConfig
    first_stage: AutoencoderConfig | None = None
    conditioner: ConditionerConfig | None = None
    cond_is_first_stage: bool = False
    conditioning_key: ConditioningKey | None = None
    beta_schedule: BetaScheduleName = "linear"
    timesteps: int = 1000
    linear_start: float = 1e-4
    linear_end: float = 2e-2
    cosine_s: float = 8e-3
    v_posterior: float = 0.0
    parameterization: Parameterization = "eps"
    scale_factor: float = 1.0
    scale_by_std: bool = False
    use_ema: bool = True
    loss_type: LossType = "l2"
    l_simple_weight: float = 1.0
    original_elbo_weight: float = 0.0
    learn_logvar: bool = False
    logvar_init: float = 0.0
    clip_denoised: bool = False

    @property
    def reads_text(self) -> bool:
        """Whether prompts are what the model is told, alone or beside something else."""
        return self.find_conditioner(TextTransformerConfig) is not None

    def find_conditioner(self, kind: type[C]) -> tuple[C, str] | None:
        """Find the conditioner of a kind, alone or as a part of a hybrid one, and its prefix in the checkpoint."""
        whole = self.conditioner
        places: list[tuple[ConditionerConfig | None, str]] = [(whole, "cond_stage_model.")]
        if isinstance(whole, HybridConfig):
            places = [
                (whole.concat, "cond_stage_model.concat_conditioner."),
                (whole.crossattn, "cond_stage_model.crossattn_conditioner."),
            ]
        return next(((config, prefix) for config, prefix in places if isinstance(config, kind)), None)

    def schedule(self) -> NoiseSchedule:
        """The noise schedule the model is trained on."""
        named = NoiseSchedule.named(
            self.beta_schedule, self.timesteps, self.linear_start, self.linear_end, self.cosine_s
        )
        return NoiseSchedule(named.betas, self.v_posterior)
