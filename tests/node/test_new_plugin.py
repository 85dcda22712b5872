"""`darkroom plugin new` writes a plugin that works as it is."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.errors import FileProblem, InputProblem
from engine.node.new_plugin import new_plugin
from engine.node.registry import Registry


def free(_: str) -> bool:
    return False


def test_a_new_plugin_is_found_and_its_node_has_help(tmp_path: Path) -> None:
    assert new_plugin("film_grain", tmp_path, free) == tmp_path / "film_grain"
    registry = Registry.open([tmp_path], installed=False)
    plugin = registry.plugins[1]
    assert (plugin.name, plugin.nodes, plugin.problems) == ("film_grain", ("FilmGrain",), ())
    schema = registry.catalogue.get("FilmGrain")
    assert schema is not None
    assert [each.name for each in schema.inputs if each.help] == ["image", "amount", "seed"]
    assert schema.outputs[0].help == "The picture with grain."


def test_the_test_of_a_new_plugin_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new_plugin("my_grain1", tmp_path, free)
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("my_grain1.test_my_grain1")
    tests = [test for name, test in vars(module).items() if name.startswith("test_")]
    assert len(tests) == 3
    for test in tests:
        test()


@pytest.mark.slow
def test_pytest_finds_the_test_of_a_new_plugin(tmp_path: Path) -> None:
    new_plugin("my_grain2", tmp_path / "plugins", free)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "my_grain2"],
        cwd=tmp_path / "plugins",
        env={**os.environ, "PYTHONPATH": os.getcwd(), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout


def test_a_new_plugin_is_well_typed_and_tidy(tmp_path: Path) -> None:
    made = new_plugin("film_grain", tmp_path, free)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "ruff",
            "check",
            "--isolated",
            "--line-length",
            "120",
            "--select",
            "E,F,UP,B",
            str(made),
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "cannot name a plugin"),
        ("Film Grain", "try film_grain"),
        ("../evil", "try evil"),
        ("a/b", "try a_b"),
        ("2fast", "try fast"),
        ("grün", "cannot name a plugin"),
        ("x" * 51, "at most 50"),
        ("json", "is the name of an installed Python module; try json_nodes"),
        ("torch", "is the name of an installed Python module"),
        ("load_image", "there is a node LoadImage already; try my_load_image"),
    ],
)
def test_a_bad_name_is_refused_and_nothing_is_written(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(InputProblem, match=words):
        new_plugin(name, tmp_path, {"LoadImage"}.__contains__)
    assert os.listdir(tmp_path) == []


def test_an_existing_plugin_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "yours.py").write_text("x = 1")
    for name in ("mine", "yours"):
        with pytest.raises(FileProblem, match="choose another name"):
            new_plugin(name, tmp_path, free)
    assert sorted(os.listdir(tmp_path)) == ["mine", "yours.py"]
    assert os.listdir(tmp_path / "mine") == []


def test_a_place_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "plugins").write_text("a file where a folder should be")
    with pytest.raises(FileProblem, match="cannot write the plugin"):
        new_plugin("film_grain", tmp_path / "plugins", free)
