"""The parts that handlers find in the application: `request.app[SERVICE]`."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from engine.http.route import Route
from engine.jobs.service import JobService
from engine.node.folders import Folders


@dataclass(frozen=True)
class ServerSettings:
    """How the server is reached, and by whom.

    Args:
        host: the address it listens on; `127.0.0.1`, `::1` and `localhost` are loopback, everything else is not.
        port: the port it listens on.
        token: the secret that programs send as `Authorization: Bearer <token>`. At least 16 characters.
        require_token: ask programs on this machine for it, too. Off loopback it is always asked for.
        allowed_hosts: names beside the loopback names that a `Host` header may have, without port.
        cors_origin: one origin of another page that may use the API with a token, such as `http://localhost:5173`.
        upload_bytes: the largest upload.
    """

    token: str
    host: str = "127.0.0.1"
    port: int = 8188
    require_token: bool = False
    allowed_hosts: tuple[str, ...] = ()
    cors_origin: str | None = None
    upload_bytes: int = 100 * 2**20

    @property
    def loopback(self) -> bool:
        """Whether only programs of this machine can reach the server."""
        return self.host in ("127.0.0.1", "::1", "localhost")


SERVICE: web.AppKey[JobService] = web.AppKey("service", JobService)
FOLDERS: web.AppKey[Folders] = web.AppKey("folders", Folders)
SETTINGS: web.AppKey[ServerSettings] = web.AppKey("settings", ServerSettings)
ROUTES: web.AppKey[tuple[Route, ...]] = web.AppKey("routes", tuple[Route, ...])
