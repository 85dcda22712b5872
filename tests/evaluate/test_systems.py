"""Each system's command, from a tiny checkpoint to figures and a sheet."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image, ImageDraw

from engine.ldm.autoencoder import AutoencoderConfig
from engine.ldm.checkpoint import save_latent_diffusion
from engine.ldm.config import LatentDiffusionConfig
from engine.ldm.training.classifier import Classifier, ClassifierConfig, save_classifier
from engine.ldm.training.pictures import load_pictures
from engine.ldm.training.recipes import (
    ClassConditional,
    Inpainting,
    LayoutToImage,
    Recipe,
    SemanticSynthesis,
    SuperResolution,
    Unconditional,
)
from engine.ldm.training.scenes import compose_scenes
from engine.ldm.training.stages import new_model
from engine.ldm.unet import UNetConfig
from models.evaluate.__main__ import main

COLOURS = {"apple": "red", "pear": "green", "plum": "purple", "sky": "cyan", "sea": "blue", "night": "black"}
FRUIT = ("apple", "pear", "plum")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six pictures in two groups, a classifier and a model of each system, all tiny."""
    home = tmp_path_factory.mktemp("home")
    data = home / "data"
    data.mkdir()
    rows: list[str] = []
    for name, colour in COLOURS.items():
        picture = Image.new("RGBA", (32, 32))
        ImageDraw.Draw(picture).ellipse((6, 4, 28, 26), colour)
        picture.save(data / f"{name}.png")
        group = "fruit" if name in FRUIT else "far"
        rows.append(json.dumps({"file": f"{name}.png", "caption": name, "group": group}))
    (data / "captions.jsonl").write_text("\n".join(rows))
    torch.manual_seed(0)
    save_classifier(home / "classifier.safetensors", Classifier(ClassifierConfig(("far", "fruit"), (8, 8), 32)))
    pictures = load_pictures(data, 32)
    scenes = compose_scenes(pictures.pictures, 2, 32, 0)
    recipes: dict[str, Recipe] = {
        "super-resolution": SuperResolution(pictures.pixels, 4),
        "inpainting": Inpainting(pictures.pixels),
        "semantic": SemanticSynthesis(pictures.pixels, 4),
        "layout": LayoutToImage(scenes.boxes, list(COLOURS), 32, 1),
        "classes": ClassConditional([picture.group for picture in pictures.pictures], 32),
        "unconditional": Unconditional(),
    }
    for name, recipe in recipes.items():
        model = new_model(recipe.complete(config()), 0)
        save_latent_diffusion(home / f"{name}.safetensors", model, recipe.metadata)
    return home


def config() -> LatentDiffusionConfig:
    unet = UNetConfig(4, 4, 16, (1, 2), 1, attention_resolutions=(2,), num_heads=2, norm_groups=8)
    first_stage = AutoencoderConfig(
        ch=8, ch_mult=(1, 1, 1), num_res_blocks=1, z_channels=4, embed_dim=4, resolution=32, norm_groups=8
    )
    return LatentDiffusionConfig(unet, first_stage, parameterization="v", use_ema=False)


def measure(home: Path, system: str, out: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, float]:
    words = [system, "--checkpoint", f"{home}/{system}.safetensors", "--data", f"{home}/data", "--groups", ""]
    words += ["--classifier", f"{home}/classifier.safetensors", "--output", str(out)]
    main([*words, "--size", "32", "--count", "4", "--steps", "2"])
    (line, where) = capsys.readouterr().out.splitlines()
    assert where.startswith(str(out / f"{system}.webp"))
    with Image.open(out / f"{system}.webp") as drawn:
        assert min(drawn.size) > 32
    said = line.removeprefix(f"{system}: ").rsplit(" (", 1)[0]
    return {name: float(value) for name, value in (part.rsplit(" ", 1) for part in said.split(", "))}


@pytest.mark.parametrize(
    ("system", "figures"),
    [
        ("super-resolution", ("bicubic dB", "gain dB", "gain dB with 8 steps")),
        ("inpainting", ("filled: class", "filled: exact", "PSNR in the hole dB")),
        ("semantic", ("mean IoU", "true pictures through the autoencoder")),
        ("layout", ("share with IoU >= 0.5", "mean IoU")),
        ("classes", ("Frechet distance", "class accuracy", "accuracy of fruit")),
        ("unconditional", ("Frechet distance", "share of near copies")),
    ],
)
def test_a_system_is_measured(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], system: str, figures: tuple[str, ...]
) -> None:
    found = measure(home, system, tmp_path, capsys)
    assert set(figures) <= set(found)
    assert found["single objects" if system == "layout" else "pictures"] == 4


def test_an_untouched_picture_is_its_own_nearest_and_a_random_model_gains_nothing(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    filled = measure(home, "inpainting", tmp_path, capsys)
    assert filled["untouched: exact"] == filled["untouched: class"] == 1
    assert measure(home, "super-resolution", tmp_path, capsys)["share that gains 1.5 dB"] == 0
