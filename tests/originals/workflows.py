"""Turns a fixture of the original into a workflow of ordinary nodes, whatever it is conditioned on.

A fixture is a folder with `config.json`, `weights.safetensors` and `io.safetensors`; what is in them decides which
nodes are needed, so that fixtures nobody has seen yet run as well.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from PIL import Image as Pillow
from torch import Tensor

from engine.ldm.weights import save_model
from tests.ldm import fixtures

Nodes = dict[str, dict[str, Any]]
RECORDED = re.compile(r"(ema\.|patch\.)?(ddim|plms|ddim_wide)\.S(\d+)(?:\.eta(\d))?(?:\.cfg(\d+))?\.out")
WORDS = ("tokens", "class_label", "y", "clip_text")


@dataclass(frozen=True)
class Case:
    """One sampling that was recorded: `key` is its prefix among the fixture's tensors."""

    fixture: str
    key: str
    sampler: str
    steps: int
    eta: float
    cfg: float
    averaged: bool

    @property
    def in_patches(self) -> bool:
        return self.key.startswith("patch.")


def cases() -> list[Case]:
    """Every sampling recorded from x_T in any fixture that is at hand."""
    found: list[Case] = []
    for folder in sorted(fixtures.REFERENCE.glob("*")):
        if not (folder.name.startswith(("ldm_", "ddpm_")) and (folder / "io.safetensors").is_file()):
            continue
        names = fixtures.io(folder.name)
        for name in sorted(names):
            match = RECORDED.fullmatch(name)
            if match:
                prefix, kind, steps, eta, cfg = match.groups()
                sampler = "plms" if kind == "plms" else "ddim"
                key = name.removesuffix(".out")
                found.append(
                    Case(folder.name, key, sampler, int(steps), float(eta or 0), float(cfg or 1), prefix == "ema.")
                )
        if "chain.x_T" in names:
            steps = fixtures.config(folder.name)["params"]["timesteps"]
            found.append(Case(folder.name, "chain", "ddpm", steps, 0.0, 1.0, averaged=True))
    return found


def install(name: str, models: Path) -> str:
    """Put a fixture's weights and its YAML into a folder of models; gives the checkpoint's name."""
    folder = models / "checkpoints"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(fixtures.fixture_path(name) / "weights.safetensors", folder / f"{name}.safetensors")
    config = fixtures.config(name)
    model = {"base_learning_rate": 1e-6, "target": f"ldm.models.diffusion.ddpm.{config['target']}"}
    (folder / f"{name}.yaml").write_text(yaml.safe_dump({"model": {**model, "params": config["params"]}}))
    return f"{name}.safetensors"


def workflow(case: Case, inputs: Path) -> dict[str, Any]:
    """The workflow that repeats a recorded sampling; what it reads is written into the folder `inputs`."""
    io, params = fixtures.io(case.fixture), fixtures.config(case.fixture)["params"]
    inputs.mkdir(parents=True, exist_ok=True)
    latent_file(inputs / f"{case.fixture}.{case.key}.x_T.latent", io[f"{case.key}.x_T"])
    nodes: Nodes = {
        "model": node("LoadCheckpoint", ckpt_name=f"{case.fixture}.safetensors"),
        "weights": node("ChooseWeights", model="model.model", averaged=case.averaged),
        "noise": node("LoadLatent", latent=f"{case.fixture}.{case.key}.x_T.latent"),
    }
    _condition(nodes, case, params, io, inputs)
    given: dict[str, Any] = {}
    if f"{case.key}.noise" in io:
        steps = io[f"{case.key}.noise"].flatten(0, 1)
        latent_file(inputs / f"{case.fixture}.{case.key}.noise.latent", steps)
        nodes["step_noise"] = node("LoadLatent", latent=f"{case.fixture}.{case.key}.noise.latent")
        given = {"step_noise": "step_noise.latent"}
    if case.in_patches:
        split = fixtures.config(case.fixture)["split_input_params"]
        size, stride = split["ks"][0], split["stride"][0]
        nodes["cut"] = node("SampleInPatches", model="weights.model", size=size, overlap=1 - stride / size)
    nodes["sampler"] = node(
        "KSamplerGivenNoise",
        model="cut.model" if case.in_patches else "weights.model",
        positive="positive.conditioning",
        negative="negative.conditioning",
        noise="noise.latent",
        steps=case.steps,
        cfg=case.cfg,
        sampler_name=case.sampler,
        scheduler="normal" if case.sampler == "ddpm" else "ldm",
        eta=case.eta,
        **given,
    )
    nodes["keep"] = node("SaveLatent", samples="sampler.latent", filename_prefix="out")
    if nodes["model"] and _has_pictures(params, io, case):
        nodes["develop"] = node("VAEDecode", samples="sampler.latent", vae="model.vae")
        nodes["save"] = node("SaveImage", images="develop.image", filename_prefix="decoded")
    if "mask_u8" in io:
        nodes["paste"] = node(
            "ImageCompositeMasked", destination="picture.image", source="develop.image", mask="hole.mask"
        )
        nodes["save_pasted"] = node("SaveImage", images="paste.image", filename_prefix="pasted")
    return {"darkroom": 1, "nodes": nodes}


def node(type: str, **inputs: Any) -> dict[str, Any]:
    """A node of a workflow; text of the form `node.output` is a link."""
    links = re.compile(r"[a-z_0-9]+\.(latent|conditioning|model|vae|clip|image|mask)")
    return {
        "type": type,
        "inputs": {
            name: {"from": value} if isinstance(value, str) and links.fullmatch(value) else value
            for name, value in inputs.items()
        },
    }


def latent_file(path: Path, samples: Tensor) -> None:
    """Write latents as ComfyUI does."""
    save_model(path, {"latent_tensor": samples.contiguous(), "latent_format_version_0": torch.tensor([])})


def pixels_u8(decoded: Tensor) -> np.ndarray[Any, Any]:
    """[B, 3, H, W] in [-1, 1] to [B, H, W, 3] bytes as the original's scripts write them."""
    return (255 * ((decoded + 1) / 2).clamp(0, 1)).byte().movedim(1, -1).numpy()


def expected_pictures(case: Case) -> np.ndarray[Any, Any] | None:
    """What the case's latents decode to, where the fixture says; the first plain sampling is the one it decodes."""
    io = fixtures.io(case.fixture)
    plain = [each.key for each in cases() if each.fixture == case.fixture and each.sampler == "ddim"]
    preferred = [key for key in plain if key.startswith(("ddim.S10.eta0", "ddim.S10.eta1"))]
    if "decoded" not in io or case.key != (preferred or plain)[0]:
        return None
    return io["decoded_u8"].numpy() if "decoded_u8" in io else pixels_u8(io["decoded"])


def _has_pictures(params: dict[str, Any], io: fixtures.Tensors, case: Case) -> bool:
    return io[f"{case.key}.x_T"].shape[1] == 3 or "decoded" in io


def _condition(nodes: Nodes, case: Case, params: dict[str, Any], io: fixtures.Tensors, inputs: Path) -> None:
    """Add the nodes `positive` and `negative`."""
    parts: list[str] = []
    if "tokens" in io:
        nodes["words"] = node("EncodeTokens", clip="model.clip", tokens=_lines(io["tokens"]))
        parts.append("words")
    if "clip_text" in io:
        save_model(
            inputs / f"{case.fixture}.vectors.safetensors",
            {"0 text": io["clip_text"], "1 neighbours": io["neighbours"]},
        )
        nodes["vectors"] = node("LoadVectors", vectors=f"{case.fixture}.vectors.safetensors")
        parts.append("vectors")
    labels = next((io[name] for name in ("class_label", "y") if name in io), None)
    if labels is not None:
        nodes["class"] = node("EncodeClass", model="model.model", class_name=_lines(labels[:, None]))
        parts.append("class")
    if "segmentation_labels" in io:
        maps = _pictures(nodes, "map", io["segmentation_labels"], case, inputs)
        nodes["beside"] = node("EncodeLabelMap", labels=f"{maps}.image", model="model.model")
        parts.append("beside")
    if case.in_patches:
        latent_file(inputs / f"{case.fixture}.beside.latent", io["patch.c"])
        nodes["small"] = node("LoadLatent", latent=f"{case.fixture}.beside.latent")
        nodes["nothing"] = node("NoCondition")
        nodes["beside"] = node("ConcatCondition", conditioning="nothing.conditioning", latent="small.latent")
        parts.append("beside")
    elif "lr_u8_hwc" in io:
        small = _pictures(nodes, "small", io["lr_u8_hwc"], case, inputs)
        nodes["nothing"] = node("NoCondition")
        nodes["beside"] = node("ConcatCondition", conditioning="nothing.conditioning", image=f"{small}.image")
        parts.append("beside")
    if "mask_u8" in io:
        whole = _pictures(nodes, "picture", io["image_u8_hwc"], case, inputs)
        hole = _pictures(nodes, "mask", io["mask_u8"], case, inputs)
        nodes["white"] = node("ImageToMask", image=f"{hole}.image", channel="red")
        nodes["hole"] = node("ThresholdMask", mask="white.mask", value=0.5)
        nodes["beside"] = node("EncodeHole", image=f"{whole}.image", mask="hole.mask", vae="model.vae")
        parts.append("beside")
    if not parts:
        nodes["positive"] = node("NoCondition")
    elif len(parts) == 1:
        nodes["positive"] = nodes.pop(parts[0])
    else:
        nodes["positive"] = node(
            "JoinConditions", conditioning_1=f"{parts[0]}.conditioning", conditioning_2=f"{parts[1]}.conditioning"
        )
    if "uncond_tokens" in io:
        nodes["negative"] = node("EncodeTokens", clip="model.clip", tokens=_lines(io["uncond_tokens"]))
    elif "clip_text" in io:
        nodes["negative"] = node("ConditioningZeroOut", conditioning="positive.conditioning")
    else:
        nodes["negative"] = node("ConditioningSetStrength", conditioning="positive.conditioning")


def _pictures(nodes: Nodes, name: str, pixels: Tensor, case: Case, inputs: Path) -> str:
    """Nodes that load a batch of byte pictures [B, H, W] or [B, H, W, 3]; gives the name of the last one."""
    last = name
    for index, each in enumerate(pixels):
        file = f"{case.fixture}.{name}{index}.png"
        Pillow.fromarray(each.byte().numpy()).save(inputs / file)
        nodes[f"{name}{index}" if index else name] = node("LoadImage", image=file)
        if index:
            nodes[f"{name}_batch{index}"] = node("ImageBatch", image1=f"{last}.image", image2=f"{name}{index}.image")
            last = f"{name}_batch{index}"
    return last


def _lines(rows: Tensor) -> str:
    return "\n".join(", ".join(str(int(number)) for number in row) for row in rows)
