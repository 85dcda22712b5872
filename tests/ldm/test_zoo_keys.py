"""Every model of the original's zoo: its real names and shapes against the networks built for it, without weights."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from engine.ldm.autoencoder import build_autoencoder
from engine.ldm.checkpoint import load_unet
from engine.ldm.checkpoint_config import read_config
from engine.ldm.config import LatentDiffusionConfig
from engine.ldm.latent_diffusion import LatentDiffusion
from engine.ldm.original_config import autoencoder_config, latent_diffusion_config, to_original
from engine.ldm.recognise import infer_autoencoder, infer_text_transformer, infer_unet
from engine.ldm.skeleton import Skeleton
from engine.ldm.text.transformer import TextTransformerConfig
from engine.ldm.unet import UNetModel
from engine.ldm.weights import open_model
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


def hollow_checkpoint(path: Path, shapes: dict[str, tuple[int, ...]], config: LatentDiffusionConfig) -> None:
    """Write a checkpoint of these names and shapes whose weights are a hole in the file; only the betas are real."""
    header, position = {}, 0
    for name, shape in shapes.items():
        end = position + 4 * math.prod(shape)
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [position, end]}
        position = end
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        start = file.tell() + header["betas"]["data_offsets"][0]
        file.truncate(file.tell() + position)
        file.seek(start)
        file.write(config.schedule().buffers()["betas"].numpy().tobytes())


@pytest.mark.parametrize("name", sorted(set(MODEL_NAMES) & set(MODELS)))
def test_a_known_checkpoint_needs_no_configuration(name, tmp_path):
    path = tmp_path / "model.safetensors"
    hollow_checkpoint(path, shapes_below(fixtures.zoo(name)["state_dict"]), MODELS[name])
    found = read_config(open_model(path))
    # What the table cannot know is in the tensors, here a hole.
    expected = replace(MODELS[name], scale_factor=0.0) if MODELS[name].scale_by_std else MODELS[name]
    assert replace(found, linear_start=expected.linear_start, linear_end=expected.linear_end) == expected
    assert found.linear_end == pytest.approx(expected.linear_end)
    assert load_unet(open_model(path)).config == expected.unet
