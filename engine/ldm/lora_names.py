"""What the layers of a network are called in LoRA files: by their paths, and a U-Net's by diffusers' paths, too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from typing import cast

from torch import nn

from engine.ldm.unet import UNetModel

UNET, TEXT = "lora_unet_", "lora_te_"
TEXT_ENCODERS = re.compile(r"lora_te\d*_")
RESNET = {
    ".in_layers.2": ".conv1",
    ".out_layers.3": ".conv2",
    ".emb_layers.1": ".time_emb_proj",
    ".skip_connection": ".conv_shortcut",
}


Adaptable = nn.Linear | nn.Conv1d | nn.Conv2d


def adaptable_layers(network: nn.Module) -> Iterator[tuple[str, Adaptable]]:
    """The layers that a LoRA can change, with their paths."""
    for path, layer in cast(Iterator[tuple[str, nn.Module]], network.named_modules()):
        if isinstance(layer, nn.Linear | nn.Conv1d | nn.Conv2d):
            yield path, layer


def layer_names(network: nn.Module) -> dict[str, str]:
    """The layers of a network that a LoRA can change: path by the name in a file, all names of each."""
    is_unet = isinstance(network, UNetModel)
    paths = [path for path, _ in adaptable_layers(network)]
    names = {lora_name(path, UNET if is_unet else TEXT): path for path in paths}
    if is_unet:
        names |= {f"diffusion_model.{path}": path for path in paths}
        names |= {UNET + other.replace(".", "_"): path for other, path in _of_diffusers(network, paths)}
    return names


def lora_name(path: str, prefix: str) -> str:
    """What a layer is called in a file."""
    return prefix + path.replace(".", "_")


def is_for(name: str, network: nn.Module) -> bool:
    """Whether a name in a file means a layer of this kind of network, a U-Net or a text encoder."""
    return isinstance(network, UNetModel) != bool(TEXT_ENCODERS.match(name))


def _of_diffusers(unet: UNetModel, paths: list[str]) -> Iterator[tuple[str, str]]:
    """Pairs of diffusers' path and ours: the same network, counted by level.

    Source: Hugging Face diffusers, `UNet2DConditionModel`, and its conversion script of Stable Diffusion.
    """
    beginnings = dict(_block_names(unet))
    for path in paths:
        ours = next((each for each in beginnings if path == each or path.startswith(f"{each}.")), None)
        if ours is not None:
            theirs = beginnings[ours]
            rest = path.removeprefix(ours)
            yield theirs + (RESNET.get(rest, rest) if "resnets" in theirs else rest), path


def _block_names(unet: UNetModel) -> Iterator[tuple[str, str]]:
    levels, blocks = len(unet.config.channel_mult), unet.config.num_res_blocks
    yield "time_embed.0", "time_embedding.linear_1"
    yield "time_embed.2", "time_embedding.linear_2"
    yield "input_blocks.0.0", "conv_in"
    yield "out.2", "conv_out"
    for index, kind in enumerate(("resnets.0", "attentions.0", "resnets.1")):
        yield f"middle_block.{index}", f"mid_block.{kind}"
    for level, block in product(range(levels), range(blocks)):
        place = 1 + (blocks + 1) * level + block
        yield f"input_blocks.{place}.0", f"down_blocks.{level}.resnets.{block}"
        yield f"input_blocks.{place}.1", f"down_blocks.{level}.attentions.{block}"
    for level in range(levels - 1):
        yield f"input_blocks.{(blocks + 1) * (level + 1)}.0.op", f"down_blocks.{level}.downsamplers.0.conv"
    for level, block in product(range(levels), range(blocks + 1)):
        place = (blocks + 1) * level + block
        yield f"output_blocks.{place}.0", f"up_blocks.{level}.resnets.{block}"
        for index in (1, 2):  # the upsampler stands where the attention would
            path = f"output_blocks.{place}.{index}"
            if _has(unet, f"{path}.conv"):
                yield f"{path}.conv", f"up_blocks.{level}.upsamplers.0.conv"
            else:
                yield path, f"up_blocks.{level}.attentions.{block}"


def _has(network: nn.Module, path: str) -> bool:
    try:
        network.get_submodule(path)
    except AttributeError:
        return False
    return True
