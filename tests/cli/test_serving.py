"""`darkroom serve`: what it says when it can and cannot."""

from __future__ import annotations

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
    code, said, errors = serve_until(signal.SIGTERM)
    if "port 8188 is taken" in errors:
        pytest.skip("something else listens on the default port")
    assert "http://127.0.0.1:8188/?launch=" in said
    assert code == 130


def test_other_machines_need_the_token_that_is_printed(home: Path) -> None:
    code, said, _ = serve_until(signal.SIGINT, "serve", "--host", "0.0.0.0", "--port", "0", "--no-warm")
    assert f"Other machines come in with the token {(home / 'user' / 'token').read_text()}" in said
    assert code == 130


def serve_until(end: signal.Signals, *arguments: str) -> tuple[int, str, str]:
    """Serve until it has named its address, then end it; the exit code and what it said."""
    with subprocess.Popen(
        [sys.executable, str(SERVER), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        assert server.stderr is not None
        said = ""
        for line in server.stdout:
            said += line
            if "http://" in line:
                server.send_signal(end)
        return server.wait(), said, server.stderr.read()
