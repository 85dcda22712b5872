"""What is compared: the factors, the data, the U-Net they share and how much computing each may spend."""

from __future__ import annotations

from dataclasses import dataclass

from engine.ldm.autoencoder import AutoencoderConfig
from engine.ldm.config import LatentDiffusionConfig
from engine.ldm.training.loop import FitSettings
from engine.ldm.unet import UNetConfig

GROUPS = ("smileys-emotion", "animals-nature", "food-drink", "travel-places", "activities", "objects")
"""Those of workflows/train/text_to_image_base.json."""

LATENT_CHANNELS = {1: 3, 2: 3, 4: 4, 8: 8}
"""By f. Growing with f as in the paper (3, 2, 3, 4, and more for f = 16 and 32), a little wider for small pictures."""

WIDTHS = {2: (1, 2), 4: (1, 2, 2), 8: (1, 2, 2, 2)}
"""Levels of the first stages by f. The highest level takes nearly all the time, so a step of each costs the same."""


@dataclass(frozen=True)
class Plan:
    """How large everything is. The U-Nets differ in nothing but the channels they take and give.

    `size` in pixels a side. `points`: CPU seconds of training after which pictures are made and judged; the last one
    is the budget. `pictures` are made at each point, in `sampling_steps`.
    """

    factors: tuple[int, ...] = (1, 2, 4, 8)
    size: int = 32
    first_stage_channels: int = 16
    first_stage_steps: int = 400
    unet_channels: int = 32
    points: tuple[float, ...] = (10.0, 20.0, 40.0)
    batch_size: int = 16
    learning_rate: float = 1e-3
    pictures: int = 192
    sampling_steps: int = 10

    def first_stage(self, factor: int) -> AutoencoderConfig:
        """The autoencoder of one factor; f = 1 has none."""
        channels = LATENT_CHANNELS[factor]
        return AutoencoderConfig(
            ch=self.first_stage_channels,
            ch_mult=WIDTHS[factor],
            num_res_blocks=1,
            z_channels=channels,
            embed_dim=channels,
            resolution=self.size,
            mid_attention=False,
            norm_groups=8,
        )

    def model(self, factor: int, scale_factor: float) -> LatentDiffusionConfig:
        """The unconditional diffusion model of one factor; for f = 1 its latents are the pixels."""
        channels = LATENT_CHANNELS[factor]
        return LatentDiffusionConfig(
            unet=UNetConfig(
                in_channels=channels,
                out_channels=channels,
                model_channels=self.unet_channels,
                channel_mult=(1, 2, 2),
                num_res_blocks=1,
                attention_resolutions=(4,),
                num_heads=4,
                norm_groups=8,
            ),
            first_stage=None if factor == 1 else self.first_stage(factor),
            linear_start=0.0015,
            linear_end=0.0195,
            parameterization="v",
            scale_factor=scale_factor,
            use_ema=False,
        )

    def first_stage_settings(self) -> FitSettings:
        return FitSettings(
            self.first_stage_steps, self.batch_size, 2e-3, 0, min(50, self.first_stage_steps), 0.02, ema_decay=0.99
        )

    def settings(self, steps: int) -> FitSettings:
        """Of the U-Nets. The rate stays the same to the end, so that a longer training only adds to a shorter one."""
        return FitSettings(steps, self.batch_size, self.learning_rate, 0, 50, final_rate=1.0, ema_decay=0.99)


QUICK = Plan(
    factors=(1, 4),
    size=16,
    first_stage_channels=8,
    first_stage_steps=2,
    unet_channels=8,
    points=(0.02, 0.04),
    batch_size=4,
    pictures=8,
    sampling_steps=2,
)
"""Shows that every step works, and nothing else."""
