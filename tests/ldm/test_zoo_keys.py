"""Every model of the original's zoo: its real names and shapes against the networks built for it, without weights."""

from dataclasses import replace

import pytest

from engine.ldm.autoencoder import build_autoencoder
from engine.ldm.latent_diffusion import LatentDiffusion
from engine.ldm.original_config import autoencoder_config, latent_diffusion_config, to_original
from engine.ldm.recognise import infer_autoencoder, infer_text_transformer, infer_unet
from engine.ldm.skeleton import Skeleton
from engine.ldm.text.transformer import TextTransformerConfig
from engine.ldm.unet import UNetModel
from engine.ldm.zoo import FIRST_STAGES, MODELS, find_model, find_unet, without_heads
from tests.ldm import fixtures

NAMES = fixtures.zoo_names() or ["celeba256"]
FIRST_STAGE_NAMES = [name for name in NAMES if name.split("-")[0] in ("kl", "vq")]
MODEL_NAMES = [name for name in NAMES if name not in FIRST_STAGE_NAMES]
TABLE_NAMES = {
    "celebahq-ldm-vq-4": "celeba256",
    "ffhq-ldm-vq-4": "ffhq256",
    "lsun_bedrooms-ldm-vq-4": "lsun_beds256",
    "lsun_churches-ldm-kl-8": "lsun_churches256",
    "cin-ldm-vq-f8": "cin256",
    "txt2img-1p4B-eval": "txt2img-1p4B",
}


def shapes_below(shapes, prefix=""):
    return {key.removeprefix(prefix): tuple(shape) for key, shape in shapes.items() if key.startswith(prefix)}


def shapes_of(module):
    return {key: tuple(value.shape) for key, value in module.state_dict().items()}


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_a_model_built_from_its_yaml_has_the_checkpoints_keys_and_shapes(name):
    model = fixtures.zoo(name)
    with Skeleton():
        built = LatentDiffusion(latent_diffusion_config(model["config"]))
    assert shapes_of(built) == shapes_below(model["state_dict"])


@pytest.mark.parametrize("name", FIRST_STAGE_NAMES)
def test_a_first_stage_is_read_from_its_shapes(name):
    model = fixtures.zoo(name)
    shapes = {key: shape for key, shape in shapes_below(model["state_dict"]).items() if not key.startswith("loss.")}
    inferred = infer_autoencoder(shapes)
    assert inferred == autoencoder_config(model["config"]["params"]) == FIRST_STAGES[name]
    with Skeleton():
        assert shapes_of(build_autoencoder(inferred)) == shapes


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_a_unet_is_read_from_its_shapes_but_for_its_heads(name):
    model = fixtures.zoo(name)
    shapes = shapes_below(model["state_dict"], "model.diffusion_model.")
    inferred = infer_unet(shapes)
    written = latent_diffusion_config(model["config"]).unet
    assert inferred == without_heads(written)
    assert find_unet(inferred) == written
    with Skeleton():
        assert shapes_of(UNetModel(inferred)) == shapes


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_a_text_transformer_is_read_from_its_shapes(name):
    model = fixtures.zoo(name)
    written = latent_diffusion_config(model["config"]).conditioner
    shapes = shapes_below(model["state_dict"], "cond_stage_model.transformer.")
    assert bool(shapes) == isinstance(written, TextTransformerConfig)
    if shapes:
        assert infer_text_transformer(shapes) == written


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_the_table_says_what_the_yaml_says(name):
    written = latent_diffusion_config(fixtures.zoo(name)["config"])
    entry = MODELS[TABLE_NAMES.get(name, name)]
    # The table keeps one entry for several checkpoints of one kind.
    assert replace(entry, unet=written.unet) == written
    found = find_model(infer_unet(shapes_below(fixtures.zoo(name)["state_dict"], "model.diffusion_model.")))
    assert found == written


@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_configuration_survives_being_written_and_read(name):
    assert latent_diffusion_config(to_original(MODELS[name])) == MODELS[name]
