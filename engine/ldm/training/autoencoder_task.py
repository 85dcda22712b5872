"""First stage: learn the perceptual autoencoder from pictures.

The paper's loss is L1 + LPIPS + a patch discriminator + a small KL term. LPIPS needs a VGG that cannot be shipped here,
so the perceptual term compares Laplacian pyramids instead: L1 at every scale of detail, which keeps edges where plain L1
blurs them (Ling & Okada 2006; used for generators by Bojanowski et al. 2018, arXiv:1707.05776).

Source: Rombach et al. 2022 (arXiv:2112.10752), sec. 3.1 and appendix G.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.ldm.autoencoder import AutoencoderKL
from engine.ldm.training.pictures import PictureSet


class AutoencoderTask:
    """Reconstruct random flips and shifts of pictures through a KL autoencoder.

    Args:
        kl_weight: Weight of the KL term per pixel value against a mean absolute error.
        pyramid_weight: Weight of the Laplacian pyramid against L1.
    """

    def __init__(
        self,
        module: AutoencoderKL,
        pictures: PictureSet,
        kl_weight: float = 1e-6,
        pyramid_weight: float = 1.0,
        max_shift: int = 4,
    ) -> None:
        self.module = module
        self.pictures = pictures
        self.kl_weight = kl_weight
        self.pyramid_weight = pyramid_weight
        self.max_shift = max_shift

    @property
    def rows(self) -> int:
        return len(self.pictures)

    def loss(self, indices: Tensor, draw: torch.Generator) -> Mapping[str, Tensor]:
        x = augment(self.pictures.batch(indices), draw, self.max_shift)
        x = x.to(next(self.module.parameters()).device)
        posterior = self.module.encode(x)
        noise = torch.randn(posterior.mean.shape, generator=draw).to(x.device)
        y = self.module.decode(posterior.sample(noise))
        l1 = (y - x).abs().mean()
        pyramid = laplacian_pyramid_loss(y, x)
        kl = posterior.kl().mean() / x[0].numel()
        return {"loss": l1 + self.pyramid_weight * pyramid + self.kl_weight * kl, "l1": l1, "pyramid": pyramid, "kl": kl}


def augment(x: Tensor, draw: torch.Generator, max_shift: int) -> Tensor:
    """Flip half of the pictures and shift the batch by up to `max_shift` pixels. x: [B, 3, H, W], same out."""
    flip = torch.rand(len(x), generator=draw) < 0.5
    x = torch.where(flip[:, None, None, None], x.flip(-1), x)
    dx, dy = torch.randint(-max_shift, max_shift + 1, (2,), generator=draw).tolist()
    return F.pad(x, (max_shift + dx, max_shift - dx, max_shift + dy, max_shift - dy), mode="replicate")[
        :, :, max_shift:-max_shift, max_shift:-max_shift
    ] if max_shift else x


def laplacian_pyramid_loss(y: Tensor, x: Tensor, levels: int = 3) -> Tensor:
    """Sum over levels of the mean absolute difference of the detail that each halving removes.

    y, x: [B, C, H, W], sides divisible by 2^levels. Returns a scalar.
    """
    total = y.new_zeros(())
    for _ in range(levels):
        small_y, small_x = F.avg_pool2d(y, 2), F.avg_pool2d(x, 2)
        detail_y = y - F.interpolate(small_y, scale_factor=2.0, mode="nearest")
        detail_x = x - F.interpolate(small_x, scale_factor=2.0, mode="nearest")
        total = total + (detail_y - detail_x).abs().mean()
        y, x = small_y, small_x
    return total
