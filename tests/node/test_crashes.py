"""A plugin that ends its process while it is imported is found out by the next one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.errors import PluginError
from engine.node.crashes import Crashes
from engine.node.registry import Registry
from tests.node.test_registry import GOOD, only_plugins, write

PROJECT = Path(__file__).parents[2]
DESCRIBE = """
import sys
from pathlib import Path
from tests.node.test_registry import only_plugins
print(*(node.name for node in only_plugins(Path(sys.argv[1]), Path(sys.argv[2])).catalogue))
"""
EXIT = "import os\nos._exit(7)\n"
SEGFAULT = "import ctypes\nctypes.string_at(0)\n"


def describe(plugins: Path, cache: Path) -> subprocess.CompletedProcess[str]:
    """Describe all nodes in a process of its own."""
    command = [sys.executable, "-c", DESCRIBE, str(plugins), str(cache)]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(("how", "code"), [(EXIT, 7), (SEGFAULT, -11)])
def test_a_plugin_that_ends_its_process_is_skipped_by_the_next_and_named(tmp_path: Path, how: str, code: int) -> None:
    plugins, cache = tmp_path / "plugins", tmp_path / "cache"
    write(plugins / "bad.one.py", how)
    write(plugins / "maths.py", GOOD)
    assert describe(plugins, cache).returncode == code
    for _ in range(2):  # and by the one after that
        told = describe(plugins, cache)
        assert (told.returncode, told.stdout.split()) == (0, ["SplitNumber"])
    bad, good = only_plugins(plugins, cache).plugins
    assert (bad.name, good.problems) == ("bad.one", ())
    assert "ended the process" in bad.problems[0]
    assert "change its code" in bad.problems[0]


def test_changed_code_is_tried_again(tmp_path: Path) -> None:
    plugins, cache = tmp_path / "plugins", tmp_path / "cache"
    write(plugins / "bad.py", EXIT)
    describe(plugins, cache)
    write(plugins / "bad.py", GOOD)
    assert describe(plugins, cache).stdout.split() == ["SplitNumber"]
    assert list((cache / "importing").iterdir()) == []


def test_a_plugin_is_tried_again_when_its_crash_is_forgotten(tmp_path: Path) -> None:
    plugins, cache = tmp_path / "plugins", tmp_path / "cache"
    write(plugins / "bad.py", EXIT)
    describe(plugins, cache)
    Crashes(cache / "importing").forget()
    assert describe(plugins, cache).returncode == 7


def test_nodes_that_are_known_stay_in_the_catalogue_and_say_why_they_cannot_run(tmp_path: Path) -> None:
    """Its nodes were noted when it could still be imported: workflows that use them stay readable."""
    plugins, cache = tmp_path / "plugins", tmp_path / "cache"
    write(plugins / "maths.py", "import os\nif 'FATAL' in os.environ:\n    os._exit(7)\n" + GOOD)
    assert describe(plugins, cache).stdout.split() == ["SplitNumber"]
    use = f"""
from pathlib import Path
from tests.node.test_registry import only_plugins
only_plugins(Path({str(plugins)!r}), Path({str(cache)!r})).type("SplitNumber")
"""
    ended = subprocess.run([sys.executable, "-c", use], cwd=PROJECT, env={**os.environ, "FATAL": "1"}, timeout=60)
    assert ended.returncode == 7
    registry = only_plugins(plugins, cache)
    assert registry.catalogue.get("SplitNumber") is not None
    assert "ended the process" in registry.plugins[0].problems[0]
    with pytest.raises(PluginError, match="ended the process"):
        registry.type("SplitNumber")


def test_an_import_under_way_elsewhere_accuses_nobody(tmp_path: Path) -> None:
    crashes = Crashes(tmp_path)
    with crashes.importing("maths", "digest"):
        assert not crashes.has_crashed("maths", "digest")
        crashes.forget()
        assert len(list(tmp_path.iterdir())) == 1


def test_a_process_that_went_with_its_server_accuses_nobody(tmp_path: Path) -> None:
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    pid = gone.stdout.strip()
    (tmp_path / f"maths.{pid}.{pid}").write_text("digest")
    assert not Crashes(tmp_path).has_crashed("maths", "digest")
    (tmp_path / f"maths.{pid}.{os.getpid()}").write_text("digest")
    assert Crashes(tmp_path).has_crashed("maths", "digest")
    assert Crashes(tmp_path).has_crashed("maths", "digest")
    assert not Crashes(tmp_path).has_crashed("maths", "another")


def test_where_nothing_can_be_noted_plugins_load_all_the_same(tmp_path: Path) -> None:
    write(tmp_path / "plugins" / "maths.py", GOOD)
    (tmp_path / "cache").write_text("a file where the folder would be")
    registry: Registry = only_plugins(tmp_path / "plugins", tmp_path / "cache")
    assert registry.type("SplitNumber").schema.name == "SplitNumber"
