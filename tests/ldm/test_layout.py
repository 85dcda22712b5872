import pytest
import torch

from engine.errors import InputProblem
from engine.ldm.conditioners.layout import FULL, Box, LayoutTokenizer
from tests.ldm import fixtures


def tokenizer_of(builder: dict[str, int]) -> LayoutTokenizer:
    return LayoutTokenizer(
        classes=builder["no_object_classes"],
        max_objects=builder["no_max_objects"],
        tokens=builder["no_tokens"],
        encode_crop=bool(builder["encode_crop"]),
        group_flag=bool(builder["use_group_parameter"]),
        detail_flags=bool(builder["use_additional_parameters"]),
    )


def box_of(annotation: dict) -> Box:
    return Box(
        annotation["category_no"],
        tuple(annotation["bbox_xywh"]),
        annotation["is_group_of"],
        annotation["is_occluded"],
        annotation["is_depiction"],
        annotation["is_inside"],
    )


def test_the_reference_cases_give_the_reference_tokens_and_inverse():
    for case in fixtures.config("layout_bbox_tokenizer")["cases"]:
        tokenizer = tokenizer_of(case["builder"])
        boxes = [box_of(annotation) for annotation in case["annotations"]]
        tokens = tokenizer.encode(boxes, tuple(case["crop"] or FULL), case["horizontal_flip"])
        assert tokens.tolist() == case["tokens"]
        decoded, crop = tokenizer.decode(tokens)
        assert [[tokenizer.object_token(box), list(box.rectangle)] for box in decoded] == case["inverse"]
        assert crop == (tuple(case["inverse_crop"]) if case["inverse_crop"] else None)


@pytest.mark.parametrize("flag", ["group", "occluded", "depiction", "inside"])
def test_every_flag_comes_back_from_its_own_bit(flag):
    tokenizer = LayoutTokenizer()
    (box,), _ = tokenizer.decode(tokenizer.encode([Box(7, (0.1, 0.2, 0.3, 0.4), **{flag: True})]))
    assert [name for name in ("group", "occluded", "depiction", "inside") if getattr(box, name)] == [flag]
    assert box.category == 7


def test_encoding_what_was_decoded_changes_nothing():
    tokenizer = LayoutTokenizer()
    tokens = tokenizer.encode([Box(3, (0.11, 0.27, 0.5, 0.333), inside=True), Box(350, (0.7, 0.7, 0.3, 0.3))])
    boxes, crop = tokenizer.decode(tokens)
    assert crop is not None
    assert torch.equal(tokenizer.encode(boxes, crop), tokens)


def test_boxes_outside_the_crop_and_beyond_the_last_place_are_left_out():
    tokenizer = LayoutTokenizer(max_objects=2)
    right = Box(1, (0.6, 0.0, 0.4, 1.0))
    assert tokenizer.decode(tokenizer.encode([right], crop=(0.0, 0.0, 0.5, 1.0)))[0] == []
    assert len(tokenizer.decode(tokenizer.encode([right] * 5))[0]) == 2


@pytest.mark.parametrize("rectangle", [(0.5, 0.0, 0.6, 1.0), (-0.1, 0, 1, 1), (0, 0, 0, 1), (float("nan"), 0, 1, 1)])
def test_a_rectangle_outside_the_picture_is_refused(rectangle):
    with pytest.raises(InputProblem, match="between 0 and 1"):
        LayoutTokenizer().encode([Box(1, rectangle)])


def test_a_category_without_a_token_is_refused():
    with pytest.raises(InputProblem, match="categories are 0 to 353"):
        LayoutTokenizer().encode([Box(354, FULL)])
    with pytest.raises(InputProblem, match="92"):
        LayoutTokenizer().decode(torch.zeros(5, dtype=torch.int64))
