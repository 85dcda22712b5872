"""What cannot be used, given to the command line with the real nodes: clear sentences, and nothing half-written.

Files that are no workflows are in `test_running.py`; here are the files that a workflow names, and what else can be
wrong in one.
"""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from PIL import Image as Pillow
from PIL import PngImagePlugin

from tests.cli.conftest import Program
from tests.nodes import tiny

LOAD = {
    "load": {"type": "LoadImage", "inputs": {"image": "good.png"}},
    "save": {"type": "SaveImage", "inputs": {"images": {"from": "load.image"}, "filename_prefix": "out"}},
}
SAMPLE: dict[str, dict[str, Any]] = {
    "model": {"type": "LoadCheckpoint", "inputs": {"ckpt_name": "good.safetensors"}},
    "prompt": {"type": "EncodeText", "inputs": {"text": "a red apple", "clip": {"from": "model.clip"}}},
    "canvas": {"type": "EmptyLatent", "inputs": {"width": 32, "height": 32, "vae": {"from": "model.vae"}}},
    "sampler": {
        "type": "KSampler",
        "inputs": {
            "model": {"from": "model.model"},
            "positive": {"from": "prompt.conditioning"},
            "negative": {"from": "prompt.conditioning"},
            "latent_image": {"from": "canvas.latent"},
            "steps": 1,
        },
    },
    "develop": {"type": "VAEDecode", "inputs": {"samples": {"from": "sampler.latent"}, "vae": {"from": "model.vae"}}},
    "save": {"type": "SaveImage", "inputs": {"images": {"from": "develop.image"}}},
}


def png(text: str | None = None) -> bytes:
    """64x64 pixels of noise, which do not compress, with a workflow inside if given."""
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    info, buffer = PngImagePlugin.PngInfo(), io.BytesIO()
    if text is not None:
        info.add_text("workflow", text)
    Pillow.fromarray(noise).save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


def huge_png(side: int) -> bytes:
    """A PNG whose header claims `side` x `side` pixels."""
    data = bytearray(png())
    data[16:24] = side.to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(bytes(data[12:29])).to_bytes(4, "big")
    return bytes(data)


def document(nodes: Mapping[str, object]) -> str:
    return json.dumps({"darkroom": 1, "nodes": nodes})


@pytest.fixture
def home(home: Path) -> Path:
    (home / "input" / "folder.png").mkdir(parents=True)
    (home / "input" / "good.png").write_bytes(png())
    (home / "models" / "checkpoints" / "folder.safetensors").mkdir(parents=True)
    tiny.save_checkpoint(home / "models" / "checkpoints" / "good.safetensors", tiny.config())
    (home / "load.json").write_text(document(LOAD))
    (home / "sample.json").write_text(document(SAMPLE))
    return home


def assert_refused(done: Result, home: Path, *words: str) -> None:
    """One line a problem, each a sentence that says all of `words` between them, and nothing written."""
    assert done.exit_code in (1, 2), done.output
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert lines and all(line.startswith("darkroom: ") for line in lines)
    assert len(done.stderr) < 1000
    for word in ("Traceback", "mistake in Darkroom", "RuntimeError", "ValueError"):
        assert word not in done.stderr
    for word in words:
        assert word in done.stderr
    assert [path for folder in ("output", "temp") for path in (home / folder).rglob("*")] == []


def test_the_workflows_run_when_nothing_is_wrong(darkroom: Program, home: Path) -> None:
    for workflow in ("load.json", "sample.json"):
        assert darkroom("run", workflow).exit_code == 0
    assert len(list((home / "output").iterdir())) == 2


# ------------------------------------------------------------------------------------------------- pictures as an input

BAD_PICTURES: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "cannot be read as a picture: it is empty; choose another file"),
    "truncated": (lambda: png()[:5000], "cannot be read as a picture: image file is truncated"),
    "signature only": (lambda: png()[:8], "cannot be read as a picture"),
    "wrong checksum": (lambda: png()[:20] + b"\xff" + png()[21:], "cannot be read as a picture"),
    "30,000 pixels": (lambda: huge_png(30_000), "larger than 64 megapixels; make it smaller first"),
    "9,000 pixels": (lambda: huge_png(9_000), "9000x9000 pixels, more than 64 megapixels; make it smaller first"),
    "text": (lambda: b"hello", "cannot be read as a picture: it is of no format known here; choose another file"),
    "pickle": (lambda: b"\x80\x04K\x01.", "cannot be read as a picture"),
}


@pytest.mark.parametrize("kind", BAD_PICTURES)
def test_a_bad_picture_names_node_input_and_remedy(darkroom: Program, home: Path, kind: str) -> None:
    make, words = BAD_PICTURES[kind]
    (home / "input" / "bad.png").write_bytes(make())
    done = darkroom("run", "load.json", "--set", "load.image=bad.png", "--json", "report.json")
    assert_refused(done, home, "load.image (LoadImage): bad.png", words)
    (error,) = json.loads((home / "report.json").read_text())["errors"]
    assert (error["node"], error["input"]) == ("load", "image")


BAD_NAMES = {
    "missing.png": "there is no 'missing.png'",
    "folder.png": "is a folder; choose a file in it",
    "../load.json": "leads out of the folder with '..'",
    "/etc/passwd": "is an absolute path",
    "a\0b.png": "holds characters that no file name has; correct the name",
    "": "the file name is empty; choose a file",
    "x" * 5000 + ".png": "bytes long, 240 are allowed",
}


@pytest.mark.parametrize("verb", [("run", "load.json"), ("validate", "load.json"), ("why", "load.json", "save")])
@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_bad_name_of_a_picture_is_refused_before_anything_runs(
    darkroom: Program, home: Path, verb: tuple[str, ...], name: str
) -> None:
    done = darkroom(*verb, "--set", f"load.image={name}")
    assert done.exit_code == 2
    assert_refused(done, home, "load.image: ", BAD_NAMES[name])


# -------------------------------------------------------------------------------------------------------------- models


def lying(data: bytes) -> bytes:
    """A header that claims more bytes than there are."""
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    next(each for name, each in header.items() if name != "__metadata__")["data_offsets"] = [0, 2**50]
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data[8 + length :]


BAD_MODELS: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "truncated": lambda data: data[:-1000],
    "header cut": lambda data: data[:100],
    "length lies": lambda data: (2**60).to_bytes(8, "little") + data[8:],
    "offsets lie": lying,
    "pickle": lambda _: b"\x80\x02}q\x00(X\x0a\x00\x00\x00state_dictq\x01}u." + bytes(100),
    "zip of a pickle": lambda _: b"PK\x03\x04" + bytes(100),
    "text": lambda _: b"I am no model at all\n" * 10,
    "no tensors": lambda _: (2).to_bytes(8, "little") + b"{}",
    "picture": lambda _: png(),
}
USERS = {
    "LoadCheckpoint": ("sampler", "model"),
    "LoadAutoencoder": ("develop", "vae"),
    "LoadDiffusionModel": ("sampler", "model"),
    "LoadTextEncoder": ("prompt", "clip"),
}
"""Of each loader, who uses what it loads."""
PARTS = {
    "LoadCheckpoint": ("checkpoints", "ckpt_name"),
    "LoadAutoencoder": ("vae", "vae_name"),
    "LoadDiffusionModel": ("diffusion_models", "unet_name"),
    "LoadTextEncoder": ("text_encoders", "clip_name"),
}


@pytest.mark.parametrize("damage", BAD_MODELS)
def test_a_bad_checkpoint_names_node_input_and_file(darkroom: Program, home: Path, damage: str) -> None:
    folder = home / "models" / "checkpoints"
    (folder / "bad.safetensors").write_bytes(BAD_MODELS[damage]((folder / "good.safetensors").read_bytes()))
    done = darkroom("run", "sample.json", "--set", "model.ckpt_name=bad.safetensors")
    assert_refused(done, home, "model.ckpt_name (LoadCheckpoint): ", "bad.safetensors")


@pytest.mark.parametrize("loader", PARTS)
def test_a_file_of_another_kind_names_the_loader(darkroom: Program, home: Path, loader: str) -> None:
    folder, input = PARTS[loader]
    (home / "models" / folder).mkdir(exist_ok=True)
    (home / "models" / folder / "bad.safetensors").write_bytes(b"PK\x03\x04" + bytes(100))
    user, output = USERS[loader]
    given = {**SAMPLE[user]["inputs"], output: {"from": f"part.{output}"}}
    part = {"type": loader, "inputs": {input: "bad.safetensors"}}
    nodes = {**SAMPLE, "part": part, user: {**SAMPLE[user], "inputs": given}}
    (home / "part.json").write_text(document(nodes))
    assert_refused(darkroom("run", "part.json"), home, f"part.{input} ({loader}): ", "bad.safetensors")


@pytest.mark.parametrize("name", ["missing.safetensors", "folder.safetensors", "../x.safetensors", "a\0b.safetensors"])
@pytest.mark.parametrize("verb", ["run", "validate"])
def test_a_bad_name_of_a_model_is_refused_before_anything_runs(
    darkroom: Program, home: Path, verb: str, name: str
) -> None:
    done = darkroom(verb, "sample.json", "--set", f"model.ckpt_name={name}")
    assert done.exit_code == 2
    assert_refused(done, home, "model.ckpt_name: ")


# -------------------------------------------------------------------------------------------------------------- values


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("sampler.sampler_name=eular", ["euler"]),
        ("sampler.scheduler=normla", ["normal"]),
        ("sampler.cfg=nan", []),
        ("sampler.cfg=inf", []),
        ("sampler.denoise=1.5", ["1"]),
        ("sampler.steps=0", ["1"]),
        ("sampler.steps=2.5", []),
        ("sampler.seed=-1", ["0"]),
        ("sampler.seed=99999999999999999999", []),
        ("canvas.width=-64", ["16"]),
        ("canvas.width=30000", ["16384"]),
        ("canvas.height=100", ["8"]),
        ("canvas.batch_size=100000", ["4096"]),
    ],
)
@pytest.mark.parametrize("verb", ["run", "validate"])
def test_a_value_that_cannot_be_names_its_input(
    darkroom: Program, home: Path, verb: str, setting: str, words: list[str]
) -> None:
    done = darkroom(verb, "sample.json", "--set", setting)
    assert done.exit_code == 2
    assert_refused(done, home, f"darkroom: {setting.partition('=')[0]}: ", *words)
    assert len(done.stderr.splitlines()) == 1


def test_an_unknown_node_names_the_nearest(darkroom: Program, home: Path) -> None:
    (home / "unknown.json").write_text(document({**LOAD, "load": {"type": "LoadImages", "inputs": {}}}))
    assert_refused(darkroom("run", "unknown.json"), home, "load: ", "'LoadImages'", "LoadImage'")


def test_every_problem_of_a_workflow_has_its_line(darkroom: Program, home: Path) -> None:
    settings = ["sampler.cfg=nan", "canvas.width=-64", "model.ckpt_name=missing.safetensors"]
    done = darkroom("run", "sample.json", *(part for each in settings for part in ("--set", each)))
    assert_refused(done, home, *(each.partition("=")[0] for each in settings))
    assert len(done.stderr.splitlines()) == 3


@pytest.mark.parametrize("prefix", ["../out", "/tmp/out", "a\0b", "..", "con", "x" * 300])
def test_a_prefix_that_leads_elsewhere_writes_nothing(darkroom: Program, home: Path, prefix: str) -> None:
    done = darkroom("run", "load.json", "--set", f"save.filename_prefix={prefix}")
    assert_refused(done, home, "save (SaveImage): filename_prefix: ")
    assert not (home.parent / "out_00001_.png").exists()


def test_a_share_to_verify_must_be_a_number(darkroom: Program, home: Path) -> None:
    for share in ("nan", "-1", "101", "many"):
        done = darkroom("run", "load.json", "--verify-cache", share)
        assert (done.exit_code, done.stdout) == (2, "")
        assert "--verify-cache" in done.stderr
    assert not (home / "output").exists()


# ----------------------------------------------------------------------------------------------- pictures as a workflow


@pytest.mark.parametrize("verb", [("run",), ("validate",), ("why", "load")])
@pytest.mark.parametrize(
    ("data", "words"),
    [
        (png(document(LOAD))[:60], "cannot be read"),
        (png(), "carries no workflow. Use the original file"),
        (png("not json"), "This is not JSON"),
        (png("[1, 2]"), "is not a workflow"),
        (huge_png(30_000), "has too many pixels. Give the workflow's JSON"),
    ],
    ids=["truncated", "none inside", "no JSON inside", "a list inside", "30,000 pixels"],
)
def test_a_picture_that_is_no_workflow_says_so(
    darkroom: Program, home: Path, verb: tuple[str, ...], data: bytes, words: str
) -> None:
    (home / "bad.png").write_bytes(data)
    done = darkroom(verb[0], "bad.png", *verb[1:])
    assert done.exit_code == 2
    assert_refused(done, home, words)


def test_text_in_another_encoding_is_no_workflow(darkroom: Program, home: Path) -> None:
    (home / "latin.json").write_bytes('{"darkroom": 1, "nodes": {"café": {}}}'.encode("latin-1"))
    for verb in (("run",), ("validate",), ("why", "café")):
        assert_refused(darkroom(verb[0], "latin.json", *verb[1:]), home, "not text in UTF-8", "Save the file as UTF-8")


# ------------------------------------------------------------------------------------------------------------- training


def test_a_folder_that_cannot_be_trained_on_says_so(darkroom: Program, home: Path) -> None:
    nodes = {
        "pictures": {"type": "LoadPictures", "inputs": {"folder": "set", "size": 16}},
        "train": {"type": "TrainAutoencoder", "inputs": {"pictures": {"from": "pictures.pictures"}, "steps": 1}},
    }
    (home / "train.json").write_text(document(nodes))
    for folder, words in (("missing", "there is no 'missing'"), ("good.png", "not a folder"), ("../x", "leads out")):
        assert_refused(darkroom("run", "train.json", "--set", f"pictures.folder={folder}"), home, "pictures", words)
    (home / "input" / "set").mkdir()
    assert_refused(darkroom("run", "train.json"), home, "pictures (LoadPictures): ", "holds no pictures")
    (home / "input" / "set" / "bad.png").write_bytes(png()[:1000])
    assert_refused(darkroom("run", "train.json"), home, "train (TrainAutoencoder): ", "bad.png cannot be read")
