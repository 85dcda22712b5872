"""Requests checked before they are stored: read, settings put in, built against the catalogue. All of it takes time by
the size of the workflow, and none of it belongs on the event loop.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import orjson
from pydantic import JsonValue

from engine.errors import FileProblem, Problem, WorkflowError
from engine.graph.build import build
from engine.graph.document import from_json, to_json
from engine.graph.reading import check_json
from engine.graph.workflow import Workflow, WorkflowNode
from engine.jobs import sweep
from engine.jobs.model import Submit
from engine.jobs.records import NewJobs
from engine.jobs.settings import place_in, set_inputs
from engine.node.catalogue import Catalogue
from engine.node.folders import Folders
from engine.node.names import nearest


@dataclass(frozen=True, slots=True)
class Checked:
    """A request that may be stored."""

    jobs: NewJobs
    request: bytes
    """A digest of what was asked for, for the idempotency key."""


@dataclass(frozen=True, slots=True)
class Checker:
    """Checks workflows against the nodes and the files there are now."""

    catalogue: Catalogue
    folders: Folders

    def request(self, wanted: Submit) -> Checked:
        """Read and check a request.

        Raises:
            WorkflowError: every problem of the document, the settings and the sweep.
        """
        _check_values(wanted)
        workflow = self._read(wanted.workflow)
        points = _points(wanted)
        self._check(workflow, points, wanted.outputs)
        ids = [wanted.id] if wanted.id else [str(uuid.uuid4()) for _ in points]
        new = NewJobs(
            workflow=orjson.dumps(to_json(workflow)),
            settings=points,
            ids=ids,
            sweep=str(uuid.uuid4()) if wanted.sweep else None,
            requested=wanted.outputs,
            client=wanted.client,
            name=wanted.name if wanted.name is not None else workflow.name,
            source=wanted.source,
            prompt=_body(wanted.prompt),
            extra=_body(wanted.extra),
            previews=wanted.previews,
        )
        return Checked(new, _digest(new, wanted))

    def problems(
        self, workflow: Workflow | JsonValue, outputs: Sequence[str] | None, settings: Mapping[str, JsonValue]
    ) -> list[Problem]:
        """Everything that is wrong with a workflow."""
        try:
            self.document(workflow, outputs, settings)
        except WorkflowError as error:
            return list(error.problems)
        return []

    def document(
        self, workflow: Workflow | JsonValue, outputs: Sequence[str] | None, settings: Mapping[str, JsonValue]
    ) -> JsonValue:
        """The document that would run.

        Raises:
            WorkflowError: every problem.
        """
        workflow = set_inputs(self._read(workflow), settings)
        self._build(workflow, outputs)
        return to_json(workflow)

    def _read(self, workflow: Workflow | JsonValue) -> Workflow:
        # The catalogue names the values that ComfyUI's editor writes by position.
        return workflow if isinstance(workflow, Workflow) else from_json(workflow, schemas=self.catalogue)

    def _check(self, workflow: Workflow, points: Sequence[sweep.Settings], outputs: Sequence[str] | None) -> None:
        """Check every point of a sweep, by far more cheaply than by building each: whether a literal fits its input
        does not depend on the others, so after the first point each new value is checked on its node alone."""
        first, *others = points
        self._check_names(workflow, first)
        self._build(set_inputs(workflow, first), outputs)
        problems: list[Problem] = []
        seen = {(name, _key(value)) for name, value in first.items()}
        for name, value in ((name, value) for point in others for name, value in point.items()):
            if (name, _key(value)) not in seen:
                seen.add((name, _key(value)))
                problems += self._value_problems(workflow, name, value, outputs)
        if problems:
            raise WorkflowError(problems[:200])

    def _check_names(self, workflow: Workflow, settings: Iterable[str]) -> None:
        """An input that a document has by accident may be dropped quietly; one that was set by name may not."""
        problems: list[Problem] = []
        for name in settings:
            place = place_in(workflow, name)
            schema = self.catalogue.get(workflow.nodes[place[0]].type) if place else None
            if place is None or schema is None or place[1] in workflow.nodes[place[0]].inputs:
                continue
            names = [each.name for each in schema.inputs]
            if place[1].partition(".")[0] not in names:
                near = nearest(place[1], names) or names[:6]
                fix = f"use {' or '.join(near)}" if near else "leave it out"
                message = f"{schema.name} has no input '{place[1][:60]}'."
                problems.append(Problem("unknown_input", message, place[0], place[1], ", ".join(names), place[1], fix))
        if problems:
            raise WorkflowError(problems)

    def _value_problems(
        self, workflow: Workflow, name: str, value: JsonValue, outputs: Sequence[str] | None
    ) -> list[Problem]:
        place = place_in(workflow, name)
        assert place is not None, "the first point has the same names"
        node, input = place
        changed = set_inputs(workflow, {name: value})
        if self.catalogue.get(workflow.nodes[node].type) is None:
            return self._problems_of(changed, outputs)  # an instance of a subgraph: its inputs belong to nodes inside
        alone = Workflow(origin=workflow.origin, nodes={node: _only_literal(changed.nodes[node], input)})
        return [problem for problem in self._problems_of(alone, [node]) if problem.input == input]

    def _problems_of(self, workflow: Workflow, outputs: Sequence[str] | None) -> list[Problem]:
        try:
            self._build(workflow, outputs)
        except WorkflowError as error:
            return list(error.problems)
        return []

    def _build(self, workflow: Workflow, outputs: Sequence[str] | None) -> None:
        try:
            build(workflow, self.catalogue, outputs=outputs, check_file=self._file_problem)
        except WorkflowError as error:
            serious = [problem for problem in error.problems if not self._is_for_the_worker(problem, workflow)]
            if serious:
                raise WorkflowError(serious) from error

    def _is_for_the_worker(self, problem: Problem, workflow: Workflow) -> bool:
        """Whether only the worker can tell: it has the functions that lift nodes of old versions."""
        node = workflow.nodes.get(problem.node or "")
        schema = self.catalogue.get(node.type) if node else None
        return problem.code == "older_node" and schema is not None

    def _file_problem(self, folder: str, name: str) -> Problem | None:
        try:
            self.folders.resolve(folder, name)
        except FileProblem as error:
            sentence = str(error)
            return Problem("file_problem", sentence if sentence.endswith("?") else f"{sentence}.", got=name)
        return None


def _points(wanted: Submit) -> list[sweep.Settings]:
    settings = dict(wanted.settings)
    if wanted.sweep is None:
        points = [settings]
    elif wanted.id is not None:
        raise WorkflowError(
            [Problem("id_of_sweep", "A sweep makes many jobs, so it cannot have the id of one.", fix="leave it out")]
        )
    else:
        points = [{**settings, **point} for point in sweep.points(wanted.sweep)]
    return points


def _check_values(wanted: Submit) -> None:
    """Hold everything beside the document to what can be stored: finite numbers, whole characters, no endless depth."""
    lists = [each for each in wanted.sweep.values.values() if isinstance(each, list)] if wanted.sweep else []
    texts: list[JsonValue] = [wanted.client, wanted.name, wanted.id, wanted.idempotency_key, *(wanted.outputs or ())]
    for value in (wanted.extra, wanted.prompt, dict(wanted.settings), texts, *lists):
        check_json(value)


def _only_literal(node: WorkflowNode, input: str) -> WorkflowNode:
    return node.model_copy(update={"inputs": {input: node.inputs[input]}, "mode": "run"})


def _key(value: JsonValue) -> bytes:
    return orjson.dumps(value)


def _body(value: JsonValue) -> bytes | None:
    return None if value is None else orjson.dumps(value)


def _digest(new: NewJobs, wanted: Submit) -> bytes:
    digest = blake2b(digest_size=20)
    rest = [
        [dict(settings) for settings in new.settings],
        list(wanted.outputs) if wanted.outputs is not None else None,
        [wanted.id, new.client, new.name, new.source, wanted.front, wanted.number],
    ]
    for part in (new.workflow, new.prompt or b"", new.extra or b"", orjson.dumps(rest, option=orjson.OPT_SORT_KEYS)):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()
