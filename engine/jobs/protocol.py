"""What the server and a worker say to each other, and how it looks on the wire.

A frame is a header and a payload, each after its length as four bytes, big-endian. The header is one message as JSON;
the payload is the picture of a preview and empty otherwise. Both ends are of one version: they are one checkout.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter

from engine.errors import DarkroomError, Problem
from engine.jobs.model import PluginState
from engine.node.schema import NodeSchema

SERVER = "DARKROOM_SERVER"
"""Environment variable by which a worker finds the server that started it."""
HEARTBEAT_S = 1.0
MAX_HEADER_BYTES = 256 * 2**20
"""A catalogue or a workflow of any size that the other borders let through."""
MAX_PAYLOAD_BYTES = 64 * 2**20

_LENGTH = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Rendezvous:
    """Where a worker finds its server, and the word that the server knows it by."""

    host: str
    port: int
    parent: int
    """The server's process id."""
    token: str

    def __str__(self) -> str:
        return f"{self.host} {self.port} {self.parent} {self.token}"

    @classmethod
    def read(cls, text: str) -> Rendezvous:
        host, port, parent, token = text.split(" ")
        return cls(host, int(port), int(parent), token)


class BrokenLine(DarkroomError):
    """What arrived is no frame."""


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True)


# ------------------------------------------------------------------------------------------------------ to the server


class Hello(_Message):
    """The first message; a connection that does not begin with the right token is closed."""

    type: Literal["hello"] = "hello"
    token: str
    device: str
    """What the worker computes on: `cpu`, `cuda:0`, `mps`."""


class CatalogueSent(_Message):
    """The worker is ready: these are its nodes, and this is where they compute."""

    type: Literal["catalogue"] = "catalogue"
    nodes: tuple[NodeSchema, ...]
    plugins: tuple[PluginState, ...]


class Heartbeat(_Message):
    """The worker's event loop is alive. While it is `loading` libraries, the next may be long in coming."""

    type: Literal["heartbeat"] = "heartbeat"
    loading: bool = False


class JobEvent(_Message):
    type: Literal["event"] = "event"
    job: str
    attempt: int
    event: dict[str, JsonValue]


class JobPreview(_Message):
    """The payload is the picture."""

    type: Literal["preview"] = "preview"
    job: str
    attempt: int
    node: str
    media_type: str


class JobDone(_Message):
    type: Literal["done"] = "done"
    job: str
    attempt: int
    status: Literal["done", "failed", "cancelled", "yielded"]
    """`yielded`: it stopped for others, and is to be run again after them."""
    seconds: float
    outputs: dict[str, dict[str, JsonValue]] = {}
    problems: tuple[Problem, ...] = ()


class Reply(_Message):
    """The answer to the question of the same id: a result, or why there is none."""

    type: Literal["reply"] = "reply"
    id: int
    result: JsonValue = None
    problems: tuple[Problem, ...] = ()
    """What is wrong with the workflow that was asked about."""
    error: str | None = None


FromWorker = Hello | CatalogueSent | Heartbeat | JobEvent | JobPreview | JobDone | Reply


# ------------------------------------------------------------------------------------------------------ to the worker


class RunJob(_Message):
    """See `engine.jobs.workers.Order`."""

    type: Literal["run"] = "run"
    job: str
    attempt: int
    workflow: JsonValue
    outputs: tuple[str, ...] | None
    prompt_json: str | None
    workflow_json: str | None
    wants_preview: bool


class CancelJob(_Message):
    type: Literal["cancel"] = "cancel"
    job: str


class OthersWait(_Message):
    """Whether there are jobs in the queue that a running one may make way for."""

    type: Literal["others"] = "others"
    waiting: bool


class PlanAsked(_Message):
    type: Literal["plan"] = "plan"
    id: int
    workflow: JsonValue
    outputs: tuple[str, ...] | None


class FreeAsked(_Message):
    type: Literal["free"] = "free"
    id: int
    unload_models: bool
    free_memory: bool


class StatsAsked(_Message):
    type: Literal["stats"] = "stats"
    id: int


class Stop(_Message):
    """Stop all jobs and end."""

    type: Literal["stop"] = "stop"


ToWorker = RunJob | CancelJob | OthersWait | PlanAsked | FreeAsked | StatsAsked | Stop

Question = PlanAsked | FreeAsked | StatsAsked

FROM_WORKER: TypeAdapter[FromWorker] = TypeAdapter(Annotated[FromWorker, Field(discriminator="type")])
TO_WORKER: TypeAdapter[ToWorker] = TypeAdapter(Annotated[ToWorker, Field(discriminator="type")])


# --------------------------------------------------------------------------------------------------------------- frames


def to_frame(message: FromWorker | ToWorker, payload: bytes = b"") -> bytes:
    """A message as it goes over the line."""
    header = message.model_dump_json().encode()
    return b"".join((_LENGTH.pack(len(header)), header, _LENGTH.pack(len(payload)), payload))


async def read_frame(
    reader: asyncio.StreamReader, max_header_bytes: int = MAX_HEADER_BYTES
) -> tuple[FromWorker, bytes]:
    """Read what a worker says.

    Raises:
        BrokenLine: it is no message.
        asyncio.IncompleteReadError: the worker is gone.
    """
    header = await reader.readexactly(_checked(await reader.readexactly(_LENGTH.size), max_header_bytes))
    payload = await reader.readexactly(_checked(await reader.readexactly(_LENGTH.size), MAX_PAYLOAD_BYTES))
    return _parsed(FROM_WORKER, header), payload


def read_frame_with(read: Callable[[int], bytes]) -> ToWorker:
    """Read what the server says, by a function that waits for exactly so many bytes.

    Raises:
        BrokenLine: it is no message.
    """
    header = read(_checked(read(_LENGTH.size), MAX_HEADER_BYTES))
    read(_checked(read(_LENGTH.size), MAX_PAYLOAD_BYTES))
    return _parsed(TO_WORKER, header)


def _checked(length: bytes, limit: int) -> int:
    count: int = _LENGTH.unpack(length)[0]
    if count > limit:
        raise BrokenLine(f"a frame announces {count:,} bytes, {limit:,} are allowed")
    return count


def _parsed(adapter: TypeAdapter[Any], header: bytes) -> Any:
    try:
        return adapter.validate_json(header)
    except ValueError as error:
        raise BrokenLine(f"a frame holds no message: {error}") from error
