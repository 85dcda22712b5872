"""Boxes given to a node become the tokens that the original makes of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.ldm.conditioners.text import BERTEmbedder
from engine.ldm.text.transformer import TextTransformerConfig
from engine.ldm.weights import save_model
from engine.models.device import Device
from engine.models.handles import TextEncoder
from engine.models.manager import ModelManager
from engine.models.step_driver import StepDriver
from engine.node import Folders, LabelledBox, NullContext
from nodes.layout import EncodeLayout
from tests.ldm import fixtures

OPENIMAGES = {"no_tokens": 8192, "no_object_classes": 354, "no_max_objects": 30, "encode_crop": True}


def whole_pictures() -> list[dict[str, Any]]:
    """The recorded cases of the published model's kind that show whole pictures, as they are."""
    if not (fixtures.REFERENCE / "layout_bbox_tokenizer").is_dir():
        return []
    return [
        case
        for case in fixtures.config("layout_bbox_tokenizer")["cases"]
        if not case["horizontal_flip"]
        and case["crop"] in (None, [0.0, 0.0, 1.0, 1.0])
        and all(case["builder"][name] == value for name, value in OPENIMAGES.items())
    ]


def test_boxes_are_told_as_the_original_tells_them(tmp_path: Path) -> None:
    cases = whole_pictures()
    if not any(case["annotations"] for case in cases):
        pytest.skip("the reference fixtures are not at hand")
    torch.manual_seed(0)
    embedder = BERTEmbedder(TextTransformerConfig(dim=8, depth=1, vocab_size=8192, max_seq_len=92, heads=1, dim_head=8))
    path = tmp_path / "layout.safetensors"
    save_model(path, {f"cond_stage_model.{name}": value for name, value in embedder.state_dict().items()})
    with ThreadPoolExecutor(1) as lane:
        ctx = NullContext(Folders.under(tmp_path), ModelManager(Device(), 2**30), StepDriver(lane))
        for case in cases:
            boxes: list[LabelledBox] = [
                {"label": str(each["category_no"]), "box": list(each["bbox_xywh"])} for each in case["annotations"]
            ]
            (part,) = EncodeLayout(TextEncoder.open(path), ctx, boxes).parts
            tokens = torch.tensor([case["tokens"]])
            objects = tokens[:, : 3 * len(boxes) : 3]
            objects %= (
                354  # the node has no flags: what is grouped, occluded, depicted or inside is there just the same
            )
            with torch.no_grad():
                expected = embedder(tokens)
            assert part.context is not None
            fixtures.assert_close(part.context, expected, 1e-5)
