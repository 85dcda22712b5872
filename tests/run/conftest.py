"""A workshop for every test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.run.lanes import Lanes
from tests.run.workshop import Workshop


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    with Lanes.open(cpu_width=2) as lanes:
        yield Workshop(tmp_path, lanes)
