"""Jobs: the durable queue and history, the worker processes that run them, and the service that both APIs call.

Must not import torch, the LDM column, engine.http, or any node's code.
"""
