"""LoRA files: kohya's and diffusers' names against ComfyUI's table, and what they change."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from engine.errors import ModelFileError
from engine.ldm.lora import LoraLayer, apply_lora, lora_tensors, read_lora
from engine.ldm.lora_names import layer_names
from engine.ldm.unet import UNetConfig, UNetModel
from engine.ldm.weights import open_model, save_model
from tests.ldm.comfy import TINY, unet

QUERY = "input_blocks.1.1.transformer_blocks.0.attn1.to_q"


@pytest.fixture
def network() -> UNetModel:
    return UNetModel(UNetConfig(4, 4, 32, (1, 2), 1, attention_resolutions=(1, 2), num_heads=4, context_dim=16)).eval()


def test_layers_go_by_the_names_that_comfyui_gives_them() -> None:
    path = TINY / "lora_keymap.json"
    if not path.exists():
        pytest.skip("the reference lora_keymap is not at hand")
    wanted = {name: key for name, key in json.loads(path.read_text()).items() if name.startswith("lora_unet_")}
    names = layer_names(unet())
    assert {name: f"diffusion_model.{names[name]}.weight" for name in wanted} == wanted


def test_every_layer_has_a_name_of_diffusers_too(network: UNetModel) -> None:
    names = layer_names(network)
    theirs = {path for name, path in names.items() if "down_blocks" in name or "up_blocks" in name}
    assert {path for path in names.values() if path.startswith(("input_blocks.1", "output_blocks"))} <= theirs
    assert names["lora_unet_up_blocks_0_upsamplers_0_conv"] == "output_blocks.1.2.conv"
    assert names["lora_unet_down_blocks_0_downsamplers_0_conv"] == "input_blocks.2.0.op"
    assert names["lora_unet_mid_block_resnets_1_conv2"] == "middle_block.2.out_layers.3"


@pytest.mark.parametrize("name", ["lora_unet_" + QUERY.replace(".", "_"), "diffusion_model." + QUERY])
@pytest.mark.parametrize("strength", [1.0, -0.5])
def test_a_layer_changes_by_strength_times_alpha_by_rank(network: UNetModel, name: str, strength: float) -> None:
    before = network.get_parameter(f"{QUERY}.weight")
    values = before.clone()
    layer = LoraLayer(torch.randn(32, 2), torch.randn(2, 32), alpha=3.0)
    apply_lora(network, {name: layer, "lora_te_somewhere": layer}, strength, "a file")
    after = network.get_parameter(f"{QUERY}.weight")
    torch.testing.assert_close(after, values + strength * 3 / 2 * layer.up @ layer.down)
    assert before.equal(values), "the parameter was replaced, since others may have it"


def test_a_change_of_a_convolution_has_its_kernel(network: UNetModel) -> None:
    conv = network.get_submodule("middle_block.0.in_layers.2")
    assert isinstance(conv, nn.Conv2d)
    x = torch.randn(1, 64, 8, 8)
    with torch.no_grad():
        layer = LoraLayer(torch.randn(64, 3, 1, 1), torch.randn(3, 64, 3, 3), 3.0)
        narrow = nn.functional.conv2d(x, layer.down, padding=1)
        wanted = conv(x) + nn.functional.conv2d(narrow, layer.up)
        apply_lora(network, {"lora_unet_mid_block_resnets_0_conv1": layer}, 1.0, "a file")
        torch.testing.assert_close(conv(x), wanted, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("spelling", [("lora_up", "lora_down"), ("lora_B", "lora_A")])
def test_a_file_is_read_as_it_was_written_in_either_spelling(tmp_path: Path, spelling: tuple[str, str]) -> None:
    up, down = torch.randn(8, 2), torch.randn(2, 4)
    tensors = {f"x.{spelling[0]}.weight": up, f"x.{spelling[1]}.weight": down}
    save_model(tmp_path / "a.safetensors", tensors)
    layer = read_lora(open_model(tmp_path / "a.safetensors"))["x"]
    assert layer.up.equal(up) and layer.down.equal(down) and layer.alpha == 2
    save_model(tmp_path / "b.safetensors", lora_tensors({"x": LoraLayer(up, down, 0.5)}))
    assert read_lora(open_model(tmp_path / "b.safetensors"))["x"].alpha == 0.5


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        ({"model.weight": (2, 2)}, "is no LoRA"),
        ({"x.lora_up.weight": (2, 2)}, "lacks its up or its down"),
        ({"x.lora_up.weight": (2,), "x.lora_down.weight": (2, 2)}, "lacks its up or its down"),
        ({}, "empty"),
    ],
)
def test_a_file_that_is_no_lora_says_so(tmp_path: Path, tensors: dict[str, tuple[int, ...]], words: str) -> None:
    save_model(tmp_path / "a.safetensors", {name: torch.zeros(shape) for name, shape in tensors.items()})
    with pytest.raises(ModelFileError, match=words):
        read_lora(open_model(tmp_path / "a.safetensors"))


@pytest.mark.parametrize(
    ("name", "up", "down"),
    [
        ("lora_unet_input_blocks_9_1_proj_in", (32, 2), (2, 32)),
        ("lora_unet_time_embed_0", (32, 2), (2, 32)),
        ("lora_unet_time_embed_0", (128, 3), (2, 32)),
        ("lora_transformer_single_blocks_0", (32, 2), (2, 32)),
    ],
)
def test_a_lora_of_another_network_is_refused(
    network: UNetModel, name: str, up: tuple[int, ...], down: tuple[int, ...]
) -> None:
    before = {key: value.clone() for key, value in network.state_dict().items()}
    fitting = LoraLayer(torch.ones(128, 2), torch.ones(2, 128), 2.0)
    layers = {"lora_unet_time_embed_2": fitting, name: LoraLayer(torch.zeros(up), torch.zeros(down), 1.0)}
    with pytest.raises(ModelFileError, match="trained on another U-Net"):
        apply_lora(network, layers, 1.0, "other.safetensors")
    assert all(value.equal(before[key]) for key, value in network.state_dict().items())
