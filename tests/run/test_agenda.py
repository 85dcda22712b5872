"""Depth first: few values are alive at once (promise P14)."""

from __future__ import annotations

from engine.graph.graph import Graph, GraphNode, Source
from engine.node.schema import InputSchema, NodeSchema, OutputSchema
from engine.run.agenda import Agenda
from engine.run.outcome import Outcome, Record
from engine.run.work import Scope, State, Work

SCHEMA = NodeSchema(
    name="Node",
    title="Node",
    version=1,
    category="test",
    help="",
    inputs=(InputSchema(name="in", type="*", variadic=True),),
    outputs=(OutputSchema(name="out", type="*"),),
)
OUTCOME = Outcome(Record("Node", 1.0), ([None],))


def graph(sources: dict[str, list[str]], outputs: list[str]) -> Scope:
    nodes = {
        id: GraphNode(id, SCHEMA, {}, {f"in.{index}": Source(each, 0) for index, each in enumerate(needed)})
        for id, needed in sources.items()
    }
    return Scope(Graph(nodes, tuple(outputs)), {id: id for id in nodes})


def demand(agenda: Agenda, scope: Scope) -> None:
    wanted = [scope.work(id) for id in scope.graph.outputs]
    for work in wanted:
        work.uses += 1
    agenda.demand(wanted)


def run(agenda: Agenda, scope: Scope) -> tuple[list[str], int]:
    """Finish all works one by one. Returns their order, and how many values were alive at most."""
    order: list[str] = []
    most = 0
    while work := agenda.ready("cpu"):
        agenda.take("cpu")
        work.state = State.RUNNING
        agenda.finish(work, OUTCOME)
        order.append(work.node.id)
        most = max(most, sum(each.outcome is not None for each in scope.works.values()))
    return order, most


def branches(count: int, length: int) -> dict[str, list[str]]:
    """`count` chains of `length` nodes that start at one node."""
    sources: dict[str, list[str]] = {"root": []}
    for branch in range(count):
        for step in range(length):
            sources[f"{branch}.{step}"] = [f"{branch}.{step - 1}" if step else "root"]
    return sources


def test_a_branch_is_finished_before_the_next_is_begun() -> None:
    scope = graph(branches(3, 2), ["0.1", "1.1", "2.1"])
    agenda = Agenda(lambda key: False)
    demand(agenda, scope)
    order, _ = run(agenda, scope)
    assert order == ["root", "0.0", "0.1", "1.0", "1.1", "2.0", "2.1"]


def test_sixteen_branches_keep_few_values_alive() -> None:
    sources = branches(16, 10)
    # Every branch ends in a node that saves: it is an output, and its value is nothing.
    scope = graph(sources, [f"{branch}.9" for branch in range(16)])
    agenda = Agenda(lambda key: False)
    wanted = [scope.work(id) for id in scope.graph.outputs]
    agenda.demand(wanted)
    order, most = run(agenda, scope)
    assert len(order) == 161
    assert most <= 0.15 * len(order)
    assert most <= 3  # the root, and the two ends of one step


def test_a_value_is_dropped_at_its_last_use() -> None:
    scope = graph({"a": [], "b": ["a"], "c": ["a", "b"], "d": ["c"]}, ["d"])
    agenda = Agenda(lambda key: False)
    demand(agenda, scope)
    run(agenda, scope)
    assert {id for id, work in scope.works.items() if work.outcome is not None} == {"d"}


def test_what_is_upstream_of_a_known_result_is_not_looked_at() -> None:
    asked: list[str] = []

    def is_known(key: str) -> bool:
        asked.append(key)
        return key == "b"

    scope = graph({"a": [], "b": ["a"], "c": ["b"]}, ["c"])
    agenda = Agenda(is_known)
    demand(agenda, scope)
    assert asked == ["c", "b"]
    assert run(agenda, scope)[0] == ["b", "c"]


def test_a_failure_ends_what_depends_on_it_and_what_only_that_needed() -> None:
    scope = graph({"bad": [], "other": [], "free": [], "x": ["bad", "other"], "y": ["x", "free"]}, ["y", "free"])
    agenda = Agenda(lambda key: False)
    demand(agenda, scope)
    assert _next(agenda).node.id == "bad"
    agenda.end(scope.work("bad"), State.FAILED, "it broke")
    assert {work.node.id: work.reason for work in agenda.ended} == {
        "bad": "it broke",
        "x": "it needs 'bad', which failed",
        "y": "it needs 'x', which did not run",
        "other": "nothing needs it any more",
    }
    assert [work.node.id for work in agenda.open] == ["free"]
    assert _next(agenda).node.id == "free"
    assert agenda.ready("cpu") is None


def _next(agenda: Agenda) -> Work:
    assert agenda.ready("cpu") is not None
    return agenda.take("cpu")
