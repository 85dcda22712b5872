"""Train the first stage: pictures to an autoencoder."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from pydantic import Field

from engine.models.handles import VAE
from engine.models.manager import ModelManager
from engine.node import Context, Seed, node
from engine.values import Image
from nodes.training_data import Pictures
from nodes.training_run import (
    Channels,
    Count,
    LearningRate,
    Rows,
    check_sides,
    check_widths,
    how_trained,
    loss_curve,
    reporter,
    state_file,
    whole_numbers,
)


class TrainedAutoencoder(NamedTuple):
    vae: VAE
    loss_curve: Image


@node(category="training", title="Train Autoencoder", output=True, lane="device")
def TrainAutoencoder(
    pictures: Pictures,
    ctx: Context,
    name: str = "autoencoder",
    channels: Channels = 32,
    channel_mult: str = "1,2,2",
    blocks: Annotated[int, Field(ge=1, le=8)] = 1,
    latent_channels: Channels = 4,
    norm_groups: Annotated[int, Field(ge=1, le=64)] = 8,
    kl_weight: Annotated[float, Field(ge=0, le=1)] = 1e-6,
    steps: Count = 2000,
    batch_size: Rows = 8,
    learning_rate: LearningRate = 1e-3,
    seed: Seed = 0,
) -> TrainedAutoencoder:
    """Train a KL autoencoder, the first stage of latent diffusion; stop and run again to go on.

    Args:
        pictures: What to learn from.
        name: The file's name in models/vae.
        channels: Width of the highest level.
        channel_mult: Widths of the levels as multiples; one more level halves the latent's sides.
        blocks: Residual blocks a level.
        latent_channels: Numbers in each latent cell.
        norm_groups: Groups of the group norms; must divide all widths.
        kl_weight: How strongly latents are pulled towards a normal distribution.
        steps: Batches to learn from.
        batch_size: Pictures in a batch.
        learning_rate: Highest rate of Adam; it rises at first and falls along a cosine.
        seed: Of initial weights, order and noise.
    """
    from engine.ldm.autoencoder import AutoencoderConfig
    from engine.ldm.checkpoint import save_autoencoder
    from engine.ldm.training.loop import FitSettings
    from engine.ldm.training.stages import train_autoencoder

    mult = whole_numbers(channel_mult, "channel_mult")
    check_widths(channels, mult, norm_groups)
    check_sides(pictures.size, mult, "pixels")
    config = AutoencoderConfig(
        ch=channels,
        ch_mult=mult,
        num_res_blocks=blocks,
        z_channels=latent_channels,
        embed_dim=latent_channels,
        resolution=pictures.size,
        norm_groups=norm_groups,
    )
    settings = FitSettings(
        steps, batch_size, learning_rate, seed, warm_up=min(100, steps), final_rate=0.02, ema_decay=0.99
    )
    trained, history = train_autoencoder(
        pictures.load(),
        config,
        settings,
        state_file(ctx, f"{name}/autoencoder"),
        reporter(ctx),
        kl_weight,
        ctx.service(ModelManager).device.torch_device,
    )
    path = ctx.folders.place("vae", f"{name}.safetensors")
    save_autoencoder(path, trained.half(), how_trained(settings, history))
    return TrainedAutoencoder(VAE.open(path), loss_curve(history))
