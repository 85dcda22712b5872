"""Conditioning and masks, as values on edges, to what the samplers of `engine.ldm` take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from engine.errors import InputProblem
from engine.ldm.condition import Condition
from engine.ldm.sampling.denoisers import EpsDenoiser, VDenoiser, X0Denoiser, together
from engine.ldm.sampling.protocol import Asking, Denoiser, Network
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
    denoisers = [kind(network, schedule, _condition(part, config, device)) for part in conditioning.parts]
    if len(denoisers) == 1:
        return denoisers[0]
    return Averaged(denoisers, [part.strength for part in conditioning.parts])


@dataclass(frozen=True, eq=False)
class Averaged:
    """Several conditions at once: sum of answer_i * strength_i / sum of strength_i."""

    denoisers: Sequence[Denoiser]
    strengths: Sequence[float]

    def __call__(self, x: Tensor, sigma: float) -> Asking:
        answers = yield from together(*(denoiser(x, sigma) for denoiser in self.denoisers))
        total = sum(self.strengths) or 1.0
        weighted = [answer * (strength / total) for answer, strength in zip(answers, self.strengths, strict=True)]
        return torch.stack(weighted).sum(0)


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
