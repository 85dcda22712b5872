"""Who asks: a page in a browser, or a program. Browsers can be made to ask by any page; programs cannot."""

from __future__ import annotations

from aiohttp import web

SESSION_COOKIE = "darkroom-session"


def is_browser(request: web.Request) -> bool:
    """Whether a browser sent this: it adds `Origin` or `Sec-Fetch-*`, or the cookie that only a browser was given."""
    headers = request.headers
    return (
        "Origin" in headers
        or any(name.lower().startswith("sec-fetch-") for name in headers)
        or any(name.startswith(SESSION_COOKIE) for name in request.cookies)
    )
