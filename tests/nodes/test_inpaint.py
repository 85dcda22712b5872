"""Painting into holes and beyond edges."""

from __future__ import annotations

import pytest
import torch

from engine.node import NullContext
from engine.values import Image, Mask
from nodes.inpaint import EncodeHole, ImageCompositeMasked, ImagePadForOutpaint, VAEEncodeForInpaint
from nodes.loaders import LoadedCheckpoint
from nodes.vae import VAEEncode


def picture(value: float = 0.2, side: int = 32) -> Image:
    return Image(torch.full((1, side, side, 3), value))


def hole(side: int = 32) -> Mask:
    values = torch.zeros(1, side, side)
    values[:, 8:16, 8:16] = 1
    return Mask(values)


def test_a_hole_is_told_by_the_latent_of_what_is_around_it_and_by_itself(ctx: NullContext, loaded: LoadedCheckpoint):
    (part,) = EncodeHole(picture(), hole(), loaded.vae, ctx).parts
    assert part.concat is not None and part.concat.shape == (1, 5, 8, 8)
    blackened = Image(picture().pixels * (1 - hole().values[..., None]))
    assert torch.allclose(part.concat[:, :4], VAEEncode(blackened, loaded.vae, ctx).samples, atol=1e-5)
    assert (part.concat[0, 4, 2:4, 2:4] == 1).all() and part.concat[0, 4].sum() == 4 - 60


def test_the_picture_is_grey_in_the_hole_and_more_than_the_hole_is_repainted(
    ctx: NullContext, loaded: LoadedCheckpoint
):
    latent = VAEEncodeForInpaint(picture(), loaded.vae, hole(), ctx, grow_mask_by=3)
    grey = Image(torch.where(hole().values[..., None] > 0, 0.5, picture().pixels))
    assert torch.allclose(latent.samples, VAEEncode(grey, loaded.vae, ctx).samples, atol=1e-5)
    assert latent.noise_mask is not None and latent.noise_mask.sum() == 100
    unchanged = VAEEncodeForInpaint(picture(), loaded.vae, hole(), ctx, grow_mask_by=0)
    assert unchanged.noise_mask is not None and torch.equal(unchanged.noise_mask, hole().values)


def test_a_mask_of_another_size_is_stretched_over_the_picture(ctx: NullContext, loaded: LoadedCheckpoint):
    latent = VAEEncodeForInpaint(picture(side=36), loaded.vae, Mask(torch.ones(1, 5, 9)), ctx)
    assert latent.noise_mask is not None and latent.noise_mask.shape == (1, 36, 36) and latent.noise_mask.all()


def test_a_padded_picture_is_grey_outside_and_masked_there():
    padded = ImagePadForOutpaint(picture(0.2, 8), left=4, top=2, feathering=0)
    assert padded.image.pixels.shape == (1, 10, 12, 3)
    assert (padded.image.pixels[0, :2] == 0.5).all() and (padded.image.pixels[0, 2:, 4:] == 0.2).all()
    assert padded.mask.values[0].sum() == 10 * 12 - 64


def test_the_mask_fades_in_only_at_edges_that_were_added():
    values = ImagePadForOutpaint(picture(0.2, 16), left=4, feathering=4).mask.values[0]
    assert values[8, :9].tolist() == [1, 1, 1, 1, 1, 0.5625, 0.25, 0.0625, 0]
    assert (values[:, -1] == 0).all() and (values[0, 9:] == 0).all()


def test_a_picture_is_pasted_where_the_mask_is():
    below, above = picture(0.0, 8), picture(1.0, 4)
    half = Mask(torch.tensor([[[1.0, 0.0], [1.0, 0.0]]]))
    result = ImageCompositeMasked(below, above, 6, 0, mask=half).pixels[0, ..., 0]
    assert result[:4, 6].tolist() == [1, 1, 1, 1] and result[4:].sum() == 0 and result[:, :6].sum() == 0
    assert ImageCompositeMasked(below, above, resize_source=True).pixels.sum() == 8 * 8 * 3
    assert below.pixels.sum() == 0


def test_of_a_batch_each_picture_below_gets_one():
    batch = Image(torch.stack([torch.full((4, 4, 3), value) for value in (0.1, 0.2, 0.3)]))
    assert ImageCompositeMasked(picture(0.9, 4), batch).pixels[:, 0, 0, 0].tolist() == pytest.approx([0.1])
    two = Image(batch.pixels[:2])
    pasted = ImageCompositeMasked(batch, two, mask=Mask(torch.ones(1, 4, 4))).pixels[:, 0, 0, 0].tolist()
    assert pasted == pytest.approx([0.1, 0.2, 0.1])
