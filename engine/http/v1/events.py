"""The websocket that tells what happens: every event once and in order, and pictures of work in progress.

1. `{"type": "hello", "seq", "server", "complete"}` comes first: `seq` is the newest event there is, `server` changes
   when the server starts anew. Where `complete` is false the log no longer has what followed `after`: load the jobs.
2. Then events, as text: `{"seq", "at", "type", "job", ...}`. Reconnect with `?after=<the last seq seen>` to miss none.
3. Pictures in between, as binary messages: 4 bytes (big-endian) with the length of a JSON header
   `{"job", "node", "media_type"}`, the header, the picture. They are shown or skipped, never repeated.

The server pings every 20 seconds. A listener that takes nothing for half a minute is closed with 4008 `too_slow`, one
whose server stops with 1001 `shutdown`; both may come back and continue. What a client sends is not read.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Iterable
from typing import Annotated
from weakref import WeakSet

import orjson
from aiohttp import WSCloseCode, WSMsgType, web
from pydantic import Field

from engine.http.body import Query
from engine.http.errors import HttpError
from engine.http.keys import SERVICE
from engine.http.route import Route
from engine.http.v1.jobs import ShortText
from engine.jobs.events import Preview
from engine.jobs.hub import Subscription

PING_EVERY_S = 20.0
PATIENCE_S = 30.0
TOO_SLOW = 4008
LONGEST_MESSAGE = 4096


class Listeners:
    """The websockets that are open, so that stopping the server closes them.

    Args:
        patience_s: how long one message may wait for its reader.
    """

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self.patience_s = patience_s
        self.server = secrets.token_hex(8)
        """Changes with every start of the server."""
        self.open: WeakSet[web.WebSocketResponse] = WeakSet()


LISTENERS: web.AppKey[Listeners] = web.AppKey("listeners", Listeners)


class EventsQuery(Query):
    """From where on to listen, and to what."""

    after: Annotated[int, Field(ge=0, le=2**53)] | None = None
    """The last event seen; those that came since are told first. Left out: begin now."""
    client: ShortText | None = None
    """Leave out what concerns the jobs of other clients."""


async def events(request: web.Request, query: EventsQuery) -> web.StreamResponse:
    """Tell what happens, as it happens, over a websocket.

    First a `hello` with the newest event's number, then each event once and in order. Come back with `?after=` and
    the last number seen, and nothing is missed. Binary messages are previews: 4 bytes with the length of a JSON
    header, the header, the picture.
    """
    websocket = web.WebSocketResponse(heartbeat=PING_EVERY_S, compress=False, max_msg_size=LONGEST_MESSAGE)
    if not websocket.can_prepare(request).ok:
        raise HttpError(
            426, "not_a_websocket", "This is a websocket.", fix="connect with ws://", headers={"Upgrade": "websocket"}
        )
    await websocket.prepare(request)
    listeners, service = request.app[LISTENERS], request.app[SERVICE]
    listeners.open.add(websocket)
    subscription = service.subscribe(query.after, query.client)
    hello = {
        "type": "hello",
        "seq": service.last_seq,
        "server": listeners.server,
        "complete": subscription.complete,
    }
    telling = asyncio.ensure_future(_tell(websocket, subscription, orjson.dumps(hello), listeners.patience_s))
    try:
        async for _ in websocket:  # answers pings, and ends when the client goes
            pass
    finally:
        subscription.close()
        telling.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await telling
    return websocket


def preview_frame(preview: Preview) -> bytes:
    """A picture of work in progress as one binary message."""
    header = orjson.dumps({"job": preview.job, "node": preview.node, "media_type": preview.media_type})
    return len(header).to_bytes(4, "big") + header + preview.image


async def close_all(app: web.Application) -> None:
    """Close all websockets when the server stops, which would wait for them otherwise."""
    going = [each.close(code=WSCloseCode.GOING_AWAY, message=b"shutdown") for each in app[LISTENERS].open]
    await asyncio.gather(*going, return_exceptions=True)


def routes() -> Iterable[Route]:
    """The route of the events."""
    yield Route("GET", "/v1/events", events, errors=(426,), websocket=True)


async def _tell(websocket: web.WebSocketResponse, subscription: Subscription, hello: bytes, patience_s: float) -> None:
    """Send what the subscription yields until either ends; then close with the reason."""

    async def send(data: bytes, kind: WSMsgType) -> None:
        async with asyncio.timeout(patience_s):
            await websocket.send_frame(data, kind)

    try:
        await send(hello, WSMsgType.TEXT)
        async for message in subscription:
            if isinstance(message, Preview):
                await send(preview_frame(message), WSMsgType.BINARY)
            else:
                await send(message.json, WSMsgType.TEXT)
        reason = subscription.closed
    except TimeoutError:
        reason = "too_slow"
    except (ConnectionError, RuntimeError):  # the client has gone meanwhile
        return
    code = TOO_SLOW if reason == "too_slow" else WSCloseCode.GOING_AWAY
    await websocket.close(code=code, message=(reason or "closed").encode())
