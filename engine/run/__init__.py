"""Runs graphs: `engine` is the door, `execution` one run, `agenda` what is needed and ready, `crew` and `lanes` where
it runs, `cache` what is kept (`memory_cache`, `disk_cache`), `events` what is told.

Values are opaque here. Must not import torch, the LDM column, or engine.http.
"""
