"""Run the benchmarks: `python -m benchmarks [NAME ...]`. Without names all of them, and docs/benchmarks.md is written.

`python -m benchmarks tradeoff` is a study of its own, with options of its own.

Exit code 1 when a benchmark fails to run; a promise that is missed is only shown.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import platform
import sys
import time
import traceback
from importlib import metadata
from pathlib import Path

import benchmarks
from benchmarks.row import Row

PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"
NOT_BENCHMARKS = {"house", "row", "tradeoff", "__main__"}


def main(names: list[str]) -> int:
    if names[:1] == ["tradeoff"]:
        study = importlib.import_module("benchmarks.tradeoff.study")
        return study.main(names[1:])
    found = [each.name for each in pkgutil.iter_modules(benchmarks.__path__) if each.name not in NOT_BENCHMARKS]
    unknown = [name for name in names if name not in found]
    if unknown:
        print(f"There is no benchmark {', '.join(unknown)}; there are {', '.join(found)}.", file=sys.stderr)
        return 2
    sections: list[str] = []
    failed = False
    for name in names or found:
        module = importlib.import_module(f"benchmarks.{name}")
        print(f"{name} ...", file=sys.stderr, flush=True)
        try:
            rows: list[Row] = module.rows()
        except Exception:
            traceback.print_exc()
            failed = True
            continue
        title = (module.__doc__ or name).strip().splitlines()[0]
        sections.append(section(name, title, rows))
        print(sections[-1], flush=True)
    if not names and not failed:
        PAGE.write_text(page(sections))
    return 1 if failed else 0


def section(name: str, title: str, rows: list[Row]) -> str:
    """One benchmark as a part of the page."""
    lines = [f"## {name.replace('_', ' ').capitalize()}", "", title, ""]
    lines += ["| what | measured | promised | met |", "|---|---:|---:|---|"]
    for row in rows:
        promised = f"{row.promise}: {row.target}" if row.promise else row.target
        met = "" if row.met is None else "yes" if row.met else "**no**"
        lines.append(f"| {row.name} | {row.measured} | {promised} | {met} |")
    return "\n".join(lines) + "\n"


def page(sections: list[str]) -> str:
    return "\n".join(
        [
            "# Benchmarks",
            "",
            "Written by `make bench`. Ratios are taken within one run; absolute times are CPU times and say something",
            "about the machine they were taken on only.",
            "",
            f"{time.strftime('%Y-%m-%d')}, {platform.machine()} with {os.cpu_count()} cores, "
            f"Python {platform.python_version()}, torch {metadata.version('torch')}.",
            "",
            *sections,
        ]
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
