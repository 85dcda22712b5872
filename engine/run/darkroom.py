"""One user's engine as one object: what the command line, and a Python program, talk to."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Protocol

from pydantic import JsonValue

from engine.errors import Problem, WorkflowError
from engine.graph.document import Notice, dumps, load
from engine.graph.graph import Graph
from engine.graph.prompt import to_prompt
from engine.graph.workflow import Workflow, find_node, with_input
from engine.node.folders import Folders
from engine.node.registry import Registry
from engine.run.cancel import Cancel
from engine.run.engine import Engine
from engine.run.events import Listener
from engine.run.result import RunResult

Settings = Mapping[str, JsonValue]
"""Inputs to change before a workflow runs: `{"node.input": value}`."""


class Machine(Protocol):
    """What models run on, for whoever keeps a Darkroom for long. Any thread may call."""

    @property
    def device_name(self) -> str:
        """`cpu`, `cuda:0`, `mps`."""
        ...

    def warm(self) -> None:
        """Do now what the first model would wait for."""
        ...

    def unload(self) -> None:
        """Put away every model that is not in use."""
        ...

    def stats(self) -> Mapping[str, JsonValue]:
        """Versions, and memory in bytes."""
        ...


class Darkroom:
    """The engine with the nodes and the folders of one user. Use it in a `with`, or close it.

    with open_darkroom() as darkroom:
        result = darkroom.run("workflows/text_to_image.json", {"prompt.text": "a red apple"})
    """

    def __init__(
        self, engine: Engine, registry: Registry, folders: Folders, close: Callable[[], None], machine: Machine
    ) -> None:
        self.engine = engine
        self.registry = registry
        self.folders = folders
        self.close = close
        self.machine = machine

    def read(
        self, workflow: Workflow | Path | str, settings: Settings | None = None, notice: Notice | None = None
    ) -> Workflow:
        """Read a workflow and change some of its inputs.

        Args:
            workflow: a document, or the path of a file that holds one.
            settings: text is enough for any kind of input; `build` reads it by the input's type. Inside of a subgraph's
                instance a node is `instance:node`.
            notice: told what was not certain about a file of ComfyUI's editor.

        Raises:
            WorkflowError: the file is no workflow, or a setting names a node or input that is not there.
        """
        document = workflow if isinstance(workflow, Workflow) else self._load(Path(workflow), notice)
        problems: list[Problem] = []
        for target, value in (settings or {}).items():
            node, _, input = target.partition(".")
            try:
                document = with_input(document, node, input, value)
                problems += self._check_setting(document, node, input)
            except WorkflowError as error:
                problems += error.problems
        if problems:
            raise WorkflowError(problems)
        return document

    def build(
        self, workflow: Workflow | Path | str, settings: Settings | None = None, notice: Notice | None = None
    ) -> Graph:
        """Check a workflow, read and changed as by `read`.

        Raises:
            WorkflowError: with every problem.
        """
        return self.engine.build(self.read(workflow, settings, notice))

    def run(
        self,
        workflow: Workflow | Path | str,
        settings: Settings | None = None,
        *,
        listener: Listener | None = None,
        cancel: Cancel | None = None,
        wants_preview: bool = False,
    ) -> RunResult:
        """Run a workflow to its end, also when nodes fail: `RunResult.raise_errors` makes an exception of that.

        Args:
            listener: called with every event, on this thread.
            cancel: stops the run when set.
            wants_preview: whether nodes should send previews; making them takes time.

        Raises:
            WorkflowError: with every problem; then nothing has run.
        """
        document = self.read(workflow, settings)
        graph = self.engine.build(document)
        prompt = json.dumps(to_prompt(graph), ensure_ascii=False)
        return self.engine.run(
            graph,
            listener,
            cancel,
            prompt_json=prompt,
            workflow_json=dumps(document),
            wants_preview=wants_preview,
        )

    def _load(self, path: Path, notice: Notice | None) -> Workflow:
        return load(path, schemas=self.registry.catalogue, notice=notice)

    def _check_setting(self, document: Workflow, node: str, input: str) -> list[Problem]:
        """`build` forgives unknown inputs in ComfyUI's files, as leftovers of its editor; a setting is never that."""
        found = find_node(document, node)
        schema = None if found is None else self.registry.catalogue.get(found[2].type)
        if schema is None or schema.input(input.partition(".")[0]) is not None:
            return []
        names = ", ".join(each.name for each in schema.inputs)
        fix = f"use one of {names}" if names else "leave it out"
        return [Problem("unknown_input", f"{schema.name} has no input '{input}'.", node, input or None, fix=fix)]

    def __enter__(self) -> Darkroom:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
