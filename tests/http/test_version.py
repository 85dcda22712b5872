"""The version is known whether Darkroom is installed or run from a checkout."""

from __future__ import annotations

import tomllib

from engine.http.version import version
from engine.node.folders import PROJECT


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    assert version().partition(" ")[0] == project["version"]
