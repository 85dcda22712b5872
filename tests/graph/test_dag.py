from __future__ import annotations

import random

import networkx
import pytest

from engine.graph.dag import cycles, topological_order


def test_sources_come_first_and_ties_keep_their_order():
    assert topological_order({"d": ["b", "c"], "c": [], "b": ["a", "a"], "a": []}) == ["c", "a", "b", "d"]
    assert topological_order({}) == []


@pytest.mark.parametrize("seed", range(20))
def test_orders_and_cycles_agree_with_networkx(seed: int):
    draw = random.Random(seed)
    count = draw.randrange(1, 12)
    sources = {str(n): [str(draw.randrange(count)) for _ in range(draw.randrange(3))] for n in range(count)}
    theirs = networkx.DiGraph([(source, node) for node, needed in sources.items() for source in needed])
    theirs.add_nodes_from(sources)
    order = topological_order(sources)
    assert (order is not None) == networkx.is_directed_acyclic_graph(theirs)
    if order is not None:
        assert sorted(order) == sorted(sources)
        assert all(order.index(source) < order.index(node) for node, needed in sources.items() for source in needed)
    assert (cycles(sources) == []) == (order is not None)
    for cycle in cycles(sources):
        assert all(one in sources[two] for one, two in zip(cycle, [*cycle[1:], cycle[0]], strict=True))


def test_every_knot_has_its_cycle_reported():
    found = cycles({"a": ["b"], "b": ["a"], "c": ["c"], "d": ["a", "c"]})
    assert [sorted(cycle) for cycle in found] == [["a", "b"], ["c"]]


def test_a_long_cycle_is_found_without_recursion():
    sources = {str(n): [str((n + 1) % 10_000)] for n in range(10_000)}
    assert topological_order(sources) is None
    (cycle,) = cycles(sources)
    assert len(cycle) == 10_000
