"""The README tells the truth: its commands and its Python run as they stand there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from engine.cli.program import make_program
from server import open_darkroom

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder with the workflows and models of the checkout, to stand in and write to."""
    for name in ("workflows", "models"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.setenv("DARKROOM_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def commands() -> list[str]:
    lines = [line.split("#")[0].strip() for block in blocks("sh") for line in block.splitlines()]
    return [line for line in lines if line.startswith("darkroom ") and "train" not in line]


@pytest.mark.parametrize("command", commands())
def test_each_command_of_the_readme_works(command: str, checkout: Path) -> None:
    done = CliRunner().invoke(make_program(open_darkroom), shlex.split(command)[1:])
    assert done.exit_code == 0, done.output


def test_the_training_workflows_of_the_readme_exist() -> None:
    named = re.findall(r"darkroom run (workflows/train\S+)", README)
    assert len(named) == 3
    assert all((ROOT / name).is_file() for name in named)


def test_ten_lines_of_python_make_a_picture(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (script,) = (block for block in blocks("python") if "open_darkroom" in block)
    assert len(script.strip().splitlines()) <= 10
    exec(compile(script, "README.md", "exec"), {})
    with Image.open(capsys.readouterr().out.strip()) as picture:
        assert picture.size == (256, 256)


def test_a_script_without_a_graph_makes_a_picture(checkout: Path) -> None:
    (script,) = (block for block in blocks("python") if "load_latent_diffusion" in block)
    assert len(script.strip().splitlines()) <= 15
    exec(compile(script, "README.md", "exec"), {})
    with Image.open(checkout / "apple.png") as picture:
        assert picture.size == (256, 256)
        assert len(picture.getcolors(256 * 256) or []) > 500


def test_the_readmes_first_node_is_a_node() -> None:
    (script,) = (block for block in blocks("python") if "@node" in block)
    namespace: dict[str, object] = {}
    exec(compile(script, "README.md", "exec", dont_inherit=True), namespace)
    assert getattr(namespace["Fade"], "type").schema.inputs[1].maximum == 1  # noqa: B009


def test_every_page_and_picture_the_readme_links_to_exists() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README.replace("\n", " ")):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target
