"""Loading whole models and their parts."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import FileProblem, ModelFileError
from engine.node import NullContext
from nodes.loaders import LoadAutoencoder, LoadCheckpoint, LoadDiffusionModel, LoadTextEncoder
from nodes.text import EncodeText
from tests.nodes import tiny


def test_a_checkpoint_gives_its_three_parts(ctx: NullContext) -> None:
    model, clip, vae = LoadCheckpoint("tiny.safetensors", ctx)
    assert model.config.unet == tiny.config().unet
    assert vae.config == tiny.config().first_stage
    assert EncodeText("a red apple", clip, ctx).parts[0].context is not None


def test_parts_are_loaded_from_their_own_folders_and_are_those_of_the_checkpoint(ctx: NullContext) -> None:
    whole = LoadCheckpoint("tiny.safetensors", ctx)
    assert LoadDiffusionModel("part.safetensors", ctx).config == whole.model.config
    assert LoadAutoencoder("part.safetensors", ctx).config == whole.vae.config
    clip = LoadTextEncoder("part.safetensors", ctx)
    mine, theirs = (EncodeText("blue", each, ctx).parts[0].context for each in (clip, whole.clip))
    assert mine is not None and theirs is not None and mine.equal(theirs)


def test_handles_of_one_file_are_equal_so_that_its_weights_are_shared(ctx: NullContext) -> None:
    assert LoadCheckpoint("tiny.safetensors", ctx) == LoadCheckpoint("tiny.safetensors", ctx)


def test_a_name_that_is_not_there_names_the_nearest(ctx: NullContext) -> None:
    with pytest.raises(FileProblem, match=r"checkpoints: there is no 'tinny.safetensors'.*tiny.safetensors"):
        LoadCheckpoint("tinny.safetensors", ctx)


@pytest.mark.parametrize("name", ["../tiny.safetensors", "/etc/passwd", "tiny\0.safetensors", ""])
def test_a_name_that_leads_elsewhere_is_refused(ctx: NullContext, name: str) -> None:
    with pytest.raises(FileProblem, match="checkpoints"):
        LoadCheckpoint(name, ctx)


def whole(models: Path) -> bytes:
    return (models / "checkpoints" / "tiny.safetensors").read_bytes()


@pytest.mark.parametrize("damage", ["empty", "cut", "lying", "pickle", "zip", "text"])
@pytest.mark.parametrize("load", [LoadCheckpoint, LoadDiffusionModel, LoadAutoencoder, LoadTextEncoder])
def test_a_damaged_file_is_a_sentence_that_names_it(ctx: NullContext, models: Path, damage: str, load: object) -> None:
    data = {
        "empty": b"",
        "cut": whole(models)[:-100],
        "lying": (2**40).to_bytes(8, "little") + whole(models)[8:],
        "pickle": b"\x80\x04K\x01.",
        "zip": b"PK\x03\x04" + bytes(100),
        "text": b"hello, I am no model\n" * 10,
    }[damage]
    for folder in ("checkpoints", "diffusion_models", "vae", "text_encoders"):
        path = ctx.folders.place(folder, "bad.safetensors")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    assert callable(load)
    with pytest.raises(ModelFileError, match=r"bad\.safetensors"):
        load("bad.safetensors", ctx)
