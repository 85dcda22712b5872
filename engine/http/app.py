"""The application: every part handed down, every route from its group, the guard in front.

    app = make_app(service, folders, ServerSettings(token=token_at(folders.user / "token"), host=host, port=port))
    print(launch_url(app))

A group of routes is a function `routes() -> Iterable[Route]` of its module, named in `GROUPS`. A group that needs
something of its own keeps it in the application under a `web.AppKey`; what must be opened and closed with the server
is a context in `CONTEXTS`.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from pathlib import Path

from aiohttp import web

from engine.http import docs_page, metrics, openapi, static
from engine.http.access import Access
from engine.http.body import JSON_BYTES
from engine.http.comfy import files as comfy_files
from engine.http.comfy import jobs as comfy_jobs
from engine.http.comfy import prompt as comfy_prompt
from engine.http.comfy import queue as comfy_queue
from engine.http.comfy import server as comfy_server
from engine.http.comfy import socket as comfy_socket
from engine.http.comfy import userdata
from engine.http.errors import errors_as_json
from engine.http.gallery import Gallery
from engine.http.keys import FOLDERS, ROUTES, SERVICE, SETTINGS, ServerSettings
from engine.http.route import Route, add_routes
from engine.http.security import ACCESS, add_headers, guard
from engine.http.thumbnails import Thumbnails
from engine.http.uploads import PICTURE_WORK, PictureWork
from engine.http.user.drafts import Drafts
from engine.http.user.preferences import PreferencesFile
from engine.http.user.templates import Templates
from engine.http.user.workflow_files import WorkflowFiles
from engine.http.v1 import convert, events, files, jobs, nodes, outputs, run, system, templates, workflows
from engine.http.v1 import settings as preferences
from engine.jobs.service import JobService
from engine.node.folders import Folders

GROUPS: Sequence[Callable[[], Iterable[Route]]] = (
    nodes.routes,
    jobs.routes,
    run.routes,
    convert.routes,
    events.routes,
    files.routes,
    outputs.routes,
    workflows.routes,
    templates.routes,
    preferences.routes,
    system.routes,
    metrics.routes,
    openapi.routes,
    docs_page.routes,
    comfy_prompt.routes,
    comfy_queue.routes,
    comfy_jobs.routes,
    comfy_files.routes,
    comfy_server.routes,
    userdata.routes,
    comfy_socket.routes,
    static.routes,
)
CONTEXTS: Sequence[Callable[[web.Application], AsyncGenerator[None]]] = (metrics.listen,)


def make_app(
    service: JobService, folders: Folders, settings: ServerSettings, editor: Path = static.BUILT
) -> web.Application:
    """Make the application. It opens nothing and starts nothing; `service` is open, and is closed by who opened it.

    Args:
        editor: the folder of the built editor; a page says how to build it while it is not there.

    Raises:
        FileProblem: the token of `settings` is too short.
    """
    app = web.Application(middlewares=[metrics.timed, errors_as_json, guard], client_max_size=JSON_BYTES)
    app[SERVICE] = service
    app[FOLDERS] = folders
    app[SETTINGS] = settings
    app[ACCESS] = Access(settings)
    app[static.EDITOR] = editor
    app[nodes.CATALOGUE] = nodes.CatalogueJson()
    app[events.LISTENERS] = events.Listeners()
    app[openapi.DOCUMENT] = openapi.DocumentJson()
    app[metrics.METRICS] = metrics.Metrics()
    app[system.STARTED] = time.time()
    app[comfy_socket.SOCKETS] = comfy_socket.Sockets()
    _keep_files(app, folders)
    app[ROUTES] = tuple(route for group in GROUPS for route in group())
    add_routes(app, app[ROUTES])
    app.on_response_prepare.append(add_headers)
    app.on_shutdown.append(events.close_all)
    app.cleanup_ctx.extend(CONTEXTS)
    return app


def _keep_files(app: web.Application, folders: Folders) -> None:
    app[PICTURE_WORK] = PictureWork()
    app[files.THUMBNAILS] = Thumbnails(folders.cache / "thumbnails")
    app[outputs.GALLERY] = Gallery(folders.output)
    app[workflows.WORKFLOWS] = WorkflowFiles(folders.user / "workflows")
    app[workflows.DRAFTS] = Drafts(folders.user / "drafts")
    app[templates.TEMPLATES] = Templates()
    app[preferences.PREFERENCES] = PreferencesFile(folders.user / "settings.json")


def launch_url(app: web.Application) -> str:
    """A link that opens the editor in a browser, once. Every call makes a new one."""
    settings = app[SETTINGS]
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::", "") else settings.host
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{settings.port}/?launch={app[ACCESS].new_launch()}"
