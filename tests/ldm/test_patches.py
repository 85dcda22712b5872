"""Work in patches, against the original's."""

import pytest
import torch

from engine.errors import InputProblem
from engine.ldm.conditioners.layout import LayoutTokenizer
from engine.ldm.patches import PatchedNetwork, PatchGrid, border_distance, layout_patch_tokens
from tests.ldm import fixtures
from tests.ldm.test_latent_diffusion import load

GRID = PatchGrid((8, 8), (4, 4))
SUPERRESOLUTION = "ldm_superres_concat"


@pytest.mark.parametrize(("prefix", "favour_middle"), [("patch", False), ("patch.tie", True)])
def test_the_weights_are_the_originals(prefix, favour_middle):
    io = fixtures.io(SUPERRESOLUTION)
    grid = PatchGrid((8, 8), (4, 4), favour_middle=favour_middle)
    patches = grid.patches(24, 32)
    weights = torch.stack([patch.weight * grid.cell_weights(8, 8) for patch in patches], dim=-1)
    fixtures.assert_close(weights, io[f"{prefix}.weighting"][0, 0], 1e-6)


def test_a_network_in_patches_is_the_originals():
    model, io = load(SUPERRESOLUTION), fixtures.io(SUPERRESOLUTION)
    x = torch.cat([io["patch.x"], io["patch.c"]], dim=1)
    with torch.no_grad():
        fixtures.assert_close(PatchedNetwork(model.unet, GRID)(x, io["patch.t"]), io["patch.eps"])


def test_encoding_and_decoding_in_patches_are_the_originals():
    model, io = load(SUPERRESOLUTION), fixtures.io(SUPERRESOLUTION)
    with torch.no_grad():
        decoded = GRID.run(io["patch.x"], lambda patch, _: model.decode_first_stage(patch))
        fixtures.assert_close(decoded, io["patch.decoded"])
        encoded = GRID.run(io["patch.image"], lambda patch, _: model.encode_first_stage(patch))
        fixtures.assert_close(encoded, io["patch.encoded"])


def test_a_layout_model_is_told_which_patch_it_paints():
    name = "ldm_layout_bbox"
    model, io = load(name), fixtures.io(name)
    tokenizer = LayoutTokenizer(classes=20, max_objects=30, tokens=1024)
    with torch.no_grad():
        contexts = tuple(
            model.cond_stage_model(layout_patch_tokens(io["tokens"][:1], tokenizer, patch))
            for patch in GRID.patches(16, 16)
        )
        fixtures.assert_close(PatchedNetwork(model.unet, GRID, contexts)(io["patch.x"], io["patch.t"]), io["patch.eps"])


def test_blending_what_is_not_changed_changes_nothing():
    x = torch.randn(2, 3, 13, 22)  # sides that the stride does not reach
    fixtures.assert_close(GRID.run(x, lambda patch, _: patch), x, 1e-6)


def test_patches_reach_every_border():
    patches = GRID.patches(13, 22)
    assert {patch.y for patch in patches} == {0, 4, 5}
    assert max(patch.x for patch in patches) == 14


def test_a_map_smaller_than_a_patch_is_refused():
    with pytest.raises(InputProblem, match="smaller than the patches of 8x8"):
        GRID.patches(7, 32)


def test_distances_grow_from_the_border_to_the_middle():
    assert border_distance(3, 5).tolist() == [[0] * 5, [0, 0.25, 0.5, 0.25, 0], [0] * 5]
    assert border_distance(1, 1).tolist() == [[0]]


def test_a_layout_without_crop_cannot_be_painted_in_patches():
    with pytest.raises(InputProblem, match="no crop"):
        layout_patch_tokens(torch.zeros(1, 90), LayoutTokenizer(encode_crop=False), GRID.patches(8, 8)[0])
