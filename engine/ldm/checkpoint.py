"""Checkpoints: a whole model in the original's layout, or one network under its own names, from one file.

Averaged weights (`model_ema.*`) are used for sampling wherever a checkpoint has them, as the original's scripts do.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch

from engine.errors import ModelFileError
from engine.ldm.autoencoder import Autoencoder, FirstStage, IdentityFirstStage, build_autoencoder, identity_config
from engine.ldm.checkpoint_config import (
    AVERAGES,
    CONDITIONER,
    CONFIG_KEY,
    FIRST_STAGE,
    UNET_PREFIXES,
    adapt_config,
    check_size,
    check_unet,
    find_first_stage_config,
    find_prefix,
    find_text_config,
    find_unet_config,
    has_averages,
    pixel_channels,
    read_config,
)
from engine.ldm.conditioners.hybrid import HybridConditioner
from engine.ldm.conditioners.text import BERTEmbedder
from engine.ldm.config import LatentDiffusionConfig
from engine.ldm.latent_diffusion import LatentDiffusion
from engine.ldm.original_config import first_stage_to_original, to_original
from engine.ldm.skeleton import Skeleton
from engine.ldm.text.tokenizer import BertTokenizer, parse_vocabulary
from engine.ldm.text.transformer import TextTransformerConfig
from engine.ldm.training.ema import ema_names
from engine.ldm.unet import UNetConfig, UNetModel
from engine.ldm.weights import ModelFile, load_strict, save_model

VOCABULARY_KEY = "darkroom.vocabulary"
LOSS = "loss."
"""Where first stages keep what judged them while they trained (LPIPS, discriminator); nothing to decode with."""


def load_latent_diffusion(
    file: ModelFile,
    config: LatentDiffusionConfig | None = None,
    tokenizer: BertTokenizer | None = None,
    dtype: torch.dtype | None = torch.float32,
    first_stage: ModelFile | None = None,
) -> LatentDiffusion:
    """Load a whole checkpoint, every key of it; weights and averages side by side, ready to train on or to save again.

    Args:
        file: The open checkpoint.
        config: Its configuration; None finds it (`read_config`).
        tokenizer: For a text conditioner; None looks for a vocabulary in the file and beside it.
        dtype: What weights are converted to; None keeps the file's.
        first_stage: The autoencoder's own file, for a checkpoint that was saved without it.

    Raises:
        ModelFileError: its configuration is unknown, or keys are missing, unused or of another shape.
    """
    config = adapt_config(config, file) if config else read_config(file)
    if config.first_stage is not None:
        check_size(len(config.first_stage.ch_mult) * max(config.first_stage.num_res_blocks, 1), file)
    if isinstance(config.conditioner, TextTransformerConfig):
        check_size(config.conditioner.depth, file)
    with _skeleton(file):
        model = LatentDiffusion(config, tokenizer or find_tokenizer(file, config))
    tensors = {name: each for name, each in file.tensors().items() if not name.startswith(f"{FIRST_STAGE}{LOSS}")}
    if "betas" not in tensors:  # stripped by a converter: the schedule follows from the configuration
        tensors |= config.schedule().buffers()
    if first_stage is not None:
        tensors |= {FIRST_STAGE + name: each for name, each in first_stage.tensors().items()}
    load_strict(model, tensors, str(file.path), dtype)
    return model


def save_latent_diffusion(
    path: str | Path, model: LatentDiffusion, metadata: Mapping[str, str] | None = None, first_stage: bool = True
) -> None:
    """Write a whole checkpoint in the original's layout; configuration and vocabulary go into its metadata.

    Args:
        first_stage: Whether the autoencoder goes into the file, too.

    Raises:
        FileProblem: the file cannot be written; an older one is untouched.
    """
    own = {CONFIG_KEY: json.dumps(to_original(model.config))}
    stage = model.cond_stage_model
    if isinstance(stage, HybridConditioner):
        stage = stage.crossattn_conditioner
    if isinstance(stage, BERTEmbedder) and stage.tokenizer is not None:
        own[VOCABULARY_KEY] = "\n".join(stage.tokenizer.vocabulary)
    tensors = model.state_dict()
    if not first_stage:
        tensors = {name: tensor for name, tensor in tensors.items() if not name.startswith(FIRST_STAGE)}
    save_model(path, tensors, {**own, **(metadata or {})})


def save_autoencoder(path: str | Path, autoencoder: Autoencoder, metadata: Mapping[str, str] | None = None) -> None:
    """Write an autoencoder as a file of its own, its configuration in the metadata; see `save_latent_diffusion`."""
    own = {CONFIG_KEY: json.dumps(first_stage_to_original(autoencoder.config))}
    save_model(path, autoencoder.state_dict(), {**own, **(metadata or {})})


def load_unet(
    file: ModelFile, averages: bool = True, dtype: torch.dtype | None = None, config: UNetConfig | None = None
) -> UNetModel:
    """Load the denoising network, ready for sampling.

    Args:
        file: The open checkpoint.
        averages: Take the averaged weights where there are any.
        dtype: What weights are converted to; None keeps the file's.
        config: Its configuration; None finds it (`find_unet_config`).

    Raises:
        ModelFileError: there is no such network, or it cannot be built or filled.
    """
    prefix = find_prefix(file, "input_blocks.0.0.weight", UNET_PREFIXES, "denoising network (U-Net)")
    config = check_unet(config, file) if config else find_unet_config(file)
    with _skeleton(file):
        unet = UNetModel(config)
    tensors = file.tensors(prefix)
    if averages and has_averages(file):
        names = ema_names({f"diffusion_model.{name}": None for name, _ in unet.named_parameters()})
        tensors = {
            name.removeprefix("diffusion_model."): file.tensor(AVERAGES + short) for name, short in names.items()
        }
    load_strict(unet, tensors, str(file.path), dtype)
    return unet.eval().requires_grad_(False)


def load_autoencoder(file: ModelFile, dtype: torch.dtype | None = None) -> Autoencoder:
    """Load the first stage, of a whole checkpoint or of a file of its own (whose training loss, `loss.*`, is left out).

    Raises:
        ModelFileError: there is no autoencoder, or it cannot be built or filled.
    """
    prefix = find_prefix(file, "encoder.conv_in.weight", (FIRST_STAGE, ""), "autoencoder")
    tensors = {name: tensor for name, tensor in file.tensors(prefix).items() if not name.startswith(LOSS)}
    config = find_first_stage_config(file, {name: tuple(tensor.shape) for name, tensor in tensors.items()})
    with _skeleton(file):
        autoencoder = build_autoencoder(config)
    load_strict(autoencoder, tensors, str(file.path), dtype)
    return autoencoder.eval().requires_grad_(False)


def load_first_stage(file: ModelFile, dtype: torch.dtype | None = None) -> FirstStage:
    """Load what turns a model's latents into pixels: its autoencoder, or nothing where it works on pixels.

    Raises:
        ModelFileError: as `load_autoencoder`.
    """
    channels = pixel_channels(file)
    return load_autoencoder(file, dtype) if channels is None else IdentityFirstStage(identity_config(channels))


def load_text_encoder(
    file: ModelFile, tokenizer: BertTokenizer | None = None, dtype: torch.dtype | None = None
) -> BERTEmbedder:
    """Load the text transformer, with the vocabulary in the file or beside it unless a tokenizer is given.

    Raises:
        ModelFileError: there is no text transformer, or it cannot be built or filled.
    """
    hybrid = f"{CONDITIONER}crossattn_conditioner.transformer."
    prefixes = (f"{CONDITIONER}transformer.", hybrid, "transformer.", "")
    prefix = find_prefix(file, "token_emb.weight", prefixes, "text transformer")
    config = find_text_config(file, file.shapes(prefix))
    with _skeleton(file):
        embedder = BERTEmbedder(config, tokenizer or _tokenizer(file, config))
    load_strict(embedder.transformer, file.tensors(prefix), str(file.path), dtype)
    return embedder.eval().requires_grad_(False)


def find_tokenizer(file: ModelFile, config: LatentDiffusionConfig) -> BertTokenizer | None:
    """Find the vocabulary of a model's text conditioner, in the file or beside it; None where there is none."""
    found = config.find_conditioner(TextTransformerConfig)
    return None if found is None else _tokenizer(file, found[0])


@contextmanager
def _skeleton(file: ModelFile) -> Generator[None]:
    """Build networks without weights; a configuration that no network can have is an error of its file."""
    try:
        with Skeleton():
            yield
    except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise ModelFileError(f"{file.path}: its configuration cannot be built: {reason}") from error


def _tokenizer(file: ModelFile, config: TextTransformerConfig) -> BertTokenizer | None:
    if VOCABULARY_KEY in file.metadata:
        tokenizer = BertTokenizer(parse_vocabulary(file.metadata[VOCABULARY_KEY]), config.max_seq_len)
        if len(tokenizer.vocabulary) > config.vocab_size:
            raise ModelFileError(
                f"{file.path} carries a vocabulary of {len(tokenizer.vocabulary)} tokens for a network of "
                f"{config.vocab_size}; it is damaged"
            )
        return tokenizer
    for path in (file.path.with_suffix(".vocab.txt"), file.path.with_name("vocab.txt")):
        if path.is_file():
            tokenizer = BertTokenizer.from_file(path, config.max_seq_len)
            # A vocabulary of another size belongs to another model of the folder.
            if len(tokenizer.vocabulary) == config.vocab_size:
                return tokenizer
    return None
