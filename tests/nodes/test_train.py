"""Both stages of training as nodes: three steps on four small pictures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image as Pillow

from engine.errors import Cancelled, FileProblem, InputProblem
from engine.ldm.weights import open_model
from engine.models.handles import VAE
from engine.node import NullContext
from engine.values import Image, TrainingSet
from nodes.loaders import LoadAutoencoder, LoadCheckpoint, LoadedCheckpoint
from nodes.text import EncodeText
from nodes.train import EncodePictures, LoadPictures, Pictures, TrainAutoencoder, TrainDiffusion
from nodes.vae import VAEDecode, VAEEncode

COLOURS = {"red square": (255, 0, 0), "green square": (0, 255, 0), "blue square": (0, 0, 255), "grey": (128, 128, 128)}
AUTOENCODER: dict[str, Any] = {
    "name": "small", "channels": 8, "channel_mult": "1,2", "norm_groups": 4, "steps": 3, "batch_size": 2
}  # fmt: skip
DIFFUSION: dict[str, Any] = {
    "name": "words", "channels": 16, "channel_mult": "1,2", "attention_resolutions": "2", "heads": 2, "norm_groups": 4,
    "text_width": 32, "text_depth": 1, "text_length": 8, "vocabulary_size": 100, "steps": 3, "batch_size": 2,
    "sample_every": 0,
}  # fmt: skip


@pytest.fixture
def folder(ctx: NullContext) -> Path:
    folder = ctx.folders.input / "squares"
    folder.mkdir(parents=True)
    rows: list[dict[str, Any]] = []
    for name, colour in COLOURS.items():
        Pillow.new("RGB", (16, 16), colour).save(folder / f"{name}.png")
        group = "coloured" if "square" in name else "plain"
        rows.append({"file": f"{name}.png", "caption": name, "keywords": ["shape"], "group": group})
    (folder / "captions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


@pytest.fixture
def pictures(ctx: NullContext, folder: Path) -> Pictures:
    return LoadPictures(folder.name, ctx, 16)


@pytest.fixture
def vae(ctx: NullContext) -> VAE:
    return LoadAutoencoder("part.safetensors", ctx)


class Stopping(NullContext):
    """The user asks to stop after some steps."""

    def __init__(self, ctx: NullContext, after: int) -> None:
        super().__init__(ctx.folders)
        self.inner, self.after, self.steps = ctx, after, list[int]()

    def progress(self, step: int, total: int, text: str = "") -> None:
        self.steps.append(step)
        self.cancelled = step == self.after

    def service(self, kind: type[Any]) -> Any:
        return self.inner.service(kind)


def losses(ctx: NullContext, name: str) -> dict[str, list[float]]:
    """What the state of a training remembers of its losses."""
    file = open_model(ctx.folders.output / "training" / f"{name}.state.safetensors")
    return json.loads(json.loads(file.metadata["darkroom.training"])["history"])["losses"]


def assert_is_a_curve(image: Image) -> None:
    assert image.pixels.shape[0] == 1 and image.pixels.shape[-1] == 3
    assert image.pixels.min() >= 0 and image.pixels.max() <= 1
    assert len(image.pixels.flatten(0, 2).unique(dim=0)) > 10  # ground, grid, words and lines


# ------------------------------------------------------------------------------------------------------------ pictures


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


# -------------------------------------------------------------------------------------------------------- autoencoder


def test_a_trained_autoencoder_is_saved_and_encodes(ctx: NullContext, pictures: Pictures) -> None:
    trained = TrainAutoencoder(pictures, ctx, **AUTOENCODER)
    assert trained.vae == LoadAutoencoder("small.safetensors", ctx)
    assert_is_a_curve(trained.loss_curve)
    latent = VAEEncode(Image(torch.rand(1, 16, 16, 3)), trained.vae, ctx)
    assert latent.samples.shape == (1, 4, 8, 8)
    assert VAEDecode(latent, trained.vae, ctx).pixels.shape == (1, 16, 16, 3)


def test_a_stopped_autoencoder_goes_on_with_the_same_losses(ctx: NullContext, pictures: Pictures) -> None:
    whole = TrainAutoencoder(pictures, ctx, **{**AUTOENCODER, "name": "whole"})
    stopping = Stopping(ctx, after=1)
    with pytest.raises(Cancelled):
        TrainAutoencoder(pictures, stopping, **AUTOENCODER)
    assert not (ctx.folders.models[0] / "vae" / "small.safetensors").exists()
    resumed = TrainAutoencoder(pictures, ctx, **AUTOENCODER)
    assert losses(ctx, "small/autoencoder") == losses(ctx, "whole/autoencoder")
    assert len(losses(ctx, "small/autoencoder")["loss"]) == 3
    picture = Image(torch.rand(1, 16, 16, 3))
    one, other = (VAEEncode(picture, trained.vae, ctx).samples for trained in (whole, resumed))
    assert one.equal(other)


def test_a_finished_autoencoder_is_not_trained_again(ctx: NullContext, pictures: Pictures) -> None:
    TrainAutoencoder(pictures, ctx, **AUTOENCODER)
    watching = Stopping(ctx, after=-1)
    TrainAutoencoder(pictures, watching, **AUTOENCODER)
    assert watching.steps == []
    TrainAutoencoder(pictures, watching, **{**AUTOENCODER, "steps": 5})
    assert watching.steps == [4, 5]


@pytest.mark.parametrize(
    ("input", "value", "words"),
    [
        ("channel_mult", "1,two", "whole numbers with commas"),
        ("channel_mult", "", "whole numbers with commas"),
        ("channel_mult", "1,0", "whole numbers with commas"),
        ("channel_mult", "1,1,1,1,1,1", "multiples of 32, but there are 16 pixels"),
        ("norm_groups", 3, "3 groups do not divide"),
        ("name", "../small", "small"),
    ],
)
def test_an_autoencoder_that_cannot_be_built_says_so(
    ctx: NullContext, pictures: Pictures, input: str, value: object, words: str
) -> None:
    with pytest.raises((InputProblem, FileProblem), match=words) as it:
        TrainAutoencoder(pictures, ctx, **{**AUTOENCODER, input: value})
    assert getattr(it.value, "input", input) == input
    assert not ctx.folders.output.exists()


# ----------------------------------------------------------------------------------------------------------- diffusion


def test_a_set_of_pictures_is_encoded_with_all_its_captions(ctx: NullContext, pictures: Pictures, vae: VAE) -> None:
    training_set = EncodePictures(pictures, vae, ctx)
    assert training_set.mean.shape == training_set.std.shape == (4, 4, 4, 4)
    assert training_set.std.min() > 0
    assert training_set.captions[0] == ("red square", "shape")
    assert training_set.groups == ("coloured", "coloured", "coloured", "plain")
    red = torch.tensor([1.0, 0.0, 0.0]).expand(1, 16, 16, 3)
    torch.testing.assert_close(training_set.mean[:1], VAEEncode(Image(red), vae, ctx).samples, rtol=1e-4, atol=1e-4)


def test_a_trained_model_is_saved_whole_and_reads_words(ctx: NullContext, pictures: Pictures, vae: VAE) -> None:
    training_set = EncodePictures(pictures, vae, ctx)
    trained = TrainDiffusion(training_set, vae, ctx, **DIFFUSION)
    loaded = LoadCheckpoint("words.safetensors", ctx)
    assert (trained.model, trained.clip, trained.vae) == tuple(loaded)
    assert loaded.model.config.parameterization == "v"
    assert loaded.model.config.scale_factor == pytest.approx(1 / float(training_set.mean[:2].std()), rel=1e-2)
    red, green = (EncodeText(text, loaded.clip, ctx).parts[0].context for text in ("red square", "green square"))
    assert red is not None and green is not None and not red.allclose(green)
    assert_is_a_curve(trained.loss_curve)
    facts = json.loads(open_model(ctx.folders.models[0] / "checkpoints/words.safetensors").metadata["darkroom.trained"])
    assert (facts["steps"], facts["pictures_seen"]) == (3, 6)


def test_a_stopped_model_goes_on_with_the_same_losses(ctx: NullContext, pictures: Pictures, vae: VAE) -> None:
    training_set = EncodePictures(pictures, vae, ctx)
    TrainDiffusion(training_set, vae, ctx, **{**DIFFUSION, "name": "whole"})
    with pytest.raises(Cancelled):
        TrainDiffusion(training_set, vae, Stopping(ctx, after=2), **DIFFUSION)
    TrainDiffusion(training_set, vae, ctx, **DIFFUSION)
    assert losses(ctx, "words/diffusion") == losses(ctx, "whole/diffusion")
    watching = Stopping(ctx, after=-1)
    TrainDiffusion(training_set, vae, watching, **DIFFUSION)
    assert watching.steps == []


def test_sheets_of_samples_are_saved_on_the_way(ctx: NullContext, pictures: Pictures, vae: VAE) -> None:
    TrainDiffusion(EncodePictures(pictures, vae, ctx), vae, ctx, **{**DIFFUSION, "sample_every": 2})
    (sheet,) = (ctx.folders.output / "training" / "words").glob("*.png")
    assert sheet.name == "step 2_00001_.png"


@pytest.mark.parametrize(
    ("input", "value", "words"),
    [
        ("channel_mult", "1;2", "whole numbers with commas"),
        ("attention_resolutions", "x", "whole numbers with commas"),
        ("norm_groups", 3, "3 groups do not divide"),
        ("heads", 5, "5 heads do not divide"),
        ("channel_mult", "1,1,1,1", "multiples of 8, but there are 4 cells"),
    ],
)
def test_a_model_that_cannot_be_built_says_so(
    ctx: NullContext, pictures: Pictures, vae: VAE, input: str, value: object, words: str
) -> None:
    training_set = EncodePictures(pictures, vae, ctx)
    with pytest.raises(InputProblem, match=words) as it:
        TrainDiffusion(training_set, vae, ctx, **{**DIFFUSION, input: value})
    assert it.value.input == input
    assert not ctx.folders.output.exists()


def test_text_is_as_wide_as_its_heads_of_32() -> None:
    schema = TrainDiffusion.type.schema.input("text_width")
    assert schema is not None and (schema.minimum, schema.multiple_of) == (32, 32)


def test_a_vocabulary_without_room_for_the_letters_says_so(ctx: NullContext, folder: Path, vae: VAE) -> None:
    letters = "".join(chr(code) for code in range(0x3B1, 0x3B1 + 24)) + "abcdefghijklmnopqrstuvwxyz"
    (folder / "captions.jsonl").write_text(json.dumps({"file": "grey.png", "caption": letters}))
    training_set = EncodePictures(LoadPictures("squares", ctx, 16), vae, ctx)
    with pytest.raises(InputProblem, match="different characters need") as it:
        TrainDiffusion(training_set, vae, ctx, **{**DIFFUSION, "vocabulary_size": 64})
    assert it.value.input == "vocabulary_size"


def test_latents_of_another_autoencoder_are_refused(ctx: NullContext, pictures: Pictures, vae: VAE) -> None:
    trained = TrainAutoencoder(pictures, ctx, **{**AUTOENCODER, "latent_channels": 3})
    training_set = EncodePictures(pictures, trained.vae, ctx)
    with pytest.raises(InputProblem, match="3 channels, this VAE makes 4") as it:
        TrainDiffusion(training_set, vae, ctx, **DIFFUSION)
    assert it.value.input == "training_set"


def test_going_on_with_another_autoencoder_is_refused(loaded: LoadedCheckpoint, ctx: NullContext) -> None:
    other = VAE(loaded.vae.weights, replace(loaded.vae.config, ch=8))
    latents = torch.randn(2, other.config.embed_dim, 8, 8)
    with pytest.raises(InputProblem, match="latents of another autoencoder"):
        TrainDiffusion(TrainingSet(latents, latents, (("a",), ("b",)), ("", "")), other, ctx, start=loaded.model)
