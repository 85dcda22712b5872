"""Fetch the pictures and words that the embedded models are trained on, into `input/fluent-emoji/`.

    python models/embedded/prepare_data.py [FOLDER]

Pictures: npm `@lobehub/fluent-emoji-3d` (MIT, Microsoft Fluent Emoji). Words: npm `emojibase-data` (MIT). Both are
pinned and fetched by `npm pack`; pictures with skin tones are left out.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

PICTURES = ("@lobehub/fluent-emoji-3d", "1.1.0")
WORDS = ("emojibase-data", "17.0.0")
SKIN_TONES = frozenset({"1f3fb", "1f3fc", "1f3fd", "1f3fe", "1f3ff"})


def fetch(package: str, version: str) -> dict[str, bytes]:
    """The files of a package, by path. npm checks the archive against the registry's digest."""
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit(
            "the pictures come from the npm registry: install Node.js (any version with npm), then run this again"
        )
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [npm, "pack", "--silent", f"{package}@{version}"], cwd=folder, check=True, stdout=subprocess.DEVNULL
        )
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as tar:
            members = [member for member in tar.getmembers() if member.isfile()]
            return {member.name.removeprefix("package/"): tar.extractfile(member).read() for member in members}  # type: ignore[union-attr]


def bare(code: str) -> str:
    """A code point sequence without the variation selector, which the two packages write differently."""
    return code.replace("-fe0f", "")


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    pictures, words = fetch(*PICTURES), fetch(*WORDS)
    groups = {group["order"]: group["key"] for group in json.loads(words["en/messages.json"])["groups"]}
    by_code = {bare(Path(path).stem): data for path, data in pictures.items() if path.endswith(".webp")}
    rows: list[dict[str, object]] = []
    for entry in json.loads(words["en/data.json"]):
        code = entry["hexcode"].lower()
        data = by_code.get(bare(code))
        if data is None or "group" not in entry or SKIN_TONES & set(code.split("-")):
            continue
        name = f"{code}.webp"
        (folder / name).write_bytes(data)
        rows.append(
            {
                "file": name,
                "caption": entry["label"].lower(),
                "keywords": [tag for tag in entry.get("tags", []) if tag.lower() not in entry["label"].lower()],
                "group": groups[entry["group"]],
            }
        )
    index = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / "captions.jsonl").write_text(index, encoding="utf-8")
    print(f"{len(rows)} captioned pictures in {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "input/fluent-emoji"))
