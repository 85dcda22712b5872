"""The U-Net against the original's output, and its behaviour at the edges."""

import pytest
import torch

from engine.ldm.attention import AttentionBlock
from engine.ldm.original_config import unet_config
from engine.ldm.unet import UNetConfig, UNetModel
from tests.ldm import fixtures

NAME = "unet_crossattn_headch32"


def reference_unet() -> UNetModel:
    unet = UNetModel(unet_config(fixtures.config(NAME)["params"]))
    unet.load_state_dict(fixtures.weights(NAME))
    return unet


@pytest.mark.parametrize("shape", ["sq", "rect"])
def test_the_forward_pass_is_the_originals(shape):
    io = fixtures.io(NAME)
    with torch.no_grad():
        out = reference_unet()(io[f"{shape}.x"], io[f"{shape}.t"], io[f"{shape}.context"])
    fixtures.assert_close(out, io[f"{shape}.out"])


def test_the_gradients_are_the_originals():
    io = fixtures.io(NAME)
    unet = reference_unet()
    x = io["sq.x"].requires_grad_()
    unet(x, io["sq.t"], io["sq.context"]).square().mean().backward()
    assert x.grad is not None
    # Relative to the gradient's own size, because it is far below 1.
    scale = io["sq.grad_x"].abs().max()
    fixtures.assert_close(x.grad / scale, io["sq.grad_x"] / scale)
    norm = torch.stack([p.grad.square().sum() for p in unet.parameters() if p.grad is not None]).sum().sqrt()
    fixtures.assert_close(norm, io["sq.grad_param_norm"])


def small(**changes: object) -> UNetModel:
    torch.manual_seed(0)
    config = UNetConfig(3, 3, 32, channel_mult=(1, 2), num_res_blocks=1, attention_resolutions=(2,), num_heads=4)
    unet = UNetModel(UNetConfig(**{**vars(config), **changes}))
    for parameter in unet.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    return unet.eval()


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"use_scale_shift_norm": True, "resblock_updown": True},
        {"context_dim": 8, "transformer_depth": 2},
        {"context_dim": 8, "use_linear_in_transformer": True},
        {"conv_resample": False},
        {"num_classes": 5},
    ],
)
def test_a_batch_gives_what_each_row_gives_alone(changes):
    unet = small(**changes)
    x, t = torch.randn(3, 3, 8, 12), torch.tensor([1.0, 40.5, 999.0])
    context = torch.randn(3, 4, 8) if "context_dim" in changes else None
    y = torch.tensor([0, 4, 2]) if "num_classes" in changes else None
    with torch.no_grad():
        together = unet(x, t, context, y)
        alone = [
            unet(
                x[i : i + 1],
                t[i : i + 1],
                None if context is None else context[i : i + 1],
                None if y is None else y[i : i + 1],
            )
            for i in range(3)
        ]
    fixtures.assert_close(together, torch.cat(alone), 1e-5)


def test_sides_that_do_not_halve_evenly_are_refused():
    with pytest.raises(ValueError, match="divisible by 2"):
        small()(torch.zeros(1, 3, 9, 8), torch.zeros(1))


def test_a_fresh_unet_predicts_zero_so_that_training_starts_calm():
    unet = UNetModel(UNetConfig(3, 3, 32, channel_mult=(1,), num_res_blocks=1, num_heads=1))
    assert unet(torch.randn(1, 3, 8, 8), torch.tensor([3])).abs().max() == 0


@pytest.mark.parametrize("heads", [1, 4])
def test_attention_in_the_new_order_is_the_old_with_its_channels_reordered(heads):
    torch.manual_seed(0)
    old, new = AttentionBlock(32, heads, 8), AttentionBlock(32, heads, 8, new_order=True)
    torch.nn.init.normal_(old.proj_out.weight)
    weights = old.state_dict()
    for name in ("qkv.weight", "qkv.bias"):
        per_head = weights[name].unflatten(0, (heads, 3, -1))
        weights[name] = per_head.transpose(0, 1).flatten(0, 2)  # [3, heads, C/heads] rows
    new.load_state_dict(weights)
    x = torch.randn(2, 32, 4, 6)
    assert torch.allclose(new(x), old(x), atol=1e-5)
    if heads > 1:
        new.load_state_dict(old.state_dict())
        assert not torch.allclose(new(x), old(x), atol=1e-3)
