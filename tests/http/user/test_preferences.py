"""Settings are checked where they are known and kept where they are not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.errors import InputProblem
from engine.http.user.preferences import Preferences, PreferencesFile


def test_settings_are_changed_one_by_one_and_taken_back(tmp_path: Path) -> None:
    file = PreferencesFile(tmp_path / "user" / "settings.json")
    assert file.read() == Preferences()
    file.change({"theme": "light", "rail": {"width": 240}})
    changed = file.change({"grid": 8})
    assert (changed.theme, changed.grid, changed.model_extra) == ("light", 8, {"rail": {"width": 240}})
    assert PreferencesFile(file.path).read() == changed
    assert file.change({"theme": None, "rail": None}).model_dump(exclude_unset=True) == {"grid": 8}
    assert json.loads(file.path.read_text()) == {"grid": 8}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"theme": "sepia"}, "'theme' should be 'system', 'dark' or 'light'"),
        ({"grid": 1000}, "'grid' should be less than or equal to 128"),
        ({"snap": "yes"}, "'snap' should be a valid boolean"),
        ({"mine": "x" * 300_000}, "at most 262,144 are kept"),
    ],
)
def test_a_value_that_does_not_fit_changes_nothing(tmp_path: Path, changes: dict[str, object], words: str) -> None:
    file = PreferencesFile(tmp_path / "settings.json")
    before = file.change({"theme": "dark"})
    with pytest.raises(InputProblem, match=words):
        file.change(changes)  # type: ignore[arg-type]
    assert file.read() == before


@pytest.mark.parametrize("text", ["", "[]", "{", '{"theme": 1, "theme": 2}', "\x00"])
def test_a_damaged_file_counts_as_nothing_chosen(tmp_path: Path, text: str) -> None:
    file = PreferencesFile(tmp_path / "settings.json")
    file.path.write_text(text)
    assert file.read() == Preferences()
    assert file.change({"grid": 32}).grid == 32


def test_a_value_edited_by_hand_that_does_not_fit_costs_only_itself(tmp_path: Path) -> None:
    file = PreferencesFile(tmp_path / "settings.json")
    file.path.write_text('{"theme": "sepia", "grid": 0, "minimap": false, "mine": 1}')
    found = file.read()
    assert (found.theme, found.grid, found.minimap, found.model_extra) == ("system", 16, False, {"mine": 1})
