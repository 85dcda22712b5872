"""LoRA files: small changes to a network's weights, in the format that kohya's scripts write and ComfyUI reads.

A layer's change is W + strength (alpha / rank) up down. A file names layers by their paths in the checkpoint, dots as
underscores, behind `lora_unet_` or `lora_te_`; for the U-Net diffusers' names of the same layers are read, too.

Source: Hu et al. 2021 (arXiv:2106.09685), sec. 4.1; kohya-ss/sd-scripts, networks/lora.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engine.errors import ModelFileError
from engine.ldm.lora_names import is_for, layer_names
from engine.ldm.unet import UNetModel
from engine.ldm.weights import ModelFile

SPELLINGS = {
    ".lora_up.weight": "up",
    ".lora_down.weight": "down",
    ".lora_B.weight": "up",
    ".lora_A.weight": "down",
    ".alpha": "alpha",
}
"""How a layer's parts are called at the end of a key: kohya's words, and those of PEFT."""
SHOWN = 3


@dataclass(frozen=True)
class LoraLayer:
    """The change of one layer. `up`: [out, rank, ...], `down`: [rank, in, ...], with a convolution's kernel behind;
    `alpha`: what the change is scaled by, times the rank."""

    up: Tensor
    down: Tensor
    alpha: float

    def change(self, shape: torch.Size) -> Tensor:
        """What to add to a weight of this shape, at strength 1, in float32."""
        scale = self.alpha / self.down.shape[0]
        return (scale * (self.up.float().flatten(1) @ self.down.float().flatten(1))).reshape(shape)

    def fits(self, shape: torch.Size) -> bool:
        """Whether it changes a weight of this shape."""
        rank, *inner = self.down.shape
        ranks_agree = self.up.ndim > 1 and self.up.shape[1] == rank and self.up[0, 0].numel() == 1
        return ranks_agree and len(self.up) == shape[0] and inner == [*shape[1:]]


def read_lora(file: ModelFile) -> dict[str, LoraLayer]:
    """The layers of a file, by the name that each goes by there.

    Raises:
        ModelFileError: it holds no LoRA, or one of another kind.
    """
    parts: dict[str, dict[str, Tensor]] = {}
    for key in file.header.tensors:
        ending = next((each for each in SPELLINGS if key.endswith(each)), None)
        if ending is None:
            raise ModelFileError(
                f"{file.path} is no LoRA of up and down matrices: {key!r} is none of {', '.join(SPELLINGS)}"
            )
        parts.setdefault(key.removesuffix(ending), {})[SPELLINGS[ending]] = file.tensor(key)
    layers: dict[str, LoraLayer] = {}
    for name, found in parts.items():
        if not {"up", "down"} <= found.keys() or min(found["up"].ndim, found["down"].ndim) < 2:
            raise ModelFileError(f"{file.path}: {name} lacks its up or its down matrix; the file is damaged")
        up, down = found["up"], found["down"]
        layers[name] = LoraLayer(up, down, float(found["alpha"]) if "alpha" in found else float(len(down)))
    if not layers:
        raise ModelFileError(f"{file.path} is empty")
    return layers


def lora_tensors(layers: Mapping[str, LoraLayer]) -> dict[str, Tensor]:
    """The tensors of a file, by kohya's keys."""
    tensors: dict[str, Tensor] = {}
    for name, layer in layers.items():
        tensors[f"{name}.lora_up.weight"] = layer.up
        tensors[f"{name}.lora_down.weight"] = layer.down
        tensors[f"{name}.alpha"] = torch.tensor(layer.alpha)
    return tensors


def apply_lora(network: nn.Module, layers: Mapping[str, LoraLayer], strength: float, file: str) -> None:
    """Change the weights of a network that nobody else has; layers of another kind of network are left out.

    Args:
        file: What to call the file in an error.

    Raises:
        ModelFileError: a layer is not one of this network.
    """
    names = layer_names(network)
    wanted = {name: layer for name, layer in layers.items() if is_for(name, network)}
    wrong = [
        name
        for name, layer in wanted.items()
        if name not in names or not layer.fits(network.get_parameter(f"{names[name]}.weight").shape)
    ]
    if wrong:
        more = f" and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        what = "U-Net" if isinstance(network, UNetModel) else "text encoder"
        raise ModelFileError(
            f"{file} was trained on another {what}: {', '.join(wrong[:SHOWN])}{more} of its {len(wanted)} layers fit "
            "none here; use the checkpoint it was trained on, or set that strength to 0"
        )
    # Of two names for one layer the later counts, as in ComfyUI.
    for path, layer in {names[name]: wanted[name] for name in names if name in wanted}.items():
        owner = network.get_submodule(path)
        weight = owner.get_parameter("weight")
        changed = weight.float() + strength * layer.change(weight.shape).to(weight.device)
        owner.register_parameter("weight", nn.Parameter(changed.to(weight.dtype), requires_grad=False))
