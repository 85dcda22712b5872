"""What is measured: a model, the pictures to measure it on, and how to sample it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from engine.ldm.condition import Condition
from engine.ldm.latent_diffusion import LatentDiffusion
from engine.ldm.training.pictures import PictureSet, load_pictures
from engine.ldm.training.stages import sample_conditions
from engine.ldm.weights import ModelFile

AT_ONCE = 16


@dataclass(frozen=True)
class Subject:
    """A model and how to measure it.

    Args:
        file: What it was loaded from.
        data: The folder of pictures; `groups` of it are measured on, all where empty.
        size: Side of the pictures in pixels.
        count: How many pictures to make.
        steps: Of DPM-Solver++(2M).
        cfg_scale: Of models with guidance.
    """

    model: LatentDiffusion
    file: ModelFile
    data: Path
    groups: tuple[str, ...]
    size: int
    count: int
    steps: int
    cfg_scale: float
    seed: int = 0

    def pictures(self) -> PictureSet:
        """All pictures of the groups."""
        return load_pictures(self.data, self.size, self.groups)

    def rows(self, pictures: PictureSet) -> Tensor:
        """Up to `count` different rows of the pictures, of the subject's groups, the same each time: [count]."""
        order = torch.randperm(len(pictures), generator=torch.Generator().manual_seed(self.seed))
        chosen = [row for row in map(int, order) if not self.groups or pictures.pictures[row].group in self.groups]
        return torch.tensor(sorted(chosen[: self.count]))

    def make(self, count: int, wanted: Condition, nothing: Condition | None = None, steps: int | None = None) -> Tensor:
        """Make pictures: [count, 3, S, S] in [-1, 1].

        Args:
            wanted: Of as many rows as pictures, or `Condition()`.
            nothing: What guidance leads away from, of one row; None samples without guidance.
            steps: Other than the subject's.
        """
        made: list[Tensor] = []
        for start in range(0, count, AT_ONCE):
            end = min(start + AT_ONCE, count)
            away = None if nothing is None else _spread(nothing, end - start)
            part = _part(wanted, slice(start, end))
            steps = steps or self.steps
            sampled = sample_conditions(self.model, end - start, part, away, self.cfg_scale, steps, self.seed + start)
            made.append(sampled.movedim(-1, 1) * 2 - 1)
        return torch.cat(made)

    def through(self, x: Tensor) -> Tensor:
        """What the first stage leaves of pictures [B, 3, S, S] in [-1, 1], which bounds what the model can reach."""
        starts = range(0, len(x), AT_ONCE)
        latents = [self.model.encode_first_stage(x[start : start + AT_ONCE]) for start in starts]
        return torch.cat([self.model.decode_first_stage(z) for z in latents]).clamp(-1, 1)


def _part(condition: Condition, rows: slice) -> Condition:
    def cut(part: Tensor | None) -> Tensor | None:
        return None if part is None else part[rows]

    return Condition(cut(condition.concat), cut(condition.context), cut(condition.y))


def _spread(condition: Condition, rows: int) -> Condition:
    assert condition.context is not None
    return replace(condition, context=condition.context.expand(rows, -1, -1))
