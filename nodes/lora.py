"""LoRAs: small files that change a model's weights, loaded onto a model or trained for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from engine.errors import InputProblem
from engine.models.handles import VAE, Model, TextEncoder, Weights
from engine.models.lora import LoraPatch
from engine.models.manager import ModelManager
from engine.node import Context, Fraction, LoraFile, Seed, Step, node
from engine.values import Conditioning, Image, TrainingSet
from nodes.fine_tuning import Subject, some_captions
from nodes.training_run import Count, LearningRate, Live, Rows, how_trained, loss_curve, state_file

Strength = Annotated[float, Field(ge=-100, le=100), Step(0.05)]
Rank = Annotated[int, Field(ge=1, le=1024)]


class Patched(NamedTuple):
    model: Model
    clip: TextEncoder


class TrainedLora(NamedTuple):
    model: Model
    clip: TextEncoder
    loss_curve: Image


@node(category="loaders", title="Load LoRA")
def LoraLoader(
    model: Model,
    clip: TextEncoder,
    lora_name: LoraFile,
    ctx: Context,
    strength_model: Strength = 1.0,
    strength_clip: Strength = 1.0,
) -> Patched:
    """Change a model by a LoRA: a small file of what it learned beyond its checkpoint.

    Args:
        model: The model to change; several LoRAs can follow one another.
        clip: Its text encoder, which some LoRAs change, too.
        lora_name: A file in models/loras.
        strength_model: How strongly the U-Net is changed; negative does the opposite.
        strength_clip: How strongly the text encoder is changed.
    """
    weights = Weights.at(ctx.folders.resolve("loras", lora_name))
    return Patched(_with_unet(model, weights, strength_model), _with_text(clip, weights, strength_clip))


@node(category="loaders", title="Load LoRA (Model Only)")
def LoraLoaderModelOnly(model: Model, lora_name: LoraFile, ctx: Context, strength_model: Strength = 1.0) -> Model:
    """Change a model by a LoRA, and leave its text encoder as it is.

    Args:
        model: The model to change.
        lora_name: A file in models/loras.
        strength_model: How strongly it is changed; negative does the opposite.
    """
    return _with_unet(model, Weights.at(ctx.folders.resolve("loras", lora_name)), strength_model)


@node(category="training", title="Train LoRA", output=True, lane="device")
def TrainLoRA(
    model: Model,
    training_set: TrainingSet,
    vae: VAE,
    ctx: Context,
    clip: TextEncoder | None = None,
    positive: Conditioning | None = None,
    name: str = "lora",
    rank: Rank = 8,
    alpha: Annotated[float, Field(gt=0, le=1024)] = 8.0,
    targets: Literal["attention", "transformer", "everything"] = "attention",
    train_text: bool = False,
    dropout: Fraction = 0.1,
    steps: Count = 500,
    batch_size: Rows = 8,
    learning_rate: LearningRate = 1e-3,
    ema_decay: Fraction = 0.99,
    sample_every: Annotated[int, Field(ge=0, le=1_000_000)] = 100,
    seed: Seed = 0,
    yield_to_others: bool = False,
) -> TrainedLora:
    """Teach a model something new in a small file beside its checkpoint; stop and run again to go on.

    Args:
        model: The model to teach. LoRAs that it has already are kept, and are not part of the new one.
        training_set: Latents and captions, from Encode Pictures.
        vae: The autoencoder that made the latents, for the sheets of samples.
        clip: The model's text encoder, which reads the captions.
        positive: What the model is told of every picture, where it is not told captions.
        name: The file's name in models/loras.
        rank: How much a layer can learn: 4 to 32 as a rule. The file grows with it.
        alpha: The change counts alpha / rank times; leave it at the rank, or halve it to learn more gently.
        targets: What learns: the attention; the transformers it is part of; or every layer, which learns a new style
            best and needs the most room.
        train_text: Teach the text encoder, too, for captions with words that it does not know.
        dropout: Share of captions left out, so that guidance keeps its meaning.
        steps: Batches to learn from.
        batch_size: Latents in a batch.
        learning_rate: Highest rate of Adam; it rises at first and falls along a cosine.
        ema_decay: How slowly the averaged weights, which are saved, follow.
        sample_every: Steps between sheets of samples in the output folder; 0 makes none.
        seed: Of initial weights, order, noise and dropout.
        yield_to_others: Stop when other jobs wait, and go on after them.

    Returns:
        model: The model with what it learned.
        clip: The text encoder, changed if that was trained.
        loss_curve: The loss by step.
    """
    import torch

    from engine.ldm.lora import lora_tensors
    from engine.ldm.training.adapters import Adapters, choose_layers
    from engine.ldm.training.loop import FitSettings
    from engine.ldm.training.stages import Latents, train_diffusion
    from engine.ldm.weights import save_model

    device = ctx.service(ModelManager).device
    subject = Subject.of(model, clip, vae, training_set, device.name)
    conditions = subject.told(training_set, positive, dropout)
    layers = choose_layers(subject.whole.unet, targets)
    if train_text:
        if subject.encoder is None:
            raise InputProblem("there is no text encoder to teach; connect clip, or turn train_text off", "clip")
        layers |= choose_layers(subject.encoder, targets)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        adapters = Adapters(layers, rank, alpha)
    settings = FitSettings(steps, batch_size, learning_rate, seed, min(50, steps), 0.05, ema_decay=ema_decay)
    captions, live = some_captions(training_set), Live(ctx, yield_to_others)
    with adapters.attached():
        history = train_diffusion(
            subject.whole,
            Latents(training_set.mean, training_set.std),
            conditions,
            settings,
            state_file(ctx, f"{name}/lora"),
            live.report,
            device.torch_device,
            lambda step, _: live.samples(name, step, subject.samples(captions, conditions)),
            sample_every or steps + 1,
            part=adapters,
        )
    path = ctx.folders.place("loras", f"{name}.safetensors")
    facts = {"ss_network_module": "networks.lora", "ss_network_dim": str(rank), "ss_network_alpha": str(alpha)}
    save_model(path, lora_tensors(adapters.half().trained()), {**how_trained(settings, history), **facts})
    weights = Weights.at(path)
    text = TextEncoder(model.weights) if clip is None else clip
    return TrainedLora(_with_unet(model, weights, 1.0), _with_text(text, weights, 1.0), loss_curve(history))


def _with_unet(model: Model, weights: Weights, strength: float) -> Model:
    return model.patched(LoraPatch(weights, strength)) if strength and _changes(weights, "U-Net") else model


def _with_text(clip: TextEncoder, weights: Weights, strength: float) -> TextEncoder:
    if not strength or not _changes(weights, "text encoder"):
        return clip
    return replace(clip, patches=(*clip.patches, LoraPatch(weights, strength)))


def _changes(weights: Weights, network: Literal["U-Net", "text encoder"]) -> bool:
    """Whether a file has changes for a network: one without them must stay the same network, and is not loaded twice.

    Raises:
        ModelFileError: it is no LoRA.
    """
    from engine.ldm.lora import read_lora
    from engine.ldm.lora_names import TEXT_ENCODERS

    return any(bool(TEXT_ENCODERS.match(name)) == (network == "text encoder") for name in read_lora(weights.open()))
