"""Content keys: equal key, equal result - in this run, after a restart, in another process, on another machine.

The key of a node is a hash of everything its result depends on: its type, version and code, the environment, its
literals, the keys of its sources, the content of the files it names, and what its fingerprint function adds. Node ids
and the order of inputs play no part. A source's key stands for all that is upstream, so one linear pass is enough.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from importlib import metadata

import orjson
from pydantic import JsonValue

from engine.errors import FileProblem, Problem, WorkflowError
from engine.graph.graph import Graph, GraphNode
from engine.node.schema import NodeSchema

KEY_FORMAT = "darkroom key 1"
"""Change this when the meaning of a key changes; all results are then computed anew."""
_KEY_BYTES = 20
_OPTIONS = orjson.OPT_SORT_KEYS

DigestFile = Callable[[str, str], str]
"""The digest of a file's content, by folder and name; raises FileProblem."""
Fingerprint = Callable[[GraphNode], JsonValue]
"""What a node's own fingerprint function says, for nodes whose schema is `fingerprinted`."""


@dataclass(frozen=True, slots=True)
class Environment:
    """What results depend on besides the workflow; the device's class (`cpu`, `cuda`, `mps`), not which one."""

    torch: str
    device: str
    precision: str

    @classmethod
    def here(cls, device: str, precision: str) -> Environment:
        """With the version of torch that is installed, which is not imported for that."""
        return cls(metadata.version("torch"), device, precision)


@dataclass(frozen=True, slots=True)
class KeyParts:
    """A key taken apart, to keep beside a result and to say later what changed.

    `parts` are short texts by name (`type`, `code`, `torch`, `input steps`, `file ckpt_name`, ...). `links` are, by
    input, the source's node id, output index and key.
    """

    key: str
    parts: Mapping[str, str]
    links: Mapping[str, tuple[str, int, str]] = field(default_factory=dict[str, tuple[str, int, str]])

    def to_json(self) -> dict[str, JsonValue]:
        return {"key": self.key, "parts": {**self.parts}, "links": {name: [*link] for name, link in self.links.items()}}


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of a graph's nodes by id, and what is needed to explain them."""

    of: Mapping[str, str]
    graph: Graph
    environment: Environment
    output_folder: str
    extras: Mapping[str, _Extras]
    frozen: Mapping[str, str]
    """The keys that were taken as given, by node."""

    def explain(self, node: str) -> KeyParts:
        """Take the key of a node apart."""
        found = self.graph.nodes[node]
        if node in self.frozen:
            return KeyParts(self.of[node], {"frozen": self.of[node]})
        schema, extras = found.schema, self.extras.get(node, _NOTHING)
        parts = {"type": f"{schema.name} version {schema.version}", "code": schema.code, **asdict(self.environment)}
        parts |= {f"input {name}": orjson.dumps(found.literals[name]).decode() for name in sorted(found.literals)}
        parts |= {f"file {name}": extras.files[name] for name in sorted(extras.files)}
        if schema.fingerprinted:
            parts["fingerprint"] = extras.fingerprint
        if schema.output:
            parts["output folder"] = self.output_folder
        links = {
            name: (source.node, source.output, self.of[source.node]) for name, source in sorted(found.links.items())
        }
        return KeyParts(self.of[node], parts, links)


@dataclass(frozen=True, slots=True)
class _Extras:
    """What a key holds that the graph does not show."""

    files: Mapping[str, str] = field(default_factory=dict[str, str])
    fingerprint: str = ""


_NOTHING = _Extras()


def compute_keys(
    graph: Graph,
    environment: Environment,
    *,
    digest_file: DigestFile | None = None,
    fingerprint: Fingerprint | None = None,
    output_folder: str = "",
    outer: Mapping[str, str] | None = None,
    frozen: Mapping[str, str] | None = None,
) -> Keys:
    """Compute the key of every node in one pass.

    Args:
        digest_file: needed when an input of the graph names a file.
        fingerprint: needed when a node of the graph is fingerprinted.
        output_folder: part of the keys of output nodes: saving to another folder is another effect.
        outer: keys of an outer graph's nodes, for a graph that a node expanded to.
        frozen: keys of nodes whose results are taken from the cache whatever their inputs are; what follows a node
            depends on that result, and so on that key.

    Raises:
        WorkflowError: `file_problem` for every file that cannot be read, `fingerprint_failed`; each with its node.
    """
    keys: dict[str, str] = {}
    known = {**outer} if outer else keys
    extras: dict[str, _Extras] = {}
    stems: dict[str, _Stem] = {}
    problems: list[Problem] = []
    frozen = frozen or {}
    for node in graph.nodes.values():
        if node.id in frozen:
            keys[node.id] = known[node.id] = frozen[node.id]
            continue
        schema = node.schema
        stem = stems.get(schema.name)
        if stem is None:
            stem = stems[schema.name] = _Stem(schema, environment, output_folder)
        extra = _NOTHING
        if stem.file_inputs or schema.fingerprinted:
            files = _digest_files(node, stem.file_inputs, digest_file, problems)
            extra = extras[node.id] = _Extras(files, _fingerprint(node, fingerprint, problems))
        links = {name: (known[source.node], source.output) for name, source in node.links.items()}
        hash = stem.hash.copy()
        hash.update(orjson.dumps((node.literals, links, extra.files, extra.fingerprint), option=_OPTIONS))
        keys[node.id] = key = hash.hexdigest()
        known[node.id] = key
    if problems:
        raise WorkflowError(problems)
    return Keys(keys, graph, environment, output_folder, extras, frozen)


class _Stem:
    """The beginning of the hash, which all nodes of one type share."""

    def __init__(self, schema: NodeSchema, environment: Environment, output_folder: str) -> None:
        self.hash = blake2b(digest_size=_KEY_BYTES)
        folder = output_folder if schema.output else None
        stem = (KEY_FORMAT, schema.name, schema.version, schema.code, asdict(environment), folder)
        self.hash.update(orjson.dumps(stem))
        self.file_inputs = [(each.name, each.folder) for each in schema.inputs if each.folder]


def _digest_files(
    node: GraphNode, inputs: list[tuple[str, str]], digest_file: DigestFile | None, problems: list[Problem]
) -> dict[str, str]:
    files: dict[str, str] = {}
    for name, folder in inputs:
        value = node.literals.get(name)
        if not isinstance(value, str):
            continue
        if digest_file is None:
            raise ValueError(f"{node.id}.{name} names a file, and nothing was given to read files with")
        try:
            files[name] = digest_file(folder, value)
        except FileProblem as error:
            problems.append(Problem("file_problem", str(error), node.id, name, got=value))
    return files


def _fingerprint(node: GraphNode, fingerprint: Fingerprint | None, problems: list[Problem]) -> str:
    if not node.schema.fingerprinted:
        return ""
    if fingerprint is None:
        raise ValueError(f"{node.id} is fingerprinted, and nothing was given to do that with")
    try:
        said = fingerprint(node)
        # NaN is equal to nothing, itself included: the way ComfyUI's nodes say "always run".
        return os.urandom(16).hex() if said != said else orjson.dumps(said, option=_OPTIONS).decode()
    except Exception as error:  # a plugin's code: whatever it raises is a fact about this node
        problems.append(
            Problem(
                "fingerprint_failed",
                f"What it depends on cannot be found out: {str(error).removesuffix('.')}.",
                node.id,
                fix="correct its inputs, or tell the author of the node",
            )
        )
        return ""


@dataclass(frozen=True, slots=True)
class Difference:
    """The first part of a key that is not as it was: at `node`, from `old` to `new` (None: there was or is none)."""

    node: str
    part: str
    old: str | None
    new: str | None

    def __str__(self) -> str:
        if self.old is None:
            return f"{self.node}: {self.part} is new: {self.new}"
        if self.new is None:
            return f"{self.node}: {self.part} is gone: was {self.old}"
        return f"{self.node}: {self.part} was {self.old or 'empty'}, now {self.new or 'empty'}"


def first_difference(
    old: Callable[[str], KeyParts | None], new: Callable[[str], KeyParts], node: str
) -> Difference | None:
    """Say why a node's key is not what it was: walk upstream to the first part that differs.

    Args:
        old: the parts that were recorded for a node id, or None; `new` those of today, such as `Keys.explain`.

    Returns:
        None if the key is the same.
    """
    old_id = new_id = node
    old_key: str | None = None
    for _ in range(1_000_000):  # a record from elsewhere may hold a loop; a graph of this size cannot be built
        now, before = new(new_id), old(old_id)
        if before is None:
            return Difference(new_id, "result", None, "never computed")
        if before.key == now.key:
            # What followed it last time took another result: one that it was frozen at.
            return None if old_key is None else Difference(new_id, "result", old_key, now.key)
        for part in [*now.parts, *(part for part in before.parts if part not in now.parts)]:
            if before.parts.get(part) != now.parts.get(part):
                return Difference(new_id, part, before.parts.get(part), now.parts.get(part))
        for name in [*now.links, *(name for name in before.links if name not in now.links)]:
            was, link = before.links.get(name), now.links.get(name)
            if was is None or link is None or (was[2] == link[2] and was[1] != link[1]):
                return Difference(new_id, f"link {name}", _link(was), _link(link))
            if was[2] != link[2]:
                old_id, new_id, old_key = was[0], link[0], was[2]
                break
        else:
            return Difference(new_id, "key format", before.key, now.key)
    raise ValueError("the record of keys holds a loop")


def _link(link: tuple[str, int, str] | None) -> str | None:
    return f"{link[0]}.{link[1]}" if link else None
