"""Two conditions at once: one beside the latent, one for cross-attention."""

from __future__ import annotations

from torch import Tensor, nn

from engine.ldm.condition import Condition


class HybridConditioner(nn.Module):
    """Run a spatial conditioner and a context conditioner side by side.

    Source: `HybridConditioner` of CompVis/latent-diffusion, ldm/modules/diffusionmodules/util.py.
    """

    def __init__(self, concat_conditioner: nn.Module, crossattn_conditioner: nn.Module) -> None:
        super().__init__()
        self.concat_conditioner = concat_conditioner
        self.crossattn_conditioner = crossattn_conditioner

    def forward(self, spatial: Tensor, context: Tensor) -> Condition:
        """Each argument is what its conditioner takes. Returns both results as one condition."""
        return Condition(concat=self.concat_conditioner(spatial), context=self.crossattn_conditioner(context))
