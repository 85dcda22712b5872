"""Train the first stage: pictures to an autoencoder."""

from __future__ import annotations

import json
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from engine.errors import InputProblem
from engine.models.handles import VAE
from engine.models.manager import ModelManager
from engine.node import Context, Fraction, Seed, Step, node
from engine.values import Image
from nodes.classifier import Classifier
from nodes.training_data import Pictures
from nodes.training_run import (
    Channels,
    Count,
    LearningRate,
    Live,
    Rows,
    check_sides,
    check_widths,
    how_trained,
    loss_curve,
    state_file,
    whole_numbers,
)

Weight = Annotated[float, Field(ge=0, le=100), Step(0.1)]


class TrainedAutoencoder(NamedTuple):
    vae: VAE
    loss_curve: Image


@node(category="training", title="Train Autoencoder", output=True, lane="device")
def TrainAutoencoder(
    pictures: Pictures,
    ctx: Context,
    name: str = "autoencoder",
    kind: Literal["kl", "vq"] = "kl",
    channels: Channels = 32,
    channel_mult: str = "1,2,2",
    blocks: Annotated[int, Field(ge=1, le=8)] = 1,
    latent_channels: Channels = 4,
    norm_groups: Annotated[int, Field(ge=1, le=64)] = 8,
    codebook_size: Annotated[int, Field(ge=2, le=65_536)] = 1024,
    kl_weight: Annotated[float, Field(ge=0, le=1)] = 1e-6,
    pyramid_weight: Weight = 1.0,
    perceptual_weight: Weight = 1.0,
    disc_weight: Weight = 0.0,
    disc_start: Annotated[int, Field(ge=0, le=100_000_000)] = 1000,
    disc_channels: Channels = 32,
    disc_layers: Annotated[int, Field(ge=1, le=5)] = 2,
    steps: Count = 2000,
    batch_size: Rows = 8,
    accumulate: Annotated[int, Field(ge=1, le=1024)] = 1,
    learning_rate: LearningRate = 1e-3,
    schedule: Literal["cosine", "linear", "constant"] = "cosine",
    ema_decay: Fraction = 0.99,
    sample_every: Annotated[int, Field(ge=0, le=1_000_000)] = 500,
    seed: Seed = 0,
    classifier: Classifier | None = None,
    fork_from: str = "",
    yield_to_others: bool = False,
) -> TrainedAutoencoder:
    """Train an autoencoder, the first stage of latent diffusion; stop and run again to go on.

    Args:
        pictures: What to learn from.
        name: The file's name in models/vae.
        kind: How latents are kept in bounds: KL pulls them towards a normal distribution, VQ snaps them to a codebook.
        channels: Width of the highest level.
        channel_mult: Widths of the levels as multiples; one more level halves the latent's sides, so 1,2,2 is f = 4.
        blocks: Residual blocks a level.
        latent_channels: Numbers in each latent cell.
        norm_groups: Groups of the group norms; must divide all widths.
        codebook_size: Entries of the codebook, for VQ.
        kl_weight: How strongly latents are pulled towards a normal distribution, for KL.
        pyramid_weight: How much edges and colours count, compared at several sizes; 0 leaves that out.
        perceptual_weight: How much the difference counts that a connected classifier sees.
        disc_weight: How much it counts to look real to a discriminator that learns along; 0 trains without one.
        disc_start: Step at which the discriminator enters, when pictures are already alike.
        disc_channels: Width of the discriminator's first layer.
        disc_layers: Halvings in the discriminator: it judges patches of 16, 34, 70, 142 or 286 pixels.
        steps: Batches to learn from.
        batch_size: Pictures in a batch.
        accumulate: Batches that make one step, for large ones in little memory.
        learning_rate: Highest rate of Adam; it rises at first and then falls.
        schedule: How the rate falls: along a cosine, in a line, or not at all.
        ema_decay: How slowly the averaged weights, which are saved, follow; 0 saves the last ones.
        sample_every: Steps between sheets of pictures above their copies in the output folder; 0 makes none.
        seed: Of initial weights, order and noise.
        classifier: Compares what is seen in pictures, as the paper's VGG does.
        fork_from: Another training, by its name, from whose state to go on under this name: with the same network and
            batches, but another rate, loss or number of steps. The other one stays as it is.
        yield_to_others: Stop when other jobs wait, and go on after them.
    """
    from engine.ldm.autoencoder import AutoencoderConfig, VQModel
    from engine.ldm.checkpoint import save_autoencoder
    from engine.ldm.training.autoencoder_loss import AdversarialConfig
    from engine.ldm.training.codebook import measure_use
    from engine.ldm.training.first_stage_loss import FirstStageLoss
    from engine.ldm.training.loop import FitSettings
    from engine.ldm.training.stages import train_autoencoder

    mult = whole_numbers(channel_mult, "channel_mult")
    check_widths(channels, mult, norm_groups)
    check_sides(pictures.size, mult, "pixels")
    if disc_weight:
        _check_patches(pictures.size, disc_layers)
    config = AutoencoderConfig(
        ch=channels,
        ch_mult=mult,
        num_res_blocks=blocks,
        z_channels=latent_channels,
        embed_dim=latent_channels,
        resolution=pictures.size,
        norm_groups=norm_groups,
        n_embed=codebook_size if kind == "vq" else None,
    )
    settings = FitSettings(
        steps,
        batch_size,
        learning_rate,
        seed,
        warm_up=min(100, steps),
        final_rate=0.02,
        ema_decay=ema_decay,
        accumulate=accumulate,
        schedule=schedule,
    )
    loss = FirstStageLoss(
        kl_weight,
        pyramid_weight=pyramid_weight,
        perceptual_weight=perceptual_weight,
        classifier=None if classifier is None else classifier.open(),
        adversarial=AdversarialConfig(disc_start, disc_weight) if disc_weight else None,
        disc_channels=disc_channels,
        disc_layers=disc_layers,
    )
    loaded, live = pictures.load(), Live(ctx, yield_to_others)
    trained, history = train_autoencoder(
        loaded,
        config,
        settings,
        state_file(ctx, f"{name}/autoencoder", fork_from and f"{fork_from}/autoencoder"),
        live.report,
        loss,
        ctx.service(ModelManager).device.torch_device,
        lambda step, sheet: live.samples(name, step, sheet),
        sample_every or steps + 1,
    )
    facts = how_trained(settings, history)
    if isinstance(trained, VQModel):
        facts["darkroom.codebook"] = json.dumps(measure_use(trained, loaded))
    path = ctx.folders.place("vae", f"{name}.safetensors")
    save_autoencoder(path, trained.half(), facts)
    return TrainedAutoencoder(VAE.open(path), loss_curve(history))


def _check_patches(side: int, layers: int) -> None:
    """Make sure before a long training that the discriminator finds a patch when it enters."""
    if side // 2**layers < 3:  # two more convolutions take a cell each
        most = (side // 3).bit_length() - 1
        raise InputProblem(
            f"a discriminator of {layers} halvings sees no patch in pictures of {side} pixels; use {most} at most",
            "disc_layers",
        )
