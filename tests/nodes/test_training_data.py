"""Pictures to train on, and their latents."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image as Pillow

from engine.errors import FileProblem
from engine.models.handles import VAE
from engine.node import NullContext
from engine.values import Image
from nodes.training_data import EncodePictures, LoadPictures, Pictures
from nodes.vae import VAEEncode


def test_a_folder_is_chosen_with_its_size_and_groups(ctx: NullContext, folder: Path) -> None:
    assert LoadPictures("squares", ctx, 16, "plain, coloured") == Pictures(str(folder), 16, ("plain", "coloured"))


@pytest.mark.parametrize(
    ("name", "groups", "words"),
    [
        ("nothing", "", "there is no 'nothing'"),
        ("../squares", "", "input"),
        ("squares", "round", "holds no pictures of the groups round"),
        ("squares/grey.png", "", "is not a folder"),
    ],
)
def test_a_folder_that_cannot_be_used_says_so(
    ctx: NullContext, folder: Path, name: str, groups: str, words: str
) -> None:
    with pytest.raises(FileProblem, match=words):
        LoadPictures(name, ctx, 16, groups)


@pytest.mark.parametrize("name", ["../secret.png", "/etc/hostname"])
def test_captions_cannot_name_files_outside_their_folder(ctx: NullContext, folder: Path, name: str) -> None:
    Pillow.new("RGB", (8, 8)).save(folder.parent / "secret.png")
    (folder / "captions.jsonl").write_text(json.dumps({"file": name, "caption": "secret"}))
    with pytest.raises(FileProblem, match=r"captions\.jsonl, line 1: .*leads out of"):
        LoadPictures("squares", ctx, 16)


def test_captions_in_another_encoding_are_refused(ctx: NullContext, folder: Path) -> None:
    (folder / "captions.jsonl").write_bytes('{"file": "grey.png", "caption": "café"}'.encode("latin-1"))
    with pytest.raises(FileProblem, match=r"captions\.jsonl is not UTF-8"):
        LoadPictures("squares", ctx, 16)


def test_a_picture_that_is_too_large_is_refused_when_it_is_read(ctx: NullContext, folder: Path, vae: VAE) -> None:
    Pillow.new("1", (10_000, 10_000)).save(folder / "grey.png")
    pictures = LoadPictures("squares", ctx, 16)
    with pytest.raises(FileProblem, match=r"grey\.png .*64 megapixels"):
        EncodePictures(pictures, vae, ctx)


def test_a_set_of_pictures_is_encoded_with_all_its_captions(ctx: NullContext, pictures: Pictures, vae: VAE) -> None:
    training_set = EncodePictures(pictures, vae, ctx)
    assert training_set.mean.shape == training_set.std.shape == (4, 4, 4, 4)
    assert training_set.std.min() > 0
    assert training_set.captions[0] == ("red square", "shape")
    assert training_set.groups == ("coloured", "coloured", "coloured", "plain")
    red = torch.tensor([1.0, 0.0, 0.0]).expand(1, 16, 16, 3)
    torch.testing.assert_close(training_set.mean[:1], VAEEncode(Image(red), vae, ctx).samples, rtol=1e-4, atol=1e-4)
