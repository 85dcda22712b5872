"""Every recording of the original, repeated by a workflow of ordinary nodes on its checkpoint, headless."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image as Pillow

from engine.ldm.original_config import latent_diffusion_config
from engine.ldm.weights import open_model, save_model
from engine.node import Folders
from engine.run.darkroom import Darkroom
from server import open_darkroom
from tests.ldm import fixtures
from tests.originals import workflows
from tests.originals.workflows import Case

CASES = workflows.cases()


@pytest.fixture(scope="module")
def darkroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Darkroom]:
    folders = Folders.under(tmp_path_factory.mktemp("home"))
    for name in {case.fixture for case in CASES}:
        workflows.install(name, folders.models[0])
    with open_darkroom(folders, "cpu") as darkroom:
        yield darkroom


def shown(result: Any, node: str, kind: str) -> list[Path]:
    return [Path(each["path"]) for each in result.ui[node][kind]]


def assert_same_pictures(paths: list[Path], expected: np.ndarray[Any, Any]) -> None:
    """Equal within one level of 255."""
    pictures = np.stack([np.asarray(Pillow.open(path)) for path in paths])
    assert pictures.shape == expected.shape
    assert np.abs(pictures.astype(int) - expected.astype(int)).max() <= 1


@pytest.mark.skipif(not CASES, reason="the reference fixtures are not at hand")
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.fixture}-{case.key}")
def test_a_workflow_repeats_the_original(case: Case, darkroom: Darkroom, tmp_path: Path) -> None:
    document = workflows.workflow(case, darkroom.folders.input)
    (tmp_path / "workflow.json").write_text(json.dumps(document))
    result = darkroom.run(tmp_path / "workflow.json")
    result.raise_errors()
    io = fixtures.io(case.fixture)
    (kept,) = shown(result, "keep", "latents")
    latents = open_model(darkroom.folders.output / kept).tensor("latent_tensor")
    expected = io["chain.x"][-1] if case.key == "chain" else io[f"{case.key}.out"]
    scale = latent_diffusion_config(fixtures.config(case.fixture)).scale_factor
    if "scale_factor" in io:
        scale = io["scale_factor"].item()
    fixtures.assert_close(latents * scale, expected)
    pictures = workflows.expected_pictures(case)
    if pictures is not None:
        assert_same_pictures(shown(result, "save", "images"), pictures)
    if case.key == "chain":
        assert_same_pictures(shown(result, "save", "images"), workflows.pixels_u8(expected))
    if "inpainted_u8_hwc" in io:
        assert_same_pictures(shown(result, "save_pasted", "images"), io["inpainted_u8_hwc"].numpy())


def test_another_configuration_beside_a_checkpoint_makes_another_picture(tmp_path: Path) -> None:
    """What lies beside the file is a part of the model, so the result that is cached is not used again."""
    case = next((each for each in CASES if each.fixture == "ldm_txt2img_bert" and each.steps == 10), None)
    if case is None:
        pytest.skip("the reference fixtures are not at hand")
    folders = Folders.under(tmp_path)
    workflows.install(case.fixture, folders.models[0])
    (tmp_path / "workflow.json").write_text(json.dumps(workflows.workflow(case, folders.input)))
    configuration = folders.models[0] / "checkpoints" / f"{case.fixture}.yaml"
    made: list[Path] = []
    with open_darkroom(folders, "cpu") as darkroom:
        for scale in ("0.18215", "0.18215", "0.5"):
            configuration.write_text(configuration.read_text().replace("0.18215", scale))
            result = darkroom.run(tmp_path / "workflow.json")
            result.raise_errors()
            made += shown(result, "keep", "latents")
    assert made[0] == made[1] != made[2]
    first, last = (open_model(folders.output / each).tensor("latent_tensor") for each in (made[0], made[2]))
    fixtures.assert_close(first * 0.18215, last * 0.5)


@pytest.mark.parametrize("shape", ["sq", "rect"])
def test_a_first_stage_alone_develops_what_the_original_develops(shape: str, tmp_path: Path) -> None:
    name = "ae_kl_f8_attn_z16"
    io, config = fixtures.io(name), fixtures.config(name)
    folders = Folders.under(tmp_path)
    weights = fixtures.weights(name)
    loss = {"loss.logvar": weights["quant_conv.bias"][:1].clone()}  # as first stages were published
    save_model(folders.models[0] / "vae" / "first.safetensors", {**weights, **loss})
    target = {"target": f"ldm.models.autoencoder.{config['target']}", "params": config["params"]}
    (folders.models[0] / "vae" / "first.yaml").write_text(yaml.safe_dump({"model": target}))
    folders.input.mkdir(parents=True)
    workflows.latent_file(folders.input / "first.z.latent", io[f"{shape}.mode"])
    nodes = {
        "stage": workflows.node("LoadAutoencoder", vae_name="first.safetensors"),
        "z": workflows.node("LoadLatent", latent="first.z.latent"),
        "develop": workflows.node("VAEDecode", samples="z.latent", vae="stage.vae"),
        "save": workflows.node("SaveImage", images="develop.image"),
    }
    (tmp_path / "workflow.json").write_text(json.dumps({"darkroom": 1, "nodes": nodes}))
    with open_darkroom(folders, "cpu") as darkroom:
        result = darkroom.run(tmp_path / "workflow.json")
        result.raise_errors()
    assert_same_pictures(shown(result, "save", "images"), workflows.pixels_u8(io[f"{shape}.dec_mode"]))
