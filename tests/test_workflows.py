"""The shipped workflows, and ComfyUI's own format, from the file to the PNG."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow
from PIL import PngImagePlugin

from engine.graph.document import loads
from engine.ldm.weights import open_model
from engine.node import Folders
from engine.node.folders import EMBEDDED_MODELS
from engine.run.darkroom import Darkroom
from engine.run.events import Event, NodeStarted
from server import open_darkroom
from tests.nodes import tiny

WORKFLOWS = Path(__file__).parents[1] / "workflows"
SHIPPED = sorted(path.relative_to(WORKFLOWS).as_posix() for path in WORKFLOWS.rglob("*.json"))
MODEL = "darkroom-emoji-64.safetensors"
FEW = {"sampler.steps": 3}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's home with a tiny model under the embedded one's name, and pictures to train on."""
    base = tmp_path_factory.mktemp("home")
    for folder in ("checkpoints", "vae"):
        tiny.save_checkpoint(base / "models" / folder / MODEL, tiny.config())
    tiny.save_checkpoint(base / "models" / "checkpoints" / "darkroom-emoji-64-base.safetensors", tiny.config(32))
    tiny.save_checkpoint(base / "models/diffusion_models/darkroom-emoji-64-inpainting-base.safetensors", tiny.config())
    pictures = base / "input" / "fluent-emoji"
    pictures.mkdir(parents=True)
    rows: list[dict[str, str]] = []
    for name, colour in (("red apple", (255, 0, 0)), ("green pear", (0, 255, 0))):
        Pillow.new("RGB", (64, 64), colour).save(pictures / f"{name}.png")
        rows.append({"file": f"{name}.png", "caption": name, "group": "food-drink"})
    (pictures / "captions.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return base


def folders_of(base: Path, own: Path) -> Folders:
    """The home's models and pictures, the shipped ones behind them, and all that is written in a place of its own."""
    shipped = Folders.under(own)
    models = (base / "models", EMBEDDED_MODELS)
    return replace(shipped, input=base / "input", models=models, plugins=())


@pytest.fixture
def darkroom(base: Path, tmp_path: Path) -> Iterator[Darkroom]:
    """An engine with a cache and an output folder of its own."""
    with open_darkroom(folders_of(base, tmp_path), "cpu") as darkroom:
        yield darkroom


def run(darkroom: Darkroom, workflow: Path | str, settings: dict[str, Any]) -> tuple[list[str], list[Path]]:
    """Run to the end; gives the nodes that were called and the files that were shown."""
    events: list[Event] = []
    result = darkroom.run(workflow, settings, listener=events.append)
    result.raise_errors()
    shown: list[Any] = [each for ui in result.ui.values() for each in ui.get("images", ())]  # type: ignore[union-attr]
    called = [event.node for event in events if isinstance(event, NodeStarted)]
    return called, [darkroom.folders.output / each["path"] for each in shown]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_workflow_is_valid(darkroom: Darkroom, name: str) -> None:
    assert darkroom.build(WORKFLOWS / name).outputs


def test_text_becomes_a_picture_that_holds_its_workflow(darkroom: Darkroom) -> None:
    called, (path,) = run(darkroom, WORKFLOWS / "text_to_image.json", {**FEW, "prompt.text": "a red apple"})
    assert set(called) == set(darkroom.build(WORKFLOWS / "text_to_image.json").nodes)
    with Pillow.open(path) as picture:
        assert isinstance(picture, PngImagePlugin.PngImageFile)
        assert (picture.mode, picture.size) == ("RGB", (256, 256))
        assert json.loads(picture.text["workflow"])["nodes"]["prompt"]["inputs"]["text"] == "a red apple"
        assert json.loads(picture.text["prompt"])["sampler"]["inputs"]["steps"] == 3


def test_a_second_run_calls_no_node_and_another_seed_only_what_follows(darkroom: Darkroom) -> None:
    workflow = WORKFLOWS / "text_to_image.json"
    _, first = run(darkroom, workflow, FEW)
    assert run(darkroom, workflow, FEW) == ([], first)
    called, other = run(darkroom, workflow, {**FEW, "sampler.seed": 2})
    assert called == ["sampler", "develop", "enlarge", "save"]
    assert other != first


def test_a_run_after_a_restart_calls_no_node(base: Path, tmp_path: Path) -> None:
    own = folders_of(base, tmp_path)
    called: list[list[str]] = []
    for _ in range(2):
        with open_darkroom(own, "cpu") as darkroom:
            called.append(run(darkroom, WORKFLOWS / "text_to_image.json", FEW)[0])
    assert len(called[0]) == 8
    assert called[1] == []


def test_a_saved_picture_is_a_workflow_too(darkroom: Darkroom) -> None:
    _, (path,) = run(darkroom, WORKFLOWS / "text_to_image.json", {**FEW, "prompt.text": "blue"})
    assert run(darkroom, path, {}) == ([], [path])


def test_the_workflows_train_what_they_say(darkroom: Darkroom) -> None:
    small = {"train.channels": 8, "train.steps": 2, "train.batch_size": 2}
    called, (curve,) = run(darkroom, WORKFLOWS / "train/autoencoder.json", small)
    assert called == ["pictures", "train", "curve"]
    assert curve.is_file()
    words = {"train.channels": 16, "train.text_width": 32, "train.text_depth": 1, "train.sample_every": 0}
    settings = {**small, **words, "train.name": "words", "train.heads": 2}
    called, (curve,) = run(darkroom, WORKFLOWS / "train/text_to_image_base.json", settings)
    assert curve.is_file()
    _, (path,) = run(darkroom, WORKFLOWS / "text_to_image.json", {**FEW, "model.ckpt_name": "words.safetensors"})
    assert path.is_file()


def test_a_vq_autoencoder_is_judged_by_a_classifier_and_a_discriminator(darkroom: Darkroom) -> None:
    pictures = darkroom.folders.input / "groups"
    pictures.mkdir()
    lines: list[str] = []
    for group, colour in (("food-drink", (255, 0, 0)), ("objects", (0, 0, 255))):
        Pillow.new("RGB", (64, 64), colour).save(pictures / f"{group}.png")
        lines.append(json.dumps({"file": f"{group}.png", "caption": group, "group": group}))
    (pictures / "captions.jsonl").write_text("\n".join(lines))
    small: dict[str, Any] = {"pictures.folder": "groups", "train.steps": 2, "train.batch_size": 2}
    small |= {"train.name": "darkroom-emoji-groups"}
    called, (curve,) = run(darkroom, WORKFLOWS / "train/classifier.json", {**small, "train.widths": "4,4,4,4"})
    assert called == ["pictures", "train", "curve"] and curve.is_file()
    small |= {"train.name": "snapped", "train.channels": 8, "train.disc_start": 1, "train.disc_channels": 4}
    called, (curve,) = run(darkroom, WORKFLOWS / "train/autoencoder_vq.json", {**small, "train.codebook_size": 16})
    assert set(called) == {"pictures", "classifier", "train", "curve"} and curve.is_file()
    assert (darkroom.folders.models[0] / "vae/snapped.safetensors").is_file()


@pytest.mark.parametrize("conditioning", ["class", "none"])
def test_models_of_classes_and_of_nothing_are_trained_and_sampled(darkroom: Darkroom, conditioning: str) -> None:
    settings: dict[str, Any] = {"train.channels": 16, "train.steps": 2, "train.batch_size": 2, "train.heads": 2}
    settings |= {"train.name": conditioning, "train.conditioning": conditioning, "train.sample_every": 1}
    run(darkroom, WORKFLOWS / "train/text_to_image_base.json", {**settings, "train.text_width": 32})
    document: dict[str, Any] = json.loads((WORKFLOWS / "text_to_image.json").read_text())
    nodes = document["nodes"]
    nodes["model"]["inputs"]["ckpt_name"] = f"{conditioning}.safetensors"
    told = {"type": "EncodeClass", "inputs": {"model": {"from": "model.model"}}}
    nodes["nothing"] = told if conditioning == "class" else {"type": "NoCondition"}
    nodes["prompt"] = {"type": "EncodeClass", "inputs": {**told["inputs"], "class_name": "Food-Drink"}}
    if conditioning == "none":
        nodes["prompt"] = {"type": "NoCondition"}
    result = darkroom.run(loads(json.dumps(document)), FEW)
    result.raise_errors()
    assert len(result.ui["save"]["images"]) == 1  # type: ignore[arg-type]


@pytest.mark.parametrize(("conditioning", "beside"), [("small picture", 3), ("hole", 5), ("colour map", 3)])
def test_models_that_are_told_of_pictures_are_trained(darkroom: Darkroom, conditioning: str, beside: int) -> None:
    settings: dict[str, Any] = {"train.channels": 16, "train.steps": 2, "train.batch_size": 2, "train.heads": 2}
    settings |= {"train.name": "told", "train.conditioning": conditioning, "train.sample_every": 1}
    settings |= {"latents.keep_pixels": True, "train.crop": 8}
    run(darkroom, WORKFLOWS / "train/text_to_image_base.json", settings)
    file = open_model(darkroom.folders.resolve("checkpoints", "told.safetensors"))
    unet = file.shapes("model.diffusion_model.")
    latent = unet["out.2.weight"][0]
    assert unet["input_blocks.0.0.weight"][1] == latent + beside


def test_a_model_of_layouts_is_trained_on_scenes(darkroom: Darkroom) -> None:
    document: dict[str, Any] = json.loads((WORKFLOWS / "train/text_to_image_base.json").read_text())
    nodes = document["nodes"]
    nodes["latents"] = {"type": "EncodeScenes", "inputs": {**nodes["latents"]["inputs"], "count": 6}}
    settings: dict[str, Any] = {"train.channels": 16, "train.steps": 2, "train.batch_size": 2, "train.heads": 2}
    settings |= {"train.name": "layout", "train.conditioning": "layout", "train.sample_every": 1}
    result = darkroom.run(loads(json.dumps(document)), {**settings, "train.text_width": 32, "train.text_depth": 1})
    result.raise_errors()
    file = open_model(darkroom.folders.resolve("checkpoints", "layout.safetensors"))
    assert json.loads(file.metadata["darkroom.classes"]) == ["red apple", "green pear"]
    assert file.shapes("cond_stage_model.transformer.")["pos_emb.emb.weight"] == (12, 32)


def test_training_goes_on_from_a_u_net_with_a_text_encoder_of_its_own(darkroom: Darkroom) -> None:
    width = 32  # of the base model that the fixture makes
    settings: dict[str, Any] = {"train.steps": 2, "train.batch_size": 2, "train.sample_every": 0}
    settings |= {"train.name": "focused", "train.text_width": width, "train.text_depth": 1}
    run(darkroom, WORKFLOWS / "train/text_to_image.json", settings)
    before, after = (
        open_model(darkroom.folders.resolve("checkpoints", f"{name}.safetensors"))
        for name in ("darkroom-emoji-64-base", "focused")
    )
    unet = "model.diffusion_model."
    assert after.shapes(unet) == before.shapes(unet)
    assert "pear" in after.metadata["darkroom.vocabulary"].split("\n")
    assert after.shapes("cond_stage_model.transformer.")["pos_emb.emb.weight"] == (8, width)
    # Two steps change a weight a little: it began as the other model's.
    old, new = (file.tensor(f"{unet}out.2.weight").float() for file in (before, after))
    assert 0 < float((new - old).abs().max()) < 0.01


COMFYUI = {
    "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": MODEL}},
    "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a red apple", "clip": ["1", 1]}},
    "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "", "clip": ["1", 1]}, "_meta": {"title": "nothing"}},
    "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 1}},
    "5": {
        "class_type": "KSampler",
        "inputs": {
            "model": ["1", 0], "seed": 1, "steps": 3, "cfg": 7.5, "sampler_name": "euler", "scheduler": "normal",
            "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["4", 0], "denoise": 1.0,
        },
    },
    "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
    "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "ComfyUI"}},
}  # fmt: skip


@pytest.mark.parametrize("wrapped", [False, True])
def test_comfyuis_own_format_runs(darkroom: Darkroom, tmp_path: Path, wrapped: bool) -> None:
    file = tmp_path / "comfy.json"
    file.write_text(json.dumps({"prompt": COMFYUI, "client_id": "x"} if wrapped else COMFYUI))
    called, (path,) = run(darkroom, file, {})
    assert sorted(called) == list("1234567")
    assert path.name == "ComfyUI_00001_.png"
    with Pillow.open(path) as picture:
        # ComfyUI's blank latent has 8x8 cells for 64x64 pixels; this model makes 4x4 of each
        assert picture.size == (64 // 8 * tiny.FACTOR, 64 // 8 * tiny.FACTOR)
    assert run(darkroom, file, {})[0] == []


def test_the_embedded_model_makes_a_picture(tmp_path: Path) -> None:
    if not (EMBEDDED_MODELS / "checkpoints" / MODEL).is_file():
        pytest.skip(f"the embedded model {MODEL} is not in this checkout")
    with open_darkroom(Folders.under(tmp_path), "cpu") as darkroom:
        _, (path,) = run(darkroom, WORKFLOWS / "text_to_image.json", FEW)
    with Pillow.open(path) as picture:
        assert picture.size == (256, 256)
        assert len(set(picture.resize((16, 16)).get_flattened_data())) > 20  # no flat colour


def test_a_lora_is_trained_and_drawn_with_in_one_run_and_loaded_in_another(darkroom: Darkroom) -> None:
    settings: dict[str, Any] = {"train.steps": 2, "train.batch_size": 2, "train.sample_every": 0, "train.rank": 2}
    settings |= {"pictures.groups": "food-drink", "prompt.text": "apple", **FEW}
    called, files = run(darkroom, WORKFLOWS / "train/lora.json", settings)
    assert {"train", "prompt", "sampler"} <= set(called)
    assert len(files) == 5  # four pictures and the curve
    document: dict[str, Any] = json.loads((WORKFLOWS / "text_to_image.json").read_text())
    nodes = document["nodes"]
    links = {"model": {"from": "model.model"}, "clip": {"from": "model.clip"}, "lora_name": "activities.safetensors"}
    nodes["lora"] = {"type": "LoraLoader", "inputs": links}
    for node, input in (("prompt", "clip"), ("nothing", "clip"), ("sampler", "model")):
        nodes[node]["inputs"][input] = {"from": f"lora.{input}"}
    result = darkroom.run(loads(json.dumps(document)), FEW)
    result.raise_errors()
    assert len(result.ui["save"]["images"]) == 1  # type: ignore[arg-type]


def test_a_word_is_learned_and_drawn_in_one_run_and_written_in_another(darkroom: Darkroom) -> None:
    settings: dict[str, Any] = {"train.steps": 2, "train.batch_size": 2, "train.sample_every": 0}
    settings |= {"pictures.groups": "food-drink", "few.words": "apple", **FEW}
    called, files = run(darkroom, WORKFLOWS / "train/textual_inversion.json", settings)
    assert {"train", "prompt", "sampler"} <= set(called)
    assert len(files) == 5
    plain = {**FEW, "prompt.text": "a red apple"}
    _, (without,) = run(darkroom, WORKFLOWS / "text_to_image.json", plain)
    called, (path,) = run(darkroom, WORKFLOWS / "text_to_image.json", {**plain, "prompt.text": "a embedding:medal"})
    assert "prompt" in called and path != without
