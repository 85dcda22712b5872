"""Combining prompts, and laying pictures and masks beside the noise."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from engine.errors import InputProblem
from engine.values import Conditioning, ConditioningPart, Image, Latent, Mask
from nodes.conditioning import (
    ConcatCondition,
    ConditioningAverage,
    ConditioningCombine,
    ConditioningConcat,
    ConditioningSetArea,
    ConditioningSetMask,
    ConditioningSetStrength,
    ConditioningSetTimestepRange,
    ConditioningZeroOut,
)

EMPTY = Conditioning((ConditioningPart(),))


def words(value: float, tokens: int = 3, width: int = 2) -> Conditioning:
    return Conditioning((ConditioningPart(torch.full((1, tokens, width), float(value))),))


def context(conditioning: Conditioning, part: int = 0) -> Tensor:
    found = conditioning.parts[part].context
    assert found is not None
    return found


def concat(conditioning: Conditioning) -> Tensor:
    (part,) = conditioning.parts
    assert part.concat is not None
    return part.concat


def test_two_prompts_are_followed_side_by_side() -> None:
    both = ConditioningCombine(words(1), ConditioningCombine(words(2), words(3)))
    assert [float(context(both, part).mean()) for part in range(3)] == [1, 2, 3]


def test_strength_is_set_on_every_part_and_the_original_keeps_its_own() -> None:
    both = ConditioningCombine(words(1), words(2))
    assert [part.strength for part in ConditioningSetStrength(both, 0.25).parts] == [0.25, 0.25]
    assert [part.strength for part in both.parts] == [1, 1]


@pytest.mark.parametrize(("share", "expected"), [(1.0, 4.0), (0.25, 1.0), (0.0, 0.0)])
def test_an_average_is_the_share_of_the_first_prompt(share: float, expected: float) -> None:
    assert context(ConditioningAverage(words(4), words(0), share)).unique().tolist() == [expected]


def test_an_average_keeps_strength_and_what_lies_beside_the_latent() -> None:
    prompt = ConcatCondition(ConditioningSetStrength(words(4), 0.5), latent=Latent(torch.ones(1, 4, 2, 2)))
    (part,) = ConditioningAverage(prompt, words(0), 0.5).parts
    assert part.strength == 0.5
    assert part.concat is not None


def test_an_average_takes_as_many_tokens_as_the_first_prompt_has() -> None:
    shorter = context(ConditioningAverage(words(4, tokens=3), words(2, tokens=2), 0.5))
    assert shorter[0, :, 0].tolist() == [3, 3, 2]  # the missing token counts as zeros
    assert context(ConditioningAverage(words(4, tokens=3), words(2, tokens=5), 0.5)).shape == (1, 3, 2)


def test_prompts_of_two_text_encoders_are_neither_averaged_nor_appended() -> None:
    for join in (ConditioningAverage, ConditioningConcat):
        with pytest.raises(InputProblem, match=r"2 and 3 wide; use one text encoder for both") as it:
            join(words(1, width=2), words(1, width=3))
        assert it.value.input == "conditioning_from"


def test_only_prompts_are_averaged_or_appended() -> None:
    for pair, input in (((words(1), EMPTY), "conditioning_from"), ((EMPTY, words(1)), "conditioning_to")):
        for join in (ConditioningAverage, ConditioningConcat):
            with pytest.raises(InputProblem, match=f"{input} holds no words; connect Encode Text") as it:
                join(*pair)
            assert it.value.input == input


def test_a_latent_a_picture_and_a_mask_are_stacked_in_this_order() -> None:
    beside = concat(
        ConcatCondition(
            EMPTY,
            latent=Latent(torch.full((1, 4, 2, 3), 9.0)),
            image=Image(torch.tensor([0.0, 0.5, 1.0]).expand(1, 2, 3, 3)),
            mask=Mask(torch.ones(1, 2, 3)),
        )
    )
    assert beside.shape == (1, 8, 2, 3)
    # the latent as it is, the picture in [-1, 1], red before green before blue, the mask's hole as 1
    assert beside[0, :, 1, 2].tolist() == [9, 9, 9, 9, -1, 0, 1, 1]


def test_a_mask_is_1_or_minus_1_and_resized_by_its_nearest_cells() -> None:
    values = torch.tensor([[0.0, 0.49, 0.5, 1.0]])[None].expand(1, 4, 4)
    assert concat(ConcatCondition(EMPTY, mask=Mask(values)))[0, 0, 0].tolist() == [-1, -1, 1, 1]
    small = concat(ConcatCondition(EMPTY, latent=Latent(torch.zeros(1, 4, 2, 2)), mask=Mask(values)))
    assert small[0, 4].tolist() == [[-1, 1], [-1, 1]]


def test_one_mask_serves_a_batch_of_latents() -> None:
    beside = concat(ConcatCondition(EMPTY, latent=Latent(torch.zeros(3, 4, 2, 2)), mask=Mask(torch.ones(1, 8, 8))))
    assert beside.shape == (3, 5, 2, 2)


def test_batches_that_differ_are_refused() -> None:
    with pytest.raises(InputProblem, match="3 and 2 do not go together"):
        ConcatCondition(EMPTY, latent=Latent(torch.zeros(3, 4, 2, 2)), mask=Mask(torch.ones(2, 8, 8)))


def test_transparency_is_left_out() -> None:
    assert concat(ConcatCondition(EMPTY, image=Image(torch.rand(1, 2, 2, 4)))).shape == (1, 3, 2, 2)


def test_words_stay_with_what_is_laid_beside() -> None:
    assert context(ConcatCondition(words(3), mask=Mask(torch.ones(1, 2, 2)))).equal(context(words(3)))


def test_nothing_to_lay_beside_and_sizes_that_differ_are_refused() -> None:
    with pytest.raises(InputProblem, match="connect a latent, an image or a mask"):
        ConcatCondition(EMPTY)
    with pytest.raises(InputProblem, match=r"differ in size.*resize the image") as it:
        ConcatCondition(EMPTY, latent=Latent(torch.zeros(1, 4, 2, 2)), image=Image(torch.zeros(1, 16, 16, 3)))
    assert it.value.input == "image"


def test_words_are_appended_to_every_part() -> None:
    joined = ConditioningConcat(ConditioningCombine(words(1), words(2)), words(3, tokens=1))
    assert [context(joined, part)[0, :, 0].tolist() for part in (0, 1)] == [[1, 1, 1, 3], [2, 2, 2, 3]]


def test_a_prompt_is_emptied_but_keeps_its_place_and_strength() -> None:
    prompt = ConditioningSetArea(words(3), 64, 128, 8, 16, 0.5)
    (part,) = ConditioningZeroOut(prompt).parts
    assert part.context is not None and part.context.shape == (1, 3, 2) and not part.context.any()
    assert (part.strength, part.area) == (0.5, (128, 64, 16, 8))
    assert ConditioningZeroOut(EMPTY).parts[0].context is None


def test_where_and_when_a_prompt_counts_is_set_on_every_part() -> None:
    both = ConditioningCombine(words(1), words(2))
    masked = ConditioningSetMask(both, Mask(torch.ones(1, 8, 8)), 0.5)
    assert [(part.mask is not None, part.strength) for part in masked.parts] == [(True, 0.5)] * 2
    ranged = ConditioningSetTimestepRange(both, 0.25, 0.75)
    assert [(part.start, part.end) for part in ranged.parts] == [(0.25, 0.75)] * 2
    assert [(part.mask, part.start, part.end, part.area) for part in both.parts] == [(None, 0, 1, None)] * 2


def test_a_conditioning_of_nothing_is_refused() -> None:
    with pytest.raises(InputProblem, match="no parts"):
        Conditioning(())
