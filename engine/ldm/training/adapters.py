"""LoRA training: beside each chosen layer of a frozen network, a narrow pair of layers that is trained.

Source: Hu et al. 2021 (arXiv:2106.09685), sec. 4.1: W x + (alpha / rank) B A x, with B = 0 at first.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Literal, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.ldm.attention import AttentionBlock, CrossAttention, SpatialTransformer
from engine.ldm.lora import LoraLayer
from engine.ldm.lora_names import TEXT, UNET, Adaptable, adaptable_layers, lora_name
from engine.ldm.text.transformer import Attention
from engine.ldm.unet import UNetModel

Targets = Literal["attention", "transformer", "everything"]
HOLDERS: Mapping[Targets, tuple[type[nn.Module], ...]] = {
    "attention": (CrossAttention, AttentionBlock, Attention),
    "transformer": (SpatialTransformer, AttentionBlock, Attention),
    "everything": (nn.Module,),
}


def choose_layers(network: nn.Module, targets: Targets) -> dict[str, Adaptable]:
    """The layers of a network to adapt, by their names in a file.

    Args:
        targets: Queries, keys, values and outputs of the attention; all of the transformers around it; or every layer,
            convolutions as well.
    """
    prefix = UNET if isinstance(network, UNetModel) else TEXT
    named = dict(cast(Iterator[tuple[str, nn.Module]], network.named_modules()))
    holders = {path for path, holder in named.items() if isinstance(holder, HOLDERS[targets])}
    return {
        lora_name(path, prefix): layer
        for path, layer in adaptable_layers(network)
        if any(path.startswith(f"{holder}." if holder else "") for holder in holders)
    }


class Adapter(nn.Module):
    """The trained pair beside one layer.

    Args:
        layer: Stays as it is.
        rank: Width between the two.
        alpha: The change is scaled by alpha / rank, so that other ranks learn as fast.
    """

    def __init__(self, layer: Adaptable, rank: int, alpha: float) -> None:
        super().__init__()
        self._layer = (layer,)  # in a tuple, so that its weights are not this module's
        self.alpha = alpha
        kernel = layer.weight.shape[2:]
        self.down = nn.Parameter(torch.empty(rank, *layer.weight.shape[1:]))
        self.up = nn.Parameter(torch.zeros(layer.weight.shape[0], rank, *(1 for _ in kernel)))
        nn.init.kaiming_uniform_(self.down, a=5**0.5)  # as nn.Linear itself begins

    def forward(self, x: Tensor) -> Tensor:
        """What to add to the layer's own answer to x."""
        (layer,) = self._layer
        scale = self.alpha / len(self.down)
        if isinstance(layer, nn.Linear):
            return scale * F.linear(F.linear(x, self.down), self.up)
        if isinstance(layer, nn.Conv1d):
            return scale * F.conv1d(F.conv1d(x, self.down), self.up)
        return scale * F.conv2d(F.conv2d(x, self.down, None, layer.stride, layer.padding), self.up)

    def trained(self) -> LoraLayer:
        """What is saved of it."""
        return LoraLayer(self.up.detach(), self.down.detach(), self.alpha)


class Adapters(nn.Module):
    """Adapters of many layers, by the layers' names in a file.

    Args:
        layers: What to adapt, by name.
    """

    def __init__(self, layers: Mapping[str, Adaptable], rank: int, alpha: float) -> None:
        super().__init__()
        self._layers = dict(layers)
        self.adapters = nn.ModuleDict({name: Adapter(layer, rank, alpha) for name, layer in layers.items()})

    @contextmanager
    def attached(self) -> Generator[None]:
        """Have the layers answer with their adapters' part in it."""
        handles = [
            layer.register_forward_hook(_adding(self.adapters[name]))
            for name, layer in self._layers.items()
        ]  # fmt: skip
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def trained(self) -> dict[str, LoraLayer]:
        """What is saved of them, by name."""
        return {name: adapter.trained() for name, adapter in self.adapters.items() if isinstance(adapter, Adapter)}


def _adding(adapter: nn.Module) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], Tensor]:
    return lambda _, inputs, answer: answer + adapter(inputs[0])
