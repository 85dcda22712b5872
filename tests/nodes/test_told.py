"""What models are told that is no prompt: maps of labels, classes, token numbers, vectors, two things at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine.errors import InputProblem, ModelFileError
from engine.ldm.conditioners.classes import ClassConfig
from engine.ldm.conditioners.spatial import RescalerConfig, SpatialRescaler, one_hot_map
from engine.ldm.config import ConditionerConfig, HybridConfig, LatentDiffusionConfig
from engine.ldm.text.tokenizer import BertTokenizer
from engine.ldm.text.transformer import TextTransformerConfig
from engine.ldm.weights import open_model, save_model
from engine.models.handles import Model, TextEncoder
from engine.node import NullContext
from engine.values import Conditioning, ConditioningPart, Image, Latent, Mask
from nodes.classes import EncodeClass, NoCondition
from nodes.conditioning import ConditioningZeroOut
from nodes.given_noise import KSamplerGivenNoise
from nodes.latent_files import LoadLatent, SaveLatent
from nodes.loaders import ChooseWeights, LoadCheckpoint, LoadedCheckpoint
from nodes.retrieval import AddNeighbours, LoadVectors
from nodes.sampling import KSampler
from nodes.semantic import EncodeLabelMap, JoinConditions
from nodes.text import EncodeText
from nodes.tokens import EncodeTokens
from nodes.vae import VAEDecode, VAEEncode
from tests.nodes import tiny

LABELS = torch.randint(0, 5, (2, 32, 32), generator=torch.Generator().manual_seed(0))
RESCALER = RescalerConfig(2, 5, 3)


def model(folder: Path, conditioner: ConditionerConfig | None, key: str, beside: int = 0, **unet: int | None) -> Model:
    """The tiny model, told of something else than words; random weights."""
    plain = tiny.config()
    own = replace(plain.unet, in_channels=4 + beside, **{"context_dim": None, **unet})  # type: ignore[arg-type]
    config = replace(plain, unet=own, conditioner=conditioner, conditioning_key=key)  # type: ignore[arg-type]
    return Model.open(tiny.save_checkpoint(folder / "model.safetensors", config))


@pytest.fixture
def semantic(tmp_path: Path) -> Model:
    return model(tmp_path, RESCALER, "concat", beside=3)


def test_a_map_of_labels_is_shrunk_by_the_model_s_own_rescaler(semantic: Model) -> None:
    rescaler = SpatialRescaler(RESCALER)
    rescaler.load_state_dict(open_model(semantic.weights.path).tensors("cond_stage_model."))
    with torch.no_grad():
        expected = rescaler(one_hot_map(LABELS, 5))
    grey = LABELS.float() / 255
    for given in (Mask(grey), Image(grey[..., None].expand(-1, -1, -1, 3))):
        told = EncodeLabelMap(given, semantic)
        assert torch.equal(told.conditioning.parts[0].concat, expected)  # type: ignore[arg-type]
        assert told.latent.samples.shape == (2, 4, 8, 8)


def test_a_label_that_the_model_does_not_know_is_named(semantic: Model, loaded: LoadedCheckpoint) -> None:
    with pytest.raises(InputProblem, match="values from 0 to 255, this model knows the classes 0 to 4"):
        EncodeLabelMap(Mask((LABELS > 3).float()), semantic)
    with pytest.raises(ModelFileError, match="not told of label maps"):
        EncodeLabelMap(Mask(LABELS / 255), loaded.model)


def test_several_lines_are_a_class_for_each_picture(tmp_path: Path) -> None:
    classes = model(tmp_path, ClassConfig(12, 6), "crossattn", context_dim=12)
    vectors = open_model(classes.weights.path).tensor("cond_stage_model.embedding.weight")
    (part,) = EncodeClass(classes, "3\n0").parts
    assert part.context is not None and torch.equal(part.context, vectors[[3, 0]][:, None])
    assert torch.equal(EncodeClass(classes).parts[0].context, vectors[5][None, None])  # type: ignore[arg-type]
    with pytest.raises(InputProblem, match="no class '6'"):
        EncodeClass(classes, "1\n6")


async def test_a_model_that_takes_the_class_s_number_is_given_it(tmp_path: Path, ctx: NullContext) -> None:
    adm = model(tmp_path, None, "adm", num_classes=7)
    told = EncodeClass(adm, "6\n2")
    assert told.parts[0].y is not None and told.parts[0].y.tolist() == [6, 2]
    blank = Latent(torch.zeros(2, 4, 8, 8))
    made = await KSampler(adm, told, told, blank, ctx, steps=2, cfg=1.0)
    other = await KSampler(adm, EncodeClass(adm, "5\n2"), told, blank, ctx, steps=2, cfg=1.0)
    assert not torch.allclose(made.samples[0], other.samples[0])
    assert torch.allclose(made.samples[1], other.samples[1], atol=1e-5)


@pytest.mark.parametrize("words", [False, True], ids=["map and class", "map and words"])
async def test_a_hybrid_model_is_told_two_things(tmp_path: Path, ctx: NullContext, words: bool) -> None:
    text = TextTransformerConfig(12, 1, len(tiny.VOCABULARY), tiny.TOKENS, 2, 8, logits=False)
    parts = HybridConfig(RESCALER, text if words else ClassConfig(12, 6))
    hybrid = model(tmp_path, parts, "hybrid", beside=3, context_dim=12)
    beside = EncodeLabelMap(Mask(LABELS[:1] / 255), hybrid).conditioning
    assert hybrid.config.reads_text == words

    def told(what: str) -> Conditioning:
        encoder = TextEncoder(hybrid.weights)
        return JoinConditions(beside, EncodeText(what, encoder, ctx) if words else EncodeClass(hybrid, what))

    first, second, nothing = (told(what) for what in (("a red apple", "blue", "") if words else ("1", "2", "")))
    blank = Latent(torch.zeros(1, 4, 8, 8))
    made = [
        (await KSampler(hybrid, each, nothing, blank, ctx, steps=2, cfg=3.0, sampler_name="ddim", scheduler="ldm"))
        for each in (first, second)
    ]
    assert not torch.allclose(made[0].samples, made[1].samples)
    with pytest.raises(InputProblem, match="guided by words"):
        await KSampler(hybrid, beside, beside, blank, ctx, steps=1)


def test_two_conditions_are_stacked_where_both_have_something() -> None:
    def part(value: float, rows: int = 1) -> Conditioning:
        return Conditioning((ConditioningPart(torch.full((rows, 2, 3), value), torch.full((rows, 1, 4, 4), value)),))

    (both,) = JoinConditions(part(1), part(2, rows=2)).parts
    assert both.context is not None and both.concat is not None
    assert both.context[1, :, 0].tolist() == [1, 1, 2, 2] and both.concat[1, :, 0, 0].tolist() == [1, 2]
    classed = Conditioning((ConditioningPart(y=torch.tensor([1])),))
    assert JoinConditions(part(1), classed).parts[0].y is not None
    with pytest.raises(InputProblem, match="both conditions name a class"):
        JoinConditions(classed, classed)
    with pytest.raises(InputProblem, match="2 and 3 pictures"):
        JoinConditions(part(1, rows=2), part(1, rows=3))
    with pytest.raises(InputProblem, match="make them alike"):
        JoinConditions(part(1), Conditioning((ConditioningPart(concat=torch.zeros(1, 1, 8, 8)),)))


def test_token_numbers_are_what_words_become(loaded: LoadedCheckpoint, ctx: NullContext) -> None:
    numbers = BertTokenizer(tiny.VOCABULARY, tiny.TOKENS)(["a red apple", "blue"])
    text = "\n".join(", ".join(str(int(number)) for number in row) for row in numbers)
    (part,) = EncodeTokens(loaded.clip, ctx, text).parts
    words = [EncodeText(each, loaded.clip, ctx).parts[0].context for each in ("a red apple", "blue")]
    assert torch.allclose(part.context, torch.cat(words), atol=1e-5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("tokens", "reason"),
    [
        ("1, two", "whole numbers"),
        ("1 2\n3", "lines of 1 and 2"),
        ("", "no numbers"),
        ("99999", "99999 is no token"),
        ("1 " * 9, "takes 8 tokens"),
    ],
)
def test_numbers_that_are_no_tokens_are_refused(
    tokens: str, reason: str, loaded: LoadedCheckpoint, ctx: NullContext
) -> None:
    with pytest.raises(InputProblem, match=reason):
        EncodeTokens(loaded.clip, ctx, tokens)


def test_vectors_of_a_file_are_lined_up_in_the_order_of_their_names(ctx: NullContext) -> None:
    vectors = {"b": torch.full((2, 4), 2.0), "a": torch.full((4,), 3.0), "c": torch.zeros(2, 1, 4)}
    save_model(ctx.folders.input / "clip.safetensors", vectors)
    (part,) = LoadVectors("clip.safetensors", ctx).parts
    assert part.context is not None and part.context[:, :, 0].tolist() == [[3, 2, 2, 0], [3, 2, 2, 0]]
    (scaled,) = LoadVectors("clip.safetensors", ctx, normalise=True).parts
    assert scaled.context is not None and scaled.context[0, :, 0].tolist() == pytest.approx([0.5, 0.5, 0.5, 0])
    nothing = ConditioningZeroOut(Conditioning((part,))).parts[0].context
    assert nothing is not None and nothing.shape == part.context.shape and not nothing.any()


def test_vectors_that_do_not_go_together_are_refused(ctx: NullContext) -> None:
    for name, arrays in {
        "widths": {"a": torch.ones(4), "b": torch.ones(5)},
        "rows": {"a": torch.ones(2, 1, 4), "b": torch.ones(3, 1, 4)},
        "none": {},
        "picture": {"a": torch.ones(1, 3, 4, 4)},
    }.items():
        save_model(ctx.folders.input / f"{name}.safetensors", arrays)
        with pytest.raises(ModelFileError):
            LoadVectors(f"{name}.safetensors", ctx)


def test_neighbours_are_those_of_the_same_direction(ctx: NullContext) -> None:
    database = torch.tensor([[1.0, 0, 0], [0, 9, 0], [5, 5, 0], [0, 0, 1]])
    files = {"embedding": database, "patch_coords": torch.zeros(4, 4)}
    save_model(ctx.folders.input / "database.safetensors", files)
    asked = Conditioning((ConditioningPart(context=torch.tensor([[[0.1, 3.0, 0.0]]])),))
    (part,) = AddNeighbours(asked, "database.safetensors", ctx, 2).parts
    half = 2**-0.5
    assert part.context is not None
    assert torch.allclose(part.context[0, 1:], torch.tensor([[0.0, 1.0, 0.0], [half, half, 0.0]]))
    (all_of_them,) = AddNeighbours(asked, "database.safetensors", ctx, 100).parts
    assert all_of_them.context is not None and all_of_them.context.shape == (1, 5, 3)
    with pytest.raises(InputProblem, match="3"):
        AddNeighbours(NoCondition(), "database.safetensors", ctx)


def test_a_latent_comes_back_from_its_file(ctx: NullContext) -> None:
    latent = Latent(torch.randn(2, 4, 8, 6))
    shown = SaveLatent(latent, ctx, "deep/latent")
    path = Path(shown.ui["latents"][0]["path"])  # type: ignore[index]
    assert path.parent == ctx.folders.output / "deep"
    loaded = LoadLatent(f"{path.relative_to(ctx.folders.output).as_posix()} [output]", ctx)
    assert torch.equal(loaded.samples, latent.samples)


def test_an_old_file_of_comfyui_was_scaled(ctx: NullContext) -> None:
    save_model(ctx.folders.input / "old.latent", {"latent_tensor": torch.full((1, 4, 8, 8), 0.18215)})
    assert torch.allclose(LoadLatent("old.latent", ctx).samples, torch.ones(1, 4, 8, 8))
    save_model(ctx.folders.input / "mine.safetensors", {"anything": torch.ones(1, 4, 8, 8)})
    assert torch.equal(LoadLatent("mine.safetensors", ctx).samples, torch.ones(1, 4, 8, 8))
    save_model(ctx.folders.input / "two.safetensors", {"a": torch.ones(1), "b": torch.ones(1)})
    with pytest.raises(ModelFileError, match="2 tensors and none called 'latent_tensor'"):
        LoadLatent("two.safetensors", ctx)


async def test_given_noise_decides_the_picture(
    loaded: LoadedCheckpoint, apple: Conditioning, nothing: Conditioning, ctx: NullContext
) -> None:
    noise, steps = (Latent(torch.randn(rows, 4, 8, 8)) for rows in (2, 6))

    async def made(later: Latent | None, **more: float) -> torch.Tensor:
        sampled = await KSamplerGivenNoise(loaded.model, apple, nothing, noise, ctx, later, steps=4, cfg=2.0, **more)  # type: ignore[arg-type]
        return sampled.samples

    plain = await made(None)
    assert torch.equal(plain, await made(None)) and not torch.allclose(plain[0], plain[1])
    with pytest.raises(InputProblem, match="more often than the 3 times"):
        await made(steps, eta=1.0)
    whole = Latent(torch.cat([steps.samples, steps.samples[:2]]))
    assert not torch.allclose(plain, await made(whole, eta=1.0))
    with pytest.raises(InputProblem, match="as many latents of that shape"):
        await made(Latent(torch.zeros(3, 4, 8, 8)), eta=1.0)


async def test_a_model_of_pixels_develops_them_as_they_are(tmp_path: Path, ctx: NullContext) -> None:
    plain = tiny.config()
    unet = replace(plain.unet, in_channels=3, out_channels=3, context_dim=None)
    config = LatentDiffusionConfig(unet, timesteps=20, linear_start=1e-3, linear_end=0.4, use_ema=False)
    folder = ctx.folders.models[0] / "checkpoints"
    tiny.save_checkpoint(folder / "pixels.safetensors", replace(config, clip_denoised=True))
    loaded = LoadCheckpoint("pixels.safetensors", ctx)
    assert loaded.model.config.clip_denoised
    picture = Image(torch.rand(1, 8, 8, 3))
    assert torch.allclose(
        VAEDecode(VAEEncode(picture, loaded.vae, ctx), loaded.vae, ctx).pixels, picture.pixels, atol=1e-6
    )
    blank = Latent(torch.zeros(1, 3, 8, 8))
    made = await KSampler(
        loaded.model, NoCondition(), NoCondition(), blank, ctx, steps=20, cfg=1.0, sampler_name="ddpm"
    )
    assert made.samples.abs().max() <= 1  # each prediction is clamped, and the last step returns it


def test_the_last_weights_are_chosen_by_a_node(loaded: LoadedCheckpoint) -> None:
    assert ChooseWeights(loaded.model) == loaded.model
    assert not ChooseWeights(loaded.model, averaged=False).averages
