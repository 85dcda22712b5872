# pyright: basic
"""Order and cycles of a graph: the one file that touches networkx.

The ordinary path, a topological order, is a dozen lines without it: importing networkx takes 0.15 s, half of what a
fully cached run may take in all (promise P4). It is imported late, by the questions that are asked rarely.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Sources = Mapping[str, Sequence[str]]
"""For every node, the nodes it takes something from."""


def topological_order(sources: Sources) -> list[str] | None:
    """Order the nodes so that sources come first, or None if there is a cycle.

    Deterministic: depends on the order of `sources` and nothing else. All of one generation come in that order.

    Source: Kahn 1962 (doi:10.1145/368996.369025).
    """
    waiting = {node: len(set(needed)) for node, needed in sources.items()}
    consumers: dict[str, list[str]] = {node: [] for node in sources}
    for node, needed in sources.items():
        for source in dict.fromkeys(needed):
            consumers[source].append(node)
    order = [node for node, count in waiting.items() if count == 0]
    for node in order:  # grows while it is walked
        for consumer in consumers[node]:
            waiting[consumer] -= 1
            if waiting[consumer] == 0:
                order.append(consumer)
    return order if len(order) == len(sources) else None


def cycles(sources: Sources) -> list[list[str]]:
    """Return one cycle of every knot (strongly connected part), as nodes in the direction of the links."""
    import networkx

    graph = networkx.DiGraph()
    graph.add_nodes_from(sources)
    graph.add_edges_from((source, node) for node, needed in sources.items() for source in needed)
    place = {node: index for index, node in enumerate(sources)}
    found: list[list[str]] = []
    for part in networkx.strongly_connected_components(graph):
        first = min(part, key=place.__getitem__)
        if len(part) > 1 or graph.has_edge(first, first):
            found.append([edge[0] for edge in networkx.find_cycle(graph.subgraph(part), first)])
    return sorted(found, key=lambda cycle: place[cycle[0]])
