"""What the first stage is trained by: which parts the paper's loss has here, and how strong each is."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from engine.ldm.autoencoder import AutoencoderConfig
from engine.ldm.training.autoencoder_loss import AdversarialConfig, KLLoss, VQLoss
from engine.ldm.training.classifier import Classifier
from engine.ldm.training.discriminator import PatchDiscriminator
from engine.ldm.training.distances import FeatureDistance, PyramidDistance, WeightedDistances


@dataclass(frozen=True)
class FirstStageLoss:
    """What the first stage is trained by, besides the mean absolute error.

    `kl_weight`: of the KL term against a sum over pixels, 1e-6 in the paper; `codebook_weight` in its place for a VQ
    autoencoder. `pyramid_weight`: of the pyramid of details; `perceptual_weight`: of the distance of a classifier's
    features, where there is one. `adversarial`: how the patch discriminator is used, None trains without one;
    `disc_channels` and `disc_layers` are its first layer's width and its halvings.
    """

    kl_weight: float = 1e-6
    codebook_weight: float = 1.0
    pyramid_weight: float = 1.0
    perceptual_weight: float = 1.0
    classifier: Classifier | None = None
    adversarial: AdversarialConfig | None = None
    disc_channels: int = 64
    disc_layers: int = 3

    def build(self, config: AutoencoderConfig) -> KLLoss | VQLoss:
        """Make the loss for an autoencoder; the discriminator's initial weights come from torch's own generator."""
        parts: list[tuple[float, nn.Module]] = []
        if self.pyramid_weight:
            parts.append((self.pyramid_weight, PyramidDistance()))
        if self.classifier is not None and self.perceptual_weight:
            parts.append((self.perceptual_weight, FeatureDistance(self.classifier)))
        distance = WeightedDistances(parts) if parts else None
        judge = None
        if self.adversarial is not None:
            judge = PatchDiscriminator(config.out_ch, self.disc_channels, self.disc_layers)
        adversarial = self.adversarial or AdversarialConfig(disc_start=0)
        if config.n_embed is None:
            return KLLoss(adversarial, distance, judge, self.kl_weight)
        return VQLoss(adversarial, distance, judge, self.codebook_weight)
