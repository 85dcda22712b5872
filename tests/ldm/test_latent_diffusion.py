"""Whole models against the original: every `ldm_*` and `ddpm_*` fixture, loaded strictly under its own keys."""

import json
import math
from pathlib import Path

import pytest
import torch
import yaml
from torch import Tensor

from engine.errors import InputProblem, ModelFileError
from engine.ldm.autoencoder import AutoencoderConfig, build_autoencoder
from engine.ldm.checkpoint import (
    load_autoencoder,
    load_latent_diffusion,
    load_text_encoder,
    load_unet,
    save_autoencoder,
    save_latent_diffusion,
)
from engine.ldm.checkpoint_config import CONFIG_KEY
from engine.ldm.condition import Condition
from engine.ldm.conditioners.classes import ClassConfig
from engine.ldm.conditioners.spatial import (
    RescalerConfig,
    inpainting_condition,
    one_hot_map,
    paste_into_hole,
    superresolution_condition,
)
from engine.ldm.config import HybridConfig, LatentDiffusionConfig
from engine.ldm.latent_diffusion import LatentDiffusion
from engine.ldm.original_config import latent_diffusion_config
from engine.ldm.text.tokenizer import BertTokenizer
from engine.ldm.training.objective import DiffusionObjective, scale_from_std
from engine.ldm.unet import UNetConfig
from engine.ldm.weights import ModelFile, open_model, save_model
from tests.ldm import fixtures

NAMES = [
    "ddpm_pixel_eps",
    "ldm_adm",
    "ldm_inpaint_concat",
    "ldm_layout_bbox",
    "ldm_rdm_clip_context",
    "ldm_semantic_concat",
    "ldm_superres_concat",
    "ldm_txt2img_bert",
    "ldm_uncond_kl_scale_by_std",
    "ldm_uncond_vq",
]
TRAINED = [name for name in NAMES if name.startswith("ldm") and name != "ldm_rdm_clip_context"]
MIX = "l2_elbo0.01_logvar_linspace(-.5,.5,1000)_lsimple0.9"


def load(name: str) -> LatentDiffusion:
    file = open_model(fixtures.fixture_path(name) / "weights.safetensors")
    return load_latent_diffusion(file, latent_diffusion_config(fixtures.config(name)))


def condition_of(name: str, model: LatentDiffusion, io: fixtures.Tensors) -> Condition | None:
    """The condition the fixture was made with, encoded by our conditioner and compared with the original's."""
    match name:
        case "ldm_txt2img_bert" | "ldm_layout_bbox":
            condition = model.encode_condition(io["tokens"])
            fixtures.assert_close(condition.context, io["c"])
        case "ldm_semantic_concat":
            condition = model.encode_condition(one_hot_map(io["segmentation_labels"], 12))
            fixtures.assert_close(condition.concat, io["c"])
        case "ldm_superres_concat":
            picture = io["lr_u8_hwc"].movedim(-1, 1).float() / 255
            condition = model.encode_condition(superresolution_condition(picture))
            fixtures.assert_close(condition.concat, io["c"])
            # The losses were made with the mirrored picture as a second row.
            condition = Condition(concat=torch.cat([io["c"], io["c"].flip(-1)]))
        case "ldm_inpaint_concat":
            image = io["image_u8_hwc"].movedim(-1, 1).float() / 255
            hole = io["mask_u8"][:, None].float() / 255
            condition = Condition(concat=inpainting_condition(image, hole, model.first_stage_model))
            fixtures.assert_close(condition.concat, io["c"])
        case "ldm_adm":
            condition = model.encode_condition(io["y"])
        case _:
            return None
    return condition


def rows(condition: Condition | None, count: int) -> Condition | None:
    """The fixture's losses use two latents, also where its condition has one row."""
    if condition is None:
        return None

    def repeat(part: Tensor | None) -> Tensor | None:
        return part if part is None or len(part) == count else part.repeat(count, *[1] * (part.ndim - 1))

    return Condition(repeat(condition.concat), repeat(condition.context), repeat(condition.y))


@pytest.mark.parametrize("name", NAMES)
def test_a_checkpoint_is_saved_again_with_the_same_keys_and_tensors(name, tmp_path):
    model = load(name)
    save_latent_diffusion(tmp_path / "again.safetensors", model)
    before = open_model(fixtures.fixture_path(name) / "weights.safetensors").tensors()
    after = open_model(tmp_path / "again.safetensors").tensors()
    assert after.keys() == before.keys()
    for key, tensor in before.items():
        assert after[key].dtype == tensor.dtype
        assert torch.equal(after[key], tensor), key


@pytest.mark.parametrize("name", NAMES)
def test_a_saved_checkpoint_needs_no_configuration_beside_it(name, tmp_path):
    model = load(name)
    save_latent_diffusion(tmp_path / "again.safetensors", model)
    assert load_latent_diffusion(open_model(tmp_path / "again.safetensors")).config == model.config


@pytest.mark.parametrize("name", NAMES)
def test_the_schedule_in_the_checkpoint_is_the_one_of_its_configuration(name):
    model = load(name)
    for key, table in model.config.schedule().buffers().items():
        fixtures.assert_close(model.get_buffer(key), table, 1e-6)


@pytest.mark.parametrize("name", TRAINED)
def test_one_call_of_the_network_is_the_originals(name):
    model, io = load(name), fixtures.io(name)
    with torch.no_grad():
        condition = rows(condition_of(name, model, io), 2)
        x_noisy = model.schedule().add_noise(io["p_losses.z"], io["p_losses.t"], io["p_losses.noise"])
        fixtures.assert_close(x_noisy, io["p_losses.x_noisy"])
        fixtures.assert_close(model.apply_model(x_noisy, io["p_losses.t"], condition), io["p_losses.eps"])


@pytest.mark.parametrize("kind", ["l1", "l2", MIX])
@pytest.mark.parametrize("name", TRAINED)
def test_the_training_losses_are_the_originals(name, kind):
    model, io = load(name), fixtures.io(name)
    expected = fixtures.config(name)["p_losses"][kind]
    mix = kind == MIX
    objective = DiffusionObjective(
        model.schedule(),
        loss_type="l1" if kind == "l1" else "l2",
        l_simple_weight=0.9 if mix else 1.0,
        original_elbo_weight=0.01 if mix else 0.0,
    )
    logvar = torch.linspace(-0.5, 0.5, 1000) if mix else None
    losses = objective.losses(io["p_losses.eps"], io["p_losses.z"], io["p_losses.t"], io["p_losses.noise"], logvar)
    assert fixtures.close(losses.total.item(), expected["loss"])
    assert fixtures.close(losses.simple.item(), expected["val/loss_simple"])
    assert fixtures.close(losses.vlb.item(), expected["val/loss_vlb"])
    if mix:
        assert fixtures.close(losses.gamma.item(), expected["val/loss_gamma"])


@pytest.mark.parametrize("name", TRAINED)
def test_the_gradients_of_the_loss_are_the_originals(name):
    model, io = load(name), fixtures.io(name)
    t = io["p_losses.t"]
    condition = rows(condition_of(name, model, io), 2)
    eps = model.apply_model(io["p_losses.x_noisy"], t, condition)
    DiffusionObjective(model.schedule()).losses(eps, io["p_losses.z"], t, io["p_losses.noise"]).total.backward()
    prefix = "p_losses.grad."
    for key in (key for key in io if key.startswith(prefix)):
        gradient = model.unet.get_parameter(key.removeprefix(prefix)).grad
        assert gradient is not None
        scale = io[key].abs().max()
        fixtures.assert_close(gradient / scale, io[key] / scale)
    squares = [p.grad.double().square().sum().item() for p in model.unet.parameters() if p.grad is not None]
    assert fixtures.close(math.sqrt(sum(squares)), fixtures.config(name)["p_losses"]["l2"]["unet_grad_norm"])


def test_a_pixel_model_is_a_latent_model_without_a_first_stage():
    name = "ddpm_pixel_eps"
    model, io = load(name), fixtures.io(name)
    assert model.first_stage_model is None
    schedule, t = model.schedule(), io["t"]
    mean, log_variance = schedule.posterior(io["x"], io["noise"], t)
    fixtures.assert_close(mean, io["q_posterior.mean"])
    fixtures.assert_close(log_variance.float(), io["q_posterior.logvar"])
    with torch.no_grad():
        eps = model.apply_model(schedule.add_noise(io["x"], t, io["noise"]), t)
    for kind, expected in fixtures.config(name)["p_losses"].items():
        objective = DiffusionObjective(schedule, loss_type=kind, original_elbo_weight=0.05)
        losses = objective.losses(eps, io["x"], t, io["noise"])
        assert fixtures.close(losses.total.item(), expected["loss"])
        assert fixtures.close(losses.vlb.item(), expected["val/loss_vlb"])


def test_a_text_condition_of_nothing_is_the_originals():
    name = "ldm_txt2img_bert"
    model, io = load(name), fixtures.io(name)
    with torch.no_grad():
        fixtures.assert_close(model.encode_condition(io["uncond_tokens"]).context, io["uc"])


@pytest.mark.parametrize(
    ("name", "latents"),
    [
        ("ldm_txt2img_bert", "ddim.S10.eta0.cfg5.out"),
        ("ldm_uncond_vq", "ddim.S10.eta0.out"),
        ("ldm_uncond_kl_scale_by_std", "ddim.S10.eta0.out"),
        ("ldm_superres_concat", "ddim.S10.eta1.out"),
        ("ldm_inpaint_concat", "ddim.S10.eta0.out"),
    ],
)
def test_decoding_is_the_originals(name, latents):
    model, io = load(name), fixtures.io(name)
    with torch.no_grad():
        fixtures.assert_close(model.decode_first_stage(io[latents]), io["decoded"])
        if "decoded_noquant" in io:
            fixtures.assert_close(model.decode_first_stage(io[latents], quantize=False), io["decoded_noquant"])


def test_encoding_to_the_mode_is_the_originals():
    model, io = load("ldm_txt2img_bert"), fixtures.io("ldm_txt2img_bert")
    with torch.no_grad():
        fixtures.assert_close(model.encode_first_stage(io["image"]), io["z_mode"])


def test_encoding_a_vq_model_stops_before_the_codebook():
    model, io = load("ldm_uncond_vq"), fixtures.io("ldm_uncond_vq")
    with torch.no_grad():
        fixtures.assert_close(model.encode_first_stage(io["image"]), io["z"])


def test_the_scale_factor_of_the_first_batch_is_the_originals():
    model, io = load("ldm_uncond_kl_scale_by_std"), fixtures.io("ldm_uncond_kl_scale_by_std")
    images = io["batch_image_hwc"].movedim(-1, 1)
    with torch.no_grad():
        z = model.encode_first_stage(images, io["enc_noise"])
    fixtures.assert_close(z, io["z_scaled"])
    assert scale_from_std(z / model.scale_factor) == pytest.approx(io["scale_factor"].item(), rel=1e-5)
    assert model.config.scale_factor == pytest.approx(io["scale_factor"].item())


def test_pasting_the_inpainted_picture_is_the_originals():
    io = fixtures.io("ldm_inpaint_concat")
    image, hole = io["image_u8_hwc"].movedim(-1, 1).float() / 255, io["mask_u8"][:, None].float() / 255
    painted = ((io["decoded"] + 1) / 2).clamp(0, 1)
    pasted = (paste_into_hole(image, hole, painted).movedim(1, -1) * 255).to(torch.uint8)
    assert (pasted.int() - io["inpainted_u8_hwc"].int()).abs().max() <= 1


def test_a_unet_is_loaded_alone_with_its_averages(tmp_path):
    name = "ldm_uncond_vq"
    source = fixtures.fixture_path(name)
    (tmp_path / "model.safetensors").write_bytes((source / "weights.safetensors").read_bytes())
    (tmp_path / "model.yaml").write_text(yaml.safe_dump({"model": fixtures.config(name)}))
    file = open_model(tmp_path / "model.safetensors")
    weights = fixtures.weights(name)
    averaged, trained = load_unet(file), load_unet(file, averages=False)
    for key, tensor in averaged.state_dict().items():
        assert torch.equal(tensor, weights["model_ema.diffusion_model" + key.replace(".", "")])
    for key, tensor in trained.state_dict().items():
        assert torch.equal(tensor, weights["model.diffusion_model." + key])
    assert not any(parameter.requires_grad for parameter in averaged.parameters())


def test_a_unet_is_loaded_with_a_configuration_that_is_nowhere_in_its_file():
    name = "ldm_adm"
    file = open_model(fixtures.fixture_path(name) / "weights.safetensors")
    with pytest.raises(ModelFileError, match="attention heads"):
        load_unet(file)
    config = latent_diffusion_config(fixtures.config(name)).unet
    assert load_unet(file, config=config).config == config


def test_an_autoencoder_is_loaded_alone_and_its_training_loss_left_out(tmp_path):
    weights = fixtures.weights("ae_kl_f8_attn_z16")
    save_model(tmp_path / "ae.safetensors", {**weights, "loss.logvar": torch.zeros(())})
    autoencoder = load_autoencoder(open_model(tmp_path / "ae.safetensors"))
    assert autoencoder.state_dict().keys() == weights.keys()
    save_model(tmp_path / "ae.safetensors", {**weights, "encoder.extra": torch.zeros(())})
    with pytest.raises(ModelFileError, match=r"1 unused: encoder\.extra"):
        load_autoencoder(open_model(tmp_path / "ae.safetensors"))


def test_a_saved_autoencoder_tells_what_its_tensors_do_not(tmp_path):
    config = AutoencoderConfig(ch=16, ch_mult=(1, 1), num_res_blocks=1, norm_groups=4)
    autoencoder = build_autoencoder(config)
    save_autoencoder(tmp_path / "ae.safetensors", autoencoder)
    again = load_autoencoder(open_model(tmp_path / "ae.safetensors"))
    assert again.config == config
    assert torch.equal(again.encode_mode(torch.ones(1, 3, 8, 8)), autoencoder.encode_mode(torch.ones(1, 3, 8, 8)))


def test_a_first_stage_is_read_with_its_own_yaml_beside_it(tmp_path):
    save_model(tmp_path / "ae.safetensors", fixtures.weights("ae_kl_f8_attn_z16"))
    config = {**fixtures.config("ae_kl_f8_attn_z16"), "target": "ldm.models.autoencoder.AutoencoderKL"}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"model": config}))
    assert load_autoencoder(open_model(tmp_path / "ae.safetensors")).config.resolution == 32


def test_a_text_encoder_is_loaded_alone_with_its_vocabulary(tmp_path):
    name = "ldm_txt2img_bert"
    model, io = load(name), fixtures.io(name)
    words = ["apple", "red"] + [f"word{i}" for i in range(293)]
    model.cond_stage_model.tokenizer = BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words])
    path = tmp_path / "model.safetensors"
    save_latent_diffusion(path, model)
    encoder = load_text_encoder(open_model(path))
    with torch.no_grad():
        fixtures.assert_close(encoder(io["tokens"]), io["c"])
        assert torch.equal(encoder.encode(["a red apple"]), model.cond_stage_model.encode(["a red apple"]))
    save_model(path, fixtures.weights(name))
    encoder = load_text_encoder(open_model(path))
    with pytest.raises(InputProblem, match=r"vocab\.txt"):
        encoder.encode([""])
    (tmp_path / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]))
    assert load_text_encoder(open_model(path)).encode(["", "red"]).shape == (2, 77, 32)


def test_a_file_without_the_network_asked_for_says_so(tmp_path):
    save_model(tmp_path / "x.safetensors", {"x": torch.zeros(1)})
    file = open_model(tmp_path / "x.safetensors")
    for load_part, what in ((load_unet, "U-Net"), (load_autoencoder, "autoencoder"), (load_text_encoder, "text")):
        with pytest.raises(ModelFileError, match=f"holds no .*{what}"):
            load_part(file)


def test_a_model_that_is_not_known_needs_its_configuration(tmp_path):
    path = tmp_path / "mine.safetensors"
    save_model(path, fixtures.weights("ldm_uncond_vq"))
    with pytest.raises(ModelFileError, match=r"mine\.yaml"):
        load_latent_diffusion(open_model(path))
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"model": fixtures.config("ldm_uncond_vq")}))
    assert load_latent_diffusion(open_model(path)).config.unet.num_head_channels == 32
    save_model(tmp_path / "another.safetensors", {"x": torch.zeros(1)})
    with pytest.raises(ModelFileError, match=r"mine\.yaml"):  # config.yaml may now belong to the other
        load_latent_diffusion(open_model(path))


@pytest.mark.parametrize(
    "text", ["[1, 2]", "model: 3", "model: {params: {}}", "a: [", "model: {params: {unet_config: 1}}"]
)
def test_a_damaged_configuration_is_one_sentence(tmp_path, text):
    path = tmp_path / "mine.safetensors"
    save_model(path, fixtures.weights("ldm_adm"))
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(ModelFileError):
        load_latent_diffusion(open_model(path))


def test_a_configuration_that_does_not_fit_is_reported_by_key(tmp_path):
    config = json.loads(json.dumps(fixtures.config("ldm_adm")))
    config["params"]["unet_config"]["params"]["model_channels"] = 64
    file = open_model(fixtures.fixture_path("ldm_adm") / "weights.safetensors")
    with pytest.raises(
        ModelFileError, match=r"diffusion_model\.time_embed\.0\.weight is \[128, 32\], wanted \[256, 64\]"
    ):
        load_latent_diffusion(file, latent_diffusion_config(config))


def damaged(path: Path, **changes: dict) -> ModelFile:
    """The class-conditional fixture with settings of its configuration changed in its metadata."""
    config = json.loads(json.dumps(fixtures.config("ldm_adm")))
    config["params"]["unet_config"]["params"] |= changes.pop("unet", {})
    config["params"] |= changes.pop("model", {})
    save_model(path, {**fixtures.weights("ldm_adm"), **changes}, {CONFIG_KEY: json.dumps(config)})
    return open_model(path)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"unet": {"num_res_blocks": 10**9}}, "blocks"),
        ({"unet": {"channel_mult": [1] * 10**5}}, "blocks"),
        ({"unet": {"channel_mult": "12"}}, "channel_mult"),
        ({"unet": {"model_channels": "32"}}, "model_channels"),
        ({"unet": {"model_channels": 33}}, "cannot be built|fit"),
        ({"unet": {"model_channels": -32}}, "-1 heads"),
        ({"unet": {"num_head_channels": 0}}, "0 heads"),
        ({"unet": {"num_head_channels": -1, "num_heads": 5}}, "5 heads"),
        ({"unet": {"channel_mult": []}}, "cannot be built|fit"),
        ({"model": {"timesteps": 10**12}}, "timesteps"),
        ({"model": {"timesteps": 999}}, "another noise schedule"),
        ({"model": {"linear_end": 0.0205}}, "another noise schedule"),
        ({"model": {"linear_end": float("nan")}}, "linear_end"),
        ({"betas": torch.full((1000,), float("nan"))}, "betas"),
        ({"betas": torch.zeros(0)}, "betas"),
        ({"scale_factor": torch.ones(5)}, "scale_factor"),
    ],
)
def test_a_lying_configuration_is_an_error_and_not_a_hang(tmp_path, changes, word):
    with pytest.raises(ModelFileError, match=word) as caught:
        load_latent_diffusion(damaged(tmp_path / "model.safetensors", **changes))
    assert "\n" not in str(caught.value)


def test_a_checkpoint_without_schedule_tables_gets_them_from_its_configuration(tmp_path):
    name = "ldm_adm"
    weights = {key: value for key, value in fixtures.weights(name).items() if key.startswith("model.")}
    save_model(tmp_path / "model.safetensors", weights)
    config = latent_diffusion_config(fixtures.config(name))
    model = load_latent_diffusion(open_model(tmp_path / "model.safetensors"), config)
    fixtures.assert_close(model.get_buffer("betas"), fixtures.weights(name)["betas"], 1e-6)


def test_a_condition_of_the_wrong_kind_is_refused():
    model = load("ldm_adm")
    x, t = torch.zeros(1, 3, 16, 16), torch.zeros(1)
    with pytest.raises(InputProblem, match="conditioned by y, given was nothing"):
        model.apply_model(x, t)
    with pytest.raises(InputProblem, match="given was context"):
        model.apply_model(x, t, Condition(context=torch.zeros(1, 1, 8)))


def hybrid_model() -> LatentDiffusion:
    """Semantic map beside the latent, class as context; no published model is of this kind."""
    torch.manual_seed(0)
    config = LatentDiffusionConfig(
        UNetConfig(6, 3, 32, (1, 2), 1, attention_resolutions=(2,), num_heads=2, context_dim=16),
        conditioner=HybridConfig(RescalerConfig(2, 4, 3), ClassConfig(16, 10)),
        conditioning_key="hybrid",
        use_ema=False,
    )
    model = LatentDiffusion(config)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return model


def test_a_hybrid_model_listens_to_both_conditions_and_survives_saving(tmp_path):
    model = hybrid_model()
    save_latent_diffusion(tmp_path / "hybrid.safetensors", model)
    again = load_latent_diffusion(open_model(tmp_path / "hybrid.safetensors"))
    assert again.config == model.config
    x, t = torch.randn(2, 3, 8, 8), torch.tensor([5, 900])
    maps, classes = torch.randn(2, 4, 32, 32), torch.tensor([1, 9])
    with torch.no_grad():
        out = again.apply_model(x, t, again.encode_condition(maps, classes))
        assert torch.equal(out, model.apply_model(x, t, model.encode_condition(maps, classes)))
        assert not torch.allclose(out, again.apply_model(x, t, again.encode_condition(-maps, classes)))
        assert not torch.allclose(out, again.apply_model(x, t, again.encode_condition(maps, classes.flip(0))))
