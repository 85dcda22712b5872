"""`darkroom nodes`, `cache` and `plugin`: verbs that take no workflow."""

from __future__ import annotations

import itertools
from textwrap import shorten

import click

from engine.cli.verb import Open, Verb, say
from engine.errors import InputProblem
from engine.node.folders import Folders
from engine.node.new_plugin import new_plugin
from engine.node.schema import InputSchema, NodeSchema, OutputSchema


@click.command(cls=Verb)
@click.argument("name", required=False)
@click.pass_obj
def nodes(open: Open, name: str | None) -> None:
    """List the nodes there are, or describe the one called NAME."""
    with open(Folders.default()) as darkroom:
        catalogue, plugins = darkroom.registry.catalogue, darkroom.registry.plugins
    if name is None:
        ordered = sorted(catalogue, key=lambda schema: (schema.category, schema.name))
        for category, members in itertools.groupby(ordered, lambda schema: schema.category):
            click.echo(category)
            for schema in members:
                click.echo(f"  {schema.name:<24} {shorten(_first_line(schema.help), 92, placeholder=' ...')}")
    elif (schema := catalogue.get(name)) is not None:
        click.echo(_described(schema))
    for plugin in plugins:
        for problem in plugin.problems:
            say(f"{plugin.name} ({plugin.path}) has a problem: {problem}")
    if name is not None and catalogue.get(name) is None:
        near = catalogue.nearest(name)
        advice = f"did you mean {' or '.join(near)}?" if near else "`darkroom nodes` lists those there are"
        raise InputProblem(f"there is no node {name!r}; {advice}")


def _described(schema: NodeSchema) -> str:
    marks = [
        f"version {schema.version}",
        schema.category,
        *(["output"] if schema.output else []),
        *(["experimental"] if schema.experimental else []),
        f"from {schema.package}",
    ]
    lines = [f"{schema.name} ({', '.join(marks)})", "", schema.help]
    if schema.inputs:
        lines += ["", "Inputs", *(f"  {_input(each)}" for each in schema.inputs)]
    if schema.outputs:
        lines += ["", "Outputs", *(f"  {_output(each)}" for each in schema.outputs)]
    if schema.aliases:
        lines += ["", f"Also known as {', '.join(schema.aliases)}"]
    return "\n".join(lines)


def _input(each: InputSchema) -> str:
    facts = [each.type, *(["list"] if each.is_list else []), *(["lazy"] if each.lazy else [])]
    if each.minimum is not None or each.maximum is not None:
        low, high = each.minimum, each.maximum
        facts.append(f"{'' if low is None else low}..{'' if high is None else high}")
    if each.multiple_of is not None:
        facts.append(f"multiple of {each.multiple_of}")
    if each.options is not None:
        facts.append(" | ".join(each.options))
    if each.folder is not None:
        facts.append(f"a file of {each.folder}")
    if each.default is not None:
        facts.append(f"default {each.default!r}")
    elif not each.required:
        facts.append("any number" if each.variadic else "optional")
    return f"{each.name}: {', '.join(facts)}" + (f"\n      {each.help}" if each.help else "")


def _output(each: OutputSchema) -> str:
    return f"{each.name}: {each.type}{', list' if each.is_list else ''}" + (f"\n      {each.help}" if each.help else "")


def _first_line(help: str) -> str:
    return help.partition("\n")[0]


@click.group()
def cache() -> None:
    """Look at the cache of results, or empty it."""


@cache.command(cls=Verb)
@click.pass_obj
def info(open: Open) -> None:
    """Say where the cache is and how large."""
    folders = Folders.default()
    with open(folders) as darkroom:
        disk = darkroom.engine.cache.disk
        click.echo(f"folder   {folders.cache}")
        if disk is not None:
            click.echo(f"results  {disk.budget.entries()}")
            click.echo(f"used     {_megabytes(disk.budget.used_bytes())} of {_megabytes(disk.budget.limit_bytes)}")


@cache.command(cls=Verb)
@click.pass_obj
def clear(open: Open) -> None:
    """Forget all results. Pictures that were saved stay."""
    with open(Folders.default()) as darkroom:
        disk = darkroom.engine.cache.disk
        before = disk.budget.used_bytes() if disk is not None else 0
        darkroom.engine.cache.clear()
        click.echo(f"freed {_megabytes(before)}")


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"


@click.group()
def plugin() -> None:
    """Make plugins."""


@plugin.command(cls=Verb)
@click.argument("name")
@click.pass_obj
def new(open: Open, name: str) -> None:
    """Write an example plugin called NAME, with a node, help and a test."""
    folders = Folders.default()
    with open(folders) as darkroom:
        catalogue = darkroom.registry.catalogue
    made = new_plugin(name, folders.plugins[0], lambda node: catalogue.get(node) is not None)
    click.echo(f"wrote {made}")
    click.echo(f"its test: cd {made.parent} && python -m pytest {name}")
