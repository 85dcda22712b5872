"""Reads what ComfyUI computed for its tiny Stable Diffusion, where that lies beside the repository."""

from __future__ import annotations

from pathlib import Path

import pytest
from safetensors.torch import load_file
from torch import Tensor

from engine.ldm.schedules import NoiseSchedule
from engine.ldm.unet import UNetConfig, UNetModel

TINY = Path(__file__).parents[3] / "shared" / "reference" / "comfyui" / "tiny"

SD_SCHEDULE = NoiseSchedule.named("linear", 1000, 0.00085, 0.012)
SCALE_FACTOR = 0.18215


def tensors(name: str) -> dict[str, Tensor]:
    """One file of it; skips the test where the reference is not at hand."""
    path = TINY / f"{name}.safetensors"
    if not path.exists():
        pytest.skip(f"the reference {name} is not at hand")
    return load_file(path)


def assert_relative(actual: Tensor, expected: Tensor, tolerance: float) -> None:
    """max |a - b| <= tolerance * max |ref|, as the reference's README compares: its latents have a spread of 100."""
    assert actual.shape == expected.shape
    error = (actual.double() - expected.double()).abs().max().item() / expected.double().abs().max().item()
    assert error <= tolerance, f"differs by {error:.3g} of the largest value, allowed {tolerance:.3g}"


def unet() -> UNetModel:
    """Its U-Net, weights widened from float16, which is exact."""
    path = TINY / "checkpoint.safetensors"
    if not path.exists():
        pytest.skip("the reference checkpoint is not at hand")
    config = UNetConfig(4, 4, 32, (1, 2), 1, attention_resolutions=(1, 2), num_heads=8, context_dim=64)
    network = UNetModel(config)
    prefix = "model.diffusion_model."
    network.load_state_dict(
        {name.removeprefix(prefix): w.float() for name, w in load_file(path).items() if name.startswith(prefix)}
    )
    return network.eval()
