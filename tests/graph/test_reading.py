from __future__ import annotations

import io
import json
import math
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin
from pydantic import JsonValue

from engine.errors import WorkflowError
from engine.graph.reading import Limits, Texts, check_json, read_file, read_json, read_png


def code(data: bytes | str, limits: Limits | None = None) -> str:
    with pytest.raises(WorkflowError) as caught:
        read_json(data, limits)
    (problem,) = caught.value.problems
    assert problem.message.endswith(".")
    return problem.code


def test_values_come_back_as_they_are_with_big_integers_exact():
    value = {"seed": 2**64 - 1, "low": -(2**63), "float": 1.0, "text": "ü\U0001f600", "list": [None, True, []]}
    assert read_json(json.dumps(value)) == value
    assert type(read_json("1.0")) is float


def test_a_byte_order_mark_is_no_part_of_the_text():
    assert read_json(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}
    assert read_json('{"a": "ü"}'.encode("utf-16")) == {"a": "ü"}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "empty_json"),
        (b" \n ", "empty_json"),
        (b"{", "bad_json"),
        (b"{'a': 1}", "bad_json"),
        (b'{"a": 1} x', "bad_json"),
        (b"\x80abc", "bad_encoding"),
        (b"\xff\xfea", "bad_encoding"),
        (b'{"a": NaN}', "number_not_finite"),
        (b"[-Infinity]", "number_not_finite"),
        (b"[1e999]", "number_not_finite"),
        (b"18446744073709551616", "number_too_large"),
        (b"-9223372036854775809", "number_too_large"),
        (b"1" * 100_000, "number_too_large"),
        (b'{"a": {"b": 1, "b": 2}}', "duplicate_key"),
        (b'["\\ud800"]', "bad_text"),
        (b'{"\\udc00x": 1}', "bad_text"),
        (b"[" * 65 + b"1" + b"]" * 65, "json_too_deep"),
        (b"[" * 200_000, "json_too_deep"),
        (b'{"a":' * 200_000, "json_too_deep"),
    ],
)
def test_bad_json_is_one_clear_problem(data: bytes, expected: str):
    assert code(data) == expected


def test_limits_are_inclusive():
    assert read_json("[" * 64 + "]" * 64)
    assert read_json('"aaaa"', Limits(size_bytes=6)) == "aaaa"
    assert code('"aaaaa"', Limits(size_bytes=6)) == "json_too_large"
    assert read_json('["\\ud83d\\ude00"]') == ["\U0001f600"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": [math.nan]}, "number_not_finite"),
        ({"a": 2**64}, "number_too_large"),
        ({"\ud800": 1}, "bad_text"),
        (json.loads("[" * 66 + "]" * 66), "json_too_deep"),
    ],
)
def test_values_parsed_elsewhere_are_held_to_the_same_limits(value: JsonValue, expected: str):
    with pytest.raises(WorkflowError) as caught:
        check_json(value)
    assert caught.value.problems[0].code == expected


def file_code(path: Path) -> str:
    with pytest.raises(WorkflowError) as caught:
        read_file(path)
    return caught.value.problems[0].code


def test_paths_that_are_no_files_are_said_so(tmp_path: Path):
    assert file_code(tmp_path / "none.json") == "file_missing"
    assert file_code(tmp_path) == "file_is_directory"
    assert file_code(Path("a\0b")) == "file_unreadable"
    (tmp_path / "empty.json").touch()
    assert file_code(tmp_path / "empty.json") == "empty_json"
    (tmp_path / "large.json").write_bytes(b" " * (8 * 2**20 + 1))
    assert file_code(tmp_path / "large.json") == "json_too_large"


def picture(path: Path, **texts: str) -> Path:
    chunks = PngImagePlugin.PngInfo()
    for key, text in texts.items():
        chunks.add_text(key, text)
    Image.new("RGB", (4, 4)).save(path, pnginfo=chunks)
    return path


def test_a_png_gives_the_workflow_in_its_metadata(tmp_path: Path):
    path = tmp_path / "picture.png"
    both = Texts({"nodes": []}, {"a": 1}, None)
    assert read_file(picture(path, prompt='{"a": 1}', workflow='{"nodes": []}')) == both
    assert read_png(io.BytesIO(path.read_bytes())) == both
    assert read_file(picture(path, prompt="{", workflow='{"darkroom": 1}')) == Texts({"darkroom": 1}, None, None)
    assert read_file(picture(path, workflow='{"nodes": []}')) == Texts({"nodes": []}, None, None)
    assert read_file(picture(path, parameters="a cat")) == Texts(None, None, "a cat")
    assert file_code(picture(path)) == "no_workflow_in_png"
    assert file_code(picture(path, prompt="{")) == "bad_json"


def test_a_truncated_png_is_an_error(tmp_path: Path):
    path = picture(tmp_path / "picture.png", prompt='{"a": 1}')
    whole = path.read_bytes()
    for length in range(8, len(whole)):
        path.write_bytes(whole[:length])
        try:
            assert read_file(path) == Texts(None, {"a": 1}, None)
        except WorkflowError as error:
            assert error.problems[0].code in ("bad_png", "no_workflow_in_png")
