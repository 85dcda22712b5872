"""Train the second stage: latents and what is known of them to a model that makes pictures."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from pydantic import Field

from engine.errors import InputProblem
from engine.models.handles import VAE, Model, TextEncoder, Weights
from engine.models.manager import ModelManager
from engine.node import Context, Fraction, Seed, node
from engine.values import Image, TrainingSet
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

if TYPE_CHECKING:
    from torch import Tensor

    from engine.ldm.conditioners.layout import Box
    from engine.ldm.config import LatentDiffusionConfig

TextWidth = Annotated[int, Field(ge=32, le=4096, multiple_of=32)]
SAMPLES = 32


class TrainedModel(NamedTuple):
    model: Model
    clip: TextEncoder
    vae: VAE
    loss_curve: Image


@node(category="training", title="Train Diffusion", output=True, lane="device")
def TrainDiffusion(
    training_set: TrainingSet,
    vae: VAE,
    ctx: Context,
    name: str = "text-to-image",
    conditioning: Literal["text", "class", "none", "small picture", "hole", "colour map", "layout"] = "text",
    channels: Channels = 64,
    channel_mult: str = "1,2,3",
    blocks: Annotated[int, Field(ge=1, le=8)] = 1,
    attention_resolutions: str = "4",
    heads: Annotated[int, Field(ge=1, le=64)] = 4,
    norm_groups: Annotated[int, Field(ge=1, le=64)] = 8,
    text_width: TextWidth = 128,
    text_depth: Annotated[int, Field(ge=1, le=64)] = 3,
    text_length: Annotated[int, Field(ge=3, le=512)] = 24,
    vocabulary_size: Annotated[int, Field(ge=64, le=100_000)] = 2600,
    parameterization: Literal["eps", "v", "x0"] = "v",
    dropout: Fraction = 0.1,
    steps: Count = 5000,
    batch_size: Rows = 32,
    learning_rate: LearningRate = 8e-4,
    ema_decay: Fraction = 0.998,
    high_noise: Fraction = 0.0,
    crop: Annotated[int, Field(ge=0, le=4096)] = 0,
    sample_every: Annotated[int, Field(ge=0, le=1_000_000)] = 500,
    seed: Seed = 0,
    start: Model | None = None,
    fork_from: str = "",
    yield_to_others: bool = False,
    schedule: Literal["cosine", "linear", "constant"] = "cosine",
    warm_up: Annotated[int, Field(ge=0, le=100_000_000)] = 200,
    accumulate: Annotated[int, Field(ge=1, le=1024)] = 1,
    loss_type: Literal["l2", "l1"] = "l2",
    elbo_weight: Annotated[float, Field(ge=0, le=1)] = 0.0,
    learn_logvar: bool = False,
    mixed_precision: bool = True,
    with_vae: bool = True,
) -> TrainedModel:
    """Train a U-Net and what conditions it, the second stage of latent diffusion; stop and run again to go on.

    Args:
        training_set: Latents and captions, from Encode Pictures.
        vae: The autoencoder that made the latents.
        name: The file's name in models/checkpoints, or models/diffusion_models without the VAE.
        conditioning: What the model is told of a picture: its caption; its group; nothing; the picture as small as the
            latent, for super-resolution; the picture around a hole, for inpainting; its map of colours; or what is
            where in a scene.
        channels: Width of the U-Net's highest level.
        channel_mult: Widths of the levels as multiples.
        blocks: Residual blocks a level.
        attention_resolutions: Downsampling factors of the levels with attention, to the words where there are any.
        heads: Attention heads of the U-Net.
        norm_groups: Groups of the group norms; must divide all widths.
        text_width: Width of the text encoder, in multiples of 32, or of a class's vector.
        text_depth: Layers of the text encoder.
        text_length: Longest prompt in tokens, two of them its start and end.
        vocabulary_size: Most tokens; the words of the captions come first.
        parameterization: What the U-Net predicts: the noise, v, or the clean latent.
        dropout: Share of captions or classes left out, so that guidance has an unconditional model.
        steps: Batches to learn from.
        batch_size: Latents in a batch.
        learning_rate: Highest rate of Adam; it rises at first and falls along a cosine.
        ema_decay: How slowly the averaged weights, which are saved, follow.
        high_noise: Share of each batch drawn from the noisiest two fifths of the schedule, where the words decide what
            the picture is; 0 is the paper's uniform draw.
        crop: Side of a random square of each latent to learn from, in cells; 0 takes the whole.
        sample_every: Steps between sheets of samples in the output folder; 0 makes none.
        seed: Of initial weights, order, noise and dropout.
        start: A model whose U-Net to go on from, with its shape and schedule instead of those set here. The text
            encoder begins anew, so that it may read other captions in another length.
        fork_from: Another training, by its name, from whose state to go on under this name: with the same network and
            batches, but another rate, loss or number of steps. The other one stays as it is.
        yield_to_others: Stop when other jobs wait, and go on after them.
        schedule: How the learning rate falls after its rise: along a cosine, in a line, or not at all.
        warm_up: Steps in which the learning rate rises.
        accumulate: Batches that make one step, for large ones in little memory.
        loss_type: Squared error (l2), or absolute error, which forgives outliers (l1).
        elbo_weight: How much the variational bound counts beside the simple loss; the paper's models leave it out.
        learn_logvar: Learn how much each timestep's error counts.
        mixed_precision: On a GPU, compute in bfloat16, which is faster. On the CPU it changes nothing.
        with_vae: Put the autoencoder into the file, so that Load Checkpoint finds all in one; without it several models
            share the one that Load Autoencoder loads.
    """
    import torch

    from engine.ldm.checkpoint import load_unet, save_latent_diffusion
    from engine.ldm.config import LatentDiffusionConfig
    from engine.ldm.training.loop import FitSettings
    from engine.ldm.training.objective import scale_from_std
    from engine.ldm.training.recipes import (
        ClassConditional,
        Inpainting,
        LayoutToImage,
        Recipe,
        SemanticSynthesis,
        SuperResolution,
        TextToImage,
        Unconditional,
    )
    from engine.ldm.training.stages import Latents, new_model, train_diffusion
    from engine.ldm.unet import UNetConfig

    latent_channels = vae.config.embed_dim
    if training_set.mean.shape[1] != latent_channels:
        raise InputProblem(
            f"the latents have {training_set.mean.shape[1]} channels, this VAE makes {latent_channels}; use the VAE "
            "that encoded the pictures",
            "training_set",
        )
    mult = whole_numbers(channel_mult, "channel_mult")
    check_widths(channels, mult, norm_groups, heads)
    for side in training_set.mean.shape[2:]:
        check_sides(crop or side, mult, "cells")
        if crop > side:
            raise InputProblem(
                f"the latents have {side} cells a side, fewer than {crop}; make the crop smaller", "crop"
            )
    recipe: Recipe
    match conditioning:
        case "text":
            try:
                captions = training_set.captions
                recipe = TextToImage(captions, text_width, text_depth, text_length, vocabulary_size, dropout)
            except ValueError as error:
                raise InputProblem(f"{error}; choose a larger vocabulary", "vocabulary_size") from error
        case "class":
            recipe = ClassConditional(training_set.groups, text_width, dropout)
        case "none":
            recipe = Unconditional()
        case "small picture":
            recipe = SuperResolution(_pixels(training_set), vae.config.downsampling)
        case "hole":
            recipe = Inpainting(_pixels(training_set))
        case "colour map":
            recipe = SemanticSynthesis(_pixels(training_set), vae.config.downsampling)
        case "layout":
            recipe = LayoutToImage(_boxes(training_set), training_set.categories, text_width, text_depth, dropout)
    config = recipe.complete(
        LatentDiffusionConfig(
            unet=UNetConfig(
                in_channels=latent_channels,
                out_channels=latent_channels,
                model_channels=channels,
                channel_mult=mult,
                num_res_blocks=blocks,
                attention_resolutions=whole_numbers(attention_resolutions, "attention_resolutions"),
                num_heads=heads,
                norm_groups=norm_groups,
            ),
            first_stage=vae.config,
            linear_start=0.0015,
            linear_end=0.0195,
            parameterization=parameterization,
            scale_factor=scale_from_std(training_set.mean[:batch_size]),
            use_ema=False,
            loss_type=loss_type,
            original_elbo_weight=elbo_weight,
            learn_logvar=learn_logvar,
        )
    )
    begun = None
    if start is not None:
        config = _going_on(config, start, vae)
        begun = load_unet(start.weights.open(), dtype=torch.float32)
    settings = FitSettings(
        steps,
        batch_size,
        learning_rate,
        seed,
        min(warm_up, steps),
        0.03,
        ema_decay=ema_decay,
        accumulate=accumulate,
        schedule=schedule,
    )
    live = Live(ctx, yield_to_others)
    manager = ctx.service(ModelManager)
    model = manager.run(vae, lambda network: new_model(config, seed, network, recipe.tokenizer, begun))
    history = train_diffusion(
        model,
        Latents(training_set.mean, training_set.std),
        recipe.conditions(model),
        settings,
        state_file(ctx, f"{name}/diffusion", fork_from and f"{fork_from}/diffusion"),
        live.report,
        manager.device.torch_device,
        lambda step, model: live.samples(name, step, recipe.samples(model, SAMPLES)),
        sample_every or steps + 1,
        high_noise,
        crop,
        mixed_precision=mixed_precision,
    )
    path = ctx.folders.place("checkpoints" if with_vae else "diffusion_models", f"{name}.safetensors")
    save_latent_diffusion(path, model.half(), {**how_trained(settings, history), **recipe.metadata}, with_vae)
    own_vae = VAE.open(path) if with_vae else vae
    return TrainedModel(Model.open(path), TextEncoder(Weights.at(path)), own_vae, loss_curve(history))


def _going_on(config: LatentDiffusionConfig, start: Model, vae: VAE) -> LatentDiffusionConfig:
    """The configuration of `start` with the conditioner of `config`."""
    if start.config.first_stage != vae.config:
        raise InputProblem("`start` was trained on the latents of another autoencoder; connect its own VAE", "vae")
    if start.config.unet.context_dim != config.unet.context_dim:
        raise InputProblem(
            f"the U-Net of `start` reads words {start.config.unet.context_dim} wide; set text_width to that",
            "text_width",
        )
    return replace(
        start.config,
        conditioner=config.conditioner,
        use_ema=False,
        loss_type=config.loss_type,
        original_elbo_weight=config.original_elbo_weight,
        learn_logvar=config.learn_logvar,
    )


def _pixels(training_set: TrainingSet) -> Tensor:
    if training_set.pixels is None:
        raise InputProblem("the training set has no pictures; turn on keep_pixels in Encode Pictures", "training_set")
    return training_set.pixels


def _boxes(training_set: TrainingSet) -> list[list[Box]]:
    from engine.ldm.conditioners.layout import Box

    if not training_set.boxes:
        raise InputProblem("the training set has no boxes; make it with Encode Scenes", "training_set")
    return [[Box(category, rectangle) for category, *rectangle in scene] for scene in training_set.boxes]  # type: ignore[arg-type]
