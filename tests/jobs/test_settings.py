from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from engine.errors import WorkflowError
from engine.graph.document import from_json, to_json
from engine.jobs.settings import place_in, set_inputs, with_settings

DOCUMENT: JsonValue = {
    "darkroom": 1,
    "nodes": {
        "picture": {"type": "Picture", "inputs": {"size": 64}},
        "row": {"type": "Batch", "inputs": {"images": [{"from": "picture.image"}]}},
        "portrait": {"type": "subgraph:portrait", "inputs": {"text": "a face"}},
        "plain:name": {"type": "Picture"},
    },
    "subgraphs": {"portrait": {"nodes": {"sampler": {"type": "Sample"}, "deep": {"type": "subgraph:portrait"}}}},
}
WORKFLOW = from_json(DOCUMENT)
DOTTED = from_json({"1.2": {"class_type": "Picture", "inputs": {}}, "1": {"class_type": "Picture", "inputs": {}}})


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("picture.size", ("picture", "size")),
        ("row.images.0", ("row", "images.0")),
        ("plain:name.size", ("plain:name", "size")),
        ("portrait.text", ("portrait", "text")),
        ("portrait:sampler.seed", ("portrait", "sampler.seed")),
        ("portrait:deep:sampler.seed", ("portrait", "deep:sampler.seed")),
        ("nobody.size", None),
        ("picture", None),
        ("picture.", None),
        (".size", None),
        ("", None),
    ],
)
def test_a_setting_names_a_node_and_its_input(name: str, place: tuple[str, str] | None) -> None:
    assert place_in(WORKFLOW, name) == place


def test_an_id_with_a_dot_is_found_unless_a_shorter_one_fits() -> None:
    assert place_in(DOTTED, "1.2.seed") == ("1", "2.seed")
    assert place_in(from_json({"1.2": {"class_type": "Picture", "inputs": {}}}), "1.2.seed") == ("1.2", "seed")


def test_every_setting_of_a_missing_node_is_told() -> None:
    with pytest.raises(WorkflowError) as refused:
        set_inputs(WORKFLOW, {"picure.size": 1, "nobody.x": 2, "picture.size": 3})
    assert [problem.code for problem in refused.value.problems] == ["no_such_node", "no_such_node"]
    assert "picture" in str(refused.value)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
NAMES = ["picture.size", "picture.seed", "portrait.text", "portrait:deep:sampler.seed", "plain:name.size"]


@given(st.dictionaries(st.sampled_from(NAMES), VALUES))
def test_a_stored_document_is_set_as_the_workflow_is(settings: dict[str, JsonValue]) -> None:
    assert with_settings(DOCUMENT, settings) == to_json(set_inputs(WORKFLOW, settings))
    assert to_json(WORKFLOW) == DOCUMENT, "setting inputs changed the original"
