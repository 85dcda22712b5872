from __future__ import annotations

from typing import Any

import pytest

from engine.errors import WorkflowError
from engine.graph.graph import Source
from engine.graph.links import types_fit
from tests.graph.catalogue import TEXT_TO_IMAGE, graph, problems, with_inputs


@pytest.mark.parametrize(
    ("source", "wanted", "fits"),
    [
        ("IMAGE", "IMAGE", True),
        ("IMAGE", "MASK", False),
        ("*", "MASK", True),
        ("IMAGE", "*", True),
        ("IMAGE", "MASK, IMAGE", True),
        ("IMAGE,LATENT", "MASK", False),
        ("IMAGE,LATENT", "MASK,LATENT", True),
        ("IMAGE,*", "MASK", True),
        ("INT", "FLOAT", False),
    ],
)
def test_types_fit_when_they_share_a_name_or_either_is_anything(source: str, wanted: str, fits: bool):
    assert types_fit(source, wanted) is fits
    assert types_fit(wanted, source) is fits


def link(to: str) -> dict[str, Any]:
    return {"from": to}


def node(type: str, mode: str = "run", /, **inputs: Any) -> dict[str, Any]:
    return {"type": type, "mode": mode, "inputs": inputs}


def show(to: str) -> dict[str, Any]:
    return node("Show", thing=link(to))


def refused(nodes: dict[str, Any]) -> list[tuple[str, str | None, str | None]]:
    with pytest.raises(WorkflowError) as caught:
        graph(nodes)
    return problems(caught.value)


def test_a_muted_output_node_does_not_run():
    assert graph(also=node("Show", "mute", thing=link("decode.image"))).outputs == ("save",)


def test_a_link_from_a_muted_node_is_as_if_it_were_not_there():
    muted = {**with_inputs("sampler", mask=link("mask.0")), "mask": node("Any", "mute", value=1)}
    assert "mask" not in graph(muted).nodes["sampler"].links
    assert (
        graph(with_inputs("sampler", steps=link("any.0")), any=node("Any", "mute")).nodes["sampler"].literals["steps"]
        == 20
    )


def test_a_needed_input_from_a_muted_node_says_so():
    nodes = {**TEXT_TO_IMAGE, "decode": {**node("Decode", "mute")}}
    with pytest.raises(WorkflowError, match="'decode', which is muted"):
        graph(nodes)
    assert refused(nodes) == [("missing_input", "save", "images")]


def test_a_muted_item_of_an_input_that_grows_closes_the_gap():
    batch = node("Batch", images=[link("off.image"), link("decode.image")])
    built = graph(with_inputs("save", images=link("batch.0")), batch=batch, off=node("Blur", "mute"))
    assert built.nodes["batch"].links == {"images.0": Source("decode", 0)}


def test_a_bypassed_node_passes_on_the_input_of_the_same_position():
    lora = node("Lora", "bypass", model=link("loader.model"), clip=link("loader.clip"))
    built = graph(with_inputs("sampler", model=link("lora.model")), lora=lora)
    assert built.nodes["sampler"].links["model"] == Source("loader", 0)
    assert "lora" not in built.nodes
    clip = graph({"loader": TEXT_TO_IMAGE["loader"], "lora": lora, "show": show("lora.clip")})
    assert clip.nodes["show"].links["thing"] == Source("loader", 1)


def test_a_bypassed_node_passes_on_the_first_input_whose_type_is_wanted():
    # Sample's only output, a LATENT, has a MODEL at its own position; `latent` comes later.
    bypassed: dict[str, Any] = {**TEXT_TO_IMAGE, "sampler": {**TEXT_TO_IMAGE["sampler"], "mode": "bypass"}}
    assert graph(bypassed).nodes["decode"].links["samples"] == Source("empty", 0)


def test_a_bypassed_node_passes_on_the_first_input_that_fits_a_union():
    mix = node("Mix", "bypass", thing=link("decode.image"))
    assert graph(with_inputs("save", images=link("mix.0")), mix=mix).nodes["save"].links["images"] == Source(
        "decode", 0
    )


def test_a_bypassed_node_feeding_anything_passes_on_the_same_position_or_the_first():
    sampler: Any = TEXT_TO_IMAGE["sampler"]
    built = graph({**TEXT_TO_IMAGE, "sampler": {**sampler, "mode": "bypass"}, "save": show("sampler.latent")})
    assert built.nodes["save"].links["thing"] == Source("loader", 0)


def test_a_bypassed_node_without_a_fitting_input_gives_nothing():
    decode: Any = TEXT_TO_IMAGE["decode"]
    assert refused({**TEXT_TO_IMAGE, "decode": {**decode, "mode": "bypass"}}) == [("missing_input", "save", "images")]


def test_bypassed_nodes_may_follow_each_other():
    one = node("Blur", "bypass", image=link("two.image"))
    two = node("Blur", "bypass", image=link("decode.image"))
    built = graph(with_inputs("save", images=link("one.image")), one=one, two=two)
    assert built.nodes["save"].links["images"] == Source("decode", 0)


def test_bypassed_nodes_that_form_a_loop_are_a_cycle():
    one = node("Blur", "bypass", image=link("two.image"))
    two = node("Blur", "bypass", image=link("one.image"))
    assert refused({"one": one, "two": two, "show": show("one.image")}) == [("cycle", "show", "thing")]


def test_a_bypassed_node_passing_on_a_wrong_type_is_reported_where_it_arrives():
    blur = node("Blur", "bypass", image=link("empty.latent"))
    assert refused({**TEXT_TO_IMAGE, "blur": blur, "save": node("Save", images=link("blur.image"))}) == [
        ("link_type", "save", "images")
    ]
