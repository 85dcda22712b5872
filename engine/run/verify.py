"""A check for the suspicious: compute a share of the cache's hits again and compare (`--verify-cache 5%`)."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

from engine.errors import DarkroomError
from engine.graph.graph import Graph
from engine.node.schema import NodeSchema
from engine.run.cache import Cache
from engine.run.outcome import Codec, Outcome


def choose_hits(graph: Graph, keys: Mapping[str, str], cache: Cache, share: float, run: str) -> list[str]:
    """The nodes with known results to compute again: another sample in each run, and none with an effect.

    Args:
        share: 0 to 1.
    """
    return [
        id
        for id, node in graph.nodes.items()
        if not node.schema.output and _fraction(run, keys[id]) < share and cache.find(keys[id]) is not None
    ]


def check_equal(schema: NodeSchema, kept: Outcome | None, computed: Outcome, codec: Codec) -> None:
    """Compare what the cache holds with what was computed now.

    Raises:
        DarkroomError: they differ; names the output.
    """
    if kept is None:
        return
    for port, before, now in zip(schema.outputs, kept.outputs, computed.outputs, strict=True):
        if codec.digest(list(before)) != codec.digest(list(now)):
            raise DarkroomError(
                f"output '{port.name}' was computed again and is not what the cache holds: the node depends on "
                "something that its inputs do not show; give it a seed input or a fingerprint, and clear the cache"
            )


def _fraction(*parts: str) -> float:
    digest = blake2b("\n".join(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
