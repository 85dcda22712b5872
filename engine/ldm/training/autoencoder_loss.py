"""The paper's loss of the first stage: reconstruction (L1 + LPIPS), regularisation, and a patch discriminator.

Two optimisers take turns: `generator` trains the autoencoder, `discriminator_loss` the judge. The adversarial part
starts at `disc_start` and is weighted so that its gradient at the decoder's last layer is as long as that of the
reconstruction.

Source: Esser et al. 2021 (arXiv:2012.09841), eq. 6-7; Rombach et al. 2022 (arXiv:2112.10752), appendix G;
ldm/modules/losses/{contperceptual,vqperceptual}.py of CompVis/latent-diffusion, whose checkpoint keys (`loss.*`) these
are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from engine.ldm.autoencoder import DiagonalGaussian
from engine.ldm.training.discriminator import PatchDiscriminator, hinge_loss, vanilla_loss

LARGEST_WEIGHT = 1e4  # of the adversarial part, before `disc_weight`


@dataclass(frozen=True)
class AdversarialConfig:
    """Settings both first stages share; the names are those of the original's `lossconfig`.

    `disc_start`: step at which the adversarial part begins. `disc_factor` 0 leaves it out altogether.
    """

    disc_start: int
    disc_weight: float = 1.0
    disc_factor: float = 1.0
    disc_loss: Literal["hinge", "vanilla"] = "hinge"
    perceptual_weight: float = 1.0


@dataclass(frozen=True)
class GeneratorLosses:
    """`total` is what the autoencoder minimises; the others, detached, are for the log.

    `regularization`: the KL term or the codebook loss, unweighted. `d_weight`: the adversarial part's adaptive weight.
    """

    total: Tensor
    nll: Tensor
    reconstruction: Tensor
    perceptual: Tensor
    regularization: Tensor
    adversarial: Tensor
    d_weight: Tensor


@dataclass(frozen=True)
class DiscriminatorLosses:
    """`total` is what the discriminator minimises; the mean logits, detached, are for the log."""

    total: Tensor
    logits_real: Tensor
    logits_fake: Tensor


class AutoencoderLoss(nn.Module):
    """What `KLLoss` and `VQLoss` share. Both networks may be left out: no perceptual part, no adversarial part.

    Args:
        perceptual: `LPIPS` or another distance of pictures with nothing to learn (`distances`).
    """

    def __init__(
        self, config: AdversarialConfig, perceptual: nn.Module | None, discriminator: PatchDiscriminator | None
    ) -> None:
        super().__init__()
        self.config = config
        self.perceptual_loss = perceptual
        self.discriminator = discriminator

    def discriminator_loss(self, x: Tensor, reconstruction: Tensor, step: int) -> DiscriminatorLosses:
        """Tell real pictures from reconstructions, both [B, 3, H, W] in [-1, 1]; 0 before `disc_start`."""
        if self.discriminator is None:
            raise ValueError("this loss has no discriminator to train")
        real, fake = self.discriminator(x.detach()), self.discriminator(reconstruction.detach())
        loss = hinge_loss if self.config.disc_loss == "hinge" else vanilla_loss
        return DiscriminatorLosses(self._factor(step) * loss(real, fake), real.mean().detach(), fake.mean().detach())

    def _distance(self, x: Tensor, reconstruction: Tensor) -> tuple[Tensor, Tensor]:
        """|x - y| plus the perceptual distance, [B, 3, H, W], and the latter alone."""
        pixels = (x - reconstruction).abs()
        if self.perceptual_loss is None or self.config.perceptual_weight == 0:
            return pixels, torch.zeros((), device=x.device)
        perceptual = self.perceptual_loss(x, reconstruction)
        return pixels + self.config.perceptual_weight * perceptual, perceptual

    def _generator(
        self,
        nll: Tensor,
        distance: tuple[Tensor, Tensor],
        regularization: Tensor,
        weight: float,
        reconstruction: Tensor,
        step: int,
        last_layer: Tensor,
        judged: bool,
    ) -> GeneratorLosses:
        """Join the parts: nll + weight * regularization + d_weight * factor * adversarial."""
        adversarial = d_weight = torch.zeros((), device=nll.device)
        if self.discriminator is not None and judged:
            adversarial = -self.discriminator(reconstruction).mean()
            if self.config.disc_factor > 0:
                d_weight = self.config.disc_weight * _adaptive_weight(nll, adversarial, last_layer)
        total = nll + weight * regularization + d_weight * self._factor(step) * adversarial
        parts = (nll, distance[0].mean(), distance[1].mean(), regularization, adversarial, d_weight)
        return GeneratorLosses(total, *(part.detach() for part in parts))

    def _factor(self, step: int) -> float:
        return self.config.disc_factor if step >= self.config.disc_start else 0.0


class KLLoss(AutoencoderLoss):
    """Loss of the KL autoencoder; sums over pixels, means over the batch. `logvar`: of all pixels, learnable.

    Args:
        kl_weight: Weight of KL(q(z|x) || N(0, 1)), tiny in the paper (1e-6).
    """

    def __init__(
        self,
        config: AdversarialConfig,
        perceptual: nn.Module | None = None,
        discriminator: PatchDiscriminator | None = None,
        kl_weight: float = 1e-6,
        logvar_init: float = 0.0,
    ) -> None:
        super().__init__(config, perceptual, discriminator)
        self.kl_weight = kl_weight
        self.logvar = nn.Parameter(torch.tensor(logvar_init))

    def generator(
        self,
        x: Tensor,
        reconstruction: Tensor,
        posterior: DiagonalGaussian,
        step: int,
        last_layer: Tensor,
        judged: bool = True,
    ) -> GeneratorLosses:
        """Compare pictures with their reconstructions.

        Args:
            x, reconstruction: [B, 3, H, W] in [-1, 1].
            posterior: q(z|x).
            step: Counts training steps, for `disc_start`.
            last_layer: Weight of the decoder's last convolution.
            judged: Off, the discriminator is not asked; before `disc_start` that saves work and changes only the log.
        """
        distance = self._distance(x, reconstruction)
        nll = (distance[0] / self.logvar.exp() + self.logvar).sum() / len(x)
        kl = posterior.kl().sum() / len(x)
        return self._generator(nll, distance, kl, self.kl_weight, reconstruction, step, last_layer, judged)


class VQLoss(AutoencoderLoss):
    """Loss of the VQ autoencoder; means over pixels and batch.

    Args:
        codebook_weight: Weight of the codebook loss.
    """

    def __init__(
        self,
        config: AdversarialConfig,
        perceptual: nn.Module | None = None,
        discriminator: PatchDiscriminator | None = None,
        codebook_weight: float = 1.0,
    ) -> None:
        super().__init__(config, perceptual, discriminator)
        self.codebook_weight = codebook_weight

    def generator(
        self,
        x: Tensor,
        reconstruction: Tensor,
        codebook_loss: Tensor,
        step: int,
        last_layer: Tensor,
        judged: bool = True,
    ) -> GeneratorLosses:
        """As `KLLoss.generator`, with the scalar codebook loss (`Quantization.loss`) in place of the posterior."""
        distance = self._distance(x, reconstruction)
        return self._generator(
            distance[0].mean(),
            distance,
            codebook_loss.mean(),
            self.codebook_weight,
            reconstruction,
            step,
            last_layer,
            judged,
        )


def codebook_use(indices: Tensor, n_embed: int) -> tuple[Tensor, Tensor]:
    """Tell how evenly the codebook is used: (perplexity, number of entries used) of indices [B, h, w].

    Source: `measure_perplexity` of CompVis/latent-diffusion, ldm/modules/losses/vqperceptual.py.
    """
    share = torch.bincount(indices.flatten(), minlength=n_embed).float() / indices.numel()
    return (-(share * (share + 1e-10).log()).sum()).exp(), (share > 0).sum()


def _adaptive_weight(nll: Tensor, adversarial: Tensor, last_layer: Tensor) -> Tensor:
    """|grad nll| / (|grad adversarial| + 1e-4) at the decoder's last layer, at most 1e4 (Esser et al. 2021, eq. 7)."""
    (nll_gradient,) = torch.autograd.grad(nll, last_layer, retain_graph=True)
    (adversarial_gradient,) = torch.autograd.grad(adversarial, last_layer, retain_graph=True)
    ratio = nll_gradient.square().sum().sqrt() / (adversarial_gradient.square().sum().sqrt() + 1e-4)
    return ratio.clamp(0.0, LARGEST_WEIGHT).detach()
