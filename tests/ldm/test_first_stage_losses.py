"""The first stage's losses against the original's, with its narrow stand-in for VGG16."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from engine.ldm.autoencoder import DiagonalGaussian
from engine.ldm.training.autoencoder_loss import AdversarialConfig, AutoencoderLoss, KLLoss, VQLoss, codebook_use
from engine.ldm.training.discriminator import PatchDiscriminator, hinge_loss, vanilla_loss
from engine.ldm.training.perceptual import LPIPS, VGG_WIDTHS
from engine.ldm.weights import load_strict
from tests.ldm import fixtures

NAME = "first_stage_losses"
WIDTHS = [width // 16 for width in VGG_WIDTHS]
CONFIG = AdversarialConfig(disc_start=5, disc_weight=0.5)


def loss_of(kind: str) -> AutoencoderLoss:
    config = CONFIG if kind == "kl" else replace(CONFIG, disc_weight=0.75)
    parts = config, LPIPS(WIDTHS), PatchDiscriminator(width=16, layers=2)
    loss = KLLoss(*parts) if kind == "kl" else VQLoss(*parts)
    weights = fixtures.weights(NAME)
    load_strict(loss, {k.removeprefix(f"{kind}."): v for k, v in weights.items() if k.startswith(f"{kind}.")})
    return loss.train()


def reconstruction(io: fixtures.Tensors) -> tuple[torch.Tensor, torch.Tensor]:
    """The fixture's reconstruction, made by its last layer, whose weight the gradients are taken at."""
    layer = nn.Conv2d(8, 3, 3, padding=1)
    load_strict(layer, {k: fixtures.weights(NAME)[f"last_layer.{k}"] for k in ("weight", "bias")})
    made = layer(io["feat"])
    fixtures.assert_close(made, io["rec"])
    return made, layer.weight


@pytest.mark.parametrize("step", [0, 10])
@pytest.mark.parametrize("kind", ["kl", "vq"])
def test_the_generators_loss_is_the_originals(kind, step):
    io, expected = fixtures.io(NAME), fixtures.config(NAME)["values"][f"{kind}.step{step}.opt0"]
    loss = loss_of(kind)
    made, last_layer = reconstruction(io)
    if isinstance(loss, KLLoss):
        posterior = DiagonalGaussian.from_moments(io["moments"])
        losses = loss.generator(io["inputs"], made, posterior, step, last_layer)
        names = {"kl_loss": losses.regularization}
    else:
        losses = loss.generator(io["inputs"], made, torch.tensor(0.37), step, last_layer)
        names = {"quant_loss": losses.regularization, "p_loss": losses.perceptual}
    names |= {
        "total_loss": losses.total,
        "nll_loss": losses.nll,
        "rec_loss": losses.reconstruction,
        "g_loss": losses.adversarial,
        "d_weight": losses.d_weight,
    }
    for name, value in names.items():
        assert fixtures.close(value.item(), expected[f"train/{name}"]), name
    assert losses.total.requires_grad


@pytest.mark.parametrize("step", [0, 10])
@pytest.mark.parametrize("kind", ["kl", "vq"])
def test_the_discriminators_loss_is_the_originals(kind, step):
    io, expected = fixtures.io(NAME), fixtures.config(NAME)["values"][f"{kind}.step{step}.opt1"]
    losses = loss_of(kind).discriminator_loss(io["inputs"], io["rec"], step)
    assert fixtures.close(losses.total.item(), expected["loss"])
    assert fixtures.close(losses.logits_real.item(), expected["train/logits_real"])
    assert fixtures.close(losses.logits_fake.item(), expected["train/logits_fake"])


def test_the_perceptual_distance_is_the_originals():
    io = fixtures.io(NAME)
    perceptual = loss_of("kl").perceptual_loss
    assert perceptual is not None
    fixtures.assert_close(perceptual(io["inputs"], io["rec"]), io["lpips"])
    assert perceptual(io["inputs"], io["inputs"]).abs().max() == 0


def test_the_perceptual_network_learns_nothing_and_stays_in_evaluation():
    loss = KLLoss(CONFIG, LPIPS(WIDTHS)).train()
    assert loss.perceptual_loss is not None
    assert not loss.perceptual_loss.training
    assert [name for name, parameter in loss.named_parameters() if parameter.requires_grad] == ["logvar"]


def test_without_networks_the_loss_is_the_absolute_error_and_the_kl_term():
    loss = KLLoss(CONFIG, kl_weight=0.5)
    x, layer = torch.zeros(2, 3, 4, 4), nn.Conv2d(1, 3, 1)
    posterior = DiagonalGaussian(torch.ones(2, 1, 1, 1), torch.zeros(2, 1, 1, 1))
    losses = loss.generator(x, x + 0.25, posterior, 10, layer.weight)
    assert losses.total.item() == pytest.approx(0.25 * 48 + 0.5 * 0.5)
    with pytest.raises(ValueError, match="no discriminator"):
        loss.discriminator_loss(x, x, 0)


def test_gan_losses_of_an_undecided_judge():
    zero = torch.zeros(3)
    assert hinge_loss(zero, zero) == 1
    assert vanilla_loss(zero, zero).item() == pytest.approx(0.6931472)


@pytest.mark.parametrize("layers", [1, 2, 3, 4])
def test_the_discriminator_judges_patches(layers):
    assert PatchDiscriminator(width=4, layers=layers)(torch.zeros(2, 3, 64, 64)).shape[:2] == (2, 1)


def test_perplexity_counts_the_entries_in_even_use():
    perplexity, used = codebook_use(torch.arange(8).reshape(2, 2, 2), 16)
    assert perplexity.item() == pytest.approx(8)
    assert used == 8
