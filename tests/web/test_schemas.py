"""The editor's types come from the models here; `web/src/api/types.test.ts` checks the second half of the way."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_editors_schemas_are_those_of_the_models() -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "web.scripts.schemas", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
