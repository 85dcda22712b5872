"""The configuration of a whole latent diffusion model, and how it is read from and written as the original's YAML.

A configuration file of CompVis/latent-diffusion (`model: {target, params}`) tells what a checkpoint's tensors cannot:
attention heads, scale factor, what the network predicts, how it was trained. Our own checkpoints carry the same
structure as JSON in their metadata, so there is one format and one reader.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeVar, cast

from engine.errors import ModelFileError
from engine.ldm.autoencoder import AutoencoderConfig
from engine.ldm.condition import ConditioningKey
from engine.ldm.conditioners.classes import ClassConfig
from engine.ldm.conditioners.spatial import RescalerConfig
from engine.ldm.schedules import BetaScheduleName, NoiseSchedule
from engine.ldm.text.transformer import TextTransformerConfig
from engine.ldm.unet import UNetConfig

Parameterization = Literal["eps", "x0", "v"]
LossType = Literal["l1", "l2"]
Params = Mapping[str, object]
AUTOENCODERS = ("AutoencoderKL", "VQModel", "VQModelInterface")
T = TypeVar("T")


@dataclass(frozen=True)
class HybridConfig:
    """A spatial conditioner (None: what comes is used as it is) and a context conditioner."""

    concat: RescalerConfig | None
    crossattn: ConditionerConfig | None


ConditionerConfig = TextTransformerConfig | ClassConfig | RescalerConfig | HybridConfig


@dataclass(frozen=True)
class LatentDiffusionConfig:
    """Everything about one latent diffusion model; the names are those of the original's YAML files.

    `first_stage` None: the "latents" are pixels. `conditioner` None: conditions come ready (or there are none).
    `cond_is_first_stage`: conditions are encoded by the first stage, whose weights the checkpoint then holds twice.
    `scale_by_std`: the scale factor is a tensor of the checkpoint; otherwise it is `scale_factor`.
    """

    unet: UNetConfig
    first_stage: AutoencoderConfig | None = None
    conditioner: ConditionerConfig | None = None
    cond_is_first_stage: bool = False
    conditioning_key: ConditioningKey | None = None
    beta_schedule: BetaScheduleName = "linear"
    timesteps: int = 1000
    linear_start: float = 1e-4
    linear_end: float = 2e-2
    cosine_s: float = 8e-3
    v_posterior: float = 0.0
    parameterization: Parameterization = "eps"
    scale_factor: float = 1.0
    scale_by_std: bool = False
    use_ema: bool = True
    loss_type: LossType = "l2"
    l_simple_weight: float = 1.0
    original_elbo_weight: float = 0.0
    learn_logvar: bool = False
    logvar_init: float = 0.0

    def schedule(self) -> NoiseSchedule:
        """The noise schedule the model is trained on."""
        named = NoiseSchedule.named(
            self.beta_schedule, self.timesteps, self.linear_start, self.linear_end, self.cosine_s
        )
        return NoiseSchedule(named.betas, self.v_posterior)


def unet_config(params: Params) -> UNetConfig:
    """Read `unet_config.params` of the original; -1 means "not given", as it does there."""
    given = {name: value for name, value in _known(params, UNetConfig).items() if value != -1}
    if isinstance(given.get("num_classes"), str):  # "sequential" of Stable Diffusion XL: see adm_in_channels
        del given["num_classes"]
    context = given.pop("context_dim", None)
    if params.get("use_spatial_transformer"):
        given["context_dim"] = context[0] if isinstance(context, tuple) else context
    return _build(UNetConfig, given, "unet_config")


def autoencoder_config(params: Params) -> AutoencoderConfig:
    """Read the `params` of the original's AutoencoderKL, VQModel or VQModelInterface."""
    inner = _table(params.get("ddconfig", {}), "ddconfig")
    given = {**_known(inner, AutoencoderConfig), **_known(params, AutoencoderConfig)}
    if "attn_type" in inner:
        given["mid_attention"] = inner["attn_type"] != "none"
    if not given.get("mid_attention", True):
        given["attn_resolutions"] = ()
    return _build(AutoencoderConfig, given, "ddconfig")


def latent_diffusion_config(model: Params) -> LatentDiffusionConfig:
    """Read the `model` section of the original's YAML: `{target, params}`, or the params alone.

    Raises:
        ModelFileError: a part is missing, or this version does not know it.
    """
    params = model_params(model)
    known = _known(params, LatentDiffusionConfig)
    for name in ("unet", "first_stage", "conditioner", "conditioning_key"):
        known.pop(name, None)
    return _build(
        LatentDiffusionConfig,
        {
            **known,
            "unet": unet_of(model),
            "first_stage": first_stage_of(model),
            "conditioner": conditioner_of(model),
            "cond_is_first_stage": params.get("cond_stage_config") == "__is_first_stage__",
            "conditioning_key": _conditioning_key(params),
        },
        "model",
    )


def model_params(model: Params) -> Params:
    """The `params` of a `{target, params}` section, or the section itself where it is the params."""
    return _table(model.get("params", model), "params")


def unet_of(model: Params) -> UNetConfig:
    """Read only the U-Net of a `model` section, whatever its other parts are."""
    return unet_config(_part(model_params(model).get("unet_config"), "unet_config")[1])


def conditioner_of(model: Params) -> ConditionerConfig | None:
    """Read only the conditioner of a `model` section; None where conditions come ready."""
    return _conditioner(model_params(model).get("cond_stage_config"))


def first_stage_of(model: Params) -> AutoencoderConfig | None:
    """Read only the first stage of a `model` section, which may itself be that of an autoencoder."""
    own = str(model.get("target", "")).rpartition(".")[2]
    return _first_stage(model if own in AUTOENCODERS else model_params(model).get("first_stage_config"))


def _conditioning_key(params: Params) -> str | None:
    """Resolve as the original does (ldm/models/diffusion/ddpm.py, LatentDiffusion.__init__); pixel models take none."""
    cond = params.get("cond_stage_config")
    if cond == "__is_unconditional__" or (cond is None and "first_stage_config" not in params):
        return None
    explicit = params.get("conditioning_key")
    return str(explicit) if explicit else "concat" if params.get("concat_mode", True) else "crossattn"


def _first_stage(value: object) -> AutoencoderConfig | None:
    if value is None:
        return None
    target, params = _part(value, "first_stage_config")
    if target in ("IdentityFirstStage", "Identity"):
        return None
    if target not in AUTOENCODERS:
        raise ModelFileError(f"first_stage_config names {target!r}; known: {', '.join(AUTOENCODERS)}")
    return autoencoder_config(params)


def _conditioner(value: object) -> ConditionerConfig | None:
    if value is None or value in ("__is_first_stage__", "__is_unconditional__"):
        return None
    target, params = _part(value, "cond_stage_config")
    match target:
        case "Identity":
            return None
        case "ClassEmbedder":
            return _build(ClassConfig, _known(params, ClassConfig), target)
        case "SpatialRescaler":
            return _build(RescalerConfig, _known(params, RescalerConfig), target)
        case "BERTEmbedder" | "TransformerEmbedder":
            given = _known(params, TextTransformerConfig)
            for ours, theirs in (("dim", "n_embed"), ("depth", "n_layer")):
                given.setdefault(ours, params.get(theirs))
            return _build(TextTransformerConfig, given, target)
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


def _part(value: object, name: str) -> tuple[str, Params]:
    """Split `{target: "a.b.Name", params: {...}}` into "Name" and the params."""
    table = _table(value, name)
    return str(table.get("target", "")).rpartition(".")[2], _table(table.get("params") or {}, name)


def _table(value: object, name: str) -> Params:
    if not isinstance(value, Mapping):
        raise ModelFileError(f"the configuration has no {name} section; give the model's own YAML")
    return cast(Params, value)


def _known(params: Params, kind: type) -> dict[str, object]:
    """Keep what `kind` has a field for, lists as tuples; training-only settings of the YAML are dropped."""
    names = {field.name for field in fields(cast(Any, kind))}
    return {
        name: tuple(cast(list[object], value)) if isinstance(value, list) else value
        for name, value in params.items()
        if name in names
    }


def _build(kind: type[T], given: Mapping[str, object], name: str) -> T:
    try:
        return kind(**given)
    except TypeError as error:
        raise ModelFileError(f"{name} is incomplete: {error}") from error


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
    return _target("LatentDiffusion", params)


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
