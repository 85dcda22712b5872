"""First stage: learn the perceptual autoencoder from pictures.

The paper's loss is L1 + LPIPS + a patch discriminator + a small KL term. LPIPS needs a VGG that cannot be had here,
so the perceptual term compares Laplacian pyramids instead: L1 at every scale of detail, which keeps edges that plain L1
blurs (Ling & Okada 2006; used for generators by Bojanowski et al. 2018, arXiv:1707.05776).

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
        return {
            "loss": l1 + self.pyramid_weight * pyramid + self.kl_weight * kl,
            "l1": l1,
            "pyramid": pyramid,
            "kl": kl,
        }


def narrow_posterior(module: AutoencoderKL, log_variance: float = -6.0) -> None:
    """Start with a small posterior variance, so that reconstruction is learnt before noise drowns the signal.

    With PyTorch's initialisation q(z|x) starts with a variance near 1 around a mean near 0, and the first thousand
    steps go into growing the mean.
    """
    embed_dim = module.config.embed_dim
    with torch.no_grad():
        module.quant_conv.weight[embed_dim:].mul_(0.1)
        assert module.quant_conv.bias is not None
        module.quant_conv.bias[embed_dim:].fill_(log_variance)


def augment(x: Tensor, draw: torch.Generator, max_shift: int) -> Tensor:
    """Flip half of the pictures and shift the batch by up to `max_shift` pixels. x: [B, 3, H, W], same out."""
    flip = torch.rand(len(x), generator=draw) < 0.5
    x = torch.where(flip[:, None, None, None], x.flip(-1), x)
    if max_shift == 0:
        return x
    dx, dy = (int(value) for value in torch.randint(2 * max_shift + 1, (2,), generator=draw))
    padded = F.pad(x, (max_shift, max_shift, max_shift, max_shift), mode="replicate")
    return padded[:, :, dy : dy + x.shape[2], dx : dx + x.shape[3]]


def laplacian_pyramid_loss(y: Tensor, x: Tensor, levels: int = 3) -> Tensor:
    """Sum over levels of the mean absolute difference of the detail that each halving removes, and of what is left.

    What is left is colour: without it a small model first learns shapes in one hue and finds the others late.

    y, x: [B, C, H, W], sides divisible by 2^levels. Returns a scalar.
    """
    total = y.new_zeros(())
    for _ in range(levels):
        small_y, small_x = F.avg_pool2d(y, 2), F.avg_pool2d(x, 2)
        detail_y = y - F.interpolate(small_y, scale_factor=2.0, mode="nearest")
        detail_x = x - F.interpolate(small_x, scale_factor=2.0, mode="nearest")
        total = total + (detail_y - detail_x).abs().mean()
        y, x = small_y, small_x
    return total + (y - x).abs().mean()
