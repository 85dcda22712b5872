"""The HTTP server: routes, websockets, guards and the built editor, over `engine.jobs`.

Must not import torch, the LDM column, or any node's code.
"""
