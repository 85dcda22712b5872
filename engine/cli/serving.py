"""`darkroom serve`, and the hidden `worker` that a server starts for itself."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from functools import partial

import click

from engine.cli.verb import EXIT_REFUSED, Open, Verb, end, extra_paths_option, finite
from engine.node.folders import PROJECT, Folders

DEFAULT_PORT = 8188
"""ComfyUI's, so that its clients find us."""


def _devices(ctx: click.Context, param: click.Parameter, names: Sequence[str]) -> Sequence[str]:
    """Refuse devices that are none or twice, before anything is started."""
    for name in names:
        if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", name):
            raise click.BadParameter(f"there is no device {name!r}; use auto, cpu, cuda, cuda:N or mps", ctx, param)
    if len(set(names)) < len(names):
        raise click.BadParameter("name each device once", ctx, param)
    return names


@click.command(cls=Verb)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for all.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, show_default=True, help="0 takes any that is free."
)
@click.option(
    "--device",
    "devices",
    multiple=True,
    default=("auto",),
    callback=_devices,
    metavar="auto|cpu|cuda:N|mps",
    help="Where models run; given several times, one worker for each.",
)
@click.option(
    "--parallel", type=click.IntRange(1, 64), default=8, show_default=True, help="Jobs that a worker runs at once."
)
@click.option("--token", help="What programs must send to come in; made and kept if left out.")
@click.option("--require-token", is_flag=True, help="Ask programs on this machine for it, too.")
@click.option("--allow-host", "hosts", multiple=True, metavar="NAME", help="A name that this server is known by.")
@click.option("--cors-origin", metavar="URL", help="Origin of another page that may use the API with the token.")
@click.option(
    "--max-upload-size",
    "upload_mb",
    type=click.IntRange(1, 10_000),
    default=100,
    show_default=True,
    metavar="MB",
    help="The largest picture that is taken in.",
)
@click.option(
    "--job-timeout",
    type=click.FloatRange(0, min_open=True),
    callback=finite,
    metavar="SECONDS",
    help="End a job that takes longer than this.",
)
@click.option("--warm/--no-warm", default=True, help="Load torch before the first picture needs it.")
@extra_paths_option
@click.option("--open/--no-open", "browser", default=False, help="Open the editor in a browser.")
@click.pass_context
def serve(
    ctx: click.Context,
    host: str,
    port: int,
    devices: Sequence[str],
    parallel: int,
    token: str | None,
    require_token: bool,
    hosts: Sequence[str],
    cors_origin: str | None,
    upload_mb: int,
    job_timeout: float | None,
    warm: bool,
    browser: bool,
) -> None:
    """Serve the editor and the API, until Ctrl+C.

    Prints a link that opens the editor. Jobs are kept: those that run when the server
    ends, however it ends, go on when it is started again.
    """
    from engine.cli.house import House, run
    from engine.http.access import token_at
    from engine.http.keys import ServerSettings

    folders = Folders.default()
    settings = ServerSettings(
        token=token or token_at(folders.user / "token"),
        host=host,
        port=port,
        require_token=require_token,
        allowed_hosts=tuple(hosts),
        cors_origin=cors_origin,
        upload_bytes=upload_mb * 2**20,
    )
    house = House(
        folders=folders,
        settings=settings,
        worker=(sys.executable, str(PROJECT / "server.py"), "worker", *(() if warm else ("--no-warm",))),
        devices=devices,
        parallel=parallel,
        job_timeout_s=job_timeout,
        browser=browser,
    )
    sys.exit(run(house))


@click.command(cls=Verb, hidden=True)
@click.option("--device", default="auto")
@click.option("--warm/--no-warm", default=True)
@click.pass_obj
def worker(open: Open, device: str, warm: bool) -> None:
    """Run jobs for the server that started this process."""
    from engine.jobs import worker as process
    from engine.jobs.protocol import SERVER, Rendezvous

    server = os.environ.pop(SERVER, None)  # not for nodes to see, nor for what they start
    if server is None:
        end("a worker is started by `darkroom serve`", EXIT_REFUSED)
    process.serve(partial(open, Folders.default(), device), Rendezvous.read(server), warm=warm)
