"""What all verbs share: errors become one sentence and an exit code."""

from __future__ import annotations

import math
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn, Protocol

import click

from engine.errors import Cancelled, DarkroomError, NodeFailed
from engine.node.extra_paths import VARIABLE
from engine.node.folders import Folders
from engine.run.darkroom import Darkroom

EXIT_FAILED, EXIT_REFUSED, EXIT_CANCELLED = 1, 2, 130


class Open(Protocol):
    """Makes a Darkroom: `server.open_darkroom`, handed down as click's `ctx.obj`."""

    def __call__(self, folders: Folders, device: str = "auto", *, verify_share: float = 0.0) -> Darkroom: ...


class Verb(click.Command):
    """A command that ends every expected error with its sentence on stderr; `--debug` adds the traceback."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.append(click.Option(["--debug"], is_flag=True, help="Show the traceback of an error."))

    def invoke(self, ctx: click.Context) -> Any:
        debug = ctx.meta["debug"] = ctx.params.pop("debug")
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, Cancelled):
            end("cancelled", EXIT_CANCELLED)
        except DarkroomError as error:
            if debug:
                traceback.print_exc()
            end(str(error), EXIT_FAILED if isinstance(error, NodeFailed) else EXIT_REFUSED)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            if debug:
                traceback.print_exc()
            kind = type(error).__name__
            end(f"{kind}: {error}; this is a mistake in Darkroom, please report it with --debug", EXIT_FAILED)


def writable(ctx: click.Context, param: click.Parameter, path: Path | None) -> Path | None:
    """Check an option's path before a long run, not after it: what is there of it must be a folder we may write to."""
    if path is not None:
        there = next(folder for folder in path.absolute().parents if folder.exists())
        if not there.is_dir() or not os.access(there, os.W_OK):
            raise click.BadParameter(f"{there} is no folder that can be written to", ctx, param)
    return path


def _find_models_there(ctx: click.Context, param: click.Parameter, files: Sequence[Path]) -> None:
    """Note the files in the environment, where the folders are made from and worker processes find them, too."""
    known = [each for each in os.environ.get(VARIABLE, "").split(os.pathsep) if each]
    if files:
        os.environ[VARIABLE] = os.pathsep.join((*known, *(str(file.absolute()) for file in files)))


extra_paths_option = click.option(
    "--extra-model-paths",
    multiple=True,
    type=click.Path(path_type=Path),
    callback=_find_models_there,
    expose_value=False,
    metavar="FILE",
    help="Find models where this YAML file says, as ComfyUI does; may be given several times.",
)


def finite(ctx: click.Context, param: click.Parameter, number: float | None) -> float | None:
    """Refuse "nan", which no range of click's excludes."""
    if number is not None and not math.isfinite(number):
        raise click.BadParameter(f"{number} is no number", ctx, param)
    return number


def say(message: str) -> None:
    """Say something on stderr, a line at a time under the program's name."""
    for line in message.splitlines():
        click.echo(f"darkroom: {line}", err=True)


def end(message: str, code: int) -> NoReturn:
    say(message)
    sys.exit(code)
