"""`/ws`: what happens, as ComfyUI's clients listen to it.

Messages of a job go to the client that asked for it; `status` goes to everybody. A client that comes back while its
job runs is told which node is at work. A second socket under the same id takes over from the first.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Iterable
from typing import Annotated, Literal

import orjson
from aiohttp import WSCloseCode, WSMsgType, web
from pydantic import BaseModel, Field, JsonValue

from engine.http.body import Query
from engine.http.comfy.paths import both
from engine.http.comfy.story import JobStory, Message
from engine.http.errors import HttpError
from engine.http.keys import SERVICE, SETTINGS
from engine.http.route import Route
from engine.http.v1.events import LISTENERS, PATIENCE_S, PING_EVERY_S
from engine.jobs.events import JobFinished, Preview, QueueChanged, WireEvent
from engine.jobs.hub import Subscription
from engine.jobs.service import JobService

LONGEST_MESSAGE = 64 * 1024
PREVIEW_IMAGE, PREVIEW_WITH_METADATA = 1, 4
"""Kinds of binary messages."""
IMAGE_FORMATS = {"image/jpeg": 1, "image/png": 2}
Object = dict[str, JsonValue]


class SocketQuery(Query):
    """Who listens."""

    client_id: Annotated[str | None, Field(alias="clientId", max_length=200)] = None


class FeatureFlags(BaseModel):
    """What a client says it can do."""

    type: Literal["feature_flags"]
    data: dict[str, JsonValue]


class Sockets:
    """Which socket listens under which id."""

    def __init__(self) -> None:
        self._open: dict[str, web.WebSocketResponse] = {}

    async def enter(self, client: str, socket: web.WebSocketResponse) -> None:
        before = self._open.get(client)
        self._open[client] = socket
        if before is not None:
            await before.close(code=WSCloseCode.OK, message=b"another socket took over")

    def leave(self, client: str, socket: web.WebSocketResponse) -> None:
        if self._open.get(client) is socket:
            del self._open[client]


SOCKETS: web.AppKey[Sockets] = web.AppKey("comfy_sockets", Sockets)


class Teller:
    """Turns what a subscription yields into frames for one client.

    Args:
        client: only its jobs are told.
    """

    def __init__(self, client: str) -> None:
        self.client = client
        self.wants_metadata = False
        """Whether it said that it reads previews with metadata."""
        self._stories: dict[str, JobStory] = {}
        self._last_words: list[Message] = []
        """Of jobs that ended; they wait for the queue's `status`, which is told next."""

    def story(self, job: str) -> JobStory:
        return self._stories.setdefault(job, JobStory(job))

    def messages(self, event: WireEvent) -> list[Message]:
        """What to send for an event. The queue's `status` comes before a job's last word, as in ComfyUI: who hears that
        last word may take the count it heard before for the present one."""
        if event.type == "queue_changed":
            change = event.event
            assert isinstance(change, QueueChanged)
            last_words, self._last_words = self._last_words, []
            return [status_message(change.queued + change.running), *last_words]
        if event.job is None or event.client != self.client:
            return []
        told = self.story(event.job).tell(event.event, event.at)
        if isinstance(event.event, JobFinished):
            self._stories.pop(event.job, None)
            self._last_words.append(told.pop())
        return told

    def frame(self, preview: Preview) -> bytes | None:
        """A picture of work in progress as a binary message."""
        format = IMAGE_FORMATS.get(preview.media_type)
        if preview.client != self.client or format is None:
            return None
        if not self.wants_metadata:
            return PREVIEW_IMAGE.to_bytes(4, "big") + format.to_bytes(4, "big") + preview.image
        about: Object = {
            "node_id": preview.node,
            "prompt_id": preview.job,
            "display_node_id": preview.node,
            "parent_node_id": None,
            "real_node_id": preview.node,
            "image_type": preview.media_type,
        }
        header = orjson.dumps(about)
        return PREVIEW_WITH_METADATA.to_bytes(4, "big") + len(header).to_bytes(4, "big") + header + preview.image


def status_message(remaining: int, sid: str | None = None) -> Message:
    """How much is left in the queue."""
    status: Object = {"status": {"exec_info": {"queue_remaining": remaining}}}
    return "status", {**status, **({"sid": sid} if sid is not None else {})}


def features(upload_bytes: int) -> Object:
    """What this server can do, as ComfyUI says it."""
    return {
        "supports_preview_metadata": True,
        "max_upload_size": upload_bytes,
        "extension": {"manager": {"supports_v4": False}},
    }


async def listen(request: web.Request, query: SocketQuery) -> web.StreamResponse:
    """Tell a client what becomes of its prompts, over a websocket."""
    socket = web.WebSocketResponse(heartbeat=PING_EVERY_S, compress=False, max_msg_size=LONGEST_MESSAGE)
    if not socket.can_prepare(request).ok:
        raise HttpError(
            426, "not_a_websocket", "This is a websocket.", fix="connect with ws://", headers={"Upgrade": "websocket"}
        )
    client = query.client_id or secrets.token_hex(16)
    await socket.prepare(request)
    sockets, service = request.app[SOCKETS], request.app[SERVICE]
    request.app[LISTENERS].open.add(socket)
    await sockets.enter(client, socket)
    teller = Teller(client)
    subscription = service.subscribe(None, client)
    greeted = asyncio.Event()
    telling = asyncio.ensure_future(_tell(socket, service, subscription, teller, greeted))
    try:
        await greeted.wait()  # `status` is the first word, whatever the client says meanwhile
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await _hear(socket, teller, message.data, request.app[SETTINGS].upload_bytes)
    finally:
        sockets.leave(client, socket)
        subscription.close()
        telling.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await telling
    return socket


def routes() -> Iterable[Route]:
    """The route of the websocket."""
    yield from both([Route("GET", "/ws", listen, errors=(426,), websocket=True)])


async def _hear(socket: web.WebSocketResponse, teller: Teller, text: str, upload_bytes: int) -> None:
    """The only thing that clients say: what they can do. Anything else is ignored."""
    try:
        said = FeatureFlags.model_validate_json(text)
    except ValueError:
        return
    teller.wants_metadata = said.data.get("supports_preview_metadata") is True
    await _send(socket, ("feature_flags", features(upload_bytes)))


async def _tell(
    socket: web.WebSocketResponse,
    service: JobService,
    subscription: Subscription,
    teller: Teller,
    greeted: asyncio.Event,
) -> None:
    try:
        try:
            counts = await service.counts()
            await _send(socket, status_message(counts.queued + counts.running, teller.client))
        finally:
            greeted.set()
        await _resume(socket, service, teller)
        async for message in subscription:
            if isinstance(message, Preview):
                frame = teller.frame(message)
                if frame is not None:
                    await _send_frame(socket, frame, WSMsgType.BINARY)
                continue
            for each in teller.messages(message):
                await _send(socket, each)
        reason = subscription.closed or "closed"
    except TimeoutError:
        reason = "too_slow"
    except (ConnectionError, RuntimeError):  # the client has gone meanwhile
        return
    await socket.close(code=WSCloseCode.GOING_AWAY, message=reason.encode())


async def _resume(socket: web.WebSocketResponse, service: JobService, teller: Teller) -> None:
    """Tell a client that comes back which node of its job is at work."""
    jobs, _ = await service.list(status={"running"}, client=teller.client)
    for job in jobs:
        story = teller.story(job.id)
        for event in await service.events_of(job.id):
            story.tell(event.event, event.at)
        if story.current is not None:
            await _send(socket, ("executing", {"node": story.current, "prompt_id": job.id}))


async def _send(socket: web.WebSocketResponse, message: Message) -> None:
    kind, data = message
    await _send_frame(socket, orjson.dumps({"type": kind, "data": data}), WSMsgType.TEXT)


async def _send_frame(socket: web.WebSocketResponse, data: bytes, kind: WSMsgType) -> None:
    async with asyncio.timeout(PATIENCE_S):
        await socket.send_frame(data, kind)
