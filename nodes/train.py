"""Training: pictures to an autoencoder, and latents with captions to a model that makes pictures from words.

Training state is saved below the output folder, and a finished model among the user's own. A node that runs again goes
on where it stopped; one that had finished gives its model at once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, NamedTuple

from pydantic import Field, JsonValue

from engine.errors import InputProblem
from engine.models.handles import VAE, Model, TextEncoder, Weights
from engine.models.manager import ModelManager
from engine.node import Context, Folders, Fraction, Seed, Step, node
from engine.values import Image, TrainingSet

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from engine.ldm.conditioners.layout import Box
    from engine.ldm.config import LatentDiffusionConfig
    from engine.ldm.training.loop import FitSettings, History, Listener, StepReport
    from engine.ldm.training.pictures import PictureSet

Count = Annotated[int, Field(ge=1, le=100_000_000)]
Rows = Annotated[int, Field(ge=1, le=65_536)]
Channels = Annotated[int, Field(ge=1, le=4096)]
TextWidth = Annotated[int, Field(ge=32, le=4096, multiple_of=32)]
LearningRate = Annotated[float, Field(gt=0, le=1), Step(0.0001)]
SAMPLES = 32
Side = Annotated[int, Field(ge=8, le=2048, multiple_of=8)]


@dataclass(frozen=True)
class Pictures:
    """A folder of captioned pictures and how to read it; holds no pixels."""

    port: ClassVar[str] = "PICTURES"
    folder: str
    size: int
    groups: tuple[str, ...]


class TrainedAutoencoder(NamedTuple):
    vae: VAE
    loss_curve: Image


class TrainedModel(NamedTuple):
    model: Model
    clip: TextEncoder
    vae: VAE
    loss_curve: Image


def _folder_content(literals: Mapping[str, JsonValue], folders: Folders) -> JsonValue:
    """What changes when a picture or caption of the folder does: names, sizes and times of its files."""
    folder = folders.resolve("input", str(literals["folder"]), kind="folder")
    stats = ((file.name, file.stat()) for file in sorted(folder.iterdir()))
    return [[name, stat.st_size, stat.st_mtime_ns] for name, stat in stats]


@node(category="training", title="Load Pictures", fingerprint=_folder_content)
def LoadPictures(folder: str, ctx: Context, size: Side = 64, groups: str = "") -> Pictures:
    """Choose a folder of captioned pictures to train on.

    Args:
        folder: A folder inside the input folder. Captions are read from its captions.jsonl, or from a .txt beside each
            picture, or from the file names.
        size: Side of the square that every picture is cropped and resized to, in pixels.
        groups: Names of groups to take, with commas between; empty takes all.
    """
    from engine.ldm.training.pictures import list_pictures

    path = ctx.folders.resolve("input", folder, kind="folder")
    chosen = tuple(name.strip() for name in groups.split(",") if name.strip())
    list_pictures(path, chosen)  # says at once what is wrong with the folder
    return Pictures(str(path), size, chosen)


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

    mult = _numbers(channel_mult, "channel_mult")
    _check_widths(channels, mult, norm_groups)
    _check_sides(pictures.size, mult, "pixels")
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
        _load(pictures),
        config,
        settings,
        _state_file(ctx, f"{name}/autoencoder"),
        _reporter(ctx),
        kl_weight,
        ctx.service(ModelManager).device.torch_device,
    )
    path = ctx.folders.place("vae", f"{name}.safetensors")
    save_autoencoder(path, trained.half(), _how(settings, history))
    return TrainedAutoencoder(VAE.open(path), _curve(history))


@node(category="training", title="Encode Pictures", lane="device")
def EncodePictures(pictures: Pictures, vae: VAE, ctx: Context, keep_pixels: bool = False) -> TrainingSet:
    """Encode a whole data set once, so that training a model on it never decodes a picture again.

    Args:
        pictures: What to encode.
        vae: The autoencoder whose latents the model will learn.
        keep_pixels: Keep the pictures, too, for models that are told of a small picture, a hole or a colour map.
    """
    from engine.ldm.training.stages import encode_pictures

    loaded = _load(pictures)
    mean, std = ctx.service(ModelManager).run(vae, lambda network: encode_pictures(loaded, network))
    captions = tuple((picture.caption, *picture.keywords) for picture in loaded.pictures)
    groups = tuple(picture.group for picture in loaded.pictures)
    return TrainingSet(mean, std, captions, groups, loaded.pixels if keep_pixels else None)


@node(category="training", title="Encode Scenes", lane="device")
def EncodeScenes(pictures: Pictures, vae: VAE, ctx: Context, count: Count = 4000, seed: Seed = 0) -> TrainingSet:
    """Lay pictures with transparent ground on white, up to four to a scene, and encode the scenes with their boxes.

    Args:
        pictures: What to lay; their size is that of the scenes.
        vae: The autoencoder whose latents the model will learn.
        count: How many scenes.
        seed: Chooses what lies where.
    """
    from pathlib import Path

    from engine.ldm.training.pictures import PictureSet, list_pictures
    from engine.ldm.training.scenes import compose_scenes
    from engine.ldm.training.stages import encode_pictures

    things = list_pictures(Path(pictures.folder), pictures.groups)
    scenes = compose_scenes(things, count, pictures.size, seed)
    loaded = PictureSet(tuple(things[boxes[0].category] for boxes in scenes.boxes), scenes.pixels)
    mean, std = ctx.service(ModelManager).run(vae, lambda network: encode_pictures(loaded, network))
    names = tuple(thing.caption for thing in things)
    boxes = tuple(tuple((box.category, *box.rectangle) for box in scene) for scene in scenes.boxes)
    captions = tuple((", ".join(names[box[0]] for box in scene),) for scene in boxes)
    return TrainingSet(mean, std, captions, ("",) * count, boxes=boxes, categories=names)


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
) -> TrainedModel:
    """Train a U-Net and what conditions it, the second stage of latent diffusion; stop and run again to go on.

    Args:
        training_set: Latents and captions, from Encode Pictures.
        vae: The autoencoder that made the latents; it becomes part of the checkpoint.
        name: The file's name in models/checkpoints.
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
    mult = _numbers(channel_mult, "channel_mult")
    _check_widths(channels, mult, norm_groups, heads)
    for side in training_set.mean.shape[2:]:
        _check_sides(crop or side, mult, "cells")
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
                attention_resolutions=_numbers(attention_resolutions, "attention_resolutions"),
                num_heads=heads,
                norm_groups=norm_groups,
            ),
            first_stage=vae.config,
            linear_start=0.0015,
            linear_end=0.0195,
            parameterization=parameterization,
            scale_factor=scale_from_std(training_set.mean[:batch_size]),
            use_ema=False,
        )
    )
    begun = None
    if start is not None:
        config = _going_on(config, start, vae)
        begun = load_unet(start.weights.open(), dtype=torch.float32)
    settings = FitSettings(steps, batch_size, learning_rate, seed, min(200, steps), 0.03, ema_decay=ema_decay)
    manager = ctx.service(ModelManager)
    model = manager.run(vae, lambda network: new_model(config, seed, network, recipe.tokenizer, begun))
    history = train_diffusion(
        model,
        Latents(training_set.mean, training_set.std),
        recipe.conditions(model),
        settings,
        _state_file(ctx, f"{name}/diffusion"),
        _reporter(ctx),
        manager.device.torch_device,
        lambda step, model: _show_samples(ctx, name, step, recipe.samples(model, SAMPLES)),
        sample_every or steps + 1,
        high_noise,
        crop,
    )
    path = ctx.folders.place("checkpoints", f"{name}.safetensors")
    save_latent_diffusion(path, model.half(), {**_how(settings, history), **recipe.metadata})
    weights = Weights.at(path)
    return TrainedModel(Model.open(path), TextEncoder(weights), VAE.open(path), _curve(history))


def _going_on(config: LatentDiffusionConfig, start: Model, vae: VAE) -> LatentDiffusionConfig:
    """The configuration of `start` with the conditioner of `config`."""
    if start.config.first_stage != vae.config:
        raise InputProblem("`start` was trained on the latents of another autoencoder; connect its own VAE", "vae")
    if start.config.unet.context_dim != config.unet.context_dim:
        raise InputProblem(
            f"the U-Net of `start` reads words {start.config.unet.context_dim} wide; set text_width to that",
            "text_width",
        )
    return replace(start.config, conditioner=config.conditioner, use_ema=False)


def _pixels(training_set: TrainingSet) -> Tensor:
    if training_set.pixels is None:
        raise InputProblem("the training set has no pictures; turn on keep_pixels in Encode Pictures", "training_set")
    return training_set.pixels


def _boxes(training_set: TrainingSet) -> list[list[Box]]:
    from engine.ldm.conditioners.layout import Box

    if not training_set.boxes:
        raise InputProblem("the training set has no boxes; make it with Encode Scenes", "training_set")
    return [[Box(category, rectangle) for category, *rectangle in scene] for scene in training_set.boxes]  # type: ignore[arg-type]


def _load(pictures: Pictures) -> PictureSet:
    from pathlib import Path

    from engine.ldm.training.pictures import load_pictures

    return load_pictures(Path(pictures.folder), pictures.size, pictures.groups)


def _state_file(ctx: Context, name: str) -> Path:
    return ctx.folders.place("output", f"training/{name}.state.safetensors")


def _reporter(ctx: Context) -> Listener:
    """Show progress, loss and speed; stops the training when the run is cancelled, with its state saved."""

    def report(step: StepReport) -> None:
        ctx.progress(step.step, step.steps, f"loss {step.losses['loss']:.4f}, {step.rows_per_second:.1f} pictures/s")
        ctx.check_cancelled()

    return report


def _show_samples(ctx: Context, name: str, step: int, pictures: Tensor) -> None:
    """Save a sheet of samples [N, H, W, 3], and show it."""
    from engine.ldm.training.plot import contact_sheet
    from engine.pixels import encode_jpeg, encode_png

    (sheet,) = contact_sheet(pictures, columns=8)
    ctx.folders.save(encode_png(sheet, {}), f"training/{name}/step {step}")
    if ctx.wants_preview:
        ctx.preview(encode_jpeg(sheet))


def _numbers(text: str, input: str) -> tuple[int, ...]:
    try:
        numbers = tuple(int(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if not numbers or min(numbers) < 1:
        raise InputProblem(f"{input} is {text!r}; write whole numbers with commas between, like 1,2,3", input)
    return numbers


def _check_widths(channels: int, mult: tuple[int, ...], groups: int, heads: int = 1) -> None:
    """Make sure before a long training that every level can be normed in groups and attended to by heads."""
    for width in (channels * each for each in mult):
        if width % groups:
            raise InputProblem(f"{groups} groups do not divide a level of {width} channels; use 8 or 4", "norm_groups")
        if width % heads:
            raise InputProblem(f"{heads} heads do not divide a level of {width} channels; use 4, 2 or 1", "heads")


def _check_sides(side: int, mult: tuple[int, ...], what: str) -> None:
    factor = 2 ** (len(mult) - 1)
    if side % factor:
        raise InputProblem(
            f"{len(mult)} levels want sides in multiples of {factor}, but there are {side} {what}; use fewer levels",
            "channel_mult",
        )


def _how(settings: FitSettings, history: History) -> dict[str, str]:
    """What a model file says about its training."""
    facts = {
        "steps": history.step,
        "pictures_seen": history.step * settings.batch_size,
        "hours": round(history.seconds / 3600, 2),
        "final_losses": {name: round(sum(v[-200:]) / len(v[-200:]), 5) for name, v in history.losses.items() if v},
    }
    return {"darkroom.trained": json.dumps(facts)}


def _curve(history: History) -> Image:
    from engine.ldm.training.plot import plot_losses

    return Image(plot_losses(history.losses))
