"""A worker's end of the line to the server: two threads, so that neither a slow server nor a busy event loop matters.

The thread that reads also watches: when the server is gone the process ends at once, whatever else it is doing.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections import deque
from collections.abc import Callable

from engine.jobs.protocol import BrokenLine, FromWorker, ToWorker, read_frame_with, to_frame

EXIT_ORPHANED = 3
AT_ONCE: int = getattr(socket, "MSG_DONTWAIT", 0)
"""Flag to send without waiting; 0 where the system has none (Windows)."""
MAX_WAITING_BYTES = 8 * 2**20
"""Previews are dropped while more than this waits to be sent."""


class Line:
    """The worker's connection. Any thread may send.

    Args:
        heard: called with each message, on a thread of the line's own.
    """

    def __init__(self, connection: socket.socket, heard: Callable[[ToWorker], None]) -> None:
        self._connection = connection
        self._heard = heard
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._is_idle = True
        self._changed = threading.Condition()

    def open(self) -> None:
        """Begin to listen and to send."""
        for job, name in ((self._listen, "line-in"), (self._send_all, "line-out")):
            threading.Thread(target=job, name=name, daemon=True).start()

    def send(self, message: FromWorker, payload: bytes = b"") -> None:
        """Send a message; one with a payload is dropped when the server is too slow to take pictures.

        What the system takes at once has left this process when this returns: so the server knows which node was
        started, even if that ends the process in its first line.
        """
        if payload and self._waiting_bytes > MAX_WAITING_BYTES:
            return
        frame = to_frame(message, payload)
        with self._changed:
            if self._is_idle:
                frame = frame[self._send_now(frame) :]
            if not frame:
                return
            self._waiting.append(frame)
            self._waiting_bytes += len(frame)
            self._is_idle = False
            self._changed.notify_all()

    def flush(self, timeout_s: float) -> None:
        """Wait until all is sent, or so long."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_idle, timeout_s)

    def _send_now(self, frame: bytes) -> int:
        """Send without waiting; how many bytes were taken."""
        try:
            return self._connection.send(frame, AT_ONCE) if AT_ONCE else 0
        except OSError:  # no room just now, or the server is gone, which the other thread finds out
            return 0

    def _listen(self) -> None:
        try:
            while True:
                self._heard(read_frame_with(self._read))
        except (OSError, EOFError):
            pass
        except BrokenLine as error:
            print(f"worker: {error}", file=sys.stderr, flush=True)
        # No clean end: nodes may compute on other threads, and nobody wants their results any more.
        os._exit(EXIT_ORPHANED)

    def _read(self, count: int) -> bytes:
        data = bytearray()
        while len(data) < count:
            part = self._connection.recv(min(count - len(data), 2**20))
            if not part:
                raise EOFError
            data += part
        return bytes(data)

    def _send_all(self) -> None:
        try:
            while True:
                with self._changed:
                    self._is_idle = not self._waiting
                    self._changed.notify_all()
                    self._changed.wait_for(lambda: bool(self._waiting))
                    frames = b"".join(self._waiting)
                    self._waiting.clear()
                self._connection.sendall(frames)
                with self._changed:
                    self._waiting_bytes -= len(frames)
        except OSError:
            os._exit(EXIT_ORPHANED)
