"""A U-Net that computes in half precision between float32 samplers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from engine.ldm.unet import UNetModel


class PrecisionUNet(nn.Module):
    """Converts what comes to the U-Net's dtype and its answer to float32.

    Timesteps keep their own: their embedding is computed in float32.
    """

    def __init__(self, unet: UNetModel, dtype: torch.dtype) -> None:
        super().__init__()
        self.unet, self.dtype = unet, dtype

    def forward(self, x: Tensor, timesteps: Tensor, context: Tensor | None = None, y: Tensor | None = None) -> Tensor:
        """Predict; arguments as `UNetModel.forward`. Returns [B, out_channels, h, w] float32."""
        if context is not None:
            context = context.to(self.dtype)
        if y is not None and y.is_floating_point():
            y = y.to(self.dtype)
        return self.unet(x.to(self.dtype), timesteps, context, y).float()
