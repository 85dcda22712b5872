"""From a file to a validated graph: workflow document, prompt, build, migrate, keys, dag.

Works on schemas alone, so it needs no node code. Must not import torch, the LDM column, or engine.run and above.
"""
