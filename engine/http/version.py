"""Which Darkroom this is."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import metadata

from engine.node.folders import PROJECT


@cache
def version() -> str:
    """The installed version; of a checkout that was never installed, the one that it says of itself."""
    try:
        return metadata.version("darkroom")
    except metadata.PackageNotFoundError:
        with (PROJECT / "pyproject.toml").open("rb") as file:
            return f"{tomllib.load(file)['project']['version']} (checkout)"
