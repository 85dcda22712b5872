"""One worker process as the server sees it: started, heard, watched, ended, and why."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import sys
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from engine.jobs.protocol import SERVER, BrokenLine, FromWorker, Heartbeat, Rendezvous, ToWorker, read_frame, to_frame
from engine.jobs.worker_log import TAIL_LINES, WorkerLog

TICK_S = 0.25
"""How often a worker's silence and its jobs' times are looked at."""
SHOWN_LINES = 4
"""Of what a worker printed last, in the reason why it could not start."""

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long a worker may be silent or busy, in seconds."""

    start_s: float = 300.0
    """To its first word, and while it loads libraries."""
    heartbeat_s: float = 30.0
    job_s: float | None = None
    """For one attempt of a job; None for no limit."""
    cancel_s: float = 30.0
    """From the wish to stop a job to its end; after that the worker is ended."""
    stop_s: float = 3.0
    """From the wish to stop the worker to its end."""


class WorkerProcess:
    """A worker from its start to its end.

    Args:
        command: starts it.
        log: takes what it prints.
        heard: called with each message, and the picture of a preview.
        tick: called a few times a second while the worker lives.
    """

    def __init__(
        self,
        command: Sequence[str],
        log: WorkerLog,
        limits: Limits,
        heard: Callable[[FromWorker, bytes], None],
        tick: Callable[[], None],
    ) -> None:
        self.token = secrets.token_hex(16)
        self._command = command
        self._log = log
        self._limits = limits
        self._heard = heard
        self._tick = tick
        self._connected: asyncio.Future[Streams] = asyncio.get_running_loop().create_future()
        self._writer: asyncio.StreamWriter | None = None
        self._silence_s = 0.0
        self._allowed_s = limits.start_s
        self._ended_for: str | None = None
        self._ended = asyncio.Event()
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)

    def connect(self, streams: Streams) -> None:
        """Take the connection that named this process's token; a second one is closed."""
        if self._connected.done():
            streams[1].close()
        else:
            self._connected.set_result(streams)

    def send(self, message: ToWorker) -> None:
        """Send a message, if the worker is there to hear it."""
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(to_frame(message))

    def end(self, reason: str) -> None:
        """End the process now, whatever it does."""
        self._ended_for = self._ended_for or reason
        self._ended.set()

    async def live(self, server: tuple[str, int]) -> str:
        """Start the process and see it to its end; how it ended, as the rest of a sentence about the worker.

        Args:
            server: host and port that it is to connect to.
        """
        rendezvous = Rendezvous(*server, os.getpid(), self.token)
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env={**os.environ, SERVER: str(rendezvous)},
                start_new_session=True,  # so that what it starts can be ended with it
            )
        except OSError as error:
            return f"could not be started: {error}"
        assert process.stdout is not None
        printing = asyncio.create_task(self._log.follow(process.stdout, self._tail))
        exit = asyncio.create_task(process.wait())
        lives: list[asyncio.Task[Any]] = [
            exit,
            asyncio.create_task(self._talk()),
            asyncio.create_task(self._watch()),
            asyncio.create_task(self._ended.wait()),
        ]
        try:
            await asyncio.wait(lives, return_when=asyncio.FIRST_COMPLETED)
            if self._ended_for is None:  # its last words, or its exit code, are about to come
                await asyncio.wait(lives[:2], timeout=1.0)
            own_end = exit.done()
        finally:
            _kill(process)
            for task in lives[1:]:
                task.cancel()
            await asyncio.wait([exit])
            await asyncio.wait([printing], timeout=1.0)  # a process that it started may hold the pipe
            printing.cancel()
            await asyncio.gather(*lives[1:], printing, return_exceptions=True)
            if self._writer is not None:
                self._writer.close()
        return self._ended_for or (self._exit_reason(exit.result()) if own_end else "closed its line to the server")

    async def _talk(self) -> None:
        reader, self._writer = await self._connected
        try:
            while True:
                message, payload = await read_frame(reader)
                self._silence_s = 0.0
                if isinstance(message, Heartbeat):
                    self._allowed_s = self._limits.start_s if message.loading else self._limits.heartbeat_s
                self._heard(message, payload)
        except (asyncio.IncompleteReadError, OSError):
            return
        except BrokenLine as error:
            self.end(f"said what the server does not understand: {error}")
        except Exception as error:  # a mistake of the server's own must not leave a worker that nobody hears
            traceback.print_exception(error)
            self.end(f"said what the server could not use ({type(error).__name__}: {error})")

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            # Counted in ticks and not by the clock: while the server's own loop stood still, nothing could be heard.
            self._silence_s += TICK_S
            if self._silence_s > self._allowed_s:
                self.end(f"did not answer for {self._allowed_s:g} seconds; it hangs, or a node holds Python's lock")
            self._tick()

    def _exit_reason(self, code: int) -> str:
        if code == -signal.SIGKILL:
            return "was killed (signal 9), which the system does when memory runs out; use a smaller picture or batch"
        if code < 0:
            return f"crashed with signal {-code} ({signal.strsignal(-code)})"
        return f"ended by itself with exit code {code}"

    @property
    def last_words(self) -> str:
        """The end of what it printed."""
        return "\n".join(list(self._tail)[-SHOWN_LINES:])


def _kill(process: asyncio.subprocess.Process) -> None:
    """End a process and all that it started."""
    if sys.platform != "win32":
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    with suppress(ProcessLookupError):
        process.kill()
