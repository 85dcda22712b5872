"""Blank latents, batches and masks."""

from __future__ import annotations

import pytest
import torch

from engine.errors import InputProblem
from engine.values import Latent, Mask
from nodes.latent import EmptyLatent, InterpolateLatents, LatentFromBatch, RepeatLatentBatch, SetLatentNoiseMask
from nodes.loaders import LoadedCheckpoint


def numbered(count: int) -> Latent:
    """A batch whose latents are filled with their number."""
    return Latent(torch.arange(count).float()[:, None, None, None].expand(count, 4, 2, 2))


def numbers(latent: Latent) -> list[float]:
    return latent.samples[:, 0, 0, 0].tolist()


def test_a_blank_latent_has_stable_diffusions_shape_or_that_of_a_vae(loaded: LoadedCheckpoint) -> None:
    assert EmptyLatent(64, 128).samples.shape == (1, 4, 16, 8)
    assert EmptyLatent(64, 128, 3, loaded.vae).samples.shape == (3, 4, 32, 16)
    assert not EmptyLatent(64, 64).samples.any()


def test_a_noise_mask_is_added_and_the_latent_left_alone() -> None:
    latent = numbered(1)
    masked = SetLatentNoiseMask(latent, Mask(torch.ones(1, 16, 16)))
    assert masked.noise_mask is not None and masked.noise_mask.shape == (1, 16, 16)
    assert masked.samples is latent.samples
    assert latent.noise_mask is None


def test_latents_are_repeated_in_order_with_their_masks() -> None:
    masks = torch.arange(2).float()[:, None, None].expand(2, 8, 8)
    repeated = RepeatLatentBatch(SetLatentNoiseMask(numbered(2), Mask(masks)), 2)
    assert numbers(repeated) == [0, 1, 0, 1]
    assert repeated.noise_mask is not None
    assert repeated.noise_mask[:, 0, 0].tolist() == [0, 1, 0, 1]


def test_one_mask_goes_on_to_serve_all_repeated_latents() -> None:
    repeated = RepeatLatentBatch(SetLatentNoiseMask(numbered(2), Mask(torch.ones(1, 8, 8))), 3)
    assert repeated.noise_mask is not None and len(repeated.noise_mask) == 1


def test_repeated_latents_take_the_noise_that_follows_their_own() -> None:
    assert RepeatLatentBatch(numbered(2), 2).batch_index is None
    taken = LatentFromBatch(numbered(5), 2, 2)
    assert RepeatLatentBatch(taken, 3).batch_index == (2, 3, 4, 5, 6, 7)


def test_a_latent_taken_out_of_a_batch_knows_its_number() -> None:
    taken = LatentFromBatch(numbered(4), 1, 2)
    assert (numbers(taken), taken.batch_index) == ([1, 2], (1, 2))
    again = LatentFromBatch(taken, 1)
    assert (numbers(again), again.batch_index) == ([2], (2,))


def test_taking_more_than_there_is_gives_what_there_is() -> None:
    assert numbers(LatentFromBatch(numbered(3), 9, 5)) == [2]
    assert numbers(LatentFromBatch(numbered(3), 1, 50)) == [1, 2]


def test_each_latent_keeps_its_own_mask_when_taken() -> None:
    masks = torch.arange(3).float()[:, None, None].expand(3, 8, 8)
    own = LatentFromBatch(SetLatentNoiseMask(numbered(3), Mask(masks)), 2).noise_mask
    shared = LatentFromBatch(SetLatentNoiseMask(numbered(3), Mask(masks[1:2])), 2).noise_mask
    assert own is not None and own[:, 0, 0].tolist() == [2]
    assert shared is not None and shared[:, 0, 0].tolist() == [1]


def test_latents_that_no_memory_holds_are_refused_before_they_are_made() -> None:
    with pytest.raises(InputProblem, match=r"4096 latents of 16384x16384 take 256\.0 GiB"):
        EmptyLatent(16384, 16384, 4096)


def test_the_way_between_two_latents_keeps_their_length() -> None:
    first, last = (torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1))
    last = last * first.norm() / last.norm()
    way = InterpolateLatents(Latent(first), Latent(last), count=5).samples
    assert torch.allclose(way[0], first[0], atol=1e-5) and torch.allclose(way[4], last[0], atol=1e-5)
    assert torch.allclose(way.flatten(1).norm(dim=1), first.norm().expand(5), rtol=1e-4)
    steps = (way[1:] - way[:-1]).flatten(1).norm(dim=1)
    assert torch.allclose(steps, steps[0].expand(4), rtol=1e-3)


def test_latents_of_one_direction_are_mixed_in_a_straight_line() -> None:
    one = torch.ones(1, 4, 2, 2)
    assert numbers(InterpolateLatents(Latent(one), Latent(3 * one), count=3)) == [1, 2, 3]
    with pytest.raises(InputProblem, match="one size"):
        InterpolateLatents(Latent(one), Latent(torch.ones(1, 4, 2, 4)))
