"""Who may come in: the token programs send, the launch links that open the editor once, the cookie it lives on."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from engine.errors import FileProblem
from engine.http.caller import SESSION_COOKIE
from engine.http.keys import ServerSettings

SESSION_S = 30 * 24 * 3600
LAUNCH_S = 24 * 3600
SHORTEST_TOKEN = 16


class Access:
    """Makes and checks what a caller shows to come in. All comparisons take the same time for any wrong value.

    A session survives a restart of the server: its cookie is signed with the token, so nothing need be remembered.

    Args:
        clock: unix seconds.
    """

    def __init__(self, settings: ServerSettings, clock: Callable[[], float] = time.time) -> None:
        if len(settings.token) < SHORTEST_TOKEN:
            raise FileProblem(
                f"the access token has {len(settings.token)} characters; make it {SHORTEST_TOKEN} or more"
            )
        self.settings = settings
        self.cookie = f"{SESSION_COOKIE}-{settings.port}"
        """Its name: browsers do not tell ports of one machine apart, and several servers may run."""
        self._clock = clock
        self._launches: dict[str, float] = {}

    def is_token(self, shown: str) -> bool:
        """Whether this is the access token."""
        return hmac.compare_digest(shown.encode(errors="replace"), self.settings.token.encode())

    def new_launch(self) -> str:
        """A secret that opens the editor once, within a day: `/?launch=<secret>`."""
        launch = secrets.token_urlsafe(32)
        self._launches = {each: made for each, made in self._launches.items() if self._clock() - made < LAUNCH_S}
        self._launches[launch] = self._clock()
        return launch

    def redeem(self, launch: str) -> bool:
        """Whether this opens the editor. It will not do so again."""
        shown = launch.encode(errors="replace")
        found = [each for each in self._launches if hmac.compare_digest(each.encode(), shown)]
        return any(self._clock() - self._launches.pop(each) < LAUNCH_S for each in found)

    def new_session(self) -> str:
        """The value of a session's cookie."""
        session = f"{int(self._clock())}.{secrets.token_urlsafe(12)}"
        return f"{session}.{self._signed(session)}"

    def is_session(self, value: str) -> bool:
        """Whether this is the cookie of a session that goes on: ours, and made within the last 30 days."""
        session, _, signature = value.rpartition(".")
        if not hmac.compare_digest(signature.encode(errors="replace"), self._signed(session).encode()):
            return False
        return self._clock() - int(session.partition(".")[0]) < SESSION_S

    def _signed(self, session: str) -> str:
        message = b"darkroom session " + session.encode(errors="replace")
        return hmac.new(self.settings.token.encode(), message, hashlib.sha256).hexdigest()


def token_at(path: Path) -> str:
    """The access token kept in a file that only its owner may read; made at the first start.

    Raises:
        FileProblem: the file cannot be read or made, or holds less than 16 characters.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError), _new_private(path) as file:
            file.write(secrets.token_urlsafe(32))
        token = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise FileProblem(f"the access token cannot be read from {path}: {error}") from error
    if len(token) < SHORTEST_TOKEN:
        raise FileProblem(f"the access token in {path} has less than {SHORTEST_TOKEN} characters; delete the file")
    return token


def _new_private(path: Path) -> TextIO:
    """A new file that is private from its first moment on."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w")
