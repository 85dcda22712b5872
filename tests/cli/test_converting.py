"""`darkroom convert`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import yaml

from engine.errors import ModelFileError
from engine.ldm.checkpoint import load_unet
from engine.ldm.weights import open_model
from engine.node import NullContext
from nodes.loaders import LoadCheckpoint
from tests.cli.conftest import Program
from tests.ldm import fixtures


def test_a_checkpoint_is_converted_beside_itself_with_its_configuration(darkroom: Program, home: Path) -> None:
    folder = home / "celeba256"
    folder.mkdir()
    name = "ldm_uncond_vq"
    torch.save({"state_dict": fixtures.weights(name), "global_step": 1}, folder / "model.ckpt")
    config = fixtures.config(name)
    (folder / "config.yaml").write_text(yaml.safe_dump({"model": {key: config[key] for key in ("target", "params")}}))
    done = darkroom("convert", "celeba256/model.ckpt")
    assert done.exit_code == 0, done.output
    assert "model.safetensors: " in done.stdout and "configured by config.yaml" in done.stdout
    made = open_model(folder / "model.safetensors")
    assert json.loads(made.metadata["darkroom.config"])["params"]["linear_end"] == config["params"]["linear_end"]
    assert made.metadata["darkroom.converted_from"] == "model.ckpt"
    (folder / "config.yaml").unlink()
    assert load_unet(made).config.model_channels == 32
    original = fixtures.weights(name)
    assert all(torch.equal(tensor, original[key]) for key, tensor in made.tensors().items())


def test_a_file_that_is_there_is_not_replaced_without_being_told(darkroom: Program, home: Path) -> None:
    torch.save({"w": torch.ones(2)}, home / "model.pt")
    (home / "out.safetensors").write_text("mine")
    refused = darkroom("convert", "model.pt", "out.safetensors")
    assert refused.exit_code == 2 and "--force" in refused.output
    assert (home / "out.safetensors").read_text() == "mine"
    assert darkroom("convert", "model.pt", "out.safetensors", "--force").exit_code == 0
    assert open_model(home / "out.safetensors").shapes() == {"w": (2,)}
    assert darkroom("convert", "model.pt", "out.bin").exit_code == 2


def test_a_malicious_file_is_refused_with_its_reason(darkroom: Program, home: Path) -> None:
    (home / "model.ckpt").write_bytes(b"\x80\x02cposix\nsystem\nX\x08\x00\x00\x00touch me\x85R.")
    refused = darkroom("convert", "model.ckpt")
    assert refused.exit_code == 2 and "'posix.system'" in refused.output
    assert not (home / "me").exists() and not (home / "model.safetensors").exists()


def test_a_damaged_configuration_is_said_before_anything_is_read(darkroom: Program, home: Path) -> None:
    torch.save({"w": torch.ones(2)}, home / "model.ckpt")
    (home / "model.yaml").write_text("model: [1, 2")
    refused = darkroom("convert", "model.ckpt")
    assert refused.exit_code == 2 and "model.yaml" in refused.output and not (home / "model.safetensors").exists()


def test_loading_a_pickle_says_how_to_convert_it(home: Path) -> None:
    from engine.node import Folders

    folders = Folders.under(home)
    path = folders.models[0] / "checkpoints" / "model.ckpt"
    path.parent.mkdir(parents=True)
    torch.save({"w": torch.ones(2)}, path)
    with pytest.raises(ModelFileError, match=r"darkroom convert .*model\.ckpt"):
        LoadCheckpoint("model.ckpt", NullContext(folders))
