"""Latent diffusion itself: networks, samplers, schedules, losses and training, usable with no graph at all.

Must not import the graph column, pydantic, networkx or aiohttp.
"""
