"""A LoRA file as a patch that a handle carries. Importable without torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.models.handles import Weights

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class LoraPatch:
    """The changes in a LoRA file, `strength` times; implements `engine.models.handles.Patch`."""

    weights: Weights
    strength: float = 1.0

    def apply(self, network: nn.Module) -> None:
        """Change those layers of the network that the file has changes for.

        Raises:
            ModelFileError: the file is gone, has changed, is no LoRA, or one of another network.
        """
        from engine.ldm.lora import apply_lora, read_lora

        apply_lora(network, read_lora(self.weights.open()), self.strength, Path(self.weights.path).name)
