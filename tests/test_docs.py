"""The pages in docs tell the truth: their commands and their Python run as they stand there, against a real server."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from engine.cli.program import make_program
from server import open_darkroom
from tests.http.live import Live, live_server

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
SERVED = ("api.md", "comfyui.md")


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


def commands() -> list[tuple[str, str]]:
    """`darkroom` commands that end by themselves, with the page they are on."""
    lines = [
        (page.name, line.split("#")[0].strip())
        for page in PAGES
        for text in blocks(page, "sh")
        for line in text.splitlines()
    ]
    ends = [(page, line) for page, line in lines if line.startswith("darkroom ")]
    return [(page, line) for page, line in ends if not re.search(r"serve|train|Tint", line)]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder with the workflows and models of the checkout, to stand in and write to."""
    for name in ("workflows", "models"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.setenv("DARKROOM_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("page", "command"), commands())
def test_each_command_works(page: str, command: str, checkout: Path) -> None:
    done = CliRunner().invoke(make_program(open_darkroom), shlex.split(command)[1:])
    assert done.exit_code == 0, done.output


def test_the_first_node_of_the_plugin_page_is_listed(checkout: Path) -> None:
    program = make_program(open_darkroom)
    assert CliRunner().invoke(program, ["plugin", "new", "tint"]).exit_code == 0
    (script,) = blocks(ROOT / "docs" / "plugins.md", "python")
    (checkout / "home" / "plugins" / "tint" / "__init__.py").write_text(script)
    listed = CliRunner().invoke(program, ["nodes", "Tint"])
    assert listed.exit_code == 0 and "sepia | blue" in listed.output


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live_server(tmp_path_factory.mktemp("live")) as live:
        yield live


@pytest.mark.parametrize(
    ("page", "script"), [(page, script) for page in SERVED for script in blocks(ROOT / "docs" / page, "python")]
)
def test_each_example_of_the_api_runs(page: str, script: str, live: Live, checkout: Path) -> None:
    told = script.replace("http://127.0.0.1:8188", live.url)
    done = subprocess.run(
        [sys.executable, "-c", told], capture_output=True, text=True, cwd=checkout, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    if "butterfly" in script:
        assert (checkout / "butterfly.png").read_bytes().startswith(b"\x89PNG")
    elif "sweep" in script:
        assert done.stdout.count("done") == 4
    elif "job_finished" in script:
        assert done.stdout.strip().endswith("job_finished")


def test_every_link_of_every_page_leads_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#\s]+)\)", page.read_text(encoding="utf-8")):
            assert target.startswith("http") or (page.parent / target).exists(), f"{page.name}: {target}"
