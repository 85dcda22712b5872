"""Vectors from files, and the nearest of many: what retrieval-augmented diffusion is told.

Source: Blattmann et al. 2022 (arXiv:2204.11824); scripts/knn2img.py of CompVis/latent-diffusion, whose approximate
search is exact here.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.errors import ModelFileError
from engine.ldm.weights import open_model


def read_vectors(path: Path, only: str | None = None) -> Tensor:
    """Read vectors as one context [B, N, D] float32: arrays [D], [N, D] or [B, N, D], lined up by name along N.

    Args:
        path: A safetensors file.
        only: Leave out all other arrays, where there is one of this name.

    Raises:
        ModelFileError: the file cannot be read, or its arrays do not go together.
    """
    arrays = open_model(path).tensors()
    if only is not None and only in arrays:
        arrays = {only: arrays[only]}
    contexts: list[Tensor] = []
    for name in sorted(arrays):
        array = arrays[name]
        if not 1 <= array.ndim <= 3 or 0 in array.shape or array.is_complex():
            raise ModelFileError(
                f"{path}: {name!r} has shape {list(array.shape)}; vectors are [D], [N, D] or [B, N, D]"
            )
        contexts.append(array.float().reshape(*[1] * (3 - array.ndim), *array.shape))
    rows = max((len(context) for context in contexts), default=0)
    if not contexts or len({context.shape[2] for context in contexts}) > 1:
        shapes = ", ".join(f"{name} {list(arrays[name].shape)}" for name in sorted(arrays)) or "none"
        raise ModelFileError(f"{path} wants arrays of one width, it has {shapes}")
    if any(len(context) not in (1, rows) for context in contexts):
        raise ModelFileError(
            f"{path} has vectors for {sorted({len(each) for each in contexts})} pictures; give one count"
        )
    return torch.cat([context.expand(rows, -1, -1) for context in contexts], dim=1).clone()


def normalised(vectors: Tensor) -> Tensor:
    """Vectors [*, D] scaled to length 1."""
    return F.normalize(vectors, dim=-1)


def with_neighbours(context: Tensor, known: Tensor, count: int) -> Tensor:
    """Append to each context the `count` vectors of a database nearest to its first one.

    Args:
        context: [B, S, D].
        known: [N, D].
        count: at most all N are taken.

    Returns:
        [B, S + min(count, N), D]; what is appended has length 1, the nearest first.
    """
    database = normalised(known)  # [N, D]
    nearest = (normalised(context[:, 0]) @ database.T).topk(min(count, len(known)), dim=1).indices  # [B, K]
    return torch.cat([context, database[nearest]], dim=1)
