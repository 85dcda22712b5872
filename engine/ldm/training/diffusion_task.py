"""Second stage: learn to denoise latents, with the text transformer trained along (L_LDM).

Source: Rombach et al. 2022 (arXiv:2112.10752), eq. 3; conditioning dropout for classifier-free guidance as in Ho &
Salimans 2022 (arXiv:2207.12598), algorithm 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from engine.ldm.conditioners.text import BERTEmbedder
from engine.ldm.training.objective import DiffusionObjective
from engine.ldm.unet import UNetModel


class Learner(nn.Module):
    """What the second stage trains: the U-Net, and the text encoder where there is one."""

    def __init__(self, unet: UNetModel, text_encoder: BERTEmbedder | None) -> None:
        super().__init__()
        self.unet = unet
        self.text_encoder = text_encoder


class DiffusionTask:
    """Denoise latents of captioned pictures.

    Args:
        module: Trained in place.
        mean, std: [N, C, h, w], the first stage's q(z|x) of each picture, unscaled; a fresh z is drawn at each visit.
        captions: For each picture its texts: the name first, then keywords.
        scale_factor: Gives latents unit standard deviation.
        objective: Schedule, target and norm.
        dropout: Share of captions replaced by "" (the unconditional model of classifier-free guidance).
        high_noise: Share of each batch whose timestep is drawn from the noisiest two fifths alone, where the caption
            and not the latent decides what the picture is. 0 is the paper's uniform draw.
    """

    def __init__(
        self,
        module: Learner,
        mean: Tensor,
        std: Tensor,
        captions: Sequence[Sequence[str]],
        scale_factor: float,
        objective: DiffusionObjective,
        dropout: float = 0.1,
        high_noise: float = 0.0,
    ) -> None:
        self.module = module
        self.mean = mean * scale_factor
        self.std = std * scale_factor
        self.captions = captions
        self.objective = objective
        self.dropout = dropout
        self.high_noise = high_noise

    @property
    def rows(self) -> int:
        return len(self.mean)

    def loss(self, indices: Tensor, draw: torch.Generator) -> Mapping[str, Tensor]:
        mean, std = self.mean[indices], self.std[indices]
        z = mean + std * torch.randn(mean.shape, generator=draw)
        texts = [caption_variant(self.captions[index], draw, self.dropout) for index in map(int, indices)]
        module = self.module
        device = next(module.parameters()).device
        context = None if module.text_encoder is None else module.text_encoder.encode(texts)
        t = self._timesteps(len(z), draw)
        losses = self.objective.step(lambda x, t: module.unet(x, t, context), z.to(device), draw, t=t)
        return {"loss": losses.total, "simple": losses.simple}

    def _timesteps(self, rows: int, draw: torch.Generator) -> Tensor:
        total = self.objective.schedule.timesteps
        lowest = torch.where(torch.rand(rows, generator=draw) < self.high_noise, total * 3 // 5, 0)
        return lowest + (torch.rand(rows, generator=draw) * (total - lowest)).long()


def caption_variant(texts: Sequence[str], draw: torch.Generator, dropout: float) -> str:
    """One way to ask for a picture.

    "" with the probability `dropout`; otherwise, of ten, six times the name, three times the name and up to three
    keywords, once up to three keywords alone.

    Args:
        texts: The name, then any keywords.
    """
    chance, manner = (float(value) for value in torch.rand(2, generator=draw))
    if chance < dropout:
        return ""
    name, keywords = texts[0], texts[1:]
    if manner < 0.6 or not keywords:
        return name
    count = min(len(keywords), 1 + int(torch.randint(3, (1,), generator=draw)))
    chosen = [keywords[index] for index in map(int, torch.randperm(len(keywords), generator=draw)[:count])]
    return ", ".join([name, *chosen] if manner < 0.9 else chosen)
