"""The patch discriminator that keeps reconstructions sharp, and its two losses.

Source: Isola et al. 2017 (arXiv:1611.07004), sec. 3.2.2; `NLayerDiscriminator` of CompVis/taming-transformers,
taming/modules/discriminator/model.py, whose checkpoint keys (`main.N`) these are.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class PatchDiscriminator(nn.Module):
    """Judge every patch of a picture: real (positive) or made (negative).

    Args:
        in_channels: Channels of the pictures.
        width: Channels of the first layer; they double up to eight times that.
        layers: Halvings; each enlarges the patches (3 layers see 70x70 pixels).
    """

    def __init__(self, in_channels: int = 3, width: int = 64, layers: int = 3) -> None:
        super().__init__()
        parts: list[nn.Module] = [nn.Conv2d(in_channels, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        channels = width
        for layer in range(1, layers + 1):
            out = width * min(2**layer, 8)
            stride = 2 if layer < layers else 1
            # The batch norm's shift makes a bias superfluous.
            parts += [nn.Conv2d(channels, out, 4, stride, 1, bias=False), nn.BatchNorm2d(out), nn.LeakyReLU(0.2)]
            channels = out
        parts.append(nn.Conv2d(channels, 1, 4, stride=1, padding=1))
        self.main = nn.Sequential(*parts)
        self.apply(_initialise)

    def forward(self, x: Tensor) -> Tensor:
        """x: [B, C, H, W] in [-1, 1]. Returns logits [B, 1, h, w], one for each patch."""
        return self.main(x)


def hinge_loss(real: Tensor, fake: Tensor) -> Tensor:
    """0.5 (E max(0, 1 - D(x)) + E max(0, 1 + D(x'))). Source: Lim & Ye 2017 (arXiv:1705.02894)."""
    return 0.5 * (F.relu(1 - real).mean() + F.relu(1 + fake).mean())


def vanilla_loss(real: Tensor, fake: Tensor) -> Tensor:
    """0.5 (E softplus(-D(x)) + E softplus(D(x'))). Source: Goodfellow et al. 2014 (arXiv:1406.2661), eq. 1."""
    return 0.5 * (F.softplus(-real).mean() + F.softplus(fake).mean())


def _initialise(module: nn.Module) -> None:
    """Weights from N(0, 0.02), norms about 1: DCGAN, Radford et al. 2016 (arXiv:1511.06434), sec. 4."""
    if isinstance(module, nn.Conv2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)
