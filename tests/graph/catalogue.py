"""A small catalogue of node types that exist as schemas only, which is all that the graph column needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import JsonValue

from engine.errors import WorkflowError
from engine.graph.build import build
from engine.graph.document import from_json
from engine.graph.graph import Graph
from engine.graph.wording import nearest
from engine.graph.workflow import Workflow
from engine.node.schema import InputSchema, NodeSchema, OutputSchema


class Schemas:
    def __init__(self, schemas: Iterable[NodeSchema]) -> None:
        self.schemas = {each.name: each for each in schemas}
        self.names = self.schemas | {alias: each for each in self.schemas.values() for alias in each.aliases}

    def get(self, name: str) -> NodeSchema | None:
        return self.names.get(name)

    def nearest(self, name: str) -> list[str]:
        return nearest(name, self.schemas)

    def __iter__(self) -> Iterator[NodeSchema]:
        return iter(self.schemas.values())


def linked(name: str, type: str, **more: Any) -> InputSchema:
    return InputSchema(name=name, type=type, **more)


def edited(name: str, type: str, default: JsonValue = None, **more: Any) -> InputSchema:
    widget = {"STRING": "text", "BOOLEAN": "toggle", "COMBO": "combo"}.get(type, "number")
    return InputSchema(**{"widget": widget, "required": default is None, **more}, name=name, type=type, default=default)


def schema(name: str, inputs: Iterable[InputSchema], *outputs: str, **more: Any) -> NodeSchema:
    return NodeSchema(
        **{"title": name, "version": 1, "category": "test", "help": "", "code": "c0de", **more},
        name=name,
        inputs=tuple(inputs),
        outputs=tuple(OutputSchema(name=each.lower(), type=each) for each in outputs),
    )


CATALOGUE = Schemas(
    [
        schema("Load", [edited("name", "STRING", folder="checkpoints", widget="file")], "MODEL", "CLIP", "VAE"),
        schema("Empty", [edited("width", "INT", 64, minimum=16, maximum=1024, multiple_of=8)], "LATENT"),
        schema(
            "Sample",
            [
                linked("model", "MODEL"),
                linked("latent", "LATENT"),
                linked("mask", "MASK", required=False),
                edited("seed", "INT", 0, minimum=0, maximum=2**64 - 1),
                edited("steps", "INT", 20, minimum=1, maximum=100),
                edited("cfg", "FLOAT", 8, minimum=0.0, maximum=100.0),
                edited("sampler", "COMBO", "euler", options=("euler", "heun", "ddim")),
                edited("noise", "BOOLEAN", True),
            ],
            "LATENT",
            aliases=("KSampler",),
        ),
        schema("Decode", [linked("samples", "LATENT"), linked("vae", "VAE")], "IMAGE"),
        schema(
            "Lora", [linked("model", "MODEL"), linked("clip", "CLIP"), edited("name", "STRING", "x")], "MODEL", "CLIP"
        ),
        schema("Blur", [linked("image", "IMAGE"), edited("radius", "FLOAT", 1.0)], "IMAGE"),
        schema("Batch", [linked("images", "IMAGE", variadic=True)], "IMAGE"),
        schema(
            "Switch", [linked("yes", "*", lazy=True), linked("no", "*", lazy=True), edited("on", "BOOLEAN", True)], "*"
        ),
        schema("Any", [edited("value", "*", widget="text")], "*"),
        schema("Mix", [linked("thing", "IMAGE,MASK"), edited("number", "INT,FLOAT", 1)], "IMAGE,MASK"),
        schema("Clock", [], "STRING", fingerprinted=True),
        schema("Save", [linked("images", "IMAGE"), edited("prefix", "STRING", "out")], output=True),
        schema("Show", [linked("thing", "*")], output=True),
    ]
)

TEXT_TO_IMAGE: dict[str, JsonValue] = {
    "loader": {"type": "Load", "inputs": {"name": "emoji.safetensors"}},
    "empty": {"type": "Empty", "inputs": {"width": 64}},
    "sampler": {
        "type": "Sample",
        "inputs": {"model": {"from": "loader.model"}, "latent": {"from": "empty.latent"}, "seed": 3, "cfg": 7.5},
    },
    "decode": {"type": "Decode", "inputs": {"samples": {"from": "sampler.latent"}, "vae": {"from": "loader.vae"}}},
    "save": {"type": "Save", "inputs": {"images": {"from": "decode.image"}}},
}


def workflow(nodes: dict[str, Any] | None = None, /, **more: Any) -> Workflow:
    """A workflow of the given nodes, by default TEXT_TO_IMAGE, each of `more` replacing or adding one."""
    return from_json({"darkroom": 1, "nodes": {**(TEXT_TO_IMAGE if nodes is None else nodes), **more}})


def graph(nodes: dict[str, Any] | None = None, /, **more: Any) -> Graph:
    return build(workflow(nodes, **more), CATALOGUE)


def with_inputs(id: str, **inputs: JsonValue) -> dict[str, JsonValue]:
    """TEXT_TO_IMAGE with some inputs of a node changed."""
    node: Any = TEXT_TO_IMAGE[id]
    return {**TEXT_TO_IMAGE, id: {**node, "inputs": {**node["inputs"], **inputs}}}


def problems(error: WorkflowError) -> list[tuple[str, str | None, str | None]]:
    """The problems as (code, node, input)."""
    return [(each.code, each.node, each.input) for each in error.problems]
