from __future__ import annotations

from typing import Any

import pytest
from pydantic import JsonValue

from engine.errors import Problem, WorkflowError
from engine.graph.build import build
from engine.graph.document import from_json
from engine.graph.graph import Graph, Source
from engine.graph.workflow import WorkflowNode
from tests.graph.catalogue import (
    CATALOGUE,
    TEXT_TO_IMAGE,
    Schemas,
    edited,
    graph,
    problems,
    schema,
    with_inputs,
    workflow,
)


def refused(nodes: dict[str, Any] | None = None, /, **more: Any) -> tuple[Problem, ...]:
    with pytest.raises(WorkflowError) as caught:
        graph(nodes, **more)
    for problem in caught.value.problems:
        assert problem.fix and problem.message.endswith("."), problem
    return caught.value.problems


def only(nodes: dict[str, Any] | None = None, /, **more: Any) -> tuple[str, str | None, str | None]:
    (problem,) = problems(WorkflowError(refused(nodes, **more)))
    return problem


def link(to: str) -> dict[str, JsonValue]:
    return {"from": to}


def test_a_workflow_becomes_a_graph_in_topological_order():
    built = graph(dict(reversed(TEXT_TO_IMAGE.items())))
    assert list(built.nodes) == ["empty", "loader", "sampler", "decode", "save"]
    assert built.outputs == ("save",)
    sampler = built.nodes["sampler"]
    assert sampler.links == {"model": Source("loader", 0), "latent": Source("empty", 0)}
    assert built.nodes["decode"].links["vae"] == Source("loader", 2)


def test_defaults_are_filled_in_as_the_inputs_type():
    literals = graph().nodes["sampler"].literals
    assert literals == {"seed": 3, "cfg": 7.5, "steps": 20, "sampler": "euler", "noise": True}
    given = graph(with_inputs("sampler", cfg=8)).nodes["sampler"].literals["cfg"]
    left_out = graph(sampler={"type": "Sample", "inputs": {"model": link("loader.model"), "latent": link("empty.0")}})
    assert type(given) is type(left_out.nodes["sampler"].literals["cfg"]) is float


def test_an_alias_builds_the_node_it_stands_for():
    built = graph(sampler={**TEXT_TO_IMAGE["sampler"], "type": "KSampler"})
    assert built.nodes["sampler"].schema.name == "Sample"


def test_null_is_no_link():
    assert "mask" not in graph(with_inputs("sampler", mask=None)).nodes["sampler"].links
    assert only(with_inputs("sampler", model=None)) == ("missing_input", "sampler", "model")


def test_all_problems_are_reported_at_once_in_the_order_of_the_nodes():
    bad: dict[str, Any] = {
        "save": {"type": "Save", "inputs": {"images": link("decode.pixels"), "prefex": "x"}},
        "decode": {"type": "Decode", "inputs": {"samples": link("sampler.latent"), "vae": link("nowhere.vae")}},
        "sampler": {
            "type": "Sample",
            "inputs": {"model": link("lost.model"), "steps": 0, "cfg": "x", "sampler": "eular"},
        },
        "lost": {"type": "Lod", "inputs": {"from": link("gone.x")}},
        "loop": {"type": "Blur", "inputs": {"image": link("loop.image")}},
        "show": {"type": "Show", "inputs": {"thing": link("loop.image")}},
    }
    assert problems(WorkflowError(refused(bad))) == [
        ("unknown_output", "save", "images"),
        ("unknown_input", "save", "prefex"),
        ("unknown_node", "lost", None),
        ("cycle", "loop", None),
    ]
    bad["save"]["inputs"] = {"images": link("decode.image")}
    assert set(problems(WorkflowError(refused(bad)))) == {
        ("dangling_link", "decode", "vae"),
        ("value_out_of_range", "sampler", "steps"),
        ("wrong_kind", "sampler", "cfg"),
        ("not_in_options", "sampler", "sampler"),
        ("missing_input", "sampler", "latent"),
        ("unknown_node", "lost", None),
        ("dangling_link", "lost", "from"),
        ("cycle", "loop", None),
    }


@pytest.mark.parametrize(
    ("id", "inputs", "expected", "fix"),
    [
        ("sampler", {"stesp": 3}, ("unknown_input", "sampler", "stesp"), "use 'steps'"),
        ("sampler", {"steps": 0}, ("value_out_of_range", "sampler", "steps"), "use 1"),
        ("sampler", {"seed": {"value": [1]}}, ("wrong_kind", "sampler", "seed"), "write digits only"),
        ("sampler", {"seed": [link("empty.latent")]}, ("one_link_only", "sampler", "seed"), "link one output"),
        (
            "sampler",
            {"model": 3},
            ("link_required", "sampler", "model"),
            "link an output of type MODEL to it",
        ),
        ("sampler", {"model": link("loader.vae")}, ("link_type", "sampler", "model"), "use 'loader.model'"),
        ("sampler", {"model": link("empty.latent")}, ("link_type", "sampler", "model"), "link an output of type MODEL"),
        ("sampler", {"model": link("loadr.model")}, ("dangling_link", "sampler", "model"), "link it to 'loader'"),
        ("sampler", {"model": link("loader.modl")}, ("unknown_output", "sampler", "model"), "use 'model'"),
        (
            "sampler",
            {"model": link("loader.3")},
            ("unknown_output", "sampler", "model"),
            "use 'model', 'clip' or 'vae'",
        ),
        ("save", {"images": link("save.x")}, ("unknown_output", "save", "images"), "link another node"),
        ("empty", {"width": -8}, ("value_out_of_range", "empty", "width"), "use 16"),
        ("loader", {"name": 2}, None, None),
    ],
)
def test_an_input_that_does_not_fit_is_named_with_its_remedy(
    id: str, inputs: dict[str, JsonValue], expected: tuple[str, str, str] | None, fix: str | None
):
    if expected is None:
        assert graph(with_inputs(id, **inputs)).nodes[id].literals["name"] == "2"
        return
    (problem,) = refused(with_inputs(id, **inputs))
    assert (problem.code, problem.node, problem.input) == expected
    assert problem.fix == fix


def test_an_unknown_node_names_the_nearest():
    (problem,) = refused(save={"type": "Saev", "inputs": {}})
    assert problem.code == "unknown_node"
    assert "'Save'" in str(problem)


def test_a_cycle_is_shown_as_its_path():
    a = {"type": "Blur", "inputs": {"image": link("b.image")}}
    b = {"type": "Blur", "inputs": {"image": link("a.image")}}
    (problem,) = refused({"a": a, "b": b, "show": {"type": "Show", "inputs": {"thing": link("b.image")}}})
    assert problem.code == "cycle"
    assert problem.got in ("a -> b -> a", "b -> a -> b")


def test_without_output_nodes_there_is_nothing_to_run():
    (problem,) = refused({"empty": TEXT_TO_IMAGE["empty"]})
    assert problem.code == "no_output"
    assert problem.fix == "add 'Save' or 'Show'"
    assert only({}) == ("no_output", None, None)


def test_only_what_an_output_needs_is_checked():
    built = graph(aside={"type": "Sample", "inputs": {"steps": "nonsense", "no": link("no.where")}})
    assert "aside" not in built.nodes


def test_an_unknown_node_beside_the_rest_might_have_been_an_output():
    assert only(aside={"type": "SaveElsewhere"}) == ("unknown_node", "aside", None)
    assert "aside" not in build(workflow(aside={"type": "SaveElsewhere"}), CATALOGUE, outputs=["save"]).nodes


def test_any_node_can_be_asked_for():
    built = build(workflow(), CATALOGUE, outputs=["sampler", "empty", "sampler"])
    assert built.outputs == ("sampler", "empty")
    assert list(built.nodes) == ["loader", "empty", "sampler"]


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        (["sav"], ("no_such_node", None, None)),
        ([], ("no_output", None, None)),
        (["quiet"], ("not_running", "quiet", None)),
    ],
)
def test_asking_for_what_cannot_run_is_a_problem(outputs: list[str], expected: tuple[str, str | None, str | None]):
    quiet = {"type": "Show", "mode": "mute"}
    with pytest.raises(WorkflowError) as caught:
        build(workflow(quiet=quiet), CATALOGUE, outputs=outputs)
    assert problems(caught.value) == [expected]


# Inputs that grow


def test_a_list_of_links_grows_an_input():
    blur = {"type": "Blur", "inputs": {"image": link("decode.image")}}
    batch = {"type": "Batch", "inputs": {"images": [link("blur.image"), link("decode.image")]}}
    built = graph(with_inputs("save", images=link("batch.image")), blur=blur, batch=batch)
    assert built.nodes["batch"].links == {"images.0": Source("blur", 0), "images.1": Source("decode", 0)}


def test_dotted_names_of_comfyui_grow_an_input_in_the_order_of_their_numbers():
    prompt: dict[str, JsonValue] = {
        "v": {"class_type": "Load", "inputs": {"name": "a"}},
        "l": {"class_type": "Empty", "inputs": {}},
        "i": {"class_type": "Decode", "inputs": {"samples": ["l", 0], "vae": ["v", 2]}},
        "j": {"class_type": "Blur", "inputs": {"image": ["i", 0]}},
        "b": {"class_type": "Batch", "inputs": {"images.image10": ["i", 0], "images.image2": ["j", 0]}},
        "s": {"class_type": "Save", "inputs": {"images": ["b", 0]}},
    }
    assert build(from_json(prompt), CATALOGUE).nodes["b"].links == {
        "images.0": Source("j", 0),
        "images.1": Source("i", 0),
    }


def test_an_input_that_grows_needs_links():
    show: dict[str, Any] = {"type": "Show", "inputs": {"thing": link("batch.image")}}

    def found(images: JsonValue) -> tuple[str, str | None, str | None]:
        return only({"batch": {"type": "Batch", "inputs": {"images": images}}, "show": show})

    assert found([]) == ("missing_input", "batch", "images")
    assert found(3) == ("link_required", "batch", "images.0")
    assert found(None) == ("missing_input", "batch", "images")


# ComfyUI's format


def api(**inputs: JsonValue) -> dict[str, JsonValue]:
    return {
        "1": {"class_type": "Empty", "inputs": {"width": "64", **inputs}},
        "2": {"class_type": "Show", "inputs": {"thing": ["1", 0]}},
    }


def test_undeclared_leftovers_of_comfyuis_editor_are_dropped():
    assert build(from_json(api(upload="image")), CATALOGUE).nodes["1"].literals == {"width": 64}


def test_an_undeclared_link_and_a_slip_are_reported_in_comfyuis_format_too():
    for inputs in ({"other": ["2", 0]}, {"width": 64, "widht": 8}):
        value = api()
        value["1"] = {"class_type": "Empty", "inputs": inputs if "other" in inputs else {"widht": 8}}
        with pytest.raises(WorkflowError) as caught:
            build(from_json(value), CATALOGUE)
        assert caught.value.problems[0].code == "unknown_input"


# Files, size, bounds


def test_files_are_checked_by_whoever_knows_the_folders():
    asked: list[tuple[str, str]] = []

    def check(folder: str, name: str) -> Problem | None:
        asked.append((folder, name))
        return Problem("file_missing", "It is not there.", fix="put it there")

    with pytest.raises(WorkflowError) as caught:
        build(workflow(), CATALOGUE, check_file=check)
    assert problems(caught.value) == [("file_missing", "loader", "name")]
    assert asked == [("checkpoints", "emoji.safetensors")]


def test_a_file_is_named_and_not_linked_because_its_content_is_in_the_key():
    nodes = with_inputs("loader", name=link("any.0"))
    assert only(nodes, any={"type": "Any", "inputs": {"value": "x"}}) == ("value_required", "loader", "name")


def test_a_default_outside_its_own_range_is_the_authors_word():
    schemas = Schemas([schema("Odd", [edited("n", "INT", -1, minimum=0)], output=True)])
    assert build(workflow({"a": {"type": "Odd"}}), schemas).nodes["a"].literals == {"n": -1}


def chain(count: int) -> Graph:
    nodes: dict[str, Any] = {"0": {"type": "Any", "inputs": {"value": 1}}}
    for index in range(1, count - 1):
        nodes[str(index)] = {"type": "Blur", "inputs": {"image": link(f"{index - 1}.0")}}
    return graph({**nodes, "show": {"type": "Show", "inputs": {"thing": link(f"{count - 2}.0")}}})


def test_a_chain_of_ten_thousand_nodes_builds():
    assert len(chain(10_000).nodes) == 10_000


def test_the_list_of_problems_is_bounded():
    nodes = {f"s{index}": {"type": f"Unknown{index}"} for index in range(5_000)}
    assert [each.code for each in refused(nodes)] == ["unknown_node"] * 200 + ["too_many_problems"]


def test_a_graph_that_a_node_expands_to_may_link_to_the_outer_one():
    outer = graph()
    inner = workflow({"blur": {"type": "Blur", "inputs": {"image": link("decode.image")}}})
    built = build(inner, CATALOGUE, outputs=["blur"], outer=outer)
    assert list(built.nodes) == ["blur"]
    assert built.nodes["blur"].links == {"image": Source("decode", 0)}


def test_a_version_newer_than_installed_is_a_problem():
    (problem,) = refused(empty={"type": "Empty", "version": 2})
    assert (problem.code, problem.node) == ("newer_node", "empty")


def test_nodes_made_in_python_are_built():
    made = workflow().model_copy(update={"nodes": {"any": WorkflowNode(type="Any", inputs={"value": 1})}})
    assert build(made, CATALOGUE, outputs=["any"]).nodes["any"].literals == {"value": 1}
