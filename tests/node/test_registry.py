"""Packages of nodes are found, described from their notes, and imported only when a node's code is needed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from engine.errors import PluginError
from engine.node.packages import Found, Package, digest, find_packages
from engine.node.registry import Registry

GOOD = '''
from typing import NamedTuple
from engine.node.decorator import node
from pathlib import Path

with Path(__file__).with_name("imported.txt").open("a") as mark:
    mark.write("x")

class Parts(NamedTuple):
    whole: int
    rest: float

@node(category="maths", version=2, aliases=("Split",))
def SplitNumber(number: float = 1.5) -> Parts:
    """Split a number into whole and rest."""
    return Parts(int(number), number - int(number))

@SplitNumber.migration(1)
def _(inputs):
    return {"number": inputs["x"]}
'''
OTHER = GOOD.replace("SplitNumber", "SplitOther").replace("Split", "Part")


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text))
    return path


def find_plugins(plugins: Path) -> Found:
    """What is in a plugin directory, without the built-in nodes, so that these tests do not depend on them."""
    found = find_packages([plugins], installed=False)
    return Found(found.packages[1:], found.refused)


def only_plugins(plugins: Path, cache: Path | None = None) -> Registry:
    return Registry(find_plugins(plugins), cache)


def times_imported(plugins: Path) -> int:
    mark = plugins / "imported.txt"
    return len(mark.read_text()) if mark.exists() else 0


def test_a_file_is_a_plugin(tmp_path: Path) -> None:
    write(tmp_path / "maths.py", GOOD)
    registry = only_plugins(tmp_path)
    schema = registry.catalogue.get("SplitNumber")
    assert schema is not None
    assert (schema.package, len(schema.code)) == ("maths", 40)
    assert registry.catalogue.get("Split") == schema
    assert [(each.name, each.nodes, each.problems) for each in registry.plugins] == [("maths", ("SplitNumber",), ())]
    made = registry.type("Split")
    assert made.schema == schema
    assert made.result(made.function(2.5)).outputs == (2, 0.5)


def test_a_folder_is_a_plugin_with_its_own_modules(tmp_path: Path) -> None:
    write(tmp_path / "my-maths" / "__init__.py", "from .halves import HALF\n" + GOOD)
    write(tmp_path / "my-maths" / "halves.py", "HALF = 0.5\n" + OTHER)
    write(tmp_path / "my-maths" / "test_halves.py", "raise RuntimeError('a test is no node')")
    write(tmp_path / "my-maths" / "_private.py", "raise RuntimeError('private')")
    registry = only_plugins(tmp_path)
    assert registry.plugins[0].problems == ()
    assert {schema.name for schema in registry.catalogue} == {"SplitNumber", "PartOther"}
    assert {schema.package for schema in registry.catalogue} == {"my-maths"}


def test_what_is_switched_off_hidden_or_no_code_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path / "maths.disabled" / "__init__.py", "raise RuntimeError")
    write(tmp_path / ".git" / "__init__.py", "raise RuntimeError")
    write(tmp_path / "__pycache__" / "x.py", "raise RuntimeError")
    write(tmp_path / "README.md", "raise RuntimeError")
    assert only_plugins(tmp_path).plugins == ()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("def broken(:\n", "invalid syntax (line 1)"),
        ("raise ValueError('no licence')", "ValueError: no licence"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("import no_such_library_at_all", "No module named 'no_such_library_at_all'"),
        ("\0", "null bytes"),
        (
            "from engine.node.decorator import node\n@node(category='x')\ndef Bad(a) -> None:\n    'Bad.'\n",
            "Bad: input a has no annotation",
        ),
        (GOOD + "First = SplitNumber\n" + GOOD, "two nodes are called SplitNumber; rename one"),
    ],
)
def test_a_broken_plugin_is_listed_with_its_reason_and_stops_nothing(tmp_path: Path, code: str, words: str) -> None:
    write(tmp_path / "a_broken.py", code)
    write(tmp_path / "b_works.py", OTHER)
    registry = only_plugins(tmp_path)
    assert registry.catalogue.get("PartOther") is not None
    problems = registry.plugins[0].problems
    assert len(problems) == 1
    assert words in problems[0]
    assert problems[0].startswith("a_broken: ")


def test_a_module_that_fails_leaves_the_others_of_its_package(tmp_path: Path) -> None:
    write(tmp_path / "maths" / "__init__.py", "")
    write(tmp_path / "maths" / "bad.py", "1 / 0")
    write(tmp_path / "maths" / "good.py", GOOD)
    registry = only_plugins(tmp_path)
    assert registry.catalogue.get("SplitNumber") is not None
    assert registry.plugins[0].problems == ("bad: ZeroDivisionError: division by zero",)


def test_a_folder_without_init_and_a_second_package_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    write(tmp_path / "maths.py", GOOD)
    write(tmp_path / "maths" / "__init__.py", OTHER)
    plugins = {each.name: each for each in only_plugins(tmp_path).plugins}
    assert "has no __init__.py" in plugins["empty"].problems[0]
    reasons = [each.problems for each in only_plugins(tmp_path).plugins if each.name == "maths"]
    assert sorted(map(len, reasons)) == [0, 1]


def test_a_node_called_like_a_built_in_one_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "plugins" / "mine.py", GOOD + OTHER)
    nodes = write(tmp_path / "theirs" / "nodes.py", GOOD)
    package = Package("nodes", nodes, "darkroom_test_built_in", digest([nodes]), installed=False)
    registry = Registry(Found((package, *find_plugins(tmp_path / "plugins").packages)))
    assert [schema.package for schema in registry.catalogue] == ["nodes", "mine"]
    assert registry.plugins[1].problems == ("the built-in nodes have a node SplitNumber already; rename yours",)
    assert registry.plugins[1].nodes == ("PartOther",)


def test_nodes_imported_from_elsewhere_belong_to_their_own_package(tmp_path: Path) -> None:
    write(tmp_path / "first.py", GOOD)
    registry = only_plugins(tmp_path)
    registry.type("SplitNumber")
    module = next(name for name in sys.modules if name.startswith("darkroom_plugin_first_"))
    write(tmp_path / "second.py", f"from {module} import SplitNumber\n" + OTHER)
    second = only_plugins(tmp_path)
    assert {each.name: each.nodes for each in second.plugins} == {"first": ("SplitNumber",), "second": ("PartOther",)}


def test_with_a_note_the_code_is_imported_on_first_use_only(tmp_path: Path) -> None:
    plugins, cache = tmp_path / "plugins", tmp_path / "cache"
    write(plugins / "maths.py", GOOD)
    before = list(only_plugins(plugins, cache).catalogue)
    forget_imports()
    registry = only_plugins(plugins, cache)
    assert list(registry.catalogue) == before
    assert times_imported(plugins) == 1
    registry.type("SplitNumber")
    registry.type("SplitNumber")
    assert times_imported(plugins) == 2


@pytest.mark.parametrize("damage", [b"", b"{}", b"\xff\x00", b'{"code": "x", "nodes": []}'])
def test_a_damaged_note_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    plugins, cache = tmp_path / "plugins", tmp_path / "cache"
    write(plugins / "maths.py", GOOD)
    before = list(only_plugins(plugins, cache).catalogue)
    note = cache / "catalogue" / "maths.json"
    whole = note.read_bytes()
    note.write_bytes(damage)
    assert list(only_plugins(plugins, cache).catalogue) == before
    assert note.read_bytes() == whole


def test_a_note_that_cannot_be_written_does_no_harm(tmp_path: Path) -> None:
    plugins, cache = tmp_path / "plugins", tmp_path / "cache"
    write(plugins / "maths.py", GOOD)
    cache.write_text("a file where a folder should be")
    assert only_plugins(plugins, cache).catalogue.get("SplitNumber") is not None


def test_changed_code_changes_the_digest_and_is_what_runs(tmp_path: Path) -> None:
    plugins, cache = tmp_path / "plugins", tmp_path / "cache"
    write(plugins / "maths" / "__init__.py", "from .value import VALUE\n" + GOOD.replace("= 1.5", "= VALUE"))
    write(plugins / "maths" / "value.py", "VALUE = 1.5\n")
    old = only_plugins(plugins, cache).type("SplitNumber").schema
    write(plugins / "maths" / "value.py", "VALUE = 2.5\n")
    new = only_plugins(plugins, cache).type("SplitNumber").schema
    assert old.code != new.code
    assert (old.inputs[0].default, new.inputs[0].default) == (1.5, 2.5)


def test_the_digest_does_not_depend_on_where_a_plugin_lies(tmp_path: Path) -> None:
    one, two = write(tmp_path / "a" / "maths.py", GOOD), write(tmp_path / "b" / "maths.py", GOOD)
    assert digest([one]) == digest([two])
    assert digest([one], "engine") != digest([two], "another engine")


def test_a_broken_plugin_is_not_noted_so_that_it_can_heal(tmp_path: Path) -> None:
    plugins, cache = tmp_path / "plugins", tmp_path / "cache"
    write(plugins / "maths.py", "from pathlib import Path\nassert Path(__file__).with_name('key').exists()\n" + GOOD)
    assert len(only_plugins(plugins, cache).catalogue) == 0
    (plugins / "key").touch()
    assert len(only_plugins(plugins, cache).catalogue) == 1


def test_migrations_are_found_by_node_and_version(tmp_path: Path) -> None:
    write(tmp_path / "maths.py", GOOD)
    migrations = only_plugins(tmp_path).migrations
    assert migrations["SplitNumber", 1]({"x": 4}) == {"number": 4}
    assert migrations.get(("SplitNumber", 7)) is None
    assert migrations.get(("NoSuchNode", 1)) is None
    assert list(migrations) == [("SplitNumber", 1)]


def test_an_unknown_node_names_the_nearest(tmp_path: Path) -> None:
    write(tmp_path / "maths.py", GOOD)
    with pytest.raises(PluginError, match="there is no node 'splitnumbr'; did you mean SplitNumber"):
        only_plugins(tmp_path).type("splitnumbr")


def test_what_a_plugin_prints_does_not_mix_with_the_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "loud.py", "print('hello')")
    assert len(only_plugins(tmp_path).catalogue) == 0
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "hello\n")


def test_an_installed_package_is_a_plugin(tmp_path: Path) -> None:
    write(tmp_path / "darkroom_maths" / "__init__.py", "raise RuntimeError('the parent is not needed to find it')")
    write(tmp_path / "solid_maths.py", GOOD)
    info = tmp_path / "solid_maths-1.0.dist-info"
    write(info / "METADATA", "Metadata-Version: 2.1\nName: solid-maths\nVersion: 1.0\n")
    write(info / "entry_points.txt", "[darkroom.plugins]\nsolid = solid_maths\ngone = no_such_module_here\n")
    program = """
        from engine.node.registry import Registry
        registry = Registry.open()
        print([(each.name, each.nodes, each.problems) for each in registry.plugins if each.name != "nodes"])
        print(registry.type("SplitNumber").function(3.0).whole)
    """
    path = os.pathsep.join([str(tmp_path), os.getcwd()])
    done = subprocess.run(
        [sys.executable, "-c", dedent(program)], env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    listed, ran = done.stdout.splitlines()
    assert "('solid', ('SplitNumber',), ())" in listed
    assert "names a module 'no_such_module_here' that is not there" in listed
    assert ran == "3"


def test_describing_the_built_in_nodes_imports_no_torch(tmp_path: Path) -> None:
    program = """
        import sys
        from pathlib import Path
        from engine.node.registry import Registry
        registry = Registry.open((), Path(sys.argv[1]), installed=False)
        assert [each.problems for each in registry.plugins] == [()], registry.plugins
        assert len(registry.catalogue) > 0
        assert "torch" not in sys.modules
    """
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", dedent(program), str(tmp_path)], capture_output=True, text=True, cwd=os.getcwd()
        )
        assert done.returncode == 0, done.stderr


def forget_imports() -> None:
    """Make Python forget the plugins of this process, as a fresh process would."""
    for name in [name for name in sys.modules if name.startswith("darkroom_plugin_maths_")]:
        del sys.modules[name]
