"""Conditioning and masks, as values on edges, to what the samplers of `engine.ldm` take."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from engine.errors import InputProblem
from engine.ldm.condition import Condition
from engine.ldm.sampling.denoisers import EpsDenoiser, VDenoiser, X0Denoiser
from engine.ldm.sampling.protocol import Denoiser, Network
from engine.ldm.sampling.regions import Blended, Region
from engine.values import Conditioning, ConditioningPart

if TYPE_CHECKING:
    from torch import Tensor

    from engine.ldm.config import LatentDiffusionConfig

DENOISERS = {"eps": EpsDenoiser, "v": VDenoiser, "x0": X0Denoiser}


def conditioned(
    network: Network, config: LatentDiffusionConfig, conditioning: Conditioning, device: torch.device
) -> Denoiser:
    """The denoiser that follows a conditioning.

    Raises:
        InputProblem: The conditioning lacks what the model is conditioned on, or has another width.
    """
    kind, schedule = DENOISERS[config.parameterization], config.schedule()
    regions = [
        Region(kind(network, schedule, _condition(part, config, device)), part.strength) for part in conditioning.parts
    ]
    return Blended(regions) if len(regions) > 1 else regions[0].denoiser


def latent_mask(mask: Tensor, x: Tensor) -> Tensor:
    """A mask [B or 1, H, W] resized bilinearly to the cells of x: [B or 1, 1, h, w]."""
    return F.interpolate(mask[:, None].to(x), size=x.shape[2:], mode="bilinear")


def _condition(part: ConditioningPart, config: LatentDiffusionConfig, device: torch.device) -> Condition:
    key, unet = config.conditioning_key, config.unet
    context = concat = y = None
    if key in ("crossattn", "hybrid"):
        if part.context is None:
            raise InputProblem("this model is guided by words; connect Encode Text", "positive")
        if part.context.shape[-1] != unet.context_dim:
            raise InputProblem(
                f"the conditioning is {part.context.shape[-1]} wide, this model wants {unet.context_dim}; use the text "
                "encoder of the same checkpoint",
                "positive",
            )
        context = part.context.to(device)
    if key in ("concat", "hybrid"):
        wanted = unet.in_channels - unet.out_channels
        given = 0 if part.concat is None else part.concat.shape[1]
        if part.concat is None or given != wanted:
            raise InputProblem(
                f"this model takes {wanted} channels beside the latent, the conditioning has {given}; add them with "
                "Concat Condition",
                "positive",
            )
        concat = part.concat.to(device)
    if key == "adm":
        if part.y is None:
            raise InputProblem("this model is guided by a vector or class; the conditioning has none", "positive")
        y = part.y.to(device)
    return Condition(concat=concat, context=context, y=y)
