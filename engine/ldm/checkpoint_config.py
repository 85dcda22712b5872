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
from engine.ldm.config import ConditionerConfig, HybridConfig, LatentDiffusionConfig
from engine.ldm.original_config import conditioner_of, first_stage_of, latent_diffusion_config, model_params, unet_of
from engine.ldm.recognise import (
    Shapes,
    infer_autoencoder,
    infer_class_embedder,
    infer_rescaler,
    infer_text_transformer,
    infer_unet,
)
from engine.ldm.settings import Params
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
MOST_TIMESTEPS = 100_000


def read_config(file: ModelFile) -> LatentDiffusionConfig:
    """Find the configuration of a file that holds a U-Net, with or without the other parts.

    Raises:
        ModelFileError: there is no U-Net, the configuration beside it is damaged, or nothing tells the attention heads.
    """
    written = written_model(file)
    return adapt_config(_from_tensors(file) if written is None else latent_diffusion_config(written), file)


def adapt_config(config: LatentDiffusionConfig, file: ModelFile) -> LatentDiffusionConfig:
    """Change what a file's tensors tell better: averages, learned variances, scale factor, output projection.

    Raises:
        ModelFileError: the file's noise schedule is not the configuration's, or the configuration is out of proportion.
    """
    shapes = file.shapes()
    check_unet(config.unet, file)
    _check_schedule(config, file)
    if "scale_factor" in shapes:
        config = replace(config, scale_factor=_numbers(file, "scale_factor", 1)[0])
    return replace(
        config,
        conditioner=_with_logits(config.conditioner, shapes, CONDITIONER),
        use_ema=has_averages(file),
        scale_by_std="scale_factor" in shapes,
        learn_logvar="logvar" in shapes,
    )


def _with_logits(conditioner: ConditionerConfig | None, shapes: Shapes, prefix: str) -> ConditionerConfig | None:
    """Leave out or keep a text transformer's unused output projection, as its file does."""
    match conditioner:
        case TextTransformerConfig():
            return replace(conditioner, logits=f"{prefix}transformer.to_logits.weight" in shapes)
        case HybridConfig():
            inner = _with_logits(conditioner.crossattn, shapes, f"{prefix}crossattn_conditioner.")
            return replace(conditioner, crossattn=inner)
        case _:
            return conditioner


def find_unet_config(file: ModelFile) -> UNetConfig:
    """Find the configuration of a file's U-Net alone; arguments and errors as `read_config`."""
    written = written_model(file)
    if written is not None:
        return check_unet(unet_of(written), file)
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
        betas = _numbers(file, "betas", MOST_TIMESTEPS)
        base = replace(base, timesteps=len(betas), linear_start=betas[0], linear_end=betas[-1])
    return replace(
        base,
        unet=unet,
        first_stage=first_stage,
        conditioner=_infer_conditioner(conditioner, halvings),
        cond_is_first_stage="encoder.conv_in.weight" in conditioner,
        conditioning_key=_infer_key(unet),
    )


def check_unet(config: UNetConfig, file: ModelFile) -> UNetConfig:
    """Make sure that a U-Net can be built at all and is not larger than its file, before building it.

    Raises:
        ModelFileError: it has more blocks than the file has tensors, or heads do not divide its width.
    """
    depth = config.transformer_depth if isinstance(config.transformer_depth, int) else max(config.transformer_depth)
    check_size(len(config.channel_mult) * max(config.num_res_blocks, 1) * max(depth, 1), file)
    for level, mult in enumerate(config.channel_mult):
        last = level == len(config.channel_mult) - 1  # the middle block attends at its width
        if not last and 2**level not in config.attention_resolutions:
            continue
        channels = mult * config.model_channels
        heads = 0 if config.num_head_channels == 0 else config.heads(channels)
        if heads < 1 or channels % heads:
            raise ModelFileError(f"{file.path}: its configuration splits {channels} channels into {heads} heads")
    return config


def check_size(blocks: int, file: ModelFile) -> None:
    """Refuse a configuration that asks for more blocks than its file has tensors: building it might never end."""
    if blocks > len(file.header.tensors):
        raise ModelFileError(
            f"{file.path}: its configuration asks for {blocks} blocks, but it has {len(file.header.tensors)} tensors"
        )


def _check_schedule(config: LatentDiffusionConfig, file: ModelFile) -> None:
    if not 2 <= config.timesteps <= MOST_TIMESTEPS:
        raise ModelFileError(f"{file.path}: its configuration has {config.timesteps} timesteps")
    if "betas" not in file.header.tensors:
        return
    betas = torch.tensor(_numbers(file, "betas", MOST_TIMESTEPS), dtype=torch.float64)
    expected = config.schedule().betas
    if betas.shape != expected.shape or not torch.allclose(betas, expected, rtol=1e-3):
        raise ModelFileError(
            f"{file.path} was trained on another noise schedule than its configuration names; "
            f"put its own configuration beside it as {file.path.stem}.yaml"
        )


def _numbers(file: ModelFile, name: str, most: int) -> list[float]:
    """Read a small tensor of finite numbers: a scalar, or one for each timestep."""
    tensor = file.tensor(name)
    if tensor.ndim > 1 or not 1 <= tensor.numel() <= most or not tensor.double().isfinite().all():
        raise ModelFileError(f"{file.path}: tensor {name!r} of shape {list(tensor.shape)} is not what its name says")
    return [float(number) for number in tensor.reshape(-1)]


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
    config = (None if written is None else first_stage_of(written)) or infer_autoencoder(shapes)
    check_size(len(config.ch_mult) * max(config.num_res_blocks, 1), file)
    return config


def pixel_channels(file: ModelFile) -> int | None:
    """How many channels a model has whose configuration says that it has no first stage; None where it has one."""
    if any(name.endswith("encoder.conv_in.weight") for name in file.header.tensors):
        return None
    written = written_model(file)
    if written is None or "unet_config" not in model_params(written) or first_stage_of(written) is not None:
        return None
    return unet_of(written).out_channels


def find_text_config(file: ModelFile, shapes: Shapes) -> TextTransformerConfig:
    """Find the configuration of a file's text transformer; tensors tell all but its heads. Errors as `read_config`."""
    config = infer_text_transformer(shapes)
    written = written_model(file)
    conditioner = None if written is None else conditioner_of(written)
    if isinstance(conditioner, HybridConfig):
        conditioner = conditioner.crossattn
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
