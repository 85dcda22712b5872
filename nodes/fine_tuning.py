"""What training a part of a loaded model needs: its networks of its own, what it is told, and samples to judge by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import InputProblem
from engine.models.device import Device
from engine.models.handles import VAE, Model, TextEncoder
from engine.values import Conditioning, TrainingSet

if TYPE_CHECKING:
    from torch import Tensor

    from engine.ldm.conditioners.text import BERTEmbedder
    from engine.ldm.latent_diffusion import LatentDiffusion
    from engine.ldm.training.conditions import Conditions

SAMPLES = 16


@dataclass(frozen=True, eq=False)
class Subject:
    """A loaded model's networks, which nobody else has, in float32: what is trained must not drown in rounding."""

    whole: LatentDiffusion
    encoder: BERTEmbedder | None

    @classmethod
    def of(cls, model: Model, clip: TextEncoder | None, vae: VAE, training_set: TrainingSet, device: str) -> Subject:
        """Load the networks.

        Raises:
            InputProblem: they do not belong together.
            ModelFileError: one cannot be loaded.
        """
        from engine.ldm.autoencoder import AutoencoderKL, VQModel
        from engine.ldm.training.stages import assembled

        channels, own = training_set.mean.shape[1], model.config.unet.out_channels
        if {channels, vae.config.embed_dim} != {own}:
            raise InputProblem(
                f"the latents have {channels} channels, the VAE makes {vae.config.embed_dim} and the model takes "
                f"{own}; use the VAE of the model's checkpoint, also in Encode Pictures",
                "training_set",
            )
        exact = Device(device)
        encoder = None if clip is None else clip.build(exact)
        if encoder is not None and encoder.config.dim != model.config.unet.context_dim:
            raise InputProblem(
                f"the text encoder's words are {encoder.config.dim} wide, this model reads "
                f"{model.config.unet.context_dim or 'none'}; use the text encoder of the same checkpoint",
                "clip",
            )
        stage = vae.build(exact)
        first_stage = stage if isinstance(stage, AutoencoderKL | VQModel) else None  # a model of pixels has none
        return cls(assembled(model.config, model.build(exact).unet, first_stage, encoder), encoder)

    def told(self, training_set: TrainingSet, positive: Conditioning | None, dropout: float) -> Conditions:
        """What the model is told while it learns: `positive` where there is one, else captions, else nothing.

        Raises:
            InputProblem: there is nothing that this model can be told.
        """
        from engine.ldm.condition import Condition
        from engine.ldm.training.conditions import CaptionConditions, FixedCondition, NoConditions

        key = self.whole.config.conditioning_key
        if positive is not None:
            part = positive.parts[0]
            return FixedCondition(Condition(part.concat, part.context, part.y))
        if key == "crossattn" and self.encoder is not None:
            return CaptionConditions(self.encoder, training_set.captions, dropout)
        if key is None:
            return NoConditions()
        raise InputProblem(
            "this model has to be told something about each picture; connect its text encoder to clip, or what it is "
            "told to positive",
            "positive",
        )

    def samples(self, captions: list[str], conditions: Conditions) -> Tensor:
        """Pictures to judge the training by, with the same noise each time: [N, H, W, 3] in [0, 1].

        Args:
            captions: What to ask for, where the model is told captions.
        """
        import torch

        from engine.ldm.training.conditions import CaptionConditions
        from engine.ldm.training.stages import sample_captions, sample_conditions

        if isinstance(conditions, CaptionConditions):
            return sample_captions(self.whole, captions)
        rows = torch.zeros(SAMPLES, dtype=torch.int64)
        told = conditions.draw(rows, torch.Generator().manual_seed(0)).to(self.whole.device)
        return sample_conditions(self.whole, SAMPLES, told)


def some_captions(training_set: TrainingSet) -> list[str]:
    """Names of pictures from all over a training set."""
    names = [texts[0] for texts in training_set.captions]
    return names[:: max(1, len(names) // SAMPLES)][:SAMPLES]
