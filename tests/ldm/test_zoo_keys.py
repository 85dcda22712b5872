"""Every model of the original's zoo: its real names and shapes against the networks built for it, without weights."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from engine.ldm.autoencoder import build_autoencoder
from engine.ldm.checkpoint import load_autoencoder, load_latent_diffusion, load_unet
from engine.ldm.checkpoint_config import read_config
from engine.ldm.config import LatentDiffusionConfig
from engine.ldm.latent_diffusion import LatentDiffusion
from engine.ldm.original_config import autoencoder_config, latent_diffusion_config, to_original
from engine.ldm.recognise import infer_autoencoder, infer_text_transformer, infer_unet
from engine.ldm.skeleton import Skeleton
from engine.ldm.text.transformer import TextTransformerConfig
from engine.ldm.training.ema import ema_names
from engine.ldm.unet import UNetModel
from engine.ldm.weights import open_model
from engine.ldm.zoo import FIRST_STAGES, MODELS, find_model, find_unet, without_heads
from engine.models.handles import VAE
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
        begin = file.tell()
        file.truncate(begin + position)
        if "betas" not in header:
            return
        file.seek(begin + header["betas"]["data_offsets"][0])
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


def table_entry(name: str) -> LatentDiffusionConfig:
    return MODELS[TABLE_NAMES.get(name, name)]


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_a_model_built_from_the_table_has_the_checkpoints_keys_and_shapes(name):
    model = fixtures.zoo(name)
    written = latent_diffusion_config(model["config"])
    with Skeleton():
        # One entry serves checkpoints with and without averages and logvar: the file tells.
        built = LatentDiffusion(replace(table_entry(name), use_ema=written.use_ema))
    assert shapes_of(built) == shapes_below(model["state_dict"])


@pytest.mark.parametrize("with_yaml", [True, False], ids=["yaml beside it", "table"])
@pytest.mark.parametrize("name", MODEL_NAMES)
def test_a_full_size_checkpoint_loads_strictly_under_its_own_keys(name, with_yaml, tmp_path):
    path = tmp_path / "model.safetensors"
    config = fixtures.zoo(name)["config"]
    hollow_checkpoint(path, shapes_below(fixtures.zoo(name)["state_dict"]), table_entry(name))
    if with_yaml:
        (tmp_path / "config.yaml").write_text(yaml.safe_dump({"model": config}))
    loaded = load_latent_diffusion(open_model(path), dtype=None)
    assert shapes_of(loaded) == shapes_below(fixtures.zoo(name)["state_dict"])
    assert loaded.config.unet == latent_diffusion_config(config).unet
    assert load_autoencoder(open_model(path)).config == loaded.config.first_stage


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_every_averaged_weight_belongs_to_one_of_the_model_s_own_parameters(name):
    keys = fixtures.zoo(name)["state_dict"]
    averages = {key.removeprefix("model_ema.") for key in keys if key.startswith("model_ema.")}
    if not averages:
        pytest.skip("this checkpoint was published without averages")
    with Skeleton():
        unet = UNetModel(latent_diffusion_config(fixtures.zoo(name)["config"]).unet)
    names = ema_names({f"diffusion_model.{each}": None for each, _ in unet.named_parameters()})
    assert {*names.values(), "decay", "num_updates"} == averages


def test_sampling_takes_the_averaged_weights_where_there_are_any(tmp_path):
    path = tmp_path / "celeba256.safetensors"
    shapes = shapes_below(fixtures.zoo("celeba256")["state_dict"])
    hollow_checkpoint(path, shapes, MODELS["celeba256"])
    file = open_model(path)
    file.tensor("model_ema.diffusion_modelout2bias").fill_(2.0)  # the mapping is private: the file stays as it is
    assert load_unet(file).get_parameter("out.2.bias").tolist() == [2.0] * 3
    assert load_unet(file, averages=False).get_parameter("out.2.bias").tolist() == [0.0] * 3


@pytest.mark.parametrize("with_yaml", [True, False], ids=["yaml beside it", "shapes"])
@pytest.mark.parametrize("name", FIRST_STAGE_NAMES)
def test_a_first_stage_s_own_checkpoint_loads_without_its_training_loss(name, with_yaml, tmp_path):
    path = tmp_path / "model.safetensors"
    shapes = shapes_below(fixtures.zoo(name)["state_dict"])
    loss = {"loss.logvar": (), "loss.discriminator.main.0.weight": (64, 3, 4, 4), "loss.perceptual_loss.lin0.w": (64,)}
    hollow_checkpoint(path, {**shapes, **loss}, MODELS["celeba256"])
    if with_yaml:
        (tmp_path / "model.yaml").write_text(yaml.safe_dump({"model": fixtures.zoo(name)["config"]}))
    loaded = load_autoencoder(open_model(path))
    assert loaded.config == FIRST_STAGES[name]
    assert shapes_of(loaded) == {key: shape for key, shape in shapes.items() if not key.startswith("loss.")}
    assert VAE.open(path).config == FIRST_STAGES[name]
