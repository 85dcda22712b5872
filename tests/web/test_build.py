"""The built editor that ships with the package was made from the sources beside it."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
WEB, BUILD = ROOT / "web", ROOT / "engine" / "http" / "editor"
FILES = ("index.html", "package-lock.json", "tsconfig.json", "vite.config.ts", "digest.ts")


def source_digest() -> str:
    """As `web/digest.ts` computes it."""
    below = [path for folder in ("src", "public") for path in (WEB / folder).rglob("*") if path.is_file()]
    names = [*FILES, *(path.relative_to(WEB).as_posix() for path in below)]
    total = hashlib.sha256()
    for name in sorted(each for each in names if not re.search(r"\.test\.tsx?$|^src/testing/", each)):
        content = (WEB / name).read_bytes()
        total.update(f"{name}\0{len(content)}\0".encode() + content)
    return total.hexdigest()


def test_the_build_is_that_of_the_sources() -> None:
    built = (BUILD / "source.sha256").read_text().strip()
    assert built == source_digest(), "engine/http/editor is stale; run `make web` and commit it"


def test_the_page_names_files_that_are_there_and_holds_no_script_of_its_own() -> None:
    page = (BUILD / "index.html").read_text()
    named = re.findall(r'(?:src|href)="\./([^"]+)"', page)
    assert any(name.endswith(".js") for name in named) and any(name.endswith(".css") for name in named)
    assert all((BUILD / name).is_file() for name in named)
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son\w+=", page)
