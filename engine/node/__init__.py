"""Authoring nodes: the `@node` decorator, ports and widgets, the schema, the registry and plugins.

Must not import torch, the LDM column, or anything above it (graph, run, http).
"""
