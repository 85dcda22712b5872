"""A real server with its worker in a home of its own, to be used, measured and killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

SERVER = Path(__file__).resolve().parents[1] / "server.py"


class Gone(Exception):
    """The server is not there to answer."""


class House:
    """A server on a free port. Use it in a `with`, or start and kill it by hand.

    Args:
        options: of `darkroom serve`, besides the port and the device.
    """

    def __init__(self, home: Path, *options: str) -> None:
        self.home = home
        self._options = ("--no-warm", *options)
        self._server: subprocess.Popen[str] | None = None
        self._port = 0
        self.url = ""
        """The link that lets one browser in, once the server has started."""

    # ---------------------------------------------------------------------------------------------------- its life

    def start(self) -> None:
        """Start the server; returns when it listens, which is before its worker is up."""
        command = [sys.executable, str(SERVER), "serve", "--port", "0", "--device", "cpu", *self._options]
        environment = {**os.environ, "DARKROOM_HOME": str(self.home)}
        errors = self.home / "server.err"
        with errors.open("ab") as stderr:
            self._server = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=stderr, text=True)
        assert self._server.stdout is not None
        for line in self._server.stdout:
            if "http://" in line:
                self.url = line[line.index("http://") :].split()[0]
                self._port = int(line.partition("http://")[2].partition("/")[0].rpartition(":")[2])
                return
        raise Gone(f"the server did not start: {errors.read_text()}")

    def kill(self) -> None:
        """kill -9."""
        self._signal(signal.SIGKILL)

    def stop(self, by: signal.Signals = signal.SIGINT) -> int:
        """Ask it to stop; the exit code."""
        return self._signal(by)

    def _signal(self, which: signal.Signals) -> int:
        server, self._server = self._server, None
        if server is None:
            return 0
        server.send_signal(which)
        assert server.stdout is not None
        server.stdout.close()
        return server.wait(timeout=60)

    def __enter__(self) -> House:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        assert self._server is not None
        return self._server.pid

    @property
    def worker_pids(self) -> Sequence[int]:
        """The processes that the server has started and that live."""
        tasks = Path(f"/proc/{self.pid}/task").glob("*/children")
        return [int(pid) for task in tasks for pid in task.read_text().split()]

    # ---------------------------------------------------------------------------------------------------- its use

    def call(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Any:
        """Ask it something; the answer's JSON.

        Raises:
            Gone: it was not there, or went before it had answered.
        """
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._port}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **(headers or {})},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()}") from error
        except (OSError, ValueError) as error:
            raise Gone(str(error)) from error

    def submit(self, workflow: object, client: str | None = None, key: str | None = None) -> str:
        """Queue a job; its id."""
        headers = {} if key is None else {"Idempotency-Key": key}
        (job,) = self.call("POST", "/v1/jobs", {"workflow": workflow, "client": client}, headers)["jobs"]
        return job["id"]

    def job(self, id: str) -> dict[str, Any]:
        return self.call("GET", f"/v1/jobs/{id}")

    def jobs(self) -> list[dict[str, Any]]:
        return self.call("GET", "/v1/jobs?limit=500")["jobs"]

    def events(self, id: str, kind: str) -> list[dict[str, Any]]:
        """What was told of a job."""
        found = self.call("GET", f"/v1/jobs/{id}/events")
        return [event for event in found["events"] if event["type"] == kind]

    def finished(self, id: str) -> dict[str, Any]:
        """A job when it has ended."""
        wait_until(lambda: self.job(id)["finished_at"] is not None)
        return self.job(id)

    def knows_nodes(self) -> None:
        """Wait until its worker has described the nodes."""
        wait_until(lambda: bool(self.call("GET", "/v1/nodes")["nodes"]))

    def at_node(self, id: str, node: str) -> None:
        """Wait until a node of a job runs."""
        wait_until(lambda: self.job(id)["node_states"].get(node, {}).get("state") == "running")


def wait_until(fulfilled: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for something.

    Raises:
        TimeoutError: it did not come about.
    """
    end = time.monotonic() + seconds
    while not fulfilled():
        if time.monotonic() > end:
            raise TimeoutError("what was waited for did not come about")
        time.sleep(0.02)
