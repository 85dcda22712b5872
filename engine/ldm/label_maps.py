"""What shrinks label maps to the latent, from a model's file."""

from __future__ import annotations

import torch

from engine.errors import ModelFileError
from engine.ldm.conditioners.spatial import RescalerConfig, SpatialRescaler
from engine.ldm.config import LatentDiffusionConfig
from engine.ldm.weights import ModelFile, load_strict


def read_rescaler(file: ModelFile, config: LatentDiffusionConfig) -> SpatialRescaler:
    """Load the rescaler of a model of label maps, in float32.

    Raises:
        ModelFileError: the model is not told of label maps, or its rescaler cannot be filled.
    """
    found = config.find_conditioner(RescalerConfig)
    if found is None:
        raise ModelFileError(f"{file.path} is not told of label maps; use a node that fits it, such as Encode Text")
    rescaler = SpatialRescaler(found[0])
    load_strict(rescaler, file.tensors(found[1]), str(file.path), torch.float32)
    return rescaler.eval().requires_grad_(False)
