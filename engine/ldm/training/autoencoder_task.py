"""First stage: learn the perceptual autoencoder from pictures, with its discriminator where it has one.

The paper's two optimisers take turns on each batch. Here the discriminator judges the reconstruction that the
autoencoder was just judged by, where the original makes it anew with the weights after the step, at a third more work.

Source: Rombach et al. 2022 (arXiv:2112.10752), sec. 3.1 and appendix G; `training_step` of CompVis/latent-diffusion,
ldm/models/autoencoder.py.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.ldm.autoencoder import Autoencoder, AutoencoderKL, VQModel
from engine.ldm.training.autoencoder_loss import GeneratorLosses, KLLoss, VQLoss, codebook_use
from engine.ldm.training.codebook import restart_unused
from engine.ldm.training.pictures import PictureSet

RESTART_EVERY, RESTART_ROWS = 50, 48
"""Steps between restarts of unused codebook entries, and the pictures that decide which are unused: about a fiftieth of
the work at 8 pictures a batch, and at 64 pixels and f = 4 twelve cells for each of 1,024 entries."""


class AutoencoderTask:
    """Reconstruct random flips and shifts of pictures.

    Args:
        module: What is trained: KL with a `KLLoss`, VQ with a `VQLoss`.
        objective: The paper's loss; its perceptual part and its discriminator may be left out. The KL loss, a sum over
            pixels, is divided by their number, so that losses and gradients do not grow with the picture.
        max_shift: Largest shift in pixels.

    Raises:
        ValueError: The loss is not of the module's kind.
    """

    measures = frozenset({"adversarial weight", "logits real", "logits made", "perplexity", "entries used", "restarts"})

    def __init__(
        self, module: Autoencoder, pictures: PictureSet, objective: KLLoss | VQLoss, max_shift: int = 4
    ) -> None:
        if isinstance(module, VQModel) != isinstance(objective, VQLoss):
            raise ValueError(f"{type(module).__name__} cannot be trained with {type(objective).__name__}")
        self.module = module
        self.pictures = pictures
        self.objective = objective
        self.max_shift = max_shift
        self._step = 0
        self._restarts = 0

    @property
    def rows(self) -> int:
        return len(self.pictures)

    @property
    def adversary(self) -> nn.Module | None:
        return self.objective.discriminator

    def begin(self, step: int, draw: torch.Generator) -> None:
        """Move unused codebook entries, every so many steps."""
        device = next(self.module.parameters()).device
        self.objective.to(device)
        self._step, self._restarts = step, 0
        if isinstance(self.module, VQModel) and step % RESTART_EVERY == 0:
            rows = torch.randint(self.rows, (RESTART_ROWS,), generator=draw)
            self._restarts = restart_unused(self.module, self.pictures.batch(rows).to(device), draw)

    def loss(self, indices: Tensor, draw: torch.Generator) -> Mapping[str, Tensor]:
        x = augment(self.pictures.batch(indices), draw, self.max_shift)
        x = x.to(next(self.module.parameters()).device)
        judged = self.adversary is not None and self._step >= self.objective.config.disc_start
        if isinstance(self.module, VQModel):
            y, losses, terms = self._quantised(self.module, x, judged)
        else:
            y, losses, terms = self._gaussian(self.module, x, judged, draw)
        perceptual = self.objective.config.perceptual_weight * losses.perceptual
        terms |= {"l1": losses.reconstruction - perceptual, "perceptual": perceptual}
        if judged:
            discriminator = self.objective.discriminator_loss(x, y, self._step)
            terms |= {
                "adversary_loss": discriminator.total,
                "adversarial weight": losses.d_weight,
                "logits real": discriminator.logits_real,
                "logits made": discriminator.logits_fake,
            }
        return terms

    def _gaussian(
        self, module: AutoencoderKL, x: Tensor, judged: bool, draw: torch.Generator
    ) -> tuple[Tensor, GeneratorLosses, dict[str, Tensor]]:
        assert isinstance(self.objective, KLLoss)
        posterior = module.encode(x)
        y = module.decode(posterior.sample(torch.randn(posterior.mean.shape, generator=draw).to(x.device)))
        losses = self.objective.generator(x, y, posterior, self._step, _last_layer(module), judged)
        pixels = x[0].numel()
        return y, losses, {"loss": losses.total / pixels, "kl": losses.regularization / pixels}

    def _quantised(self, module: VQModel, x: Tensor, judged: bool) -> tuple[Tensor, GeneratorLosses, dict[str, Tensor]]:
        assert isinstance(self.objective, VQLoss)
        quantization = module.encode(x)
        y = module.decode(quantization.quantized, quantize=False)
        losses = self.objective.generator(x, y, quantization.loss, self._step, _last_layer(module), judged)
        perplexity, used = codebook_use(quantization.indices, module.quantize.embedding.num_embeddings)
        terms = {
            "loss": losses.total,
            "codebook": losses.regularization,
            "perplexity": perplexity,
            "entries used": used,
            "restarts": torch.tensor(float(self._restarts)),
        }
        return y, losses, terms


def _last_layer(module: Autoencoder) -> Tensor:
    return module.decoder.conv_out.weight


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
