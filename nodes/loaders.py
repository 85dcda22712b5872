"""Load models: whole checkpoints, or their parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from pydantic import JsonValue

from engine.models.handles import VAE, Model, TextEncoder
from engine.node import CheckpointFile, Context, DiffusionModelFile, Folders, TextEncoderFile, VAEFile, node
from engine.node.node_type import Fingerprint

BESIDE = ("{}.yaml", "{}.yml", "config.yaml", "{}.vocab.txt", "vocab.txt")
"""Files that tell what a model's own does not; `{}` is the model's name without suffix."""


def _beside(folder: str, input: str) -> Fingerprint:
    """What lies beside a model's file: with another configuration it is another model."""

    def fingerprint(literals: Mapping[str, JsonValue], folders: Folders) -> JsonValue:
        name = literals.get(input)
        if not isinstance(name, str):  # it comes by a link, and will be known only later
            return None
        path: Path = folders.resolve(folder, name)
        places = [path.with_name(pattern.format(path.stem)) for pattern in BESIDE]
        return {place.name: sha256(place.read_bytes()).hexdigest() for place in places if place.is_file()}

    return fingerprint


class LoadedCheckpoint(NamedTuple):
    model: Model
    clip: TextEncoder
    vae: VAE


@node(
    category="loaders",
    title="Load Checkpoint",
    aliases=("CheckpointLoaderSimple",),
    fingerprint=_beside("checkpoints", "ckpt_name"),
)
def LoadCheckpoint(ckpt_name: CheckpointFile, ctx: Context) -> LoadedCheckpoint:
    """Load a whole model: the denoising network, the text encoder and the autoencoder.

    Args:
        ckpt_name: A checkpoint file (.safetensors).

    Returns:
        model: Denoises latents; goes to a sampler.
        clip: Reads prompts; goes to Encode Text. A model that is told something else than words has none to use.
        vae: Turns pictures into latents and back.
    """
    path = ctx.folders.resolve("checkpoints", ckpt_name)
    model = Model.open(path)
    clip = TextEncoder.open(path) if model.config.reads_text else TextEncoder(model.weights)
    return LoadedCheckpoint(model, clip, VAE.open(path))


@node(category="advanced/loaders", title="Choose Weights")
def ChooseWeights(model: Model, averaged: bool = True) -> Model:
    """Choose between the two sets of weights of a model that was saved while it trained.

    Args:
        model: The model. If its file has only one set, that is used.
        averaged: The average over the last steps of training, which makes better pictures; otherwise the last step's.
    """
    return replace(model, averages=averaged)


@node(
    category="loaders",
    title="Load Diffusion Model",
    aliases=("UNETLoader",),
    fingerprint=_beside("diffusion_models", "unet_name"),
)
def LoadDiffusionModel(unet_name: DiffusionModelFile, ctx: Context) -> Model:
    """Load a denoising network alone.

    Args:
        unet_name: A file in models/diffusion_models.
    """
    return Model.open(ctx.folders.resolve("diffusion_models", unet_name))


@node(category="loaders", title="Load Autoencoder", aliases=("VAELoader",), fingerprint=_beside("vae", "vae_name"))
def LoadAutoencoder(vae_name: VAEFile, ctx: Context) -> VAE:
    """Load an autoencoder alone: KL or VQ, from a file of its own or out of a checkpoint.

    Args:
        vae_name: A file in models/vae.
    """
    return VAE.open(ctx.folders.resolve("vae", vae_name))


@node(
    category="loaders",
    title="Load Text Encoder",
    aliases=("CLIPLoader",),
    fingerprint=_beside("text_encoders", "clip_name"),
)
def LoadTextEncoder(clip_name: TextEncoderFile, ctx: Context) -> TextEncoder:
    """Load a text encoder alone.

    Args:
        clip_name: A file in models/text_encoders.
    """
    return TextEncoder.open(ctx.folders.resolve("text_encoders", clip_name))
