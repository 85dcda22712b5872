"""One workflow by every door: the same pixels, and one cache."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow

from benchmarks.house import SERVER, House
from engine.graph.document import dumps, from_json
from tests.nodes import tiny

WORKFLOW: dict[str, Any] = {
    "darkroom": 1,
    "nodes": {
        "model": {"type": "LoadCheckpoint", "inputs": {"ckpt_name": "tiny.safetensors"}},
        "prompt": {"type": "EncodeText", "inputs": {"text": "a red apple", "clip": {"from": "model.clip"}}},
        "nothing": {"type": "EncodeText", "inputs": {"text": "", "clip": {"from": "model.clip"}}},
        "canvas": {"type": "EmptyLatent", "inputs": {"width": 32, "height": 32, "vae": {"from": "model.vae"}}},
        "sampler": {
            "type": "KSampler",
            "inputs": {
                "model": {"from": "model.model"},
                "positive": {"from": "prompt.conditioning"},
                "negative": {"from": "nothing.conditioning"},
                "latent_image": {"from": "canvas.latent"},
                "steps": 3,
            },
        },
        "develop": {
            "type": "VAEDecode",
            "inputs": {"samples": {"from": "sampler.latent"}, "vae": {"from": "model.vae"}},
        },
        "save": {"type": "SaveImage", "inputs": {"images": {"from": "develop.image"}}},
    },
}


def prompt() -> dict[str, Any]:
    """The workflow in ComfyUI's API format, whose outputs have numbers."""
    slots = {"clip": 1, "vae": 2}
    return {
        id: {
            "class_type": node["type"],
            "inputs": {
                name: [(source := value["from"].split("."))[0], slots.get(source[1], 0)]
                if isinstance(value, dict)
                else value
                for name, value in node["inputs"].items()
            },
        }
        for id, node in WORKFLOW["nodes"].items()
    }


def run_by_hand(home: Path, file: Path) -> Path:
    command = [sys.executable, str(SERVER), "run", str(file), "--device", "cpu"]
    done = subprocess.run(
        command, env={**os.environ, "DARKROOM_HOME": str(home)}, capture_output=True, text=True, cwd=home, check=True
    )
    return home / done.stdout.strip()


def pixels(path: Path) -> np.ndarray[Any, Any]:
    with Pillow.open(path) as picture:
        return np.asarray(picture)


def picture_of(home: Path, job: dict[str, Any]) -> Path:
    assert job["status"] == "done", job["problems"]
    (image,) = job["outputs"]["save"]["images"]
    assert (image["width"], image["height"], image["type"]) == (32, 32, "output")
    return home / "output" / image["subfolder"] / image["filename"]


def test_the_command_line_and_both_apis_make_the_same_pixels_and_share_the_cache(tmp_path: Path) -> None:
    homes = [tmp_path / "one", tmp_path / "two"]
    for home in homes:
        tiny.save_checkpoint(home / "models" / "checkpoints" / "tiny.safetensors", tiny.config())
        (home / "workflow.json").write_text(dumps(from_json(WORKFLOW)))
    made = run_by_hand(homes[0], homes[0] / "workflow.json")

    with House(homes[0]) as house:  # after the command line: all is known
        house.knows_nodes()
        again = house.finished(house.submit(WORKFLOW))
        assert (again["nodes_total"], again["nodes_cached"]) == (7, 7)
        assert picture_of(homes[0], again) == made
        by_prompt = house.finished(house.call("POST", "/prompt", {"prompt": prompt()})["prompt_id"])
        assert (by_prompt["nodes_total"], by_prompt["nodes_cached"]) == (7, 7)
        assert picture_of(homes[0], by_prompt) == made

    with House(homes[1]) as house:  # a home of its own: all is computed, and then known to the command line
        house.knows_nodes()
        fresh = house.finished(house.call("POST", "/prompt", {"prompt": prompt()})["prompt_id"])
        assert (fresh["nodes_total"], fresh["nodes_cached"]) == (7, 0)
        computed = picture_of(homes[1], fresh)
        assert np.array_equal(pixels(computed), pixels(made))
    assert run_by_hand(homes[1], homes[1] / "workflow.json") == computed
