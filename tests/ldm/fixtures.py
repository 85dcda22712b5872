"""Reads the reference fixtures that lie beside the repository, where there are any."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

REFERENCE = Path(__file__).parents[3] / "shared" / "reference" / "ldm"

Tensors = dict[str, Tensor]


def fixture_path(name: str) -> Path:
    """The folder of one fixture; skips the test where the reference is not at hand."""
    path = REFERENCE / name
    if not path.exists():
        pytest.skip(f"the reference fixture {name} is not at hand")
    return path


def config(name: str) -> dict[str, Any]:
    return json.loads((fixture_path(name) / "config.json").read_text())


def weights(name: str) -> Tensors:
    return load_file(fixture_path(name) / "weights.safetensors")


def io(name: str) -> Tensors:
    return load_file(fixture_path(name) / "io.safetensors")


def zoo(name: str) -> dict[str, Any]:
    """Configuration and key list of one real model."""
    return json.loads(gzip.decompress((fixture_path("zoo_keys") / f"{name}.json.gz").read_bytes()))


def zoo_names() -> list[str]:
    return sorted(path.name.removesuffix(".json.gz") for path in (REFERENCE / "zoo_keys").glob("*.json.gz"))


def assert_close(actual: Tensor, expected: Tensor, tolerance: float = 1e-4) -> None:
    """max |a - b| <= tolerance * max(1, max |ref|), the tolerance the fixtures were made for."""
    assert actual.shape == expected.shape
    error = (actual.detach().double() - expected.double()).abs().max().item()
    bound = tolerance * max(1.0, expected.double().abs().max().item())
    assert error <= bound, f"differs by {error:.3g}, allowed {bound:.3g}"


def close(actual: float, expected: float, tolerance: float = 1e-4) -> bool:
    return abs(actual - expected) <= tolerance * max(1.0, abs(expected))


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
