"""`darkroom nodes`, `cache`, `plugin`, and the program without a verb."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Program


def test_help_names_every_verb_but_the_workers(darkroom: Program) -> None:
    done = darkroom("--help")
    assert done.exit_code == 0
    assert "worker" not in done.stdout
    for verb in ("serve", "run", "validate", "nodes", "why", "cache", "plugin"):
        assert f"\n  {verb} " in done.stdout


def test_help_documents_the_exit_codes(darkroom: Program) -> None:
    done = darkroom("--help")
    assert done.exit_code == 0
    for code in ("0    all is well", "1    a node failed", "130  cancelled"):
        assert code in done.stdout


def test_an_unknown_verb_and_option_are_usage_errors(darkroom: Program) -> None:
    assert darkroom("develop").exit_code == 2
    assert darkroom("run", "workflow.json", "--fast").exit_code == 2
    assert darkroom("run").exit_code == 2


def test_nodes_are_listed_by_category(darkroom: Program) -> None:
    lines = darkroom("nodes").stdout.splitlines()
    words = lines.index("words")
    assert lines[words + 1].split(maxsplit=1) == ["Words", "Give some words."]
    assert lines[words + 2] == "words/files"


def test_a_node_is_described_with_its_inputs_and_outputs(darkroom: Program) -> None:
    done = darkroom("nodes", "Text")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "Words (version 1, words, from words)",
        "",
        "Give some words.",
        "",
        "Inputs",
        "  text: STRING, default 'hello'",
        "      The words.",
        "  steps: INT, 1..10000, default 2",
        "",
        "Outputs",
        "  string: STRING",
        "",
        "Also known as Text",
    ]


def test_an_unknown_node_names_the_nearest(darkroom: Program) -> None:
    done = darkroom("nodes", "Wrods")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "there is no node 'Wrods'; did you mean Words" in done.stderr


def test_a_broken_plugin_is_listed_and_the_rest_works(darkroom: Program, home: Path) -> None:
    (home / "plugins" / "broken.py").write_text("raise SystemExit(7)")
    done = darkroom("nodes")
    assert done.exit_code == 0
    assert "Words" in done.stdout
    assert "has a problem: broken: SystemExit: 7" in done.stderr
    assert darkroom("run", "workflow.json").exit_code == 0


def test_the_cache_tells_its_size_and_is_emptied(darkroom: Program, home: Path) -> None:
    darkroom("run", "workflow.json")
    info = darkroom("cache", "info")
    assert info.exit_code == 0
    assert str(home / "cache") in info.stdout
    assert "results  2" in info.stdout
    assert darkroom("cache", "clear").exit_code == 0
    assert "results  0" in darkroom("cache", "info").stdout
    assert (home / "output" / "words_00001_.txt").exists()


def test_a_new_plugin_is_there_at_once(darkroom: Program, home: Path) -> None:
    done = darkroom("plugin", "new", "film_grain")
    assert done.exit_code == 0
    assert str(home / "plugins" / "film_grain") in done.stdout
    assert "Add film grain" in darkroom("nodes", "FilmGrain").stdout
    again = darkroom("plugin", "new", "film_grain")
    assert again.exit_code == 2
    assert "already" in again.stderr


def test_a_plugin_cannot_take_the_name_of_a_node(darkroom: Program, home: Path) -> None:
    done = darkroom("plugin", "new", "save_words")
    assert (done.exit_code, "there is a node SaveWords already" in done.stderr) == (2, True)
    assert not (home / "plugins" / "save_words").exists()
