"""No name leads out of its folder, however it is spelt, on any route that takes one (promise S4)."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from aiohttp import FormData

from engine.node.folders import Folders
from tests.http.conftest import Client, words
from tests.http.drawing import encoded, scene

SECRET = b"SECRET-OF-ANOTHER-FOLDER"
TARGET = "secret.png"
"""Lies beside input, output, temp and user, and is what every name tries to reach."""

CLIMBING = [
    f"../{TARGET}",
    f"../../{TARGET}",
    f"../../../{TARGET}",
    f"sub/../../{TARGET}",
    f"sub/../../../{TARGET}",
    f"./../{TARGET}",
    f"..\\{TARGET}",
    f"sub\\..\\..\\{TARGET}",
    f"..//{TARGET}",
    f"....//{TARGET}",
    f"..;/{TARGET}",
    f"sub/./../../{TARGET}",
    "..",
    ".",
    "sub/..",
    "../" * 40 + "etc/passwd",
]
ABSOLUTE = [
    "/etc/passwd",
    "//etc/passwd",
    "\\etc\\passwd",
    "C:\\Windows\\win.ini",
    "C:secret.png",
    "\\\\host\\share\\x",
]
ABSOLUTE += ["~/secret.png", "~root/x", "file:///etc/passwd", "\\\\?\\C:\\x", "/proc/self/environ", "/dev/zero"]
LOOKALIKES = [
    "\uff0e\uff0e/secret.png",  # full-width dots
    "\u2025/secret.png",  # two dots in one character
    "..\u2215secret.png",  # division slash
    "..\u2044secret.png",  # fraction slash
    "..\uff0fsecret.png",  # full-width slash
    "..\uff3csecret.png",
    "\u202e../secret.png",
    "\u200b../secret.png",
]
CONTROL = ["a\0.png", "\0", f"../{TARGET}\0.png", "a\n.png", "a\r\nX-Injected: 1.png", "a\x7f/../../secret.png", "\t"]
DEVICES = ["CON", "con.png", "NUL", "sub/aux.txt", "com1", "LPT9.json", "prn .png", "a:", "a.png:stream", "a ", "a/ /b"]
LONG = ["x" * 300, "é" * 200, "/".join(["x" * 200] * 10), "a/" * 600 + "b", "../" * 2000 + "x"]
LINKS = ["out.png", "outside/secret.png", "loop.png", "chain.png", "dangling.png"]
ANNOTATED = ["../secret.png [output]", "secret.png [user]", "sub/../../secret.png [input]"]
CORPUS = [*CLIMBING, *ABSOLUTE, *LOOKALIKES, *CONTROL, *DEVICES, *LONG, *LINKS, *ANNOTATED]

TAKES_A_NAME = [
    ("GET", "/v1/files/{folder}/{name}"),
    ("GET", "/v1/files/{folder}/{name}?thumbnail=64"),
    ("DELETE", "/v1/files/output/{name}"),
    ("GET", "/v1/metadata/{folder}/{name}"),
    ("GET", "/v1/workflows/{name}"),
    ("PUT", "/v1/workflows/{name}"),
    ("DELETE", "/v1/workflows/{name}"),
    ("GET", "/v1/workflows/{name}/versions"),
    ("GET", "/v1/workflows/{name}/versions/00000000000000000000000000000000"),
    ("POST", "/v1/workflows/{name}/rename"),
    ("PUT", "/v1/drafts/{name}"),
    ("DELETE", "/v1/drafts/{name}"),
    ("GET", "/v1/templates/{name}"),
    ("GET", "/v1/templates/{name}/thumbnail"),
    ("GET", "/v1/folders/{name}"),
    ("GET", "/v1/docs/{name}"),
    ("GET", "/assets/{name}"),
    ("GET", "/view?type=input&filename={name}"),
    ("GET", "/view?type=output&filename=secret.png&subfolder={name}"),
    ("GET", "/view?filename=secret.png&type={name}"),
    ("GET", "/view_metadata/checkpoints?filename={name}"),
    ("GET", "/view_metadata/{name}?filename=secret.png"),
    ("GET", "/models/{name}"),
    ("GET", "/experiment/models/{name}"),
    ("GET", "/userdata?dir={name}"),
    ("GET", "/v2/userdata?path={name}"),
    ("GET", "/userdata/{name}"),
    ("POST", "/userdata/{name}"),
    ("DELETE", "/userdata/{name}"),
    ("POST", "/userdata/{name}/move/moved"),
    ("POST", "/userdata/workflows%2Freal.json/move/{name}"),
    ("GET", "/settings/{name}"),
]


@pytest.fixture
def trap(folders: Folders, tmp_path: Path) -> Iterator[Path]:
    """A home with secrets all around its folders, and links in them that lead there. Checks that nothing changed."""
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    secrets = [tmp_path / TARGET, outside / TARGET, tmp_path / "secret.json", folders.user / "secret.png"]
    for secret in secrets:
        secret.parent.mkdir(exist_ok=True)
        secret.write_bytes(SECRET)
    for root in (folders.input, folders.output, folders.temp, folders.user / "workflows", folders.user / "drafts"):
        (root / "sub").mkdir(parents=True)
        (root / "out.png").symlink_to(tmp_path / TARGET)
        (root / "out.png.json").symlink_to(tmp_path / "secret.json")
        (root / "outside").symlink_to(outside)
        (root / "loop.png").symlink_to(root / "loop.png")
        (root / "chain.png").symlink_to(root / "out.png")
        (root / "dangling.png").symlink_to(tmp_path / "not-there.png")
    before = everything(tmp_path, folders)
    yield tmp_path
    after = everything(tmp_path, folders)
    assert {path: after.get(path) for path in before} == before
    assert [path for path in after.keys() - before.keys() if not Path(path).is_relative_to(folders.user)] == []


def everything(home: Path, folders: Folders) -> dict[str, bytes | str]:
    """All files below the home and their content, but those of the server's own bookkeeping."""
    found: dict[str, bytes | str] = {}
    for path in sorted(home.rglob("*")):
        if path.is_symlink():
            found[str(path)] = os.readlink(path)
        elif path.is_file() and "darkroom" not in path.name and not path.is_relative_to(folders.cache):
            found[str(path)] = path.read_bytes()
    return found


async def ask(client: Client, target: str, method: str = "GET", body: bytes = b"") -> tuple[int, bytes]:
    """Send a request whose target no client library tidies up first."""
    reader, writer = await asyncio.open_connection(client.host, client.port)
    head = f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{client.port}\r\nConnection: close\r\n"
    head += "If-Match: *\r\nContent-Type: application/json\r\n" + f"Content-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode("latin-1", errors="replace") + body)
    await writer.drain()
    answer = await reader.read()
    writer.close()
    return int(answer.split(b" ", 2)[1]), answer


def spellings(name: str) -> set[str]:
    """A name as it may stand in a request's target."""
    plain = quote(name, safe="/\\~;:.")
    return {plain, quote(name, safe="").replace(".", "%2e"), quote(name, safe="").replace("%", "%25")}


@pytest.mark.parametrize(("method", "path"), TAKES_A_NAME)
async def test_no_name_in_a_path_leads_out(client: Client, trap: Path, method: str, path: str) -> None:
    bodies = {"PUT": {"workflow": words()}, "POST": {"to": "../../renamed"}}
    body = json.dumps(bodies.get(method, {})).encode() if method in bodies else b""
    for name in CORPUS:
        for spelt in spellings(name):
            if len(spelt) > 7000:
                continue
            target = path.replace("{folder}", "input").replace("{name}", spelt)
            status, answer = await ask(client, target, method, body)
            assert status in (400, 404, 405, 409, 204, 422) or is_harmless(path, answer), (status, target[:200])
            assert SECRET not in answer, target[:200]
            assert b"root:" not in answer, target[:200]
            assert b"X-Injected" not in answer.split(b"\r\n\r\n")[0].replace(b"%", b""), target[:200]


def is_harmless(path: str, answer: bytes) -> bool:
    """A list of names, a page, nothing, or what was saved under a strange name is no file of another folder."""
    body = answer.partition(b"\r\n\r\n")[2]
    saved = b'"version":"' in body or path.startswith("/userdata/")  # where to, the trap looks
    return saved or body in (b"[]", b"null") or b'"names":[' in body or path == "/v1/docs/{name}"


@pytest.mark.parametrize("field", ["name", "subfolder", "filename", "type"])
async def test_no_name_in_a_form_leads_out(client: Client, trap: Path, folders: Folders, field: str) -> None:
    picture = encoded(scene(8, 8))
    for name in CORPUS:
        form = FormData(default_to_multipart=True)
        if field == "name":
            form.add_field("name", name)
            route = "/v1/uploads"
        else:
            original = {"filename": "a.png", "subfolder": "", "type": "input", field: name}
            form.add_field("original", json.dumps(original))
            route = "/v1/uploads/mask"
        form.add_field("file", picture, filename="a.png", content_type="image/png")
        answer = await client.post(route, data=form)
        assert answer.status in (201, 400, 404), name
        if answer.status == 201:
            stored = await answer.json()
            path = folders.input / stored["subfolder"] / stored["filename"]
            assert path.resolve().is_relative_to(folders.input.resolve()), name
            assert not path.is_symlink(), name
            path.unlink()
            if stored["subfolder"]:
                path.parent.rmdir()


async def test_the_name_a_client_has_for_its_file_stays_inside(client: Client, trap: Path, folders: Folders) -> None:
    picture = encoded(scene(8, 8))
    for name in CORPUS:
        disposition = f'form-data; name="file"; filename="{quote(name[:2000], safe=" ./~:;", errors="replace")}"'
        body = b"--x\r\nContent-Disposition: " + disposition.encode() + b"\r\n\r\n" + picture + b"\r\n--x--\r\n"
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        answer = await client.post("/v1/uploads", data=body, headers=headers)
        assert answer.status in (201, 400), name
        if answer.status == 201:
            stored = await answer.json()
            assert stored["subfolder"] == ""
            path = folders.input / stored["filename"]
            assert path.parent == folders.input
            assert not path.is_symlink(), name
            path.unlink()


async def test_strange_names_stay_inside(client: Client, folders: Folders) -> None:
    root = folders.user / "workflows"
    for name in (*LOOKALIKES, "file:/x", "....//x", "..;/x", "%2e%2e/x", "%252e", "a.png:stream"):
        status, _ = await ask(
            client, f"/v1/workflows/{quote(name, safe='/')}", "PUT", json.dumps({"workflow": words()}).encode()
        )
        assert status in (400, 409, 200), name
    for path in folders.input.parent.rglob("*.json"):
        assert path.is_relative_to(folders.user) or path.is_relative_to(folders.cache), path
    assert all(path.resolve().is_relative_to(root.resolve()) for path in root.rglob("*"))


async def test_a_link_inside_the_folder_is_followed(client: Client, folders: Folders) -> None:
    """Users put links between their own pictures; that is their good right."""
    (folders.input / "real.png").write_bytes(b"picture")
    (folders.input / "alias.png").symlink_to(folders.input / "real.png")
    answer = await client.get("/v1/files/input/alias.png")
    assert (answer.status, await answer.read()) == (200, b"picture")
