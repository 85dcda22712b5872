"""Reading a workflow's JSON under limits: from bytes or a file to plain Python values, or one clear problem.

The text comes from strangers (a download, an HTTP body, a picture's metadata), so nothing here trusts its size, depth,
encoding or numbers, and nothing recurses. Numbers stay what they are: integers up to 2**64-1 (seeds) are exact.
"""

from __future__ import annotations

import json
import math
import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NoReturn

from pydantic import JsonValue

from engine.errors import Problem, WorkflowError

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_INTEGER = 2**64 - 1
MIN_INTEGER = -(2**63)

_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_LONGEST_INTEGER = len(str(MIN_INTEGER))


@dataclass(frozen=True, slots=True)
class Limits:
    """What a workflow may be at most (promise S11)."""

    size_bytes: int = 8 * 2**20
    depth: int = 64
    nodes: int = 20_000


@dataclass(frozen=True, slots=True)
class Texts:
    """What a picture says of its making: the document of an editor, the prompt in API format, and the line of settings
    that A1111's web UI and its kin write. None where it does not say."""

    workflow: JsonValue
    prompt: JsonValue
    parameters: str | None


def read_json(data: bytes | str, limits: Limits | None = None) -> JsonValue:
    """Read JSON text with unique keys and finite numbers.

    Args:
        data: UTF-8 (with or without a byte order mark), UTF-16 with one, or text.

    Raises:
        WorkflowError: with one problem: `json_too_large`, `bad_encoding`, `empty_json`, `bad_json`, `duplicate_key`,
            `number_not_finite`, `number_too_large`, `json_too_deep`, `bad_text`.
    """
    limits = limits or Limits()
    if len(data) > limits.size_bytes:
        refuse(
            "json_too_large",
            f"The JSON is {len(data):,} bytes long.",
            wanted=f"at most {limits.size_bytes:,} bytes",
            fix="move large data out of the workflow into files",
        )
    text = _decode(data) if isinstance(data, bytes) else data.removeprefix("\ufeff")
    if not text.strip():
        refuse("empty_json", "There is no JSON: the text is empty.", fix="give a workflow's JSON")
    value = _parse(text, limits)
    _check_depth(value, limits)
    if _SURROGATE_ESCAPE.search(text):
        _check_values(value)
    return value


def check_json(value: JsonValue, limits: Limits | None = None) -> None:
    """Hold a JSON value that came from elsewhere to the limits of `read_json`.

    Raises:
        WorkflowError: with one problem: `json_too_deep`, `number_not_finite`, `number_too_large`, `bad_text`.
    """
    _check_depth(value, limits or Limits())
    _check_values(value)


def read_file(path: Path, limits: Limits | None = None) -> JsonValue | Texts:
    """Read the JSON in a file, or the texts about its making that a PNG carries.

    Raises:
        WorkflowError: with one problem: those of `read_json`, or `file_missing`, `file_is_directory`,
            `file_unreadable`, `bad_png`, `no_workflow_in_png`.
    """
    limits = limits or Limits()
    try:
        with path.open("rb") as file:
            # One byte more than allowed is enough to know that it is too much.
            data = file.read(limits.size_bytes + 1)
    except FileNotFoundError:
        refuse("file_missing", f"There is no file '{path}'.", fix="check the path")
    except IsADirectoryError:
        refuse("file_is_directory", f"'{path}' is a folder.", wanted="a JSON or PNG file", fix="name a file inside it")
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        refuse("file_unreadable", f"'{path}' cannot be read: {error}.", fix="check the path and its permissions")
    if data.startswith(PNG_SIGNATURE):
        return read_png(path, limits)
    return read_json(data, limits)


def read_png(picture: Path | BinaryIO, limits: Limits | None = None) -> Texts:
    """Read the texts of a picture that say how it was made; its pixels are never decoded.

    Raises:
        WorkflowError: `bad_png`, `no_workflow_in_png`, or a problem of `read_json`.
    """
    texts = _png_texts(picture)
    workflow = read_json(texts["workflow"], limits) if "workflow" in texts else None
    if isinstance(workflow, dict) and "darkroom" in workflow:
        return Texts(workflow, None, None)
    prompt = read_json(texts["prompt"], limits) if "prompt" in texts else None
    if workflow is None and prompt is None and "parameters" not in texts:
        refuse(
            "no_workflow_in_png",
            f"The picture{_named(picture)} carries no workflow.",
            wanted="a PNG with a `workflow` or `prompt` text",
            fix="use the original file; editing, messengers and web pages strip metadata",
        )
    return Texts(workflow, prompt, texts.get("parameters"))


def refuse(
    code: str, message: str, *, wanted: str | None = None, got: str | None = None, fix: str | None = None
) -> NoReturn:
    """Raise a WorkflowError with this one problem, leaving out whatever exception is being handled."""
    raise WorkflowError([Problem(code, message, wanted=wanted, got=got, fix=fix)]) from None


def _decode(data: bytes) -> str:
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        refuse(
            "bad_encoding",
            f"The file is not text in UTF-8: byte {error.start} is 0x{data[error.start]:02x}.",
            wanted="JSON in UTF-8, or a PNG that carries a workflow",
            fix="save the file as UTF-8, or check that it is a workflow at all",
        )


def _parse(text: str, limits: Limits) -> JsonValue:
    try:
        return json.loads(
            text,
            object_pairs_hook=_unique_keys,
            parse_int=_integer,
            parse_float=_finite,
            parse_constant=_finite,
        )
    except json.JSONDecodeError as error:
        refuse(
            "bad_json",
            f"This is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.",
            got=_excerpt(text, error.pos),
            fix="correct the text there",
        )
    except RecursionError:
        _refuse_depth(limits)


def _unique_keys(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen = set[str]()
        for key, _ in pairs:
            if key in seen:
                refuse("duplicate_key", f"The key {_shown(key)} appears twice in one object.", fix="keep one of them")
            seen.add(key)
    return value


def _integer(digits: str) -> int:
    # The length is looked at first: Python refuses to read integers of thousands of digits with an error of its own.
    return _check_integer(int(digits) if len(digits) <= _LONGEST_INTEGER else MAX_INTEGER + 1)


def _check_integer(value: int) -> int:
    if MIN_INTEGER <= value <= MAX_INTEGER:
        return value
    refuse(
        "number_too_large",
        "An integer does not fit into 64 bits.",
        wanted=f"{MIN_INTEGER} to {MAX_INTEGER}",
        fix="use a smaller number",
    )


def _finite(text: str) -> float:
    return _check_finite(float(text))


def _check_finite(value: float) -> float:
    if math.isfinite(value):
        return value
    refuse("number_not_finite", f"{value} is not a finite number.", fix="write a number, or leave the input out")


def _check_depth(value: JsonValue, limits: Limits) -> None:
    level = [value]
    for _ in range(limits.depth + 1):
        level = [child for each in level if isinstance(each, dict | list) for child in _children(each)]
        if not level:
            return
    _refuse_depth(limits)


def _check_values(value: JsonValue) -> None:
    rest = [value]
    while rest:
        each = rest.pop()
        if isinstance(each, dict):
            rest.extend(each)
            rest.extend(each.values())
        elif isinstance(each, list):
            rest.extend(each)
        elif isinstance(each, str):
            if not is_text(each):
                refuse("bad_text", f"The string {_shown(each)} holds half of a character.", fix="retype that text")
        elif isinstance(each, int):
            _check_integer(each)
        elif isinstance(each, float):
            _check_finite(each)


def _children(value: dict[str, JsonValue] | list[JsonValue]) -> Iterable[JsonValue]:
    return value.values() if isinstance(value, dict) else value


def is_text(value: str) -> bool:
    """Whether a string can be written in UTF-8, which half of a surrogate pair cannot."""
    return value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value)


def _refuse_depth(limits: Limits) -> NoReturn:
    refuse(
        "json_too_deep",
        f"The JSON is nested more than {limits.depth} levels deep.",
        wanted=f"at most {limits.depth} levels",
        fix="check that this is a workflow",
    )


def _shown(text: str) -> str:
    return json.dumps(text if len(text) <= 60 else text[:57] + "...")


def _excerpt(text: str, position: int) -> str:
    return _shown(text[max(0, position - 20) : position + 20])


def _png_texts(picture: Path | BinaryIO) -> dict[str, str]:
    """The text chunks in front of the pixels, which are never decoded."""
    from PIL import Image  # late: most workflows are JSON, and Pillow takes a while to load

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(picture, formats=["PNG"]) as image:
                return {str(key): text for key, text in image.info.items() if isinstance(text, str)}
    except Image.DecompressionBombError:
        refuse("bad_png", f"The picture{_named(picture)} has too many pixels.", fix="give the workflow's JSON")
    except (OSError, SyntaxError, ValueError) as error:
        refuse(
            "bad_png",
            f"The picture{_named(picture)} cannot be read: {error}.",
            fix="use an undamaged copy of the file",
        )


def _named(picture: Path | BinaryIO) -> str:
    return f" '{picture}'" if isinstance(picture, Path) else ""
