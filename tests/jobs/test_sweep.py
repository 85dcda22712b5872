from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import WorkflowError
from engine.jobs.model import MAX_SWEEP_JOBS, Sweep
from engine.jobs.sweep import points


def sweep(values: dict[str, Any], mode: str = "product") -> list[dict[str, Any]]:
    return points(Sweep.model_validate({"mode": mode, "values": values}))


def codes(values: dict[str, Any], mode: str = "product") -> list[str]:
    with pytest.raises(WorkflowError) as refused:
        sweep(values, mode)
    return [problem.code for problem in refused.value.problems]


def test_a_product_combines_every_value_with_every_other() -> None:
    found = sweep({"a.x": [1, 2], "b.y": ["u", "v", "w"]})
    assert found == [{"a.x": x, "b.y": y} for x in (1, 2) for y in ("u", "v", "w")]


def test_zip_takes_values_side_by_side() -> None:
    assert sweep({"a.x": [1, 2], "b.y": ["u", "v"]}, "zip") == [{"a.x": 1, "b.y": "u"}, {"a.x": 2, "b.y": "v"}]


def test_a_range_of_decimals_has_the_numbers_that_were_meant() -> None:
    # Adding 0.1 in binary gives 0.30000000000000004, and a list without its end.
    assert sweep({"a.x": {"from": 0.1, "to": 0.5, "step": 0.1}}) == [{"a.x": x} for x in (0.1, 0.2, 0.3, 0.4, 0.5)]


def test_a_range_of_whole_numbers_stays_whole_up_to_the_largest_seed() -> None:
    found = sweep({"a.seed": {"from": 2**64 - 3, "to": 2**64 - 1, "step": 1}})
    assert [point["a.seed"] for point in found] == [2**64 - 3, 2**64 - 2, 2**64 - 1]
    assert all(type(point["a.seed"]) is int for point in found)


def test_a_range_may_go_down() -> None:
    assert sweep({"a.x": {"from": 3, "to": 1, "step": -1}}) == [{"a.x": 3}, {"a.x": 2}, {"a.x": 1}]


def test_a_range_by_count_has_both_ends() -> None:
    assert sweep({"a.x": {"from": 0, "to": 1, "count": 5}}) == [{"a.x": x} for x in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert sweep({"a.x": {"from": 10, "to": 30, "count": 3}}) == [{"a.x": x} for x in (10, 20, 30)]
    assert sweep({"a.x": {"from": 7, "to": 9, "count": 1}}) == [{"a.x": 7}]


def test_an_axis_without_values_is_refused_with_its_input() -> None:
    with pytest.raises(WorkflowError) as refused:
        sweep({"a.x": [], "b.y": [1]})
    (problem,) = refused.value.problems
    assert (problem.code, problem.node, problem.input) == ("empty_sweep", "a", "x")


@pytest.mark.parametrize(
    "range",
    [
        {"from": 1, "to": 2},
        {"from": 1, "to": 2, "step": 1, "count": 2},
        {"from": 1, "to": 2, "step": 0},
        {"from": 1, "to": 2, "step": -1},
        {"from": 1, "to": math.inf, "step": 1},
        {"from": math.nan, "to": 1, "count": 3},
    ],
)
def test_a_range_that_leads_nowhere_is_refused(range: dict[str, float]) -> None:
    assert codes({"a.x": range}) == ["bad_range"]


def test_a_sweep_is_bounded_before_its_points_are_made() -> None:
    many = list(range(MAX_SWEEP_JOBS + 1))
    assert codes({"a.x": {"from": 0, "to": 1e300, "step": 1}}) == ["sweep_too_large"]
    assert codes({"a.x": {"from": 0, "to": 1, "step": 1e-300}}) == ["sweep_too_large"]
    assert codes({"a.x": many}) == ["sweep_too_large"]
    assert codes({"a.x": many}, "zip") == ["sweep_too_large"]
    assert codes({f"a.{name}": [1, 2] for name in map(str, range(40))}) == ["sweep_too_large"]


def test_lists_of_unequal_length_cannot_be_zipped() -> None:
    assert codes({"a.x": [1, 2], "b.y": [1]}, "zip") == ["sweep_lengths"]


def test_all_problems_are_told_at_once() -> None:
    assert codes({"a.x": [], "b.y": {"from": 1, "to": 2}}) == ["empty_sweep", "bad_range"]


@given(
    first=st.integers(-1000, 1000),
    step=st.integers(1, 50),
    count=st.integers(1, 200),
    places=st.integers(0, 4),
)
def test_a_range_by_step_and_one_by_count_are_the_same(first: int, step: int, count: int, places: int) -> None:
    scale = 10**places
    ends = {"from": first / scale, "to": (first + step * (count - 1)) / scale}
    by_step = sweep({"a.x": {**ends, "step": step / scale}})
    by_count = sweep({"a.x": {**ends, "count": count}})
    assert by_step == by_count == [{"a.x": (first + step * index) / scale} for index in range(count)]
