"""Runs graphs: events, cache, lanes, executor.

Values are opaque here. Must not import torch, the LDM column, or engine.http.
"""
