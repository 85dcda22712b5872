"""The second stage of training as a node: three steps on four small pictures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.errors import Cancelled, FileProblem, InputProblem
from engine.ldm.weights import open_model
from engine.models.handles import VAE
from engine.node import NullContext
from engine.values import TrainingSet
from nodes.loaders import LoadCheckpoint, LoadDiffusionModel, LoadedCheckpoint
from nodes.text import EncodeText
from nodes.train_autoencoder import TrainAutoencoder
from nodes.train_diffusion import TrainDiffusion
from nodes.training_data import EncodePictures, LoadPictures, Pictures
from tests.nodes.training import AUTOENCODER, Stopping, assert_is_a_curve, losses, recorded

DIFFUSION: dict[str, Any] = {
    "name": "words", "channels": 16, "channel_mult": "1,2", "attention_resolutions": "2", "heads": 2, "norm_groups": 4,
    "text_width": 32, "text_depth": 1, "text_length": 8, "vocabulary_size": 100, "steps": 3, "batch_size": 2,
    "sample_every": 0,
}  # fmt: skip


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


def test_models_share_an_autoencoder_that_is_in_none_of_their_files(
    ctx: NullContext, pictures: Pictures, vae: VAE
) -> None:
    trained = TrainDiffusion(EncodePictures(pictures, vae, ctx), vae, ctx, **DIFFUSION, with_vae=False)
    assert trained.vae == vae
    assert LoadDiffusionModel("words.safetensors", ctx) == trained.model
    with pytest.raises(FileProblem):
        ctx.folders.resolve("checkpoints", "words.safetensors")
    assert not [name for name in open_model(trained.model.weights.path).tensors() if "first_stage" in name]


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


def test_all_that_can_be_chosen_is_kept_in_the_model(ctx: NullContext, pictures: Pictures, vae: VAE) -> None:
    chosen: dict[str, Any] = {
        "loss_type": "l1", "elbo_weight": 0.001, "learn_logvar": True, "accumulate": 2, "schedule": "constant",
        "warm_up": 2, "parameterization": "eps",
    }  # fmt: skip
    settings: dict[str, Any] = {**DIFFUSION, **chosen}
    trained = TrainDiffusion(EncodePictures(pictures, vae, ctx), vae, ctx, **settings)
    config = trained.model.config
    assert (config.loss_type, config.original_elbo_weight, config.learn_logvar) == ("l1", 0.001, True)
    file = open_model(ctx.folders.models[0] / "checkpoints" / "words.safetensors")
    assert json.loads(file.metadata["darkroom.trained"])["pictures_seen"] == 3 * 2 * 2
    assert (file.tensor("logvar") != 0).any(), "it was learned"
    assert recorded(ctx, "words/diffusion")["measures"]["learning rate"] == [4e-4, 8e-4, 8e-4]


def test_a_training_begins_from_the_state_of_another(ctx: NullContext, pictures: Pictures, vae: VAE) -> None:
    training_set = EncodePictures(pictures, vae, ctx)
    TrainDiffusion(training_set, vae, ctx, **DIFFUSION)
    before = (ctx.folders.output / "training/words/diffusion.state.safetensors").read_bytes()
    forked: dict[str, Any] = {**DIFFUSION, "name": "branch", "fork_from": "words", "steps": 5, "learning_rate": 1e-4}
    watching = Stopping(ctx, after=4)
    with pytest.raises(Cancelled):
        TrainDiffusion(training_set, vae, watching, **forked)
    assert watching.steps == [4]
    TrainDiffusion(training_set, vae, ctx, **forked)
    mine, theirs = (losses(ctx, f"{name}/diffusion")["loss"] for name in ("branch", "words"))
    assert (len(mine), mine[:3]) == (5, theirs), "it went on where it was stopped, and did not begin again"
    assert (ctx.folders.output / "training/words/diffusion.state.safetensors").read_bytes() == before


def test_a_training_that_is_not_there_cannot_be_begun_from(ctx: NullContext, pictures: Pictures, vae: VAE) -> None:
    forked: dict[str, Any] = {**DIFFUSION, "fork_from": "nobody"}
    with pytest.raises(InputProblem, match="no training 'nobody'") as it:
        TrainDiffusion(EncodePictures(pictures, vae, ctx), vae, ctx, **forked)
    assert it.value.input == "fork_from"


class Crowded(NullContext):
    """Others come to wait after some steps."""

    def __init__(self, ctx: NullContext, after: int) -> None:
        super().__init__(ctx.folders)
        self.inner, self.after, self.step, self.said = ctx, after, 0, ""

    def progress(self, step: int, total: int, text: str = "") -> None:
        self.step, self.said = step, text

    def make_way(self) -> None:
        if self.step == self.after:
            raise Cancelled("others wait")

    def service(self, kind: type[Any]) -> Any:
        return self.inner.service(kind)


def test_a_training_makes_way_only_if_it_is_to(ctx: NullContext, pictures: Pictures, vae: VAE) -> None:
    training_set = EncodePictures(pictures, vae, ctx)
    whole: dict[str, Any] = {**DIFFUSION, "name": "whole"}
    TrainDiffusion(training_set, vae, Crowded(ctx, 2), **whole)
    with pytest.raises(Cancelled):
        TrainDiffusion(training_set, vae, Crowded(ctx, 2), **DIFFUSION, yield_to_others=True)
    assert len(losses(ctx, "words/diffusion")["loss"]) == 2
    TrainDiffusion(training_set, vae, ctx, **DIFFUSION, yield_to_others=True)
    assert losses(ctx, "words/diffusion") == losses(ctx, "whole/diffusion")
