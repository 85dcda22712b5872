"""`darkroom convert`: a PyTorch checkpoint to a file that can be opened safely."""

from __future__ import annotations

from pathlib import Path

import click

from engine.cli.verb import Verb
from engine.errors import InputProblem


@click.command(cls=Verb)
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("out", type=click.Path(path_type=Path), required=False)
@click.option("--force", is_flag=True, help="Replace OUT if it is there.")
def convert(file: Path, out: Path | None, force: bool) -> None:
    """Convert the PyTorch checkpoint FILE (.ckpt, .pt, .pth) to safetensors.

    A .ckpt is a program that runs when it is opened. Here it is read as data, in a process of
    its own; one that asks for more than tensors is refused. OUT is FILE with the suffix
    .safetensors if it is not given. A configuration beside FILE (FILE's name with .yaml, or
    config.yaml) is put into the new file.

    \b
    Example:
      darkroom convert celeba256/model.ckpt models/checkpoints/celeba256.safetensors
    """
    from engine.pickles.beside import metadata_of
    from engine.pickles.convert import convert as to_safetensors

    target = out or file.with_suffix(".safetensors")
    if target.suffix != ".safetensors":
        raise InputProblem(f"{target} should end in .safetensors; give another name")
    if target.exists() and not force:
        raise InputProblem(f"{target} is there already; give another name, or --force to replace it")
    metadata, yaml = metadata_of(file)
    done = to_safetensors(file, target, metadata)
    click.echo(f"wrote {target}: {done.tensors} tensors" + (f", configured by {yaml.name}" if yaml else ""))
    if done.left_out:
        shown = ", ".join(done.left_out[:4]) + (f" and {len(done.left_out) - 4} more" if len(done.left_out) > 4 else "")
        click.echo(f"left out, since they are no tensors: {shown}")
