"""Handles: equal, hashable, free of tensors and of torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from engine.errors import ModelFileError
from engine.models.device import Device
from engine.models.handles import VAE, Model, TextEncoder, Weights
from tests.models import files


def test_importing_handles_manager_driver_and_devices_does_not_import_torch() -> None:
    modules = "handles, manager, step_driver, device"
    code = f"import sys; from engine.models import {modules}; assert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_two_handles_to_one_file_are_equal(tmp_path: Path) -> None:
    path = files.checkpoint(tmp_path / "a.safetensors")
    assert Model.open(path) == Model.open(path)
    assert len({Model.open(path), Model.open(path), VAE.open(path), TextEncoder.open(path)}) == 3
    other = files.checkpoint(tmp_path / "b.safetensors", seed=1)
    assert Model.open(path) != Model.open(other)


def test_a_handle_knows_how_to_sample_and_what_to_build(tmp_path: Path) -> None:
    path = files.checkpoint(tmp_path / "a.safetensors")
    model, vae, encoder = Model.open(path), VAE.open(path), TextEncoder.open(path)
    assert model.config.scale_factor == 0.5
    assert model.config.schedule().sigma_max == pytest.approx(14.6146, rel=1e-4)
    with torch.no_grad():
        x, t = torch.zeros(1, 4, 8, 8), torch.zeros(1)
        assert model.build(Device())(x, t, context=torch.zeros(1, 8, 16)).shape == x.shape
        assert vae.build(Device()).decode(x).shape == (1, 3, 16, 16)
        assert encoder.build(Device())(torch.zeros(1, 8, dtype=torch.long)).shape == (1, 8, 16)


def test_patches_are_part_of_a_model_and_leave_the_file_alone(tmp_path: Path) -> None:
    class Brighten:
        def apply(self, network: torch.nn.Module) -> None:
            bias = network.get_parameter("out.2.bias")
            network.out[2].bias = torch.nn.Parameter(bias + 1, requires_grad=False)  # type: ignore[index,union-attr]

    plain = Model.open(files.checkpoint(tmp_path / "a.safetensors"))
    patched = plain.patched(Brighten())
    assert patched != plain
    inputs = torch.zeros(1, 4, 8, 8), torch.zeros(1), torch.zeros(1, 8, 16)
    with torch.no_grad():
        torch.testing.assert_close(patched.build(Device())(*inputs), plain.build(Device())(*inputs) + 1)


def test_a_file_replaced_after_it_was_looked_up_is_an_error(tmp_path: Path) -> None:
    path = files.checkpoint(tmp_path / "a.safetensors")
    model = Model.open(path)
    path.unlink()
    with pytest.raises(ModelFileError, match=r"a\.safetensors cannot be read: No such file"):
        model.build(Device())
    files.checkpoint(path, seed=1)
    with pytest.raises(ModelFileError, match="has changed since it was loaded; run the workflow again"):
        model.build(Device())


def test_a_file_that_is_not_there_is_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="missing"):
        Weights.at(tmp_path / "missing.safetensors")
