"""Authoring nodes: the `@node` decorator, ports and widgets, the schema, the registry and plugins.

    from engine.node import Context, Steps, node

Must not import torch, the LDM column, or anything above it (graph, run, http).
"""

from engine.node.context import Context, NullContext
from engine.node.decorator import NodeFunction, node
from engine.node.folders import Folders
from engine.node.lazy import Lazy
from engine.node.results import Blocked, Expansion, Link, Shown
from engine.node.widgets import (
    BatchSize,
    Boxes,
    Canvas,
    CfgScale,
    CheckpointFile,
    DiffusionModelFile,
    Drawing,
    File,
    FilenamePrefix,
    Fraction,
    Height,
    InputImage,
    LabelledBox,
    Labels,
    LoraFile,
    Multiline,
    Options,
    Port,
    Prompt,
    Seed,
    Step,
    Steps,
    TextEncoderFile,
    VAEFile,
    Widget,
    Width,
)

__all__ = [
    "BatchSize",
    "Blocked",
    "Boxes",
    "Canvas",
    "CfgScale",
    "CheckpointFile",
    "Context",
    "DiffusionModelFile",
    "Drawing",
    "Expansion",
    "File",
    "FilenamePrefix",
    "Folders",
    "Fraction",
    "Height",
    "InputImage",
    "LabelledBox",
    "Labels",
    "Lazy",
    "Link",
    "LoraFile",
    "Multiline",
    "NodeFunction",
    "NullContext",
    "Options",
    "Port",
    "Prompt",
    "Seed",
    "Shown",
    "Step",
    "Steps",
    "TextEncoderFile",
    "VAEFile",
    "Widget",
    "Width",
    "node",
]
