"""Files of ComfyUI's editor, written by hand after the format's description (its default graph and variations)."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from engine.errors import Problem, WorkflowError
from engine.graph.build import build
from engine.graph.document import dumps, from_json, load, loads, to_json
from engine.graph.layout import Layout
from engine.graph.prompt import to_prompt
from engine.graph.workflow import Link, Workflow
from tests.graph.catalogue import CATALOGUE, Schemas, edited, schema
from tests.graph.test_properties import JUNK, mutate

NODES = Schemas(
    [
        *CATALOGUE.schemas.values(),
        schema(
            "LoadImage",
            [edited("image", "COMBO", widget="file", folder="input", required=True)],
            "IMAGE",
            "MASK",
        ),
        schema(
            "LoadImageMask",
            [
                edited("image", "COMBO", widget="file", folder="input", required=True),
                edited("channel", "COMBO", "alpha", options=("alpha", "red")),
            ],
            "MASK",
        ),
    ]
)


def slot(name: str, type: str, link: int | None = None, widget: bool = False) -> dict[str, Any]:
    return {"name": name, "type": type, "link": link, **({"widget": {"name": name}} if widget else {})}


def out(name: str, *links: int) -> dict[str, Any]:
    return {"name": name, "type": name, "links": list(links)}


def ui_node(id: int | str, type: str, inputs: list[Any] | None = None, values: Any = None, **more: Any) -> Any:
    node = {"id": id, "type": type, "pos": [10, 20], "size": [200, 100], "flags": {}, "order": 0, "mode": 0}
    return {**node, "inputs": inputs or [], "outputs": [], "properties": {}, "widgets_values": values or [], **more}


# The graph that ComfyUI starts with, in the words of the catalogue here.
DEFAULT: dict[str, Any] = {
    "last_node_id": 9,
    "last_link_id": 9,
    "nodes": [
        ui_node(4, "Load", [], ["emoji.safetensors"], outputs=[out("MODEL", 1), out("CLIP"), out("VAE", 8)]),
        ui_node(5, "Empty", [], [64], outputs=[out("LATENT", 2)]),
        ui_node(
            3,
            "KSampler",
            [slot("model", "MODEL", 1), slot("latent", "LATENT", 2), slot("mask", "MASK")],
            [156680208700286, "randomize", 8, 7, "heun", True],
            pos={"0": 863, "1": 186},
            color="#223",
            bgcolor="#335",
            title="Make it",
        ),
        ui_node(8, "Decode", [slot("samples", "LATENT", 7), slot("vae", "VAE", 8)]),
        ui_node(9, "Save", [slot("images", "IMAGE", 9)], ["ComfyUI"], flags={"collapsed": True}),
        ui_node(11, "MarkdownNote", [], ["# Hello"], color="#432", title="Note: read me"),
    ],
    "links": [
        [1, 4, 0, 3, 0, "MODEL"],
        [2, 5, 0, 3, 1, "LATENT"],
        [7, 3, 0, 8, 0, "LATENT"],
        [8, 4, 2, 8, 1, "VAE"],
        [9, 8, 0, 9, 0, "IMAGE"],
    ],
    "groups": [{"title": "All", "bounding": [0, 0, 900, 500], "color": "#3f789e", "font_size": 24}],
    "config": {},
    "extra": {"ds": {"scale": 0.5, "offset": [100, -40]}, "frontendVersion": "1.16"},
    "version": 0.4,
}
API: dict[str, Any] = {
    "4": {"class_type": "Load", "inputs": {"name": "emoji.safetensors"}},
    "5": {"class_type": "Empty", "inputs": {"width": 64}},
    "3": {
        "class_type": "Sample",
        "inputs": {
            **{"seed": 156680208700286, "steps": 8, "cfg": 7.0, "sampler": "heun", "noise": True},
            **{"model": ["4", 0], "latent": ["5", 0]},
        },
    },
    "8": {"class_type": "Decode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
    "9": {"class_type": "Save", "inputs": {"prefix": "ComfyUI", "images": ["8", 0]}},
}


def read(value: Any) -> tuple[Workflow, list[Problem]]:
    notices: list[Problem] = []
    return from_json(value, schemas=NODES, notice=notices.append), notices


def only(value: Any) -> Workflow:
    """Read a file about which nothing is to be noticed."""
    workflow, notices = read(value)
    assert notices == []
    assert loads(dumps(workflow)) == workflow
    return workflow


def layout(workflow: Workflow) -> Layout:
    assert workflow.layout is not None
    return workflow.layout


def changed(nodes: dict[int, Any], links: list[Any] | None = None, **more: Any) -> dict[str, Any]:
    """DEFAULT with nodes updated by id or added, and links added."""
    value = copy.deepcopy(DEFAULT)
    for id, change in nodes.items():
        found = next((each for each in value["nodes"] if each["id"] == id), None)
        if found is None:
            value["nodes"].append({**ui_node(id, "?"), **change})
        else:
            found.update(change)
    value["links"] = [link for link in value["links"] if link[0] not in {each[0] for each in links or []}] + (
        links or []
    )
    return {**value, **more}


def prompt(workflow: Workflow) -> dict[str, Any]:
    return to_prompt(build(workflow, NODES))


def test_a_saved_graph_means_the_same_as_its_prompt():
    workflow = only(DEFAULT)
    assert prompt(workflow) == API
    assert workflow.nodes["3"].type == "Sample"
    assert workflow.nodes["3"].inputs["model"] == Link("4", "model")


def test_the_layout_comes_along():
    found = layout(only(DEFAULT))
    assert found.nodes["3"].position == [863, 186]
    assert found.nodes["3"].size == [200, 100]
    assert found.nodes["3"].colour == "#223"
    assert found.nodes["3"].seeds == {"seed": "random"}
    assert found.nodes["9"].collapsed
    assert [(each.title, each.position, each.size, each.colour) for each in found.groups] == [
        ("All", [0, 0], [900, 500], "#3f789e")
    ]
    assert [(each.text, each.position, each.colour) for each in found.notes] == [("# Hello", [10, 20], "#432")]
    assert found.view is not None
    assert (found.view.x, found.view.y, found.view.zoom) == (50, -20, 0.5)
    assert only(DEFAULT).nodes["3"].title == "Make it"
    assert only(DEFAULT).nodes["4"].title is None


def test_the_later_generation_means_the_same():
    later = {**DEFAULT, "version": 1, "state": {"lastNodeId": 9}}
    keys = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
    later["links"] = [dict(zip(keys, link, strict=True)) for link in DEFAULT["links"]]
    assert only(later) == only(DEFAULT)


def test_reroutes_become_points_of_a_wire():
    rerouted = changed(
        {
            12: {"type": "Reroute", "pos": [400, 50], "inputs": [slot("", "*", 20)], "outputs": [out("", 21)]},
            13: {"type": "Reroute", "pos": [500, 60], "inputs": [slot("", "*", 21)], "outputs": [out("", 7)]},
        },
        [[20, 3, 0, 12, 0, "*"], [21, 12, 0, 13, 0, "*"], [7, 13, 0, 8, 0, "LATENT"]],
    )
    workflow = only(rerouted)
    assert workflow.nodes["8"].inputs["samples"] == Link("3", "latent")
    assert layout(workflow).wires == {"8.samples": [[400, 50], [500, 60]]}
    assert prompt(workflow) == API


def test_points_of_the_newer_kind_become_points_too():
    reroutes = [{"id": 1, "pos": [1, 2]}, {"id": 2, "parentId": 1, "pos": [3, 4]}]
    older = changed({}, extra={"reroutes": reroutes, "linkExtensions": [{"id": 7, "parentId": 2}]})
    newer = changed({}, reroutes=reroutes)
    newer["links"] = [
        {"id": a, "origin_id": b, "origin_slot": c, "target_id": d, "target_slot": e, "parentId": 2 if a == 7 else None}
        for a, b, c, d, e, _ in newer["links"]
    ]
    for value in (older, newer):
        assert layout(only(value)).wires == {"8.samples": [[1, 2], [3, 4]]}


def test_a_primitive_becomes_the_value_of_what_it_is_linked_to():
    value = changed(
        {
            3: {"inputs": [*DEFAULT["nodes"][2]["inputs"], slot("seed", "INT", 20, widget=True)]},
            12: {"type": "PrimitiveNode", "widgets_values": [99, "increment"], "outputs": [out("INT", 20)]},
        },
        [[20, 12, 0, 3, 3, "INT"]],
    )
    workflow = only(value)
    assert workflow.nodes["3"].inputs["seed"] == 99
    assert "12" not in workflow.nodes
    assert layout(workflow).nodes["3"].seeds == {"seed": "increment"}


def test_named_wires_of_a_well_known_plugin_are_followed():
    value = changed(
        {
            12: {"type": "SetNode", "widgets_values": ["z"], "inputs": [slot("LATENT", "LATENT", 20)]},
            13: {"type": "GetNode", "widgets_values": ["z"], "outputs": [out("LATENT", 7)]},
        },
        [[20, 3, 0, 12, 0, "LATENT"], [7, 13, 0, 8, 0, "LATENT"]],
    )
    assert prompt(only(value)) == API


def test_muted_and_bypassed_nodes_keep_their_modes():
    workflow = only(changed({8: {"mode": 2}, 9: {"mode": 4}, 5: {"mode": 3}}))
    assert {id: node.mode for id, node in workflow.nodes.items()} == {
        "4": "run", "5": "run", "3": "run", "8": "mute", "9": "bypass",
    }  # fmt: skip


def values_of(values: Any, inputs: list[Any] | None = None, type: str = "KSampler") -> tuple[dict[str, Any], list[str]]:
    """The literals read from a lone node's widgets_values, and the codes of what was noticed."""
    workflow, notices = read({"nodes": [ui_node(1, type, inputs, values)], "links": []})
    return dict(workflow.nodes["1"].inputs), [each.code for each in notices]


FIVE = {"seed": 5, "steps": 8, "cfg": 7, "sampler": "heun", "noise": True}


@pytest.mark.parametrize(
    "values",
    [
        [5, "fixed", 8, 7, "heun", True],
        [5, 8, 7, "heun", True],
        [5, False, 8, 7, "heun", True],
        {"seed": 5, "steps": 8, "cfg": 7, "sampler": "heun", "noise": True},
    ],
)
def test_values_are_read_with_and_without_the_control_of_the_seed(values: Any):
    assert values_of(values) == (FIVE, [])


def test_names_in_the_file_decide_the_order_and_may_be_of_widgets_unknown_here():
    names = ["steps", "extra", "seed", "cfg", "sampler", "noise"]
    inputs = [slot(name, "*", widget=True) for name in names]
    assert values_of([8, "new", 5, "fixed", 7, "heun", True], inputs) == ({**FIVE, "extra": "new"}, [])


def test_a_choice_that_is_not_known_here_stays():
    assert values_of([5, "fixed", 8, 7, "uni_pc", True]) == ({**FIVE, "sampler": "uni_pc"}, [])


def test_values_for_more_inputs_than_there_are_here_are_left_out_and_said_so():
    assert values_of([*FIVE.values(), "default"]) == (FIVE, ["widgets_left_out"])
    workflow, _ = read({"nodes": [ui_node(1, "KSampler", None, [*FIVE.values(), "default"])], "links": []})
    assert to_json(workflow)["nodes"]["1"]["comfyui"] == {"widgets_values": [*FIVE.values(), "default"]}  # pyright: ignore


def test_values_that_do_not_come_out_are_matched_by_what_fits_and_said_so():
    assert values_of([5, "fixed", "a new choice", 8, 7, "heun", True]) == (FIVE, ["widgets_guessed"])
    assert values_of([5, 8, "heun"]) == ({"seed": 5, "steps": 8, "sampler": "heun"}, ["widgets_guessed"])


def test_buttons_of_uploads_are_no_values():
    assert values_of(["cat.png", "image"], type="LoadImage") == ({"image": "cat.png"}, [])
    both = {"image": "cat.png", "channel": "red"}
    assert values_of(["cat.png", "image", "red"], type="LoadImageMask") == (both, [])
    assert values_of(["cat.png", "red", "image"], type="LoadImageMask") == (both, [])


def test_counting_down_is_not_done_silently():
    workflow, notices = read(changed({3: {"widgets_values": [5, "decrement", 8, 7, "heun", True]}}))
    assert [(each.code, each.node, each.input) for each in notices] == [("seed_control", "3", "seed")]
    assert layout(workflow).nodes["3"].seeds == {"seed": "fixed"}


def test_texts_with_alternatives_stay_as_they_are():
    assert values_of(["{a|b}"], type="Save") == ({"prefix": "{a|b}"}, [])


def test_unknown_nodes_are_kept_with_everything_they_have():
    strange = {
        "type": "FaceFixer",
        "widgets_values": [1, "randomize", [2], None],
        "inputs": [slot("image", "IMAGE", 20), slot("strength", "FLOAT", widget=True)],
        "outputs": [{"name": "IMAGE", "type": "IMAGE", "links": [9]}],
        "properties": {"cnr_id": "some-pack", "ver": "1.0"},
    }
    workflow, notices = read(changed({12: strange}, [[20, 8, 0, 12, 0, "IMAGE"], [9, 12, 0, 9, 0, "IMAGE"]]))
    assert [(each.code, each.node) for each in notices] == [("unknown_node", "12")]
    node = workflow.nodes["12"]
    assert node.type == "FaceFixer"
    assert node.inputs["image"] == Link("8", "image")
    assert [node.inputs[f"widget_{index}"] for index in range(4)] == [1, "randomize", [2], None]
    assert workflow.nodes["9"].inputs["images"] == Link("12", 0)
    assert loads(dumps(workflow)) == workflow
    kept = to_json(workflow)["nodes"]["12"]["comfyui"]  # pyright: ignore
    assert kept["properties"] == strange["properties"]  # pyright: ignore
    assert kept["outputs"] == [{"name": "IMAGE", "type": "IMAGE"}]  # pyright: ignore
    with pytest.raises(WorkflowError) as caught:
        build(workflow, NODES)
    assert [each.code for each in caught.value.problems] == ["unknown_node"]


def test_unknown_nodes_take_the_names_in_the_file_where_the_numbers_agree():
    inputs = [slot("seed", "INT", widget=True), slot("strength", "FLOAT", widget=True)]
    assert values_of([1, 0.5], inputs, "FaceFixer")[0] == {"seed": 1, "strength": 0.5}
    assert values_of([1, "randomize", 0.5], inputs, "FaceFixer")[0] == {"seed": 1, "strength": 0.5}


def test_growing_inputs_become_rows():
    batch = {
        "type": "Batch",
        "inputs": [
            slot("images.image0", "IMAGE", 20),
            slot("images.image1", "IMAGE", 21),
            slot("images.image2", "IMAGE"),
        ],
    }
    workflow = only(changed({12: batch}, [[20, 8, 0, 12, 0, "IMAGE"], [21, 8, 0, 12, 1, "IMAGE"]]))
    assert workflow.nodes["12"].inputs == {"images": (Link("8", "image"), Link("8", "image"))}


def test_a_link_from_nowhere_is_reported():
    workflow, notices = read(changed({8: {"inputs": [slot("samples", "LATENT", 77), slot("vae", "VAE", 8)]}}))
    assert [(each.code, each.node, each.input) for each in notices] == [("lost_link", "8", "samples")]
    assert "samples" not in workflow.nodes["8"].inputs


def test_ids_that_cannot_be_written_in_links_are_respelt():
    value = changed({})
    value["nodes"][3]["id"] = value["links"][4][1] = value["links"][2][3] = value["links"][3][3] = "de.code ä"
    assert prompt(only(value))["9"]["inputs"]["images"] == ["de_code", 0]


def test_what_is_chosen_for_the_app_mode_becomes_the_form():
    chosen = {"inputs": [[3, "seed"], [3, "steps", {"height": 3}], [77, "x"]], "outputs": [9]}
    form = only(changed({}, extra={"linearData": chosen})).form
    assert form is not None
    assert (form.inputs, form.outputs) == (["3.seed", "3.steps"], ["9"])


def test_what_has_no_place_here_is_kept():
    models = [{"name": "emoji.safetensors", "url": "https://example.org", "directory": "checkpoints"}]
    kept = to_json(only(changed({}, id="3f2a", models=models)))["comfyui"]
    assert kept == {"id": "3f2a", "models": models, "extra": DEFAULT["extra"]}


# ------------------------------------------------------------------------------------------------------ subgraphs

UUID = "1e4a6b3c-0000-4000-8000-000000000001"
INSIDE: dict[str, Any] = {
    "id": UUID,
    "name": "Draw: it",
    "version": 1,
    "inputNode": {"id": -10, "bounding": [0, 0, 1, 1]},
    "outputNode": {"id": -20, "bounding": [9, 0, 1, 1]},
    "inputs": [
        {"id": "a", "name": "model", "type": "MODEL", "linkIds": [1]},
        {"id": "b", "name": "vae", "type": "VAE", "linkIds": [2]},
        {"id": "c", "name": "steps", "type": "INT", "linkIds": [3]},
    ],
    "outputs": [
        {"id": "d", "name": "IMAGE", "type": "IMAGE", "linkIds": [6]},
        {"id": "e", "name": "same.vae", "type": "VAE", "linkIds": [7]},
    ],
    "nodes": [
        ui_node(5, "Empty", [], [64]),
        ui_node(
            3,
            "KSampler",
            [slot("model", "MODEL", 1), slot("latent", "LATENT", 4), slot("steps", "INT", 3, widget=True)],
            [5, "fixed", 8, 7, "heun", True],
        ),
        ui_node(8, "Decode", [slot("samples", "LATENT", 5), slot("vae", "VAE", 2)]),
    ],
    "links": [
        {"id": 1, "origin_id": -10, "origin_slot": 0, "target_id": 3, "target_slot": 0, "type": "MODEL"},
        {"id": 2, "origin_id": -10, "origin_slot": 1, "target_id": 8, "target_slot": 1, "type": "VAE"},
        {"id": 3, "origin_id": -10, "origin_slot": 2, "target_id": 3, "target_slot": 2, "type": "INT"},
        {"id": 4, "origin_id": 5, "origin_slot": 0, "target_id": 3, "target_slot": 1, "type": "LATENT"},
        {"id": 5, "origin_id": 3, "origin_slot": 0, "target_id": 8, "target_slot": 0, "type": "LATENT"},
        {"id": 6, "origin_id": 8, "origin_slot": 0, "target_id": -20, "target_slot": 0, "type": "IMAGE"},
        {"id": 7, "origin_id": -10, "origin_slot": 1, "target_id": -20, "target_slot": 1, "type": "VAE"},
    ],
    "groups": [],
}


def with_subgraph(instance: dict[str, Any], *definitions: Any) -> dict[str, Any]:
    return {
        "nodes": [
            ui_node(4, "Load", [], ["emoji.safetensors"]),
            ui_node(
                7,
                instance.pop("type", UUID),
                [slot("model", "MODEL", 1), slot("vae", "VAE", 2), slot("steps", "INT", None, widget=True)],
                **instance,
            ),
            ui_node(9, "Save", [slot("images", "IMAGE", 3)], ["ComfyUI"]),
        ],
        "links": [[1, 4, 0, 7, 0, "MODEL"], [2, 4, 2, 7, 1, "VAE"], [3, 7, 0, 9, 0, "IMAGE"]],
        "definitions": {"subgraphs": [*(definitions or (INSIDE,))]},
        "version": 0.4,
    }


def test_a_subgraph_becomes_a_subgraph():
    workflow = only(with_subgraph({"values": [20]}))
    assert workflow.nodes["7"].type == "subgraph:Draw_it"
    made = workflow.subgraphs["Draw_it"]
    assert made.name == "Draw: it"
    assert [(each.name, each.to) for each in made.inputs] == [
        ("model", ["3.model"]), ("vae", ["8.vae"]), ("steps", ["3.steps"]),
    ]  # fmt: skip
    assert [(each.name, each.source) for each in made.outputs] == [("IMAGE", "8.image")]
    assert made.layout is not None
    assert set(made.layout.nodes) == {"3", "5", "8"}
    found = prompt(workflow)
    assert found["7:3"]["inputs"]["steps"] == 20
    assert found["7:3"]["inputs"]["model"] == ["4", 0]
    assert found["9"]["inputs"]["images"] == ["7:8", 0]
    assert prompt(only(with_subgraph({})))["7:3"]["inputs"]["steps"] == 8


def test_widgets_of_nodes_inside_are_promoted():
    shown = [["3", "seed"], ["3", "steps"], ["-1", "steps"], ["5", "width"]]
    for written in (shown, json.dumps(shown)):
        value = with_subgraph({"properties": {"proxyWidgets": written}, "values": [77, "randomize", 30, 31, 128]})
        workflow = only(value)
        assert workflow.nodes["7"].inputs["seed"] == 77
        assert layout(workflow).nodes["7"].seeds == {"seed": "random"}
        found = prompt(workflow)
        assert (found["7:3"]["inputs"]["seed"], found["7:3"]["inputs"]["steps"]) == (77, 31)
        assert found["7:5"]["inputs"]["width"] == 128
    value = with_subgraph({"properties": {"proxyWidgets": [["99", "x"]]}, "values": [1]})
    assert [each.code for each in read(value)[1]] == ["widgets_left_out"]


def test_an_output_that_is_an_input_leads_past_the_instance():
    value = with_subgraph({})
    value["nodes"].append(ui_node(12, "Decode", [slot("samples", "LATENT"), slot("vae", "VAE", 20)]))
    value["links"].append([20, 7, 1, 12, 1, "VAE"])
    assert only(value).nodes["12"].inputs["vae"] == Link("4", "vae")


def test_subgraphs_lie_inside_each_other():
    outer_id = "1e4a6b3c-0000-4000-8000-000000000002"
    outer = {
        "id": outer_id,
        "name": "Draw: it",
        "inputs": [{"name": "model", "type": "MODEL"}, {"name": "vae", "type": "VAE"}],
        "outputs": [{"name": "IMAGE", "type": "IMAGE"}],
        "nodes": [ui_node(1, UUID, [slot("model", "MODEL", 1), slot("vae", "VAE", 2)])],
        "links": [[1, -10, 0, 1, 0, "MODEL"], [2, -10, 1, 1, 1, "VAE"], [3, 1, 0, -20, 0, "IMAGE"]],
        "definitions": {"subgraphs": [INSIDE]},
    }
    value = with_subgraph({"type": outer_id}, outer)
    assert prompt(only(value))["9"]["inputs"]["images"] == ["7:1:8", 0]


# ---------------------------------------------------------------------------------------------------- files, and junk


def picture(path: Path, **texts: Any) -> Path:
    chunks = PngImagePlugin.PngInfo()
    for key, value in texts.items():
        chunks.add_text(key, json.dumps(value))
    Image.new("RGB", (4, 4)).save(path, pnginfo=chunks)
    return path


def test_without_a_catalogue_the_format_is_refused(tmp_path: Path):
    with pytest.raises(WorkflowError) as caught:
        from_json(DEFAULT)
    assert [each.code for each in caught.value.problems] == ["ui_format"]
    assert load(picture(tmp_path / "both.png", workflow=DEFAULT, prompt=API)).nodes["9"].inputs["prefix"] == "ComfyUI"


def test_a_picture_gives_the_graph_with_its_layout_and_the_values_of_the_prompt(tmp_path: Path):
    odd = changed({3: {"widgets_values": ["who", "knows"]}, 12: {"type": "Elsewhere"}})
    same = {**API, "3": {**API["3"], "class_type": "KSampler"}}
    path = picture(tmp_path / "both.png", workflow=odd, prompt=same)
    notices: list[Problem] = []
    workflow = load(path, schemas=NODES, notice=notices.append)
    assert [each.code for each in notices] == ["unknown_node"]
    assert layout(workflow).nodes["3"].position == [863, 186]
    assert to_prompt(build(workflow, NODES, outputs=["9"])) == API
    assert loads(path.read_bytes(), schemas=NODES) == workflow
    alone = load(picture(tmp_path / "alone.png", workflow=DEFAULT), schemas=NODES)
    assert to_json(alone) == to_json(only(DEFAULT))


def test_there_may_be_no_more_nodes_than_allowed():
    many = {"nodes": [ui_node(index, "Empty") for index in range(20_001)], "links": []}
    with pytest.raises(WorkflowError) as caught:
        from_json(many, schemas=NODES)
    assert [each.code for each in caught.value.problems] == ["too_many_nodes"]


@pytest.mark.parametrize("seed", range(4))
def test_mutated_files_are_read_or_refused_and_nothing_else(seed: int):
    draw = random.Random(seed)
    junk = [*JUNK, [1, 2, 3, 4, 5, "*"], {"id": -10}, "-20", {"0": 1, "1": 2}, UUID, "Reroute", "PrimitiveNode"]
    documents = [
        changed({12: {"type": "Reroute", "inputs": [slot("", "*", 2)]}, 13: {"type": "PrimitiveNode"}}),
        with_subgraph({"properties": {"proxyWidgets": [["3", "seed"]]}, "values": [1, "fixed"]}),
    ]
    seen = 0
    for _ in range(100):
        value = copy.deepcopy(draw.choice(documents))
        for _ in range(draw.choice([1, 2, 3, 8])):
            mutate(value, draw)
            if draw.random() < 0.5:
                value["nodes" if draw.random() < 0.5 else "links"] = copy.deepcopy(
                    draw.choice([*junk, value.get("nodes")])
                )
        try:
            workflow, _ = read(value)
            seen += 1
            assert loads(dumps(workflow)) == workflow
            build(workflow, NODES)
        except WorkflowError as error:
            assert all(each.message for each in error.problems)
    assert seen > 10
