"""From what arrives at a node to the lists its calls take, and from what its calls return to its outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import JsonValue

from engine.errors import InputProblem
from engine.graph.graph import Source
from engine.node.folders import Folders
from engine.run.effects import stamp_files
from engine.run.lists import join_outputs
from engine.run.outcome import Outcome, Record
from engine.run.shapes import shapes_of
from engine.run.work import Scope, Work, is_lazy


def inputs_of(work: Work) -> dict[str, Sequence[Any] | None]:
    """The list at each input of a work; None at lazy ones that it has not asked for, even if they are known: how long
    they are must not depend on what other nodes needed.
    """
    inputs: dict[str, Sequence[Any] | None] = {}
    for name, value in work.node.literals.items():
        port = work.node.schema.input(name)
        inputs[name] = value if port and port.is_list and isinstance(value, list) else [value]
    for name, source, output in work.feeds:
        if name:
            wanted = name in work.asked or not is_lazy(work, name)
            inputs[name] = source.outcome.outputs[output] if wanted and source.outcome is not None else None
    return inputs


def assemble(work: Work, folders: Folders) -> Outcome:
    """Put together what all calls returned and all their subgraphs gave.

    Raises:
        InputProblem: an output is not what the node's schema says.
        OSError: a file that the node shows cannot be read.
    """
    uis = [work.results[call].ui for call in sorted(work.results)]
    returned = [work.results[call].outputs for call in sorted(work.results)]
    seconds = work.seconds
    for call, (scope, links) in work.expansions.items():
        returned[call] = _filled(work, returned[call], scope, links)
        for inner in scope.works.values():
            seconds += inner.seconds
            if inner.outcome is not None and inner.node.schema.output:
                uis.append(inner.outcome.record.ui)
    ui = _merged(uis)
    files = stamp_files(ui, folders) if ui else ()
    outputs = join_outputs(work.node.schema, returned)
    return Outcome(Record(work.node.schema.name, seconds, ui, files, shapes_of(outputs)), outputs)


def _filled(work: Work, outputs: tuple[object, ...], scope: Scope, links: Mapping[int, Source]) -> tuple[object, ...]:
    """What an expanding call returned, with its links replaced by the values they lead to."""
    values = list(outputs)
    for index, source in links.items():
        outcome = scope.works[source.node].outcome
        found = list(outcome.outputs[source.output]) if outcome is not None else []
        port = work.node.schema.outputs[index]
        if not port.is_list and len(found) != 1:
            raise InputProblem(f"output '{port.name}' is one value, and the expansion gave a list of {len(found)}")
        values[index] = found if port.is_list else found[0]
    return tuple(values)


def _merged(uis: list[Mapping[str, JsonValue]]) -> dict[str, JsonValue]:
    """Join what several calls show: lists are joined key by key; of anything else the last counts."""
    merged: dict[str, JsonValue] = {}
    for ui in uis:
        for name, shown in ui.items():
            before = merged.get(name)
            merged[name] = [*before, *shown] if isinstance(before, list) and isinstance(shown, list) else shown
    return merged
