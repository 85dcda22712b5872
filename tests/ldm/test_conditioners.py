"""Conditioners against the original's output."""

import pytest
import torch

from engine.errors import InputProblem
from engine.ldm.autoencoder import AutoencoderConfig, build_autoencoder
from engine.ldm.condition import Condition
from engine.ldm.conditioners.classes import ClassConfig, ClassEmbedder
from engine.ldm.conditioners.hybrid import HybridConditioner
from engine.ldm.conditioners.spatial import (
    RescalerConfig,
    SpatialRescaler,
    inpainting_condition,
    one_hot_map,
    superresolution_condition,
)
from engine.ldm.conditioners.text import BERTEmbedder
from engine.ldm.config import HybridConfig
from engine.ldm.latent_diffusion import build_conditioner
from engine.ldm.text.transformer import TextTransformerConfig
from engine.ldm.weights import load_strict
from tests.ldm import fixtures


def test_the_text_embedder_is_the_originals():
    params = fixtures.config("cond_bert_txt2img")["params"]
    embedder = BERTEmbedder(TextTransformerConfig(params["n_embed"], params["n_layer"], params["vocab_size"]))
    load_strict(embedder, fixtures.weights("cond_bert_txt2img"))
    io = fixtures.io("cond_bert_txt2img")
    with torch.no_grad():
        fixtures.assert_close(embedder(io["tokens"]), io["out"])
        fixtures.assert_close(embedder(io["short.tokens"]), io["short.out"])
        fixtures.assert_close(embedder.transformer.to_logits(embedder(io["tokens"])), io["logits"])


def test_text_for_an_embedder_without_vocabulary_is_refused():
    embedder = BERTEmbedder(TextTransformerConfig(8, 1, 10))
    with pytest.raises(InputProblem, match="vocabulary"):
        embedder.encode(["a"])


def test_the_class_embedder_is_the_originals():
    params = fixtures.config("cond_class_embedder")["params"]
    embedder = ClassEmbedder(ClassConfig(params["embed_dim"], params["n_classes"]))
    load_strict(embedder, fixtures.weights("cond_class_embedder"))
    io = fixtures.io("cond_class_embedder")
    fixtures.assert_close(embedder(io["class_label"]), io["out"], 0)


@pytest.mark.parametrize("variant", ["sem", "nomap", "bicubic_bias", "stage0"])
def test_the_spatial_rescaler_is_the_originals(variant):
    name = "cond_spatial_rescaler"
    rescaler = SpatialRescaler(RescalerConfig(**fixtures.config(name)["variants"][variant]))
    prefix = f"{variant}."
    weights = {k.removeprefix(prefix): v for k, v in fixtures.weights(name).items() if k.startswith(prefix)}
    load_strict(rescaler, weights)
    io = fixtures.io(name)
    fixtures.assert_close(rescaler(io[f"{variant}.x"].float()), io[f"{variant}.out"])


def test_the_hybrid_conditioner_is_the_originals():
    name = "cond_hybrid_conditioner"
    # The fixture halves twice and maps 4 channels to 3; classes are 10.
    hybrid = build_conditioner(HybridConfig(RescalerConfig(2, 4, 3), ClassConfig(16, 10)))
    assert isinstance(hybrid, HybridConditioner)
    load_strict(hybrid, fixtures.weights(name))
    io = fixtures.io(name)
    condition = hybrid(io["x"], io["class_label"])
    fixtures.assert_close(condition.concat, io["c_concat"])
    fixtures.assert_close(condition.context, io["c_crossattn"])


def test_a_single_tensor_goes_where_the_model_expects_it():
    x = torch.zeros(1)
    assert Condition.of("concat", x).concat is x
    assert Condition.of("crossattn", x).context is x
    assert Condition.of("adm", x).y is x
    with pytest.raises(ValueError, match="hybrid"):
        Condition.of("hybrid", x)
    with pytest.raises(ValueError, match="no condition"):
        Condition.of(None, x)


def test_a_map_of_labels_becomes_one_channel_each():
    labels = torch.tensor([[[0, 2], [1, 1]]])
    one_hot = one_hot_map(labels, 3)
    assert one_hot.shape == (1, 3, 2, 2)
    assert torch.equal(one_hot.argmax(dim=1), labels)
    assert one_hot.sum() == 4


def test_the_inpainting_mask_is_cut_at_a_half_and_becomes_plus_or_minus_one():
    autoencoder = build_autoencoder(AutoencoderConfig(ch=32, ch_mult=(1, 1), num_res_blocks=1, n_embed=8))
    hole = torch.tensor([127.0, 128.0]).repeat_interleave(2).expand(1, 1, 4, 4) / 255
    with torch.no_grad():
        condition = inpainting_condition(torch.rand(1, 3, 4, 4), hole, autoencoder)
    assert condition.shape == (1, 4, 2, 2)
    assert condition[0, 3].tolist() == [[-1, 1], [-1, 1]]


def test_what_lies_in_the_hole_does_not_matter():
    autoencoder = build_autoencoder(AutoencoderConfig(ch=32, ch_mult=(1, 1), num_res_blocks=1))
    hole = torch.zeros(1, 1, 8, 8)
    hole[..., 4:] = 1
    first, second = torch.rand(2, 1, 3, 8, 8)
    second[..., :4] = first[..., :4]
    with torch.no_grad():
        conditions = [inpainting_condition(image, hole, autoencoder) for image in (first, second)]
    assert torch.equal(*conditions)


def test_a_small_picture_is_scaled_to_both_sides_of_zero():
    assert superresolution_condition(torch.tensor([0.0, 0.5, 1.0])).tolist() == [-1, 0, 1]
