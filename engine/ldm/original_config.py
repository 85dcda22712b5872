"""A model's configuration as the original's YAML has it: reading and writing.

A configuration file of CompVis/latent-diffusion (`model: {target, params}`) tells what a checkpoint's tensors cannot:
attention heads, scale factor, what the network predicts, how it was trained. Our own checkpoints carry the same
structure as JSON in their metadata, so there is one format and one reader.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import cast

from engine.errors import ModelFileError
from engine.ldm.autoencoder import AutoencoderConfig
from engine.ldm.conditioners.classes import ClassConfig
from engine.ldm.conditioners.spatial import RescalerConfig
from engine.ldm.config import ConditionerConfig, HybridConfig, LatentDiffusionConfig
from engine.ldm.settings import Params, build, known, part, refuse_unknown, table
from engine.ldm.text.transformer import TextTransformerConfig
from engine.ldm.unet import UNetConfig

AUTOENCODERS = ("AutoencoderKL", "VQModel", "VQModelInterface")
PIXEL_MODEL = "DDPM"
"""The original's class of models without a first stage."""

# Settings without a field here, and their values that change nothing; None: any value.
UNET_SETTINGS: Mapping[str, tuple[object, ...] | None] = MappingProxyType(
    {
        "image_size": None,
        "use_checkpoint": None,  # saves memory while training, same result
        "use_fp16": None,
        "legacy": None,  # tells how heads follow from num_heads; all published models agree
        "use_spatial_transformer": None,
        "spatial_transformer_attn_type": None,
        "dims": (2,),
        "num_heads_upsample": (-1, None),
        "n_embed": (None,),
    }
)
AUTOENCODER_SETTINGS: Mapping[str, tuple[object, ...] | None] = MappingProxyType(
    {
        "double_z": None,  # follows from the kind of autoencoder
        "attn_type": ("vanilla", "vanilla-xformers", "none"),
        "resamp_with_conv": (True,),
        "use_linear_attn": (False,),
        "give_pre_end": (False,),
        "tanh_out": (False,),
    }
)


def unet_config(params: Params) -> UNetConfig:
    """Read `unet_config.params` of the original; -1 means "not given", as it does there.

    Raises:
        ModelFileError: a setting asks for a network that is not built here.
    """
    refuse_unknown(params, UNetConfig, UNET_SETTINGS, "unet_config")
    given = {name: value for name, value in known(params, UNetConfig).items() if value != -1}
    if isinstance(given.get("num_classes"), str):  # "sequential" of Stable Diffusion XL: see adm_in_channels
        del given["num_classes"]
    context = given.pop("context_dim", None)
    if params.get("use_spatial_transformer"):
        given["context_dim"] = context[0] if isinstance(context, tuple) else context
    return build(UNetConfig, given, "unet_config")


def autoencoder_config(params: Params) -> AutoencoderConfig:
    """Read the `params` of the original's AutoencoderKL, VQModel or VQModelInterface."""
    inner = table(params.get("ddconfig", {}), "ddconfig")
    refuse_unknown(inner, AutoencoderConfig, AUTOENCODER_SETTINGS, "ddconfig")
    given = {**known(inner, AutoencoderConfig), **known(params, AutoencoderConfig)}
    if "attn_type" in inner:
        given["mid_attention"] = inner["attn_type"] != "none"
    if not given.get("mid_attention", True):
        given["attn_resolutions"] = ()
    return build(AutoencoderConfig, given, "ddconfig")


def latent_diffusion_config(model: Params) -> LatentDiffusionConfig:
    """Read the `model` section of the original's YAML: `{target, params}`, or the params alone.

    Raises:
        ModelFileError: a part is missing, or this version does not know it.
    """
    params = model_params(model)
    given = known(params, LatentDiffusionConfig)
    for name in ("unet", "first_stage", "conditioner", "conditioning_key"):
        given.pop(name, None)
    return build(
        LatentDiffusionConfig,
        {
            **given,
            "unet": unet_of(model),
            "first_stage": first_stage_of(model),
            "conditioner": conditioner_of(model),
            "cond_is_first_stage": params.get("cond_stage_config") == "__is_first_stage__",
            "conditioning_key": _conditioning_key(params),
            "clip_denoised": _target_name(model) == PIXEL_MODEL and bool(params.get("clip_denoised", True)),
        },
        "model",
    )


def model_params(model: Params) -> Params:
    """The `params` of a `{target, params}` section, or the section itself where it is the params."""
    return table(model.get("params", model), "params")


def unet_of(model: Params) -> UNetConfig:
    """Read only the U-Net of a `model` section, whatever its other parts are."""
    return unet_config(part(model_params(model).get("unet_config"), "unet_config")[1])


def conditioner_of(model: Params) -> ConditionerConfig | None:
    """Read only the conditioner of a `model` section; None where conditions come ready."""
    return _conditioner(model_params(model).get("cond_stage_config"))


def first_stage_of(model: Params) -> AutoencoderConfig | None:
    """Read only the first stage of a `model` section, which may itself be that of an autoencoder."""
    own = _target_name(model) in AUTOENCODERS
    return _first_stage(model if own else model_params(model).get("first_stage_config"))


def _target_name(model: Params) -> str:
    return str(model.get("target", "")).rpartition(".")[2]


def _conditioning_key(params: Params) -> str | None:
    """Resolve as the original does (ldm/models/diffusion/ddpm.py, LatentDiffusion.__init__); pixel models take none."""
    cond = params.get("cond_stage_config")
    explicit = params.get("conditioning_key")
    if cond == "__is_unconditional__" or (cond is None and not explicit and "first_stage_config" not in params):
        return None
    return str(explicit) if explicit else "concat" if params.get("concat_mode", True) else "crossattn"


def _first_stage(value: object) -> AutoencoderConfig | None:
    if value is None:
        return None
    target, params = part(value, "first_stage_config")
    if target in ("IdentityFirstStage", "Identity"):
        return None
    if target not in AUTOENCODERS:
        raise ModelFileError(f"first_stage_config names {target!r}; known: {', '.join(AUTOENCODERS)}")
    return autoencoder_config(params)


def _conditioner(value: object) -> ConditionerConfig | None:
    if value is None or value in ("__is_first_stage__", "__is_unconditional__"):
        return None
    target, params = part(value, "cond_stage_config")
    match target:
        case "Identity":
            return None
        case "ClassEmbedder":
            return build(ClassConfig, known(params, ClassConfig), target)
        case "SpatialRescaler":
            return build(RescalerConfig, known(params, RescalerConfig), target)
        case "BERTEmbedder" | "TransformerEmbedder":
            given = known(params, TextTransformerConfig)
            for ours, theirs in (("dim", "n_embed"), ("depth", "n_layer")):
                given.setdefault(ours, params.get(theirs))
            return build(TextTransformerConfig, given, target)
        case "HybridConditioner":
            concat = _conditioner(params.get("c_concat_config"))
            if concat is not None and not isinstance(concat, RescalerConfig):
                raise ModelFileError("c_concat_config of a HybridConditioner must be a SpatialRescaler or Identity")
            return HybridConfig(concat, _conditioner(params.get("c_crossattn_config")))
        case _:
            raise ModelFileError(
                f"cond_stage_config names {target!r}; known: BERTEmbedder, ClassEmbedder, SpatialRescaler, "
                "HybridConditioner, Identity"
            )


def to_original(config: LatentDiffusionConfig) -> dict[str, object]:
    """Write a configuration in the structure that `latent_diffusion_config` reads, ready for JSON or YAML."""
    params = _fields(config)
    for name in ("unet", "first_stage", "conditioner", "cond_is_first_stage", "conditioning_key"):
        del params[name]
    unet = {**_fields(config.unet), "use_spatial_transformer": config.unet.context_dim is not None}
    params["unet_config"] = _target("UNetModel", {name: value for name, value in unet.items() if value is not None})
    params["first_stage_config"] = first_stage_to_original(config.first_stage)
    if config.cond_is_first_stage:
        params["cond_stage_config"] = "__is_first_stage__"
    elif config.conditioning_key is None:
        params["cond_stage_config"] = "__is_unconditional__"
    else:
        params["cond_stage_config"] = _conditioner_target(config.conditioner)
        params["conditioning_key"] = config.conditioning_key
    return _target(PIXEL_MODEL if config.clip_denoised else "LatentDiffusion", params)


def first_stage_to_original(config: AutoencoderConfig | None) -> dict[str, object]:
    """Write an autoencoder's configuration in the structure that `first_stage_of` reads."""
    if config is None:
        return _target("IdentityFirstStage", {})
    return _target("AutoencoderKL" if config.n_embed is None else "VQModelInterface", _fields(config))


def _conditioner_target(conditioner: ConditionerConfig | None) -> dict[str, object]:
    match conditioner:
        case None:
            return _target("Identity", {})
        case TextTransformerConfig():
            return _target("BERTEmbedder", _fields(conditioner))
        case ClassConfig():
            return _target("ClassEmbedder", _fields(conditioner))
        case RescalerConfig():
            return _target("SpatialRescaler", _fields(conditioner))
        case HybridConfig():
            parts = {
                "c_concat_config": _conditioner_target(conditioner.concat),
                "c_crossattn_config": _conditioner_target(conditioner.crossattn),
            }
            return _target("HybridConditioner", parts)


def _target(name: str, params: Mapping[str, object]) -> dict[str, object]:
    return {"target": name, "params": dict(params)}


def _fields(value: object) -> dict[str, object]:
    """The fields of a dataclass, tuples as lists."""
    return {
        name: list(cast(tuple[object, ...], field)) if isinstance(field, tuple) else field
        for name, field in vars(value).items()
    }
