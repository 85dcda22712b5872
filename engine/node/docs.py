"""Read a Google-style docstring: what a node does, what each input means, what comes out."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass

SECTION = re.compile(r"^(Args|Returns|Raises|Source|Example|Examples|Note|Notes|Attributes):\s*(.*)$")
ENTRY = re.compile(r"^\*{0,2}(\w+)(?:\s*\([^)]*\))?:\s*(.*)$")


@dataclass(frozen=True, slots=True)
class NodeDoc:
    """A docstring in parts: `help` is all text outside the sections that have a place of their own."""

    help: str
    inputs: Mapping[str, str]
    returns: str
    outputs: Mapping[str, str]


def read_docstring(docstring: str) -> NodeDoc:
    """Split a docstring into help, input tooltips (`Args:`) and output help (`Returns:`).

    `Returns:` may hold one line per output (`name: text`) or free text. Other sections (`Source:`) stay in the help.
    """
    sections: dict[str, list[str]] = {"": []}
    current = ""
    for line in inspect.cleandoc(docstring).splitlines():
        header = SECTION.match(line)
        if header and header[1] in ("Args", "Returns", "Attributes", "Raises"):
            current = header[1]
            sections[current] = [header[2]] if header[2] else []
        elif current and line and not line[0].isspace():
            current = ""
            sections[""].append(line)
        else:
            sections[current].append(line)
    returns = sections.get("Returns", [])
    return NodeDoc(
        help="\n".join(sections[""]).strip(),
        inputs=_entries(sections.get("Args", [])),
        returns=_joined(returns),
        outputs=_entries(returns) | _entries(sections.get("Attributes", [])),
    )


def _entries(lines: list[str]) -> dict[str, str]:
    """`name: text` entries; deeper indented lines continue the entry above."""
    filled = [line for line in lines if line.strip()]
    if not filled:
        return {}
    margin = min(len(line) - len(line.lstrip()) for line in filled)
    entries: dict[str, list[str]] = {}
    current: list[str] = []
    for line in filled:
        entry = ENTRY.match(line[margin:])
        if entry:
            current = entries[entry[1]] = [entry[2]]
        else:
            current.append(line)
    return {name: _joined(text) for name, text in entries.items()}


def _joined(lines: list[str]) -> str:
    return " ".join(line.strip() for line in lines if line.strip())
