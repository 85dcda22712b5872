"""The one guard before every route: who may ask, from where, under which name (promises S1, S2, S3 and S6).

1. `Host` must name this server, so that a page whose name was re-bound to this machine gets nothing (S2).
2. `Origin`, where there is one, must be this server's own; `null` never is (S3). A browser that changes something, or
   opens a websocket, must send it.
3. A caller must be known (S1): a program by `Authorization: Bearer <token>`, a browser by the cookie that a launch link
   or the sign-in page gave it. Programs on this machine need no token, unless the server asks for it everywhere.

That holds for the editor's page and assets as well. What answers without a token is the sign-in page, sent with 401
instead of a page, and the two doors it leads to: `/?launch=...` and `POST /sign-in`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping

from aiohttp import web

from engine.http.access import SESSION_S, Access
from engine.http.caller import is_browser
from engine.http.errors import Handler, HttpError, error_answer, is_api
from engine.http.keys import ServerSettings
from engine.http.pages import COME_AGAIN, SIGN_IN, sign_in_page

ACCESS: web.AppKey[Access] = web.AppKey("access", Access)

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?", re.ASCII)
PROXY_HEADERS = ("Forwarded", "Via", "X-Real-IP", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

PAGE_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self' blob:",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
DATA_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"
HEADERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let a request through, or refuse it before anything of it is read.

    Raises:
        HttpError: 401 for a caller who is not known, 403 for a wrong `Host` or `Origin`.
    """
    access = request.app[ACCESS]
    check_host(request, access.settings)
    check_origin(request, access.settings)
    if request.method == "OPTIONS" and _is_allowed(request.headers.get("Origin", ""), access.settings):
        return web.Response(status=204)  # asks whether it may ask; `add_headers` says what is allowed
    if request.method == "POST" and request.path == SIGN_IN:
        return await _sign_in(request, access)
    if request.method == "GET" and request.path == "/" and "launch" in request.query:
        return _launch(request, access)
    try:
        check_caller(request, access)
    except HttpError as error:
        if error.status == 401 and _wants_page(request):
            return _sign_in_page(request, came_from_link=_may_have_cookie(request))
        raise
    return await handler(request)


def check_host(request: web.Request, settings: ServerSettings) -> None:
    """Refuse a `Host` that is not this server's: the first thing a re-bound name gives away.

    Raises:
        HttpError: 403.
    """
    sent = request.headers.getall("Host", [])
    match = HOST.fullmatch(sent[0].lower()) if len(sent) == 1 else None
    name = match[1] if match else ""
    own = LOOPBACK_NAMES | {_as_host(settings.host)} | {_as_host(each) for each in settings.allowed_hosts}
    # A number cannot be re-bound. Off loopback the server has more of them than it knows.
    if name in own or (not settings.loopback and _is_address(name)):
        return
    shown = ", ".join(sent)[:100]
    raise HttpError(
        403,
        "wrong_host",
        f"This server is not called {shown!r}.",
        fix="use the address it printed, or start it with --allow-host",
    )


def check_origin(request: web.Request, settings: ServerSettings) -> None:
    """Refuse pages of other origins, and browsers that change something without saying which page asks.

    Raises:
        HttpError: 403.
    """
    headers = request.headers
    sent = headers.getall("Origin", [])
    if sent:
        if len(sent) == 1 and (_is_own(sent[0], request) or _is_allowed(sent[0], settings)):
            return
        shown = ", ".join(sent)[:100]
        raise HttpError(
            403, "wrong_origin", f"A page of {shown!r} may not ask this server.", fix="use the editor's page"
        )
    if changes_state(request) and is_browser(request) and "Authorization" not in headers:
        raise HttpError(403, "no_origin", "A browser must say which page asks.", fix="send the header 'Origin'")
    site = headers.get("Sec-Fetch-Site", "none")
    opened = headers.get("Sec-Fetch-Mode") == "navigate" and headers.get("Sec-Fetch-Dest") == "document"
    if site not in ("none", "same-origin") and not opened:
        raise HttpError(403, "wrong_site", f"A page of another origin ({site[:40]}) asks.", fix="use the editor's page")


def check_caller(request: web.Request, access: Access) -> None:
    """Refuse callers who are not known.

    Raises:
        HttpError: 401.
    """
    sent = request.headers.getall("Authorization", [])
    if sent:
        scheme, _, token = sent[0].partition(" ")
        if len(sent) == 1 and scheme.lower() == "bearer" and access.is_token(token.strip()):
            return
        raise _unknown("The access token is wrong.")
    if is_browser(request):
        if access.is_session(request.cookies.get(access.cookie, "")):
            return
        raise _unknown("This browser has not signed in.")
    if not _is_local_program(request, access.settings):
        raise _unknown("An access token is needed.")


def changes_state(request: web.Request) -> bool:
    """Whether a request does more than read. A websocket counts: a page may read it whatever its origin."""
    return request.method not in SAFE_METHODS or request.headers.get("Upgrade", "").lower() == "websocket"


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Give every answer its security headers, before it is sent. A handler's own win."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    is_page = response.content_type == "text/html"
    response.headers.setdefault("Content-Security-Policy", PAGE_POLICY if is_page else DATA_POLICY)
    if is_api(request.path):
        response.headers.setdefault("Cache-Control", "no-store")
    origin, allowed = request.headers.get("Origin"), request.app[ACCESS].settings.cors_origin
    if allowed is not None:
        response.headers["Vary"] = "Origin"
        if origin == allowed:
            response.headers["Access-Control-Allow-Origin"] = allowed
            response.headers["Access-Control-Allow-Methods"] = "GET, HEAD, POST, PUT, PATCH, DELETE"
            response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, If-Match, If-None-Match"
            response.headers["Access-Control-Expose-Headers"] = "ETag"
            response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"


def _as_host(name: str) -> str:
    """A name as it stands in a `Host` header."""
    return f"[{name}]" if ":" in name and not name.startswith("[") else name.lower()


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _is_own(origin: str, request: web.Request) -> bool:
    """Whether an origin is the server's own: what the browser's address bar shows is what it sent as `Host`."""
    scheme, found, rest = origin.lower().partition("://")
    if not found or scheme not in ("http", "https"):
        return False
    default = ":443" if scheme == "https" else ":80"
    return rest.removesuffix(default) == request.headers["Host"].lower().removesuffix(default)


def _is_allowed(origin: str, settings: ServerSettings) -> bool:
    return settings.cors_origin is not None and origin == settings.cors_origin


def _is_local_program(request: web.Request, settings: ServerSettings) -> bool:
    """Whether a program of this machine asks directly; behind a proxy, everyone seems to."""
    if settings.require_token or not settings.loopback or any(name in request.headers for name in PROXY_HEADERS):
        return False
    match = HOST.fullmatch(request.headers["Host"].lower())
    try:
        from_here = ipaddress.ip_address(request.remote or "").is_loopback
    except ValueError:
        return False
    return from_here and match is not None and match[1] in LOOPBACK_NAMES


def _unknown(message: str) -> HttpError:
    return HttpError(
        401,
        "not_signed_in",
        message,
        fix="send 'Authorization: Bearer <token>', or open the launch link that the server printed",
        headers={"WWW-Authenticate": 'Bearer realm="Darkroom"'},
    )


def _wants_page(request: web.Request) -> bool:
    return request.method == "GET" and not is_api(request.path) and "text/html" in request.headers.get("Accept", "")


def _may_have_cookie(request: web.Request) -> bool:
    """Whether a link on another site led here: the browser then keeps its strict cookie back, this once."""
    return request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site")


def _sign_in_page(request: web.Request, *, came_from_link: bool = False, wrong: str = "") -> web.Response:
    if came_from_link:
        return _page(COME_AGAIN, status=401)
    return _page(sign_in_page(wrong), status=401)


def _launch(request: web.Request, access: Access) -> web.Response:
    if access.redeem(request.query["launch"]):
        return _welcome(request, access)
    if access.is_session(request.cookies.get(access.cookie, "")):
        return _page(COME_AGAIN)
    return _sign_in_page(request, wrong="This launch link has been used. It opens the editor once.")


async def _sign_in(request: web.Request, access: Access) -> web.Response:
    """The sign-in page's form: the token by hand, for a phone or another machine."""
    if request.content_type != "application/x-www-form-urlencoded":
        return error_answer(
            HttpError(415, "not_a_form", "This takes the form of the sign-in page.", fix="use that page")
        )
    token = (await request.post()).get("token", "")
    if isinstance(token, str) and access.is_token(token.strip()):
        return _welcome(request, access)
    return _sign_in_page(request, wrong="That is not this server's access token.")


def _welcome(request: web.Request, access: Access) -> web.Response:
    """The page that carries the cookie. It goes on by itself, as a redirect would, but as a step of our own site:
    after a redirect from elsewhere a browser would keep the strict cookie back."""
    response = _page(COME_AGAIN)
    response.set_cookie(
        access.cookie,
        access.new_session(),
        max_age=SESSION_S,
        httponly=True,
        samesite="Strict",
        secure=request.secure,
    )
    return response


def _page(html: str, status: int = 200) -> web.Response:
    # Under `no-referrer` a browser sends the form with `Origin: null`.
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "same-origin"}
    return web.Response(status=status, text=html, content_type="text/html", headers=headers)
