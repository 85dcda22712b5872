"""Composition root: makes the parts and hands them down. `open_darkroom()` is for Python, `main()` the command line.

What is imported here is what every command needs. torch, the models and the nodes' code come in when something runs
that needs them, so `validate`, `--help` and a run whose results are all cached do not wait for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from engine.codec import ValueCodec
from engine.errors import FileProblem, Problem
from engine.graph.files import FileDigests
from engine.graph.keys import Environment
from engine.models.device import default_precision
from engine.models.machine import Machine
from engine.node.context import Services
from engine.node.folders import Folders
from engine.node.registry import Registry
from engine.run.cache import Cache
from engine.run.darkroom import Darkroom
from engine.run.disk_cache import DiskCache
from engine.run.engine import Engine
from engine.run.lanes import Lanes
from engine.run.last_keys import LastKeys
from engine.run.memory_cache import MemoryCache

MEMORY_CACHE_BYTES = 2 * 2**30
DISK_CACHE_BYTES = 8 * 2**30


def open_darkroom(folders: Folders | None = None, device: str = "auto", *, verify_share: float = 0.0) -> Darkroom:
    """Make an engine with everything it needs.

    Args:
        folders: the user's; `Folders.default()` if None.
        device: `auto`, `cpu`, `cuda:N` or `mps`.
        verify_share: share of the cached results, 0 to 1, that every run computes again to compare.

    Raises:
        InputProblem: there is no such device.
    """
    folders = folders or Folders.default()
    registry = Registry.open(folders.plugins, folders.cache)
    codec = ValueCodec(_known_values)
    lanes = Lanes.open()
    machine = Machine(device, lanes.device)
    kind = machine.kind
    digests = FileDigests(folders.cache / "digests.sqlite")
    disk = DiskCache(folders.cache / "results", DISK_CACHE_BYTES, codec)
    engine = Engine(
        schemas=registry.catalogue,
        types=registry.type,
        environment=Environment.here(kind, default_precision(kind)),
        cache=Cache(MemoryCache(MEMORY_CACHE_BYTES, codec), disk, folders),
        codec=codec,
        lanes=lanes,
        folders=folders,
        digests=digests,
        services=Services(later=machine.services),
        migrations=cast(Any, registry.migrations),
        last_keys=LastKeys(folders.cache / "last_keys"),
        check_file=lambda folder, name: _file_problem(folders, folder, name),
        verify_share=verify_share,
    )

    def close() -> None:
        lanes.close()
        digests.close()

    return Darkroom(engine, registry, folders, close, machine)


def _known_values() -> Mapping[type, bool]:
    """The values that the cache can measure and compare, and whether each goes to disk.

    Float pictures do not: a decoded picture has 12.6 MB where the latent it comes from has 66 kB, which is kept.
    """
    from engine import values
    from engine.node.results import Blocked

    return {
        Blocked: True,
        values.Image: False,
        values.Mask: True,
        values.Latent: True,
        values.ConditioningPart: True,
        values.Conditioning: True,
        values.Sigmas: True,
        values.TrainingSet: True,
    }


def _file_problem(folders: Folders, folder: str, name: str) -> Problem | None:
    try:
        folders.resolve(folder, name)
    except FileProblem as error:
        sentence = str(error)
        return Problem("file_problem", sentence if sentence.endswith("?") else f"{sentence}.", got=name)
    return None


def main() -> None:
    """The command line `darkroom`."""
    from engine.cli.program import make_program

    make_program(open_darkroom)(prog_name="darkroom")


if __name__ == "__main__":
    main()
