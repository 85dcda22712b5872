import pytest

from engine.errors import ModelFileError
from engine.ldm.conditioners.classes import ClassConfig
from engine.ldm.conditioners.spatial import RescalerConfig
from engine.ldm.config import HybridConfig, LatentDiffusionConfig
from engine.ldm.original_config import autoencoder_config, latent_diffusion_config, to_original, unet_config
from engine.ldm.text.transformer import TextTransformerConfig
from engine.ldm.unet import UNetConfig

UNET = {"in_channels": 3, "out_channels": 3, "model_channels": 32, "channel_mult": [1, 2], "num_res_blocks": 1}


def model(**params):
    return {"target": "ldm.models.diffusion.ddpm.LatentDiffusion", "params": {"unet_config": part("U", UNET), **params}}


def part(target, params):
    return {"target": f"ldm.modules.{target}", "params": params}


@pytest.mark.parametrize(
    ("params", "key"),
    [
        ({}, None),
        ({"first_stage_config": part("IdentityFirstStage", {})}, "concat"),
        ({"cond_stage_config": part("Identity", {})}, "concat"),
        ({"cond_stage_config": part("Identity", {}), "concat_mode": False}, "crossattn"),
        ({"cond_stage_config": part("Identity", {}), "conditioning_key": "adm"}, "adm"),
        ({"cond_stage_config": "__is_unconditional__", "conditioning_key": "crossattn"}, None),
        ({"cond_stage_config": "__is_first_stage__"}, "concat"),
    ],
)
def test_the_conditioning_key_is_found_as_the_original_finds_it(params, key):
    assert latent_diffusion_config(model(**params)).conditioning_key == key


@pytest.mark.parametrize(
    "setting",
    [{"dims": 3}, {"num_heads_upsample": 4}, {"n_embed": 8}, {"made_up": 1}],
)
def test_a_unet_setting_that_would_build_another_network_is_refused(setting):
    with pytest.raises(ModelFileError, match=f"unet_config sets {next(iter(setting))}"):
        unet_config({**UNET, **setting})


@pytest.mark.parametrize("setting", [{"attn_type": "linear"}, {"tanh_out": True}, {"resamp_with_conv": False}])
def test_an_autoencoder_setting_that_would_build_another_network_is_refused(setting):
    with pytest.raises(ModelFileError, match=f"ddconfig sets {next(iter(setting))}"):
        autoencoder_config({"embed_dim": 3, "ddconfig": setting})


def test_minus_one_means_not_given():
    config = unet_config({**UNET, "num_heads": -1, "num_head_channels": 32})
    assert (config.num_heads, config.num_head_channels) == (None, 32)


def test_a_context_counts_only_for_spatial_transformers():
    assert unet_config({**UNET, "context_dim": 8}).context_dim is None
    assert unet_config({**UNET, "context_dim": [8], "use_spatial_transformer": True}).context_dim == 8


@pytest.mark.parametrize(
    "damage",
    [
        {"unet_config": None},
        {"unet_config": {"params": {}}},
        {"unet_config": part("U", {**UNET, "model_channels": None, "surprise": 1})},
        {"first_stage_config": part("Unheard", {})},
        {"cond_stage_config": part("Unheard", {})},
        {"cond_stage_config": 3},
        {"first_stage_config": part("VQModel", {"ddconfig": 1})},
    ],
)
def test_a_damaged_configuration_is_one_sentence(damage):
    with pytest.raises(ModelFileError) as caught:
        latent_diffusion_config(model(**damage))
    assert "\n" not in str(caught.value)


def test_a_hybrid_configuration_survives_being_written_and_read():
    config = LatentDiffusionConfig(
        UNetConfig(7, 4, 32, (1,), context_dim=16, num_heads=1),
        conditioner=HybridConfig(RescalerConfig(2, 4, 3), ClassConfig(16, 10)),
        conditioning_key="hybrid",
        parameterization="v",
        beta_schedule="cosine",
    )
    assert latent_diffusion_config(to_original(config)) == config


def test_our_own_text_transformer_settings_are_kept():
    conditioner = TextTransformerConfig(
        dim=64, depth=2, vocab_size=500, max_seq_len=16, heads=4, dim_head=16, logits=False
    )
    config = LatentDiffusionConfig(
        UNetConfig(4, 4, 32, (1,), context_dim=64, num_heads=1), conditioner=conditioner, conditioning_key="crossattn"
    )
    assert latent_diffusion_config(to_original(config)).conditioner == conditioner
