"""The first stage learns, KL and VQ, alone and against a discriminator, and resumes exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from engine.errors import Cancelled
from engine.ldm.autoencoder import AutoencoderConfig, AutoencoderKL, VQModel
from engine.ldm.training.autoencoder_loss import AdversarialConfig, KLLoss, VQLoss
from engine.ldm.training.autoencoder_task import RESTART_EVERY, AutoencoderTask, augment, narrow_posterior
from engine.ldm.training.classifier import Classifier, ClassifierConfig
from engine.ldm.training.codebook import measure_use, restart_unused
from engine.ldm.training.first_stage_loss import FirstStageLoss
from engine.ldm.training.loop import FitSettings, StepReport
from engine.ldm.training.pictures import Picture, PictureSet
from engine.ldm.training.stages import train_autoencoder

SETTINGS = FitSettings(steps=30, batch_size=4, learning_rate=3e-3, warm_up=3)
SHORT = replace(SETTINGS, steps=5, ema_decay=0)
KL = AutoencoderConfig(16, (1, 2), 1, 3, 3, resolution=16, norm_groups=4)
VQ = replace(KL, n_embed=32)
JUDGED = FirstStageLoss(adversarial=AdversarialConfig(disc_start=2), disc_channels=8, disc_layers=1)


def shapes() -> PictureSet:
    """Four flat squares of different colour on white."""
    pixels = torch.full((4, 3, 16, 16), 255, dtype=torch.uint8)
    for row in range(4):
        pixels[row, row % 3, 4:12, 4:12] = 20
    return PictureSet(tuple(Picture(Path(f"{row}.png"), f"square {row}") for row in range(4)), pixels)


def stop_after(step: int):
    def listen(report: StepReport) -> None:
        if report.step == step:
            raise Cancelled("stopped")

    return listen


def weights(module: torch.nn.Module) -> Mapping[str, Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


@pytest.mark.parametrize("config", [KL, VQ], ids=["kl", "vq"])
def test_the_autoencoder_learns_to_reconstruct(config: AutoencoderConfig):
    module, history = train_autoencoder(shapes(), config, SETTINGS)
    assert sum(history.losses["l1"][-5:]) < 0.6 * sum(history.losses["l1"][:5])
    assert isinstance(module, VQModel) == (config is VQ)
    assert not module.training and not any(parameter.requires_grad for parameter in module.parameters())


@pytest.mark.parametrize("mult", [(1,), (1, 1), (1, 1, 1), (1, 1, 1, 1)])
@pytest.mark.parametrize("config", [KL, VQ], ids=["kl", "vq"])
def test_every_factor_of_the_paper_is_trained(config: AutoencoderConfig, mult: tuple[int, ...]):
    module, _ = train_autoencoder(shapes(), replace(config, ch_mult=mult), replace(SHORT, steps=2))
    side = 16 // 2 ** (len(mult) - 1)
    assert module.encode_mode(shapes().batch(torch.arange(2))).shape == (2, 3, side, side)


def test_the_loss_is_the_sum_of_its_weighted_parts():
    loss = FirstStageLoss(kl_weight=0.5, pyramid_weight=2.0)
    _, history = train_autoencoder(shapes(), KL, replace(SHORT, steps=1), loss=loss)
    parts = {name: values[0] for name, values in history.losses.items()}
    assert parts["loss"] == pytest.approx(parts["l1"] + parts["perceptual"] + 0.5 * parts["kl"], rel=1e-4)


def test_pictures_and_their_copies_are_shown_on_the_way_and_training_is_not_disturbed():
    shown: list[tuple[int, Tensor]] = []
    watched, _ = train_autoencoder(
        shapes(), VQ, SHORT, on_sample=lambda step, sheet: shown.append((step, sheet)), sample_every=2
    )
    assert [step for step, _ in shown] == [2, 4]
    sheet = shown[0][1]
    assert sheet.shape == (8, 16, 16, 3) and sheet.min() >= 0 and sheet.max() <= 1
    torch.testing.assert_close(sheet[:4], shapes().pixels.movedim(1, -1) / 255)
    alone, _ = train_autoencoder(shapes(), VQ, SHORT)
    assert all(torch.equal(value, weights(alone)[name]) for name, value in weights(watched).items())


def test_a_loss_of_the_other_kind_is_refused():
    with pytest.raises(ValueError, match="VQModel cannot be trained with KLLoss"):
        AutoencoderTask(VQModel(VQ), shapes(), KLLoss(AdversarialConfig(0)))
    with pytest.raises(ValueError, match="AutoencoderKL cannot be trained with VQLoss"):
        AutoencoderTask(AutoencoderKL(KL), shapes(), VQLoss(AdversarialConfig(0)))


# ------------------------------------------------------------------------------------------------------- discriminator


@pytest.mark.parametrize("config", [KL, VQ], ids=["kl", "vq"])
def test_the_discriminator_starts_at_its_step_and_changes_nothing_before(config: AutoencoderConfig):
    alone, without = train_autoencoder(shapes(), config, replace(SHORT, steps=2))
    same, _ = train_autoencoder(shapes(), config, replace(SHORT, steps=2), loss=JUDGED)
    assert all(torch.equal(value, weights(alone)[name]) for name, value in weights(same).items())

    judged, history = train_autoencoder(shapes(), config, SHORT, loss=JUDGED)
    plain, _ = train_autoencoder(shapes(), config, SHORT)
    assert len(history.losses["adversary_loss"]) == len(history.measures["adversarial weight"]) == 3
    assert min(history.measures["adversarial weight"]) > 0
    assert "adversary_loss" not in without.losses
    assert any(not torch.equal(value, weights(plain)[name]) for name, value in weights(judged).items())


@pytest.mark.parametrize("weight", [0.5, 1.0])
def test_the_adversarial_part_pulls_at_the_last_layer_as_hard_as_asked(weight: float):
    torch.manual_seed(0)
    module = AutoencoderKL(KL)
    x = shapes().batch(torch.arange(4))
    loss = replace(JUDGED, adversarial=AdversarialConfig(disc_start=0, disc_weight=weight)).build(KL)
    assert isinstance(loss, KLLoss)
    posterior = module.encode(x)
    y, last = module.decode(posterior.mean), module.decoder.conv_out.weight
    totals = (loss.generator(x, y, posterior, 0, last, judged).total for judged in (True, False))
    both, alone = (torch.autograd.grad(total, last, retain_graph=True)[0] for total in totals)
    assert float((both - alone).norm()) == pytest.approx(weight * float(alone.norm()), rel=2e-2)


def test_a_trained_discriminator_tells_the_pictures_from_what_is_made():
    judge = replace(JUDGED, adversarial=AdversarialConfig(disc_start=0, disc_weight=1e-6))
    _, history = train_autoencoder(shapes(), KL, replace(SETTINGS, steps=40, learning_rate=1e-2), loss=judge)
    real, made = (history.measures[name] for name in ("logits real", "logits made"))
    assert sum(real[10:20]) > sum(made[10:20])


@pytest.mark.parametrize("stop", [1, 3])
@pytest.mark.parametrize("config", [KL, VQ], ids=["kl", "vq"])
def test_a_judged_training_that_was_stopped_goes_on_exactly(config: AutoencoderConfig, stop: int, tmp_path: Path):
    whole, history = train_autoencoder(shapes(), config, SHORT, loss=JUDGED)
    file = tmp_path / "state.safetensors"
    with pytest.raises(Cancelled):
        train_autoencoder(shapes(), config, SHORT, file, stop_after(stop), JUDGED)
    resumed, again = train_autoencoder(shapes(), config, SHORT, file, loss=JUDGED)
    assert again.losses == history.losses and again.measures == history.measures
    assert all(torch.equal(value, weights(whole)[name]) for name, value in weights(resumed).items())


# ------------------------------------------------------------------------------------------------------------ codebook


def test_unused_entries_move_onto_cells_every_so_many_steps():
    settings = replace(SHORT, steps=RESTART_EVERY + 1)
    _, history = train_autoencoder(shapes(), VQ, settings)
    moved = history.measures["restarts"]
    assert next(step for step, count in enumerate(moved) if count > 0) == 0
    assert all(count == 0 for step, count in enumerate(moved) if step % RESTART_EVERY)
    assert max(history.measures["entries used"]) > 4
    assert all(1 <= value <= 32 for value in history.measures["perplexity"])


def test_only_unused_entries_move_and_they_move_onto_cells():
    torch.manual_seed(0)
    model = VQModel(replace(VQ, n_embed=300)).eval()
    pictures = shapes().batch(torch.arange(4).repeat(2))
    with torch.no_grad():
        cells = model.encode_mode(pictures).permute(0, 2, 3, 1).reshape(-1, 3)
        model.quantize.embedding.weight[:5] = cells[::100][:5]
        used = model.encode(pictures).indices.unique()
    before = model.quantize.embedding.weight.detach().clone()
    moved = restart_unused(model, pictures, torch.Generator().manual_seed(0))
    after = model.quantize.embedding.weight.detach()
    assert torch.equal(after[used], before[used])
    assert moved == 300 - len(used)
    unused = [entry for entry in range(300) if entry not in set(used.tolist())]
    assert torch.cdist(after[unused], cells).min(dim=1).values.max() < 1e-3


def test_use_is_measured_over_the_whole_set():
    torch.manual_seed(0)
    model = VQModel(VQ).eval()
    use = measure_use(model, shapes())
    chosen = model.encode(shapes().batch(torch.arange(4))).indices
    assert use["entries"] == 32 and use["used"] == len(chosen.unique())
    assert 1 <= use["perplexity"] <= use["used"]


# ------------------------------------------------------------------------------------------------------------ the rest


def test_a_classifier_takes_part_in_the_loss_and_learns_nothing():
    torch.manual_seed(0)
    classifier = Classifier(ClassifierConfig(("a", "b"), (4, 8), 16)).eval()
    before = weights(classifier)
    loss = FirstStageLoss(pyramid_weight=0, classifier=classifier)
    _, history = train_autoencoder(shapes(), KL, SHORT, loss=loss)
    assert min(history.losses["perceptual"]) > 0 and max(history.losses["perceptual"]) < 2
    assert all(torch.equal(value, before[name]) for name, value in weights(classifier).items())


def test_a_narrowed_posterior_hardly_adds_noise():
    torch.manual_seed(0)
    module = AutoencoderKL(KL)
    narrow_posterior(module)
    logvar = module.encode(shapes().batch(torch.arange(4))).logvar
    assert float(logvar.mean().detach()) == pytest.approx(-6.0, abs=0.5)


def test_augmenting_keeps_size_and_moves_by_whole_pixels():
    x = torch.arange(2 * 3 * 8 * 8, dtype=torch.float32).view(2, 3, 8, 8)
    y = augment(x, torch.Generator().manual_seed(1), 2)
    assert y.shape == x.shape
    assert set(y.unique().tolist()) <= set(x.unique().tolist())
    assert torch.equal(augment(x, torch.Generator().manual_seed(0), 0).sort().values, x.sort().values)
