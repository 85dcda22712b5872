"""Which configuration a checkpoint has: written in it, written beside it, or told by its tensors and the table.

In this order: the metadata of the file (`darkroom.config`), a YAML file beside it (NAME.yaml, or config.yaml where it
is the folder's only model), the table of known models. What tensors tell overrules what is written about them.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import cast

import torch
import yaml

from engine.errors import ModelFileError
from engine.ldm.autoencoder import AutoencoderConfig
from engine.ldm.condition import ConditioningKey
from engine.ldm.config import (
    ConditionerConfig,
    HybridConfig,
    LatentDiffusionConfig,
    Params,
    conditioner_of,
    first_stage_of,
    latent_diffusion_config,
    unet_of,
)
from engine.ldm.recognise import (
    Shapes,
    infer_autoencoder,
    infer_class_embedder,
    infer_rescaler,
    infer_text_transformer,
    infer_unet,
)
from engine.ldm.schedules import NoiseSchedule
from engine.ldm.text.transformer import TextTransformerConfig
from engine.ldm.unet import UNetConfig
from engine.ldm.weights import ModelFile, read_json_metadata
from engine.ldm.zoo import find_model, find_unet

CONFIG_KEY = "darkroom.config"
UNET_PREFIXES = ("model.diffusion_model.", "diffusion_model.", "")
FIRST_STAGE = "first_stage_model."
CONDITIONER = "cond_stage_model."
AVERAGES = "model_ema."
LARGEST_YAML = 2**20  # bytes


def read_config(file: ModelFile) -> LatentDiffusionConfig:
    """Find the configuration of a file that holds a U-Net, with or without the other parts.

    Raises:
        ModelFileError: there is no U-Net, the configuration beside it is damaged, or nothing tells the attention heads.
    """
    written = written_model(file)
    return adapt_config(_from_tensors(file) if written is None else latent_diffusion_config(written), file)


def adapt_config(config: LatentDiffusionConfig, file: ModelFile) -> LatentDiffusionConfig:
    """Change what a file's tensors contradict: averages, learned variances, scale factor, output projection."""
    shapes = file.shapes()
    conditioner = config.conditioner
    if isinstance(conditioner, TextTransformerConfig):
        conditioner = replace(conditioner, logits=f"{CONDITIONER}transformer.to_logits.weight" in shapes)
    if "scale_factor" in shapes:
        config = replace(config, scale_factor=float(file.tensor("scale_factor")))
    return replace(
        config,
        conditioner=conditioner,
        use_ema=has_averages(file),
        scale_by_std="scale_factor" in shapes,
        learn_logvar="logvar" in shapes,
    )


def find_unet_config(file: ModelFile) -> UNetConfig:
    """Find the configuration of a file's U-Net alone; arguments and errors as `read_config`."""
    written = written_model(file)
    if written is not None:
        return unet_of(written)
    inferred = infer_unet(_unet_shapes(file))
    known = find_unet(inferred)
    if known is None:
        raise ModelFileError(
            f"{file.path} is no model known here, and its tensors do not tell the attention heads; "
            f"put its configuration beside it as {file.path.stem}.yaml"
        )
    return known


def _from_tensors(file: ModelFile) -> LatentDiffusionConfig:
    """Complete the configuration of a known U-Net by what else is in the file."""
    unet = find_unet_config(file)
    base = find_model(unet) or LatentDiffusionConfig(unet)
    shapes = file.shapes()
    first_stage = (
        infer_autoencoder(file.shapes(FIRST_STAGE)) if any(n.startswith(FIRST_STAGE) for n in shapes) else None
    )
    halvings = int(math.log2(first_stage.downsampling)) if first_stage else 0
    conditioner = file.shapes(CONDITIONER)
    if "betas" in shapes:
        betas = file.tensor("betas").double()
        base = replace(base, timesteps=len(betas), linear_start=float(betas[0]), linear_end=float(betas[-1]))
        if not torch.allclose(
            NoiseSchedule.named("linear", len(betas), float(betas[0]), float(betas[-1])).betas, betas
        ):
            raise ModelFileError(
                f"{file.path} was trained on an unusual noise schedule; put its configuration beside it as "
                f"{file.path.stem}.yaml"
            )
    return replace(
        base,
        unet=unet,
        first_stage=first_stage,
        conditioner=_infer_conditioner(conditioner, halvings),
        cond_is_first_stage="encoder.conv_in.weight" in conditioner,
        conditioning_key=_infer_key(unet),
    )


def _infer_key(unet: UNetConfig) -> ConditioningKey | None:
    beside = unet.in_channels > unet.out_channels
    if unet.context_dim is not None:
        return "hybrid" if beside else "crossattn"
    if unet.num_classes is not None or unet.adm_in_channels is not None:
        return "adm"
    return "concat" if beside else None


def _infer_conditioner(shapes: Shapes, halvings: int) -> ConditionerConfig | None:
    """Read the conditioner below `cond_stage_model.`; `halvings` is how often a map is shrunk to the latent's size."""

    def below(prefix: str) -> dict[str, tuple[int, ...]]:
        return {name.removeprefix(prefix): shape for name, shape in shapes.items() if name.startswith(prefix)}

    if "transformer.token_emb.weight" in shapes:
        return infer_text_transformer(below("transformer."))
    if "embedding.weight" in shapes:
        return infer_class_embedder(shapes)
    if "channel_mapper.weight" in shapes:
        return infer_rescaler(shapes, halvings)
    if below("crossattn_conditioner."):
        concat = below("concat_conditioner.")
        return HybridConfig(
            infer_rescaler(concat, halvings) if concat else None,
            _infer_conditioner(below("crossattn_conditioner."), halvings),
        )
    return None


def find_first_stage_config(file: ModelFile, shapes: Shapes) -> AutoencoderConfig:
    """Find the configuration of a file's autoencoder, whose tensors have these shapes; errors as `read_config`."""
    written = written_model(file)
    return (None if written is None else first_stage_of(written)) or infer_autoencoder(shapes)


def find_text_config(file: ModelFile, shapes: Shapes) -> TextTransformerConfig:
    """Find the configuration of a file's text transformer; tensors tell all but its heads. Errors as `read_config`."""
    config = infer_text_transformer(shapes)
    written = written_model(file)
    conditioner = None if written is None else conditioner_of(written)
    if isinstance(conditioner, TextTransformerConfig):
        return replace(config, heads=conditioner.heads, dim_head=conditioner.dim_head)
    return config


def written_model(file: ModelFile) -> Params | None:
    """Read the `model` section in the file's metadata or beside it; None where there is none."""
    own = read_json_metadata(file.metadata, CONFIG_KEY)
    if own is not None:
        return own
    return next((_read_yaml(path) for path in _yaml_paths(file.path) if path.is_file()), None)


def _yaml_paths(path: Path) -> list[Path]:
    paths = [path.with_suffix(".yaml"), path.with_suffix(".yml")]
    alone = sum(1 for other in path.parent.iterdir() if other.suffix == path.suffix) == 1
    return [*paths, path.with_name("config.yaml")] if alone else paths


def _read_yaml(path: Path) -> Params:
    try:
        if path.stat().st_size > LARGEST_YAML:
            raise ModelFileError(f"{path} is larger than {LARGEST_YAML} bytes; this is no configuration")
        parsed = cast(object, yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise ModelFileError(f"{path} cannot be read as YAML: {error}") from error
    if not isinstance(parsed, dict):
        raise ModelFileError(f"{path} is no table of settings; give the model's own configuration")
    table = cast(Params, parsed)
    model = table.get("model", table)
    if not isinstance(model, dict):
        raise ModelFileError(f"{path} has a `model` section that is no table; give the model's own configuration")
    return cast(Params, model)


def _unet_shapes(file: ModelFile) -> Shapes:
    return file.shapes(find_prefix(file, "input_blocks.0.0.weight", UNET_PREFIXES, "denoising network (U-Net)"))


def has_averages(file: ModelFile) -> bool:
    """Whether the file carries averaged weights beside those last trained."""
    return any(name.startswith(AVERAGES) for name in file.header.tensors)


def find_prefix(file: ModelFile, name: str, prefixes: tuple[str, ...], what: str) -> str:
    """Find below which of the prefixes the tensor `name` lies.

    Raises:
        ModelFileError: below none; the message says that the file holds no `what`.
    """
    for prefix in prefixes:
        if prefix + name in file.header.tensors:
            return prefix
    raise ModelFileError(f"{file.path} holds no {what}; choose another file")
