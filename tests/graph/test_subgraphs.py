from __future__ import annotations

import json
from typing import Any

import pytest

from engine.errors import WorkflowError
from engine.graph.build import build
from engine.graph.document import dumps, from_json, loads, to_json
from engine.graph.graph import Graph, Source
from engine.graph.keys import Environment, compute_keys
from engine.graph.prompt import to_prompt
from engine.graph.subgraphs import MAX_DEPTH, flatten
from engine.graph.workflow import Workflow, find_node, with_input
from tests.graph.catalogue import CATALOGUE, problems

DRAW: dict[str, Any] = {
    "name": "Draw",
    "nodes": {
        "empty": {"type": "Empty"},
        "sampler": {
            "type": "Sample",
            "inputs": {"latent": {"from": "empty.latent"}, "seed": 3, "steps": 8},
        },
        "decode": {"type": "Decode", "inputs": {"samples": {"from": "sampler.latent"}}},
    },
    "inputs": [
        {"name": "model", "to": ["sampler.model"]},
        {"name": "vae", "to": ["decode.vae"]},
        {"name": "seed", "to": ["sampler.seed"]},
    ],
    "outputs": [{"name": "image", "from": "decode.image"}, {"name": "latent", "from": "sampler.0"}],
}
LOAD: dict[str, Any] = {"type": "Load", "inputs": {"name": "emoji.safetensors"}}
LINKS: dict[str, Any] = {"model": {"from": "loader.model"}, "vae": {"from": "loader.vae"}}
TWO: dict[str, Any] = {
    "darkroom": 1,
    "nodes": {
        "loader": LOAD,
        "one": {"type": "subgraph:draw", "inputs": {**LINKS, "seed": 7}},
        "two": {"type": "subgraph:draw", "inputs": LINKS},
        "save": {"type": "Save", "inputs": {"images": {"from": "one.image"}}},
        "show": {"type": "Show", "inputs": {"thing": {"from": "two.1"}}},
    },
    "subgraphs": {"draw": DRAW},
    "form": {"inputs": ["one.seed", "one:sampler.steps"], "outputs": ["save"], "title": "Draw"},
}


def document(nodes: dict[str, Any], **subgraphs: Any) -> Workflow:
    return from_json({"darkroom": 1, "nodes": nodes, "subgraphs": subgraphs})


def two(**changes: Any) -> Workflow:
    """TWO with inputs of `one` changed."""
    nodes = {**TWO["nodes"], "one": {**TWO["nodes"]["one"], "inputs": {**TWO["nodes"]["one"]["inputs"], **changes}}}
    return from_json({**TWO, "nodes": nodes})


def built(workflow: Workflow, outputs: list[str] | None = None) -> Graph:
    return build(workflow, CATALOGUE, outputs=outputs)


def refused(workflow: Workflow, outputs: list[str] | None = None) -> WorkflowError:
    with pytest.raises(WorkflowError) as caught:
        built(workflow, outputs)
    return caught.value


def test_an_instance_becomes_the_nodes_of_its_definition():
    graph = built(from_json(TWO))
    assert set(graph.nodes) == {
        *("loader", "one:empty", "one:sampler", "one:decode", "two:empty", "two:sampler", "save", "show")
    }
    assert graph.nodes["save"].links["images"] == Source("one:decode", 0)
    assert graph.nodes["show"].links["thing"] == Source("two:sampler", 0)
    assert graph.nodes["one:sampler"].links["model"] == Source("loader", 0)


def test_inputs_of_the_instance_replace_those_inside_and_what_is_left_out_stays():
    graph = built(from_json(TWO))
    assert graph.nodes["one:sampler"].literals["seed"] == 7
    assert graph.nodes["two:sampler"].literals["seed"] == 3
    assert graph.nodes["two:sampler"].literals["steps"] == 8


def test_a_graph_and_its_subgraph_have_the_same_keys():
    flat = {
        "loader": LOAD,
        "e": {"type": "Empty"},
        "s": {
            "type": "Sample",
            "inputs": {"model": {"from": "loader.model"}, "latent": {"from": "e.0"}, "seed": 7, "steps": 8},
        },
        "d": {"type": "Decode", "inputs": {"samples": {"from": "s.0"}, "vae": {"from": "loader.vae"}}},
        "save": {"type": "Save", "inputs": {"images": {"from": "d.0"}}},
    }
    one, other = (
        compute_keys(built(each, ["save"]), Environment("", "", ""), digest_file=lambda folder, name: name).of
        for each in (from_json(TWO), from_json({"darkroom": 1, "nodes": flat}))
    )
    assert one["save"] == other["save"]


def test_an_input_may_go_to_several_nodes_and_an_output_may_lead_through_several_levels():
    outer = {
        "nodes": {"draw": {"type": "subgraph:draw"}, "blur": {"type": "Blur", "inputs": {"image": {"from": "draw.0"}}}},
        "inputs": [
            {"name": "model", "to": ["draw.model"]},
            {"name": "vae", "to": ["draw.vae"]},
            {"name": "amount", "to": ["draw.seed", "blur.radius"]},
        ],
        "outputs": [{"name": "plain", "from": "draw.image"}, {"name": "blurred", "from": "blur.image"}],
    }
    nodes = {
        "loader": LOAD,
        "all": {"type": "subgraph:outer", "inputs": {**LINKS, "amount": 5}},
        "show": {"type": "Show", "inputs": {"thing": {"from": "all.plain"}}},
        "save": {"type": "Save", "inputs": {"images": {"from": "all.blurred"}}},
    }
    graph = built(document(nodes, outer=outer, draw=DRAW))
    assert graph.nodes["show"].links["thing"] == Source("all:draw:decode", 0)
    assert graph.nodes["all:draw:sampler"].literals["seed"] == 5
    assert graph.nodes["all:blur"].literals["radius"] == 5.0
    assert graph.nodes["all:draw:decode"].links["vae"] == Source("loader", 2)


def test_a_growing_input_may_be_offered():
    row = {
        "nodes": {"batch": {"type": "Batch"}},
        "inputs": [{"name": "pictures", "to": ["batch.images"]}],
        "outputs": [{"name": "image", "from": "batch.image"}],
    }
    nodes = {
        **{id: node for id, node in TWO["nodes"].items() if id != "show"},
        "row": {"type": "subgraph:row", "inputs": {"pictures": [{"from": "one.image"}, {"from": "two.image"}]}},
        "save": {"type": "Save", "inputs": {"images": {"from": "row.image"}}},
    }
    links = {"images.0": Source("one:decode", 0), "images.1": Source("two:decode", 0)}
    assert built(document(nodes, row=row, draw=DRAW)).nodes["row:batch"].links == links
    dotted: Any = {"pictures.0": {"from": "one.image"}, "pictures.1": {"from": "two.image"}}
    nodes["row"] = {**nodes["row"], "inputs": dotted}
    assert built(document(nodes, row=row, draw=DRAW)).nodes["row:batch"].links == links


def test_a_path_sets_an_input_inside_for_one_instance():
    graph = built(two(**{"sampler.steps": 30}))
    assert graph.nodes["one:sampler"].literals["steps"] == 30
    assert graph.nodes["two:sampler"].literals["steps"] == 8


def test_settings_reach_promoted_inputs_and_inner_ones_at_any_depth():
    outer = {"nodes": {"draw": {"type": "subgraph:draw"}}, "outputs": [{"name": "image", "from": "draw.image"}]}
    workflow = document({"all": {"type": "subgraph:outer"}}, outer=outer, draw=DRAW)
    workflow = with_input(workflow, "all:draw:sampler", "steps", "30")
    workflow = with_input(workflow, "all:draw", "seed", "4")
    flat = flatten(workflow, CATALOGUE).nodes["all:draw:sampler"]
    assert (flat.inputs["steps"], flat.inputs["seed"]) == ("30", "4")
    assert loads(dumps(workflow)) == workflow
    assert with_input(from_json(TWO), "one", "seed", 9).nodes["one"].inputs["seed"] == 9


def test_a_setting_for_a_node_that_is_not_there_is_refused():
    for id in ("one:nobody", "one:sampler:more", "nobody:sampler", "loader:x"):
        assert find_node(from_json(TWO), id) is None
        with pytest.raises(WorkflowError) as caught:
            with_input(from_json(TWO), id, "steps", 1)
        assert problems(caught.value) == [("no_such_node", None, None)]


def test_ids_with_colons_are_found_before_paths():
    nodes = {"one:sampler": LOAD, "one": {"type": "subgraph:draw"}}
    workflow = document(nodes, draw=DRAW)
    assert find_node(workflow, "one:sampler") == ("one:sampler", "", workflow.nodes["one:sampler"])
    assert ("duplicate_node", "one:sampler", None) in problems(refused(workflow))


def test_asking_for_an_instance_runs_what_its_outputs_come_from():
    graph = built(from_json(TWO), ["two"])
    assert set(graph.outputs) == {"two:decode", "two:sampler"}
    assert "save" not in graph.nodes


def test_output_nodes_inside_an_instance_run():
    saver = {
        "nodes": {"save": {"type": "Save"}},
        "inputs": [{"name": "images", "to": ["save.images"]}],
    }
    nodes = {**TWO["nodes"], "save": {"type": "subgraph:saver", "inputs": {"images": {"from": "one.image"}}}}
    workflow = document(nodes, saver=saver, draw=DRAW)
    assert built(workflow).outputs == ("save:save", "show")
    assert built(workflow, ["save"]).outputs == ("save:save",)


def test_a_muted_instance_is_as_if_it_were_not_there():
    nodes = {**TWO["nodes"], "two": {**TWO["nodes"]["two"], "mode": "mute"}}
    error = refused(from_json({**TWO, "nodes": nodes}))
    assert problems(error) == [("missing_input", "show", "thing")]
    assert "'two', which is muted" in str(error)


def test_a_bypassed_instance_passes_on_what_fits():
    soften = {
        "nodes": {"blur": {"type": "Blur"}},
        "inputs": [{"name": "amount", "to": ["blur.radius"]}, {"name": "picture", "to": ["blur.image"]}],
        "outputs": [{"name": "softened", "from": "blur.image"}],
    }
    outer = {
        "nodes": {"soften": {"type": "subgraph:soften"}},
        "inputs": [{"name": "in", "to": ["soften.picture"]}],
        "outputs": [{"name": "out", "from": "soften.softened"}],
    }
    for kind, input in (("soften", "picture"), ("outer", "in")):
        inputs = {input: {"from": "one.image"}, **({"amount": 2} if kind == "soften" else {})}
        nodes = {
            **TWO["nodes"],
            "soft": {"type": f"subgraph:{kind}", "mode": "bypass", "inputs": inputs},
            "save": {"type": "Save", "inputs": {"images": {"from": "soft.0"}}},
        }
        graph = built(document(nodes, soften=soften, outer=outer, draw=DRAW))
        assert graph.nodes["save"].links["images"] == Source("one:decode", 0)


def test_problems_are_told_where_the_value_was_given():
    assert problems(refused(two(seed=-1))) == [("value_out_of_range", "one", "seed")]
    assert problems(refused(two(vae={"from": "loader.model"}))) == [("link_type", "one", "vae")]
    assert problems(refused(two(**{"sampler.steps": 0}))) == [("value_out_of_range", "one:sampler", "steps")]
    bare = document({"x": {"type": "subgraph:draw"}}, draw=DRAW)
    assert sorted(problems(refused(bare, ["x"]))) == [("missing_input", "x", "model"), ("missing_input", "x", "vae")]


def test_unknown_names_are_refused_and_the_nearest_are_named():
    error = refused(two(sed=1))
    assert problems(error) == [("unknown_input", "one", "sed")]
    assert "Use 'seed'" in str(error)
    nodes = {**TWO["nodes"], "save": {"type": "Save", "inputs": {"images": {"from": "one.imag"}}}}
    error = refused(from_json({**TWO, "nodes": nodes}))
    assert problems(error) == [("unknown_output", "save", "images")]
    assert "Use 'image'" in str(error)
    nodes = {**TWO["nodes"], "one": {"type": "subgraph:drow"}}
    for outputs in (None, ["save"]):
        error = refused(from_json({**TWO, "nodes": nodes}), outputs)
        assert problems(error) == [("unknown_subgraph", "one", None)]
        assert "Use 'draw'" in str(error)


def test_a_workflow_without_subgraphs_names_the_missing_one():
    error = refused(document({"x": {"type": "subgraph:draw"}}))
    assert problems(error) == [("unknown_subgraph", "x", None)]


def test_an_instance_that_is_not_needed_is_not_checked():
    assert built(two(sed=1), ["show"]).outputs == ("show",)


def test_a_subgraph_that_contains_itself_is_refused_with_the_way():
    a = {"nodes": {"b": {"type": "subgraph:b"}}}
    b = {"nodes": {"a": {"type": "subgraph:a"}}}
    error = refused(document({"x": {"type": "subgraph:a"}, **TWO["nodes"]}, a=a, b=b, draw=DRAW))
    assert problems(error) == [("recursive_subgraph", "x:b:a", None)]
    assert "a -> b -> a" in str(error)


def test_levels_and_nodes_are_bounded():
    tower: dict[str, Any] = {
        f"s{level}": {"nodes": {"n": {"type": f"subgraph:s{level + 1}"}}} for level in range(MAX_DEPTH + 1)
    }
    tower[f"s{MAX_DEPTH + 1}"] = {"nodes": {"n": {"type": "Empty"}}}
    error = refused(document({"x": {"type": "subgraph:s0"}, **TWO["nodes"]}, draw=DRAW, **tower))
    assert [each.code for each in error.problems] == ["subgraphs_too_deep"]
    doubling: dict[str, Any] = {
        f"s{level}": {"nodes": {str(index): {"type": f"subgraph:s{level + 1}"} for index in range(8)}}
        for level in range(20)
    }
    doubling["s20"] = {"nodes": {"n": {"type": "Empty"}}}
    flat = flatten(document({"x": {"type": "subgraph:s0"}}, **doubling), CATALOGUE)
    assert len(flat.nodes) <= 20_000
    assert {each.code for each in flat.refused.values()} == {"too_many_nodes"}


def test_a_document_with_all_additions_is_written_back_byte_for_byte():
    full = {
        **TWO,
        "layout": {
            "nodes": {"one": {"position": [0, 0], "seeds": {"seed": "random"}}},
            "wires": {"save.images": [[1, 2], [3.5, 4]]},
            "view": {"x": 1, "y": 2, "zoom": 0.5},
        },
        "subgraphs": {"draw": {**DRAW, "layout": {"nodes": {"empty": {"position": [1, 1]}}}, "later": [1]}},
    }
    full["nodes"]["save"] = {**full["nodes"]["save"], "frozen": "abc"}
    assert to_json(from_json(full)) == full
    text = dumps(from_json(full))
    assert dumps(loads(text)) == text
    assert json.loads(text) == full


def test_problems_inside_a_definition_say_where():
    bad = {"nodes": {"n": {"type": "Empty", "inputs": {"width": {"x": 1}}}}}
    with pytest.raises(WorkflowError) as caught:
        document({}, bad=bad)
    assert "subgraphs.bad.nodes.n.inputs.width" in str(caught.value)
    with pytest.raises(WorkflowError) as caught:
        document({}, bad={"nodes": {"a b": {"type": "Empty"}}})
    assert problems(caught.value) == [("bad_node_id", "a b", None)]


def test_the_prompt_of_a_workflow_with_subgraphs_is_flat():
    assert set(to_prompt(built(from_json(TWO)))) >= {"one:sampler", "save"}
