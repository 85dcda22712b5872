"""Conditioning and masks, as values on edges, to what the samplers of `engine.ldm` take."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch.nn.functional as F

from engine.errors import InputProblem
from engine.ldm.condition import Condition
from engine.ldm.sampling.denoisers import DENOISERS, Corrected, Guided
from engine.ldm.sampling.protocol import Denoiser, Network
from engine.ldm.sampling.regions import Blended, Region, sigma_at, with_counterparts
from engine.values import Conditioning, ConditioningPart

if TYPE_CHECKING:
    from torch import Tensor

    from engine.ldm.config import LatentDiffusionConfig


def guided(
    network: Network,
    config: LatentDiffusionConfig,
    positive: Conditioning,
    negative: Conditioning,
    cfg_scale: float,
    like: Tensor,
) -> Denoiser:
    """The denoiser that goes towards `positive` and away from `negative`.

    Args:
        like: [B, C, h, w], the latent to denoise: its size and device.

    Raises:
        InputProblem: A conditioning lacks what the model is conditioned on, or has another width.
    """
    towards = _regions(network, config, positive, like, "positive")
    away = _regions(network, config, negative, like, "negative")
    guided = Guided(Blended(with_counterparts(towards, away)), Blended(with_counterparts(away, towards)), cfg_scale)
    return Corrected(guided, _clipped) if config.clip_denoised else guided


def _clipped(x0: Tensor) -> Tensor:
    return x0.clamp(-1, 1)


def _regions(
    network: Network, config: LatentDiffusionConfig, conditioning: Conditioning, like: Tensor, input: str
) -> list[Region]:
    kind, schedule = DENOISERS[config.parameterization], config.schedule()
    return [
        Region(
            kind(network, schedule, _condition(part, config, like, input)),
            part.strength,
            None if part.mask is None else latent_mask(part.mask, like),
            None if part.area is None else _cells(part.area, config, like, input),
            sigma_at(schedule, part.start),
            sigma_at(schedule, part.end),
        )
        for part in conditioning.parts
    ]


def _cells(
    area: tuple[int, int, int, int], config: LatentDiffusionConfig, like: Tensor, input: str
) -> tuple[int, int, int, int]:
    """An area in pixels as cells of the latent, cut at its edges."""
    if config.conditioning_key in ("concat", "hybrid"):
        raise InputProblem(
            "this model takes pictures beside the latent, which are not cut to an area; use Conditioning (Set Mask)",
            input,
        )
    factor = config.first_stage.downsampling if config.first_stage else 1
    height, width, y, x = (side // factor for side in area)
    rows, columns = like.shape[2:]
    if y >= rows or x >= columns or not height or not width:
        raise InputProblem(
            f"the area at ({area[3]}, {area[2]}) of {area[1]}x{area[0]} pixels lies outside a picture of "
            f"{columns * factor}x{rows * factor}; move it inside",
            input,
        )
    height, width = min(height, rows - y), min(width, columns - x)
    halvings = 2 ** (len(config.unet.channel_mult) - 1)
    if height % halvings or width % halvings:
        raise InputProblem(
            f"the area covers {width}x{height} cells, this model wants multiples of {halvings}: "
            f"{halvings * factor} pixels; choose another width or height",
            input,
        )
    return height, width, y, x


def latent_mask(mask: Tensor, x: Tensor) -> Tensor:
    """A mask [M, H, W] resized bilinearly to the cells of x: [B or 1, 1, h, w]; M masks are repeated or cut to B."""
    batch = len(x)
    if len(mask) not in (1, batch):
        mask = mask.repeat(math.ceil(batch / len(mask)), 1, 1)[:batch]
    return F.interpolate(mask[:, None].to(x), size=x.shape[2:], mode="bilinear")


def _condition(part: ConditioningPart, config: LatentDiffusionConfig, like: Tensor, input: str) -> Condition:
    key, unet, device = config.conditioning_key, config.unet, like.device
    context = concat = y = None
    if key in ("crossattn", "hybrid"):
        if part.context is None:
            raise InputProblem("this model is guided by words; connect Encode Text", input)
        if part.context.shape[-1] != unet.context_dim:
            raise InputProblem(
                f"the conditioning is {part.context.shape[-1]} wide, this model wants {unet.context_dim}; use the text "
                "encoder of the same checkpoint",
                input,
            )
        context = part.context.to(device)
    if key in ("concat", "hybrid"):
        wanted = unet.in_channels - unet.out_channels
        given = 0 if part.concat is None else part.concat.shape[1]
        if part.concat is None or given != wanted:
            raise InputProblem(
                f"this model takes {wanted} channels beside the latent, the conditioning has {given}; add them with "
                "Concat Condition",
                input,
            )
        concat = part.concat.to(device)
    if key == "adm":
        if part.y is None:
            raise InputProblem("this model is guided by a vector or class; the conditioning has none", input)
        y = part.y.to(device)
    condition = Condition(concat=concat, context=context, y=y)
    _check_fit(condition, like, input)
    return condition


def _check_fit(condition: Condition, like: Tensor, input: str) -> None:
    """Make sure that a condition is for as many pictures of the size that are denoised."""
    for given in (condition.context, condition.concat, condition.y):
        if given is not None and len(given) not in (1, len(like)):
            raise InputProblem(
                f"the conditioning has {len(given)} rows, the latent has {len(like)}; give one for all, or one each",
                input,
            )
    if condition.concat is not None and condition.concat.shape[2:] != like.shape[2:]:
        given, wanted = (f"{tensor.shape[3]}x{tensor.shape[2]}" for tensor in (condition.concat, like))
        raise InputProblem(
            f"what lies beside the latent has {given} cells, the latent {wanted}; make them from pictures of one size",
            input,
        )
