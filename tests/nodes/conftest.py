"""What nodes need to be called as plain functions: folders with tiny models in them, and a context."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow

from engine.models.device import Device
from engine.models.handles import VAE
from engine.models.manager import ModelManager
from engine.models.step_driver import StepDriver
from engine.node import Folders, NullContext
from engine.values import Conditioning
from nodes.loaders import LoadAutoencoder, LoadCheckpoint, LoadedCheckpoint
from nodes.text import EncodeText
from nodes.training_data import LoadPictures, Pictures
from tests.nodes import tiny
from tests.nodes.training import COLOURS


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models, made once; nobody writes to it."""
    root = tmp_path_factory.mktemp("models")
    tiny.save_checkpoint(root / "checkpoints" / "tiny.safetensors", tiny.config())
    tiny.save_checkpoint(root / "checkpoints" / "wider.safetensors", tiny.config(context_dim=24))
    tiny.save_checkpoint(root / "checkpoints" / "inpainting.safetensors", tiny.config(beside=5))
    for folder in ("vae", "text_encoders", "diffusion_models"):
        (root / folder).mkdir()
        shutil.copy(root / "checkpoints" / "tiny.safetensors", root / folder / "part.safetensors")
    return root


@pytest.fixture
def folders(tmp_path: Path, models: Path) -> Folders:
    own = Folders.under(tmp_path)
    return replace(own, models=(tmp_path / "models", models))


@pytest.fixture(scope="session")
def manager() -> ModelManager:
    """One for all tests, so that each network is loaded once."""
    return ModelManager(Device(), 2**30)


@pytest.fixture
def ctx(folders: Folders, manager: ModelManager) -> Iterator[NullContext]:
    with ThreadPoolExecutor(1) as lane:
        yield NullContext(folders, manager, StepDriver(lane))


@pytest.fixture
def loaded(ctx: NullContext) -> LoadedCheckpoint:
    return LoadCheckpoint("tiny.safetensors", ctx)


@pytest.fixture
def apple(loaded: LoadedCheckpoint, ctx: NullContext) -> Conditioning:
    return EncodeText("a red apple", loaded.clip, ctx)


@pytest.fixture
def nothing(loaded: LoadedCheckpoint, ctx: NullContext) -> Conditioning:
    return EncodeText("", loaded.clip, ctx)


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
