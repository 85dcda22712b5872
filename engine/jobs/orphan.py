"""What the operating system can do so that a worker neither outlives its server nor takes it along."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

PR_SET_PDEATHSIG = 1
"""From <linux/prctl.h>."""
OOM_SCORE = 500
"""How much likelier the kernel is to end this process than others when memory runs out, -1000 to 1000 (proc(5))."""


def end_with_parent(parent: int) -> None:
    """Have the kernel end this process when the server does, even while a node holds Python's lock; and let it choose
    this process before the server when memory runs out. Linux only: elsewhere the line to the server is watched, too.

    Args:
        parent: the server's process id, as the server said it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is the server's to answer
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before it could be watched
        os._exit(1)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(OOM_SCORE))
