"""`darkroom serve`: what it says when it can and cannot."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.house import SERVER
from tests.cli.conftest import Program


def test_a_port_that_is_taken_is_one_sentence(darkroom: Program) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = darkroom("serve", "--port", port)
    assert done.exit_code == 2
    assert done.stderr == f"darkroom: port {port} is taken, perhaps by another Darkroom; choose one by --port\n"


@pytest.mark.parametrize(
    "options",
    [("--device", "gpu"), ("--device", "cpu", "--device", "cpu"), ("--job-timeout", "nan"), ("--parallel", "0")],
)
def test_options_that_cannot_be_are_refused_before_anything_starts(darkroom: Program, options: tuple[str, ...]) -> None:
    assert darkroom("serve", *options).exit_code == 2


def test_a_token_that_is_too_short_is_refused(darkroom: Program) -> None:
    done = darkroom("serve", "--port", "0", "--token", "short")
    assert done.exit_code == 2
    assert "16" in done.stderr


def test_a_worker_is_nothing_to_start_by_hand(darkroom: Program) -> None:
    done = darkroom("worker")
    assert done.exit_code == 2
    assert "darkroom serve" in done.stderr


def test_without_a_verb_it_serves_and_says_where(home: Path) -> None:
    server = subprocess.Popen(
        [sys.executable, str(SERVER)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ}
    )
    lines = _until_served(server)
    server.send_signal(signal.SIGTERM)
    said, errors = server.communicate(timeout=60)
    if "is taken" in errors:
        assert "port 8188 is taken" in errors
        pytest.skip("something else listens on the default port")
    assert "http://127.0.0.1:8188/?launch=" in "".join(lines) + said
    assert server.returncode == 130


def test_other_machines_need_the_token_that_is_printed(home: Path) -> None:
    command = [sys.executable, str(SERVER), "serve", "--host", "0.0.0.0", "--port", "0", "--no-warm"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ})
    _until_served(server)
    server.send_signal(signal.SIGINT)
    said, _ = server.communicate(timeout=60)
    assert f"Other machines come in with the token {(home / 'user' / 'token').read_text()}" in said


def _until_served(server: subprocess.Popen[str]) -> list[str]:
    """What it says until it names its address, or ends."""
    lines: list[str] = []
    assert server.stdout is not None
    for line in server.stdout:
        lines.append(line)
        if "http://" in line:
            break
    return lines
