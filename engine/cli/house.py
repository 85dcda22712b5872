"""The server as one process: queue, workers and HTTP, opened in this order and closed in the other."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
import webbrowser
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import click
from aiohttp import web

from engine.cli.verb import EXIT_CANCELLED, say
from engine.errors import InputProblem
from engine.http.app import launch_url, make_app
from engine.http.keys import ServerSettings
from engine.jobs.process import Limits
from engine.jobs.service import JobService
from engine.jobs.supervisor import Supervisor
from engine.node.crashes import IMPORTING, Crashes
from engine.node.folders import Folders

REQUESTS_S = 1.0
"""How long requests may take to end when the server stops."""


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What a server is made of."""

    folders: Folders
    settings: ServerSettings
    worker: Sequence[str]
    """Starts a worker, but for `--device`."""
    devices: Sequence[str]
    parallel: int
    job_timeout_s: float | None
    browser: bool
    """Whether to open the editor."""


def run(house: House) -> int:
    """Serve until a signal says stop; the exit code.

    Raises:
        InputProblem: the address cannot be listened on.
        FileProblem: the queue cannot be opened, or another server has it.
    """
    return asyncio.run(_run(house))


async def _run(house: House) -> int:
    stop = _stop_on_signals()
    with _listen(house.settings.host, house.settings.port) as listener:
        settings = replace(house.settings, port=listener.getsockname()[1])
        async with _open(house, settings, listener) as app:
            url = launch_url(app)
            click.echo(f"\nDarkroom is at {url}\n")
            if not settings.loopback:
                click.echo(f"Other machines come in with the token {settings.token}\n")
            if house.browser:
                webbrowser.open(url)
            await stop.wait()
            say("stopping; what is running goes on at the next start")
    return EXIT_CANCELLED


@asynccontextmanager
async def _open(house: House, settings: ServerSettings, listener: socket.socket) -> AsyncGenerator[web.Application]:
    """Everything up, and everything down again."""
    folders = house.folders
    service = await JobService.open(folders)
    supervisor = Supervisor(
        service,
        house.worker,
        house.devices,
        folders.user / "logs" / "worker.log",
        parallel=house.parallel,
        limits=Limits(job_s=house.job_timeout_s),
        say=say,
        before_renewed=Crashes(folders.cache / IMPORTING).forget,
    )
    runner: web.AppRunner | None = None
    try:
        app = make_app(service, folders, settings)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=REQUESTS_S)
        await runner.setup()
        await web.SockSite(runner, listener).start()
        await supervisor.open()
        await service.start(supervisor)
        yield app
    finally:
        # The workers fall silent first, so that what they had goes back to the queue and not into the history; closing
        # the service ends the websockets, for which the requests' end would wait.
        await asyncio.gather(supervisor.close(), service.close())
        if runner is not None:
            await runner.cleanup()


def _listen(host: str, port: int) -> socket.socket:
    """Take the address before anything else is begun.

    Raises:
        InputProblem: it is taken, or not this machine's.
    """
    try:
        return socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, reuse_port=False
        )
    except (OSError, OverflowError) as error:
        if getattr(error, "errno", None) == errno.EADDRINUSE:
            raise InputProblem(f"port {port} is taken, perhaps by another Darkroom; choose one by --port") from error
        raise InputProblem(f"cannot listen on {host}, port {port}: {error}") from error


def _stop_on_signals() -> asyncio.Event:
    """Set by Ctrl+C or SIGTERM; the second one ends the program where it is."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def asked() -> None:
        if stop.is_set():
            os._exit(EXIT_CANCELLED)
        stop.set()

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda signum, frame: loop.call_soon_threadsafe(asked))
    return stop
