"""The program `darkroom`: its verbs, and what it does without one."""

from __future__ import annotations

import click

from engine.cli.converting import convert
from engine.cli.looking import cache, nodes, plugin
from engine.cli.running import run, validate, why
from engine.cli.serving import serve, worker
from engine.cli.verb import Open


def make_program(open: Open) -> click.Group:
    """The command line, for a way to make a Darkroom."""

    @click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"], "obj": open})
    @click.pass_context
    def darkroom(ctx: click.Context) -> None:
        """Darkroom: a node-graph workflow engine for latent diffusion.

        \b
        Exit codes:
          0    all is well
          1    a node failed
          2    the command line, the workflow or a file cannot be used
          130  cancelled with Ctrl+C

        Files are looked up under $DARKROOM_HOME or, without it, in the checkout. Models may
        also lie where extra_model_paths.yaml there says.
        Without a command, the editor is served.
        """
        if ctx.invoked_subcommand is None:
            with serve.make_context("serve", [], parent=ctx) as serving:
                serve.invoke(serving)

    for verb in (serve, run, validate, nodes, why, convert, cache, plugin, worker):
        darkroom.add_command(verb)
    return darkroom
