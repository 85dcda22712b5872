"""The engine: builds workflows, keys them, and runs them against a cache."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from engine.graph.build import CheckFile, Schemas, build
from engine.graph.files import FileDigests
from engine.graph.graph import Graph, GraphNode
from engine.graph.keys import Difference, Environment, Keys, compute_keys, first_difference
from engine.graph.migrate import Migrations
from engine.graph.workflow import Workflow
from engine.node.context import Services
from engine.node.folders import Folders, Saves
from engine.node.node_type import NodeType
from engine.run.cache import Cache
from engine.run.cancel import Cancel
from engine.run.equipment import Equipment
from engine.run.events import Event, Listener
from engine.run.execution import Execution
from engine.run.flights import Flights
from engine.run.lanes import Lanes
from engine.run.last_keys import LastKeys
from engine.run.mutation import MutationGuard
from engine.run.outcome import Codec, Outcome, Record
from engine.run.result import RunResult


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do now: the nodes it would call, and those whose result is known or not needed. Nodes behind
    lazy inputs count as run, since they may be."""

    runs: Sequence[str]
    cached: Sequence[str]


class Engine:
    """Runs graphs.

    Args:
        schemas: the catalogue that workflows are built against.
        types: gives a node's code by its type's name. Called only when that node runs (or has a fingerprint), so that a
            fully cached run imports no node.
        environment: what results depend on besides the workflow.
        cache: results by key, shared by all runs.
        codec: knows the values on edges.
        lanes: where nodes run; the device lane may be shared with a step driver.
        digests: digests of the files that workflows name.
        services: what nodes find by `ctx.service(...)`.
        check_mutation: fail nodes that change their inputs; slow, for tests.
        verify_share: share of the cache's hits, 0 to 1, that every run computes again; a node whose result is not what
            the cache holds fails.
    """

    def __init__(
        self,
        *,
        schemas: Schemas,
        types: Callable[[str], NodeType],
        environment: Environment,
        cache: Cache,
        codec: Codec,
        lanes: Lanes,
        folders: Folders,
        digests: FileDigests,
        services: Services | None = None,
        migrations: Migrations | None = None,
        last_keys: LastKeys | None = None,
        check_file: CheckFile | None = None,
        check_mutation: bool = False,
        verify_share: float = 0.0,
    ) -> None:
        self.schemas = schemas
        self.cache = cache
        self.folders = folders
        self._types = types
        self._environment = environment
        self._digests = digests
        self._migrations = migrations
        self._check_file = check_file
        self._last_keys = last_keys or LastKeys(None)
        self._equipment = Equipment(
            types=types,
            schema=schemas.get,
            build=self._build_expansion,
            keys=lambda graph, outer: self._compute_keys(graph, outer).of,
            cache=cache,
            codec=codec,
            flights=Flights(),
            lanes=lanes,
            folders=folders,
            services=services or Services(),
            guard=MutationGuard(codec) if check_mutation else None,
            verify_share=verify_share,
        )

    def build(self, workflow: Workflow, outputs: Sequence[str] | None = None) -> Graph:
        """Check a workflow and turn it into a graph.

        Args:
            outputs: ids of the nodes whose values are wanted; None runs all output nodes.

        Raises:
            WorkflowError: with every problem.
        """
        return build(workflow, self.schemas, outputs=outputs, migrations=self._migrations, check_file=self._check_file)

    def keys(self, graph: Graph) -> Keys:
        """The content key of every node; of a frozen one the key it is frozen at, if the cache has its result.

        Raises:
            WorkflowError: a file that the graph names cannot be read.
        """
        frozen = {id: node.frozen for id, node in graph.nodes.items() if node.frozen is not None}
        return self._compute_keys(
            graph, {}, {id: key for id, key in frozen.items() if self._is_of(graph.nodes[id], self.cache.find(key))}
        )

    def run(
        self,
        graph: Graph,
        listener: Listener | None = None,
        cancel: Cancel | None = None,
        *,
        prompt_json: str | None = None,
        workflow_json: str | None = None,
        wants_preview: bool = True,
    ) -> RunResult:
        """Run a graph to its end, outside of any event loop. Everything else is as with `arun`."""
        return asyncio.run(
            self.arun(
                graph,
                listener,
                cancel,
                prompt_json=prompt_json,
                workflow_json=workflow_json,
                wants_preview=wants_preview,
            )
        )

    async def arun(
        self,
        graph: Graph,
        listener: Listener | None = None,
        cancel: Cancel | None = None,
        *,
        prompt_json: str | None = None,
        workflow_json: str | None = None,
        wants_preview: bool = True,
        keys: Keys | None = None,
        saves: Saves | None = None,
    ) -> RunResult:
        """Run a graph to its end, also when nodes fail: `RunResult.raise_errors` makes an exception of that.

        Args:
            listener: called with every event, on this thread. If it raises, the run ends and the exception comes out.
            cancel: stops the run after the current step of whatever is running.
            prompt_json: what a saved picture's metadata is to hold, None for nothing; so `workflow_json`.
            wants_preview: whether anybody looks at previews; nodes make none otherwise.
            keys: the graph's, if they are known already: computing them may read large files, for which the event loop
                of a worker must not wait.
            saves: where nodes saved files in an earlier attempt at the same job, and now save them.

        Raises:
            WorkflowError: a file that the graph names cannot be read.
        """
        keys = keys or self.keys(graph)
        frozen: Mapping[str, Outcome] = {}
        if keys.frozen:
            keys, frozen = await asyncio.to_thread(self._hold_frozen, keys)
        run = Execution(
            self._equipment,
            graph,
            keys.of,
            listener or _nobody,
            cancel or Cancel(),
            (prompt_json, workflow_json),
            wants_preview,
            saves,
            frozen,
        )
        try:
            return await run.run()
        finally:
            if run.account.called:
                self._last_keys.remember((node, keys.explain(node)) for node in run.account.called)

    def plan(self, graph: Graph) -> Plan:
        """Say what a run would do now, without running anything."""
        keys = self.keys(graph)
        runs = set[str]()
        stack = list(graph.outputs)
        while stack:
            id = stack.pop()
            if id not in runs and self.cache.find(keys.of[id]) is None:
                runs.add(id)
                stack += [source.node for source in graph.nodes[id].links.values()]
        return Plan([id for id in graph.nodes if id in runs], [id for id in graph.nodes if id not in runs])

    def why(self, graph: Graph, node: str) -> Difference | None:
        """Say why a node would run again: the first part of its key, or of one upstream, that is not as it was when
        the node ran last. None when its key is the same; then only a result that left the cache makes it run."""
        return first_difference(self._last_keys.recall, self.keys(graph).explain, node)

    def _is_of(self, node: GraphNode, record: Record | None) -> bool:
        """Whether a result is one of this type of node, and so may stand for it."""
        return record is not None and record.node_type == node.schema.name

    def _hold_frozen(self, keys: Keys) -> tuple[Keys, Mapping[str, Outcome]]:
        """Load the results that nodes are frozen at. A node whose result is damaged or gone is frozen no longer."""
        nodes, held, fitting = keys.graph.nodes, dict[str, Outcome](), dict[str, str]()
        for id, key in keys.frozen.items():
            outcome = self.cache.load(key)
            if outcome is None or not self._is_of(nodes[id], outcome.record):
                continue
            if len(outcome.outputs) == len(nodes[id].schema.outputs):
                held[key], fitting[id] = outcome, key
        return keys if len(fitting) == len(keys.frozen) else self._compute_keys(keys.graph, {}, fitting), held

    def _compute_keys(self, graph: Graph, outer: Mapping[str, str], frozen: Mapping[str, str] | None = None) -> Keys:
        return compute_keys(
            graph,
            self._environment,
            digest_file=self._digest_file,
            fingerprint=self._fingerprint,
            output_folder=str(self.folders.output),
            outer=outer,
            frozen=frozen,
        )

    def _digest_file(self, folder: str, name: str) -> str:
        return self._digests.digest(self.folders.resolve(folder, name))

    def _fingerprint(self, node: GraphNode) -> JsonValue:
        fingerprint = self._types(node.schema.name).fingerprint
        return fingerprint(node.literals, self.folders) if fingerprint else None

    def _build_expansion(self, workflow: Workflow, outputs: Collection[str], outer: Graph) -> Graph:
        schemas = {id: self.schemas.get(node.type) for id, node in workflow.nodes.items()}
        effects = [id for id, schema in schemas.items() if schema is not None and schema.output]
        wanted = list(dict.fromkeys([*outputs, *effects]))
        return build(workflow, self.schemas, outputs=wanted, check_file=self._check_file, outer=outer)


def _nobody(event: Event) -> None:
    """Nobody listens."""
