"""`darkroom run`, `validate` and `why`."""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest

from tests.cli.conftest import WORKFLOW, Program

ROOT = Path(__file__).resolve().parents[2]

LOUD = '''
from pathlib import Path
from uuid import uuid4
from engine.node import Context, Shown, node

@node(category="words", output=True)
def Loud(ctx: Context) -> Shown:
    """Show things that are no files."""
    Path("previews_wanted").write_text(str(ctx.wants_preview))
    return Shown(ui={"text": ["hello"], "count": 2, "odd": [{"path": 3}, {"name": "x"}]})

@node(category="words")
def Dice() -> str:
    """Break the promise that a node gives the same for the same."""
    return uuid4().hex
'''


def test_a_run_prints_the_path_of_what_it_made(darkroom: Program, home: Path) -> None:
    done = darkroom("run", "workflow.json")
    assert (done.exit_code, done.stdout) == (0, "output/words_00001_.txt\n")
    assert (home / "output" / "words_00001_.txt").read_text() == "good"


def test_a_second_run_makes_nothing_new_and_prints_the_same(darkroom: Program, home: Path) -> None:
    first, second = darkroom("run", "workflow.json"), darkroom("run", "workflow.json", "--json", "report.json")
    assert second.stdout == first.stdout
    assert os.listdir(home / "output") == ["words_00001_.txt"]
    report = json.loads((home / "report.json").read_text())
    assert {id: node["cached"] for id, node in report["nodes"].items()} == {"words": True, "save": True}


def test_inputs_are_set_by_name_and_read_by_their_type(darkroom: Program, home: Path) -> None:
    done = darkroom("run", "workflow.json", "--set", "words.text=a = b, 2", "--set", "words.steps=3")
    assert done.exit_code == 0
    assert (home / "output" / "words_00001_.txt").read_text() == "a = b, 2"


def test_output_goes_where_it_is_told(darkroom: Program, home: Path) -> None:
    done = darkroom("run", "workflow.json", "--output", home / "elsewhere" / "deep")
    assert done.stdout == "elsewhere/deep/words_00001_.txt\n"
    assert not (home / "output").exists()


def test_the_report_says_what_became_of_each_node(darkroom: Program, home: Path) -> None:
    darkroom("run", "workflow.json", "--json", home / "new" / "report.json")
    report = json.loads((home / "new" / "report.json").read_text())
    assert report["status"] == "done"
    assert report["outputs"] == [{"node": "save", "path": str(home / "output" / "words_00001_.txt")}]
    assert list(report["nodes"]) == ["words", "save"]
    assert report["nodes"]["words"]["type"] == "Words"
    assert (report["nodes"]["words"]["state"], report["nodes"]["words"]["cached"]) == ("ran", False)
    assert report["nodes"]["words"]["seconds"] >= 0
    assert report["peak_memory_bytes"]["process"] > 2**20
    assert report["errors"] == []


def test_files_are_listed_in_the_order_of_the_workflow_and_only_files(darkroom: Program, home: Path) -> None:
    nodes = {f"save{n}": {"type": "SaveWords", "inputs": {"words": f"{n}", "filename_prefix": f"{n}"}} for n in "ba"}
    nodes["loud"] = {"type": "Loud"}
    (home / "plugins" / "loud.py").write_text(LOUD)
    (home / "several.json").write_text(json.dumps({"darkroom": 1, "nodes": nodes}))
    done = darkroom("run", "several.json")
    assert done.stdout == "output/b_00001_.txt\noutput/a_00001_.txt\n"


def test_a_share_of_the_cache_is_verified(darkroom: Program, home: Path) -> None:
    (home / "plugins" / "loud.py").write_text(LOUD)
    nodes = {"dice": {"type": "Dice"}, "save": {"type": "SaveWords", "inputs": {"words": {"from": "dice.string"}}}}
    (home / "dice.json").write_text(json.dumps({"darkroom": 1, "nodes": nodes}))
    for workflow in ("workflow.json", "dice.json"):
        assert darkroom("run", workflow).exit_code == 0
    assert darkroom("run", "workflow.json", "--verify-cache", "100").exit_code == 0
    wrong = darkroom("run", "dice.json", "--verify-cache", "100")
    assert wrong.exit_code == 1
    assert "dice (Dice)" in wrong.stderr


def test_nobody_looks_at_previews_on_the_command_line(darkroom: Program, home: Path) -> None:
    (home / "plugins" / "loud.py").write_text(LOUD)
    (home / "loud.json").write_text('{"darkroom": 1, "nodes": {"loud": {"type": "Loud"}}}')
    assert darkroom("run", "loud.json").exit_code == 0
    assert (home / "previews_wanted").read_text() == "False"


def test_a_node_that_fails_is_named_with_its_reason(darkroom: Program, home: Path) -> None:
    done = darkroom("run", "workflow.json", "--set", "words.text=bad", "--json", "report.json")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "darkroom: words (Words): " in done.stderr
    assert "these words are bad" in done.stderr
    assert "Traceback" not in done.stderr
    report = json.loads((home / "report.json").read_text())
    assert report["status"] == "failed"
    assert [error["node"] for error in report["errors"]] == ["words"]
    assert report["nodes"]["save"]["state"] == "skipped"


def test_debug_shows_where_a_node_failed(darkroom: Program) -> None:
    done = darkroom("run", "workflow.json", "--set", "words.text=bad", "--debug")
    assert done.exit_code == 1
    assert 'raise ValueError("these words are bad")' in done.stderr


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("word.text=x", "The workflow has no node 'word'. Use 'words'."),
        ("words.txt=x", "words.txt: Words has no input 'txt'. Use one of text, steps."),
        ("words.steps=many", "words.steps: "),
        ("words.steps=0", "words.steps: "),
        ("words.steps=nan", "words.steps: "),
        ("words.steps=-3", "words.steps: "),
        ("words.text", "should read NODE.INPUT=VALUE"),
        ("words=x", "should read NODE.INPUT=VALUE"),
        (".text=x", "should read NODE.INPUT=VALUE"),
        ("words.=x", "should read NODE.INPUT=VALUE"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(darkroom: Program, home: Path, assignment: str, words: str) -> None:
    for verb in ("run", "validate"):
        done = darkroom(verb, "workflow.json", "--set", assignment)
        assert (done.exit_code, done.stdout) == (2, "")
        assert words in done.stderr
        assert "Traceback" not in done.stderr
    assert not (home / "output").exists()


def test_all_bad_settings_are_named_at_once(darkroom: Program) -> None:
    done = darkroom("validate", "workflow.json", "--set", "word.text=x", "--set", "words.txt=x")
    assert len(done.stderr.splitlines()) == 2


def truncated_png() -> bytes:
    header = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", len(header)) + chunk + struct.pack(">I", zlib.crc32(chunk))


BAD_FILES = {
    "empty": b"",
    "spaces": b"  \n",
    "no_json": b"{not json}",
    "text": b"hello",
    "binary": bytes(range(256)),
    "a_list": b"[]",
    "a_number": b"42",
    "an_object": b"{}",
    "no_nodes": b'{"darkroom": 1}',
    "nodes_are_a_list": b'{"darkroom": 1, "nodes": []}',
    "node_is_text": b'{"darkroom": 1, "nodes": {"a": "b"}}',
    "newer": b'{"darkroom": 99, "nodes": {}}',
    "nothing_to_run": b'{"darkroom": 1, "nodes": {}}',
    "nan": b'{"darkroom": 1, "nodes": {"words": {"type": "Words", "inputs": {"steps": NaN}}}}',
    "infinity": b'{"darkroom": 1, "nodes": {"words": {"type": "Words", "inputs": {"steps": 1e999}}}}',
    "negative": b'{"darkroom": 1, "nodes": {"words": {"type": "Words", "inputs": {"steps": -1}}}}',
    "unknown_node": b'{"darkroom": 1, "nodes": {"words": {"type": "Wrods", "inputs": {}}}}',
    "twice": b'{"darkroom": 1, "darkroom": 1, "nodes": {}}',
    "deep": b"[" * 100_000,
    "huge": b'{"x": "' + b"x" * 9_000_000 + b'"}',
    "long_number": b'{"darkroom": ' + b"9" * 10_000 + b"}",
    "truncated.png": truncated_png(),
}


@pytest.mark.parametrize("name", BAD_FILES)
@pytest.mark.parametrize("verb", ["run", "validate"])
def test_a_bad_file_is_a_clear_sentence_and_nothing_more(darkroom: Program, home: Path, verb: str, name: str) -> None:
    (home / name).write_bytes(BAD_FILES[name])
    done = darkroom(verb, home / name)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("darkroom: ")
    assert len(done.stderr) < 1000
    assert "Traceback" not in done.stderr
    assert not (home / "output").exists()


def test_a_missing_file_and_a_folder_are_no_workflows(darkroom: Program, home: Path) -> None:
    for path, words in ((home / "nothing.json", "There is no file"), (home, "is a folder")):
        for verb in (("run", path), ("validate", path), ("why", path, "words")):
            done = darkroom(*verb)
            assert done.exit_code == 2
            assert words in done.stderr


def test_a_report_is_written_also_when_nothing_can_run(darkroom: Program, home: Path) -> None:
    (home / "bad.json").write_bytes(BAD_FILES["unknown_node"])
    assert darkroom("run", "bad.json", "--json", "report.json").exit_code == 2
    report = json.loads((home / "report.json").read_text())
    assert report["status"] == "refused"
    assert [(error["code"], error["node"]) for error in report["errors"]] == [("unknown_node", "words")]


def test_a_report_that_cannot_be_written_is_said_before_the_run(darkroom: Program, home: Path) -> None:
    (home / "file").write_text("")
    for option in (("--json", home / "file" / "report.json"), ("--json", home), ("--output", home / "file")):
        done = darkroom("run", "workflow.json", *option)
        assert done.exit_code == 2
        assert "Traceback" not in done.stderr
    assert not (home / "output").exists()


def test_an_unknown_device_is_refused(darkroom: Program) -> None:
    done = darkroom("run", "workflow.json", "--device", "gpu")
    assert done.exit_code == 2
    assert "no device 'gpu'; use auto, cpu" in done.stderr


def test_validate_counts_what_would_run(darkroom: Program, home: Path) -> None:
    done = darkroom("validate", "workflow.json")
    assert (done.exit_code, done.stdout) == (0, "workflow.json is valid: 2 nodes, 1 outputs\n")
    assert not (home / "output").exists()


def test_comfyui_files_run_as_they_are_but_settings_must_exist(darkroom: Program, home: Path) -> None:
    prompt = {
        "1": {"class_type": "Text", "inputs": {"text": "from comfy", "upload": "image"}},
        "2": {"class_type": "SaveWords", "inputs": {"words": ["1", 0]}},
    }
    (home / "comfy.json").write_text(json.dumps(prompt))
    assert darkroom("run", "comfy.json").exit_code == 0
    assert (home / "output" / "words_00001_.txt").read_text() == "from comfy"
    done = darkroom("run", "comfy.json", "--set", "1.upload=x")
    assert (done.exit_code, "has no input 'upload'" in done.stderr) == (2, True)


def test_why_names_what_changed(darkroom: Program) -> None:
    assert "save would run: " in darkroom("why", "workflow.json", "save").stdout
    darkroom("run", "workflow.json")
    assert darkroom("why", "workflow.json", "save").stdout == "save would not run again: its result is known\n"
    done = darkroom("why", "workflow.json", "save", "--set", "words.text=other")
    assert done.stdout.startswith("save would run again: words: input text was ")
    darkroom("cache", "clear")
    assert "its result is not in the cache" in darkroom("why", "workflow.json", "save").stdout


def test_why_of_an_unknown_node_names_the_nearest(darkroom: Program) -> None:
    done = darkroom("why", "workflow.json", "saev")
    assert done.exit_code == 2
    assert "The workflow has no node 'saev'. Use 'save'." in done.stderr


SLOW = '''
import time
from pathlib import Path
from engine.node import Context, Shown, node

@node(category="words", output=True)
def Sleep(ctx: Context) -> Shown:
    """Sleep until told to stop."""
    Path("asleep").touch()
    for step in range(3000):
        time.sleep(0.01)
        ctx.check_cancelled()
    return Shown(ui={})
'''


def interrupt_a_run(home: Path, code: str, times: int) -> tuple[int, str]:
    """Run a node that says when it is asleep, and press Ctrl+C; gives the exit code and what was said."""
    (home / "plugins" / "slow.py").write_text(code)
    (home / "slow.json").write_text(json.dumps({**WORKFLOW, "nodes": {"sleep": {"type": "Sleep"}}}))
    command = [sys.executable, str(ROOT / "server.py"), "run", "slow.json", "--json", "report.json"]
    with subprocess.Popen(command, cwd=home, stderr=subprocess.PIPE, text=True) as process:
        while not (home / "asleep").exists() and process.poll() is None:
            time.sleep(0.01)
        for _ in range(times):
            process.send_signal(signal.SIGINT)
            assert process.stderr is not None
            said = process.stderr.readline() if times > 1 else ""
        _, errors = process.communicate(timeout=60)
    return process.returncode, said + errors


def test_ctrl_c_stops_a_run_in_order(home: Path) -> None:
    code, errors = interrupt_a_run(home, SLOW, times=1)
    assert code == 130
    assert errors.splitlines()[-1] == "darkroom: cancelled"
    assert "Traceback" not in errors
    assert json.loads((home / "report.json").read_text())["status"] == "cancelled"


def test_a_second_ctrl_c_stops_a_node_that_does_not_listen(home: Path) -> None:
    code, errors = interrupt_a_run(home, SLOW.replace("ctx.check_cancelled()", "pass"), times=2)
    assert (code, errors) == (130, "")
    assert not (home / "report.json").exists()
