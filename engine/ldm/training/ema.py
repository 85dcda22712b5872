"""Exponential moving average of a network's weights, kept in the checkpoint's own layout (`model_ema.*`).

Source: `LitEma` of CompVis/latent-diffusion, ldm/modules/ema.py.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

EXTRA_KEYS = ("decay", "num_updates")


def ema_names(parameters: Mapping[str, object]) -> dict[str, str]:
    """Map parameter names to their names among the averages: the same without dots.

    The map is made from the network's own names, never by parsing, because "a.b1" and "a.b.1" look alike afterwards.

    Raises:
        ValueError: two parameters would share one name.
    """
    names = {name: name.replace(".", "") for name in parameters}
    if len(set(names.values())) < len(names):
        seen: dict[str, str] = {}
        for name, short in names.items():
            if short in seen:
                raise ValueError(f"parameters {seen[short]!r} and {name!r} would share the average {short!r}")
            seen[short] = name
    return names


class EMA(nn.Module):
    """Averages of a module's trainable parameters, held as buffers.

    Args:
        module: The network to follow; averages start as copies of its parameters.
        decay: Upper limit of the decay.
    """

    decay: Tensor
    num_updates: Tensor

    def __init__(self, module: nn.Module, decay: float = 0.9999) -> None:
        super().__init__()
        if not 0 <= decay <= 1:
            raise ValueError(f"decay is {decay}, must lie between 0 and 1")
        parameters = _trainable(module)
        self._names = ema_names(parameters)
        self.register_buffer("decay", torch.tensor(decay, dtype=torch.float32))
        self.register_buffer("num_updates", torch.tensor(0, dtype=torch.int32))
        for name, short in self._names.items():
            self.register_buffer(short, parameters[name].detach().clone())

    @torch.no_grad()
    def update(self, module: nn.Module) -> None:
        """Move every average towards the module's parameter: s <- s - (1 - d) (s - p).

        d = min(decay, (1 + n) / (10 + n)) with n counted after this update, so that early averages forget the start.
        """
        self.num_updates += 1
        n = int(self.num_updates)
        keep = min(float(self.decay), (1 + n) / (10 + n))
        for name, parameter in _trainable(module).items():
            average = self.average(name)
            average.lerp_(parameter.to(average.dtype), 1 - keep)

    def average(self, name: str) -> Tensor:
        """Return the average of the parameter `name`."""
        return self.get_buffer(self._names[name])

    @torch.no_grad()
    def copy_to(self, module: nn.Module) -> None:
        """Overwrite the module's parameters with the averages."""
        for name, parameter in _trainable(module).items():
            parameter.copy_(self.average(name))

    @contextmanager
    def applied(self, module: nn.Module) -> Generator[None]:
        """Lend the averages to the module for a while: sampling and validation use them, training goes on without."""
        own = {name: parameter.detach().clone() for name, parameter in _trainable(module).items()}
        self.copy_to(module)
        try:
            yield
        finally:
            with torch.no_grad():
                for name, parameter in _trainable(module).items():
                    parameter.copy_(own[name])


def _trainable(module: nn.Module) -> dict[str, nn.Parameter]:
    return {name: parameter for name, parameter in module.named_parameters() if parameter.requires_grad}
