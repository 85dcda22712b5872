"""Measure the shipped models, one command a system: `python -m models.evaluate SYSTEM`.

Each prints its figures and draws a sheet with successes and failures; docs/quality.md shows what came out.
"""
