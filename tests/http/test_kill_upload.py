"""A server that is killed while a picture comes in leaves it whole or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from PIL import Image

from tests.http.drawing import encoded
from tests.http.live import live_server


@pytest.mark.parametrize(("share", "wait_s"), [(0.3, 0.3), (1.0, 0.01), (1.0, 0.1), (1.0, None)])
def test_what_was_answered_is_there_and_nothing_half(tmp_path: Path, share: float, wait_s: float | None) -> None:
    """`wait_s` before it is killed; None waits for the answer."""
    data = encoded(Image.effect_noise((1200, 1200), 100))
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n' + data + b"\r\n--x--\r\n"
    with live_server(tmp_path / "home") as live:
        pid = json.loads(urlopen(f"{live.url}/v1/system").read())["pid"]
        address = urlsplit(live.url)
        head = f"POST /v1/uploads HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Length: {len(body)}\r\n"
        head += "Content-Type: multipart/form-data; boundary=x\r\n\r\n"
        with socket.create_connection((address.hostname or "", address.port or 0)) as connection:
            connection.sendall(head.encode() + body[: int(len(body) * share)])
            answer = b""
            if wait_s is None:
                answer = _received(connection)
            else:
                time.sleep(wait_s)
            os.kill(pid, signal.SIGKILL)
            answered = b" 201 " in answer + _received(connection)
    left = [path for folder in ("input", "temp") for path in (live.home / folder).rglob("*") if path.is_file()]
    shown = [path.name for path in left if not path.name.startswith(".")]  # in the last moment it has a hidden name
    assert shown in ([], ["a.png"])
    assert shown == ["a.png"] or not answered
    assert answered or wait_s is not None
    assert left == [] or share == 1.0
    for name in shown:
        with Image.open(live.home / "input" / name) as picture:
            picture.load()
            assert picture.size == (1200, 1200)


def _received(connection: socket.socket) -> bytes:
    with contextlib.suppress(ConnectionError):
        return connection.recv(65536)
    return b""
