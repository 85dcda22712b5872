"""Uploads are stored whole and made anew, or not at all."""

from __future__ import annotations

import asyncio
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from aiohttp import FormData, MultipartWriter
from PIL import Image, PngImagePlugin

from engine.http.uploads import plain_name
from engine.node.folders import Folders
from tests.http.conftest import Client, MakeClient
from tests.http.drawing import encoded, pixels, scene


def form(data: bytes, filename: str = "photo.png", field: str = "file", **fields: str) -> FormData:
    made = FormData(default_to_multipart=True)
    for name, value in fields.items():
        made.add_field(name, value)
    made.add_field(field, io.BytesIO(data), filename=filename, content_type="image/png")
    return made


def everything(folders: Folders) -> list[str]:
    """Every file below input and temp, hidden ones too."""
    found = [path for root in (folders.input, folders.temp) for path in root.rglob("*") if path.is_file()]
    return sorted(path.relative_to(folders.input.parent).as_posix() for path in found)


async def test_a_picture_is_stored_and_named_in_the_answer(client: Client, folders: Folders) -> None:
    data = encoded(scene())
    answer = await client.post("/v1/uploads", data=form(data))
    assert answer.status == 201
    stored = {"filename": "photo.png", "subfolder": "", "type": "input", "width": 40, "height": 24}
    assert await answer.json() == stored
    assert everything(folders) == ["input/photo.png"]
    assert (pixels((folders.input / "photo.png").read_bytes()) == pixels(data)).all()
    fetched = await client.get("/v1/files/input/photo.png")
    assert (pixels(await fetched.read()) == pixels(data)).all()


async def test_a_form_may_say_where_it_goes(client: Client, folders: Folders) -> None:
    answer = await client.post("/v1/uploads", data=form(encoded(scene()), name="faces/deep/ann.jpeg"))
    assert (await answer.json())["filename"] == "ann.png"
    assert (await answer.json())["subfolder"] == "faces/deep"
    answer = await client.post("/v1/uploads", data=form(encoded(scene()), folder="temp", name="b"))
    assert (await answer.json())["type"] == "temp"
    assert everything(folders) == ["input/faces/deep/ann.png", "temp/b.png"]
    assert (await client.post("/v1/uploads", data=form(encoded(scene()), folder="output"))).status == 400


async def test_another_picture_of_a_name_gets_a_number_and_the_same_none(client: Client, folders: Folders) -> None:
    one, two = encoded(scene()), encoded(scene(20, 20))
    names = [
        (await (await client.post("/v1/uploads", data=form(data))).json())["filename"] for data in (one, two, one, two)
    ]
    assert names == ["photo.png", "photo (1).png", "photo.png", "photo (1).png"]
    assert everything(folders) == ["input/photo (1).png", "input/photo.png"]


async def test_many_uploads_of_one_name_at_once_all_arrive(client: Client, folders: Folders) -> None:
    answers = await asyncio.gather(
        *(client.post("/v1/uploads", data=form(encoded(scene(16 + n, 16)))) for n in range(12))
    )
    names = {(await answer.json())["filename"] for answer in answers}
    assert len(names) == 12
    widths = sorted(pixels((folders.input / name).read_bytes()).shape[1] for name in names)
    assert widths == list(range(16, 28))


async def test_the_workflow_in_a_picture_is_kept_when_asked(client: Client, folders: Folders) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("workflow", '{"darkroom": 1, "nodes": {}}')
    data = encoded(scene(), pnginfo=info)
    await client.post("/v1/uploads", data=form(data, "plain.png"))
    await client.post("/v1/uploads", data=form(data, "kept.png", metadata="keep"))
    assert (await (await client.get("/v1/metadata/input/plain.png")).json())["workflow"] is None
    kept = await (await client.get("/v1/metadata/input/kept.png")).json()
    assert kept["workflow"] == {"darkroom": 1, "nodes": {}}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html><script>alert(1)</script></html>",
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        b"GIF89a/*<script>*/=1;",
        encoded(scene())[:-60],
        b"PK\x03\x04",
    ],
)
async def test_what_is_no_picture_is_refused_and_leaves_nothing(client: Client, folders: Folders, data: bytes) -> None:
    answer = await client.post("/v1/uploads", data=form(data, "evil.png"))
    assert answer.status == 400
    error = (await answer.json())["error"]
    assert "evil.png cannot be read as a picture" in error["message"]
    assert everything(folders) == []


async def test_an_upload_is_bounded(make_client: MakeClient, folders: Folders) -> None:
    client = await make_client(upload_bytes=200_000)
    noise = Image.effect_noise((800, 800), 100)
    answer = await client.post("/v1/uploads", data=form(encoded(noise)))
    assert answer.status == 413
    assert "larger than 200,000 bytes" in (await answer.json())["error"]["message"]
    assert everything(folders) == []
    assert (await client.post("/v1/uploads", data=form(encoded(scene())))).status == 201


async def test_an_upload_may_be_larger_than_a_json_body(client: Client, folders: Folders) -> None:
    noise = Image.effect_noise((3500, 3000), 100)
    data = encoded(noise, compress_level=0)
    assert len(data) > 10_000_000
    answer = await client.post("/v1/uploads", data=form(data))
    assert (answer.status, (await answer.json())["width"]) == (201, 3500)


async def test_a_picture_of_too_many_pixels_is_refused(client: Client, folders: Folders) -> None:
    flat = encoded(Image.new("1", (9000, 8000)))
    assert len(flat) < 100_000
    answer = await client.post("/v1/uploads", data=form(flat))
    assert answer.status == 400
    assert "more than 64 megapixels" in (await answer.json())["error"]["message"]


async def test_a_form_that_makes_no_sense_is_an_error(client: Client, folders: Folders) -> None:
    async def status(data: object, **headers: str) -> int:
        return (await client.post("/v1/uploads", data=data, headers=headers)).status

    multipart = {"Content-Type": "multipart/form-data; boundary=x"}
    assert await status(b"{}", **{"Content-Type": "application/json"}) == 415
    assert await status(b"a=b", **{"Content-Type": "application/x-www-form-urlencoded"}) == 415
    assert await status(b"", **multipart) == 400
    assert await status(b"no boundary at all", **multipart) == 400
    assert await status(b"--x\r\n\r\n--x--\r\n", **multipart) == 400
    assert await status(b"--x\r\nContent-Disposition: form-data; name=file", **multipart) == 400
    assert await status(encoded(scene()), **{"Content-Type": "multipart/form-data"}) == 400
    only_text = FormData(default_to_multipart=True)
    only_text.add_field("file", "no file name")
    assert await status(only_text) == 400
    long = FormData(default_to_multipart=True)
    long.add_field("name", "x" * 100_000)
    assert await status(long) == 400
    many = FormData(default_to_multipart=True)
    for n in range(100):
        many.add_field(f"f{n}", "x")
    assert await status(many) == 400
    nested = MultipartWriter("form-data")
    nested.append(MultipartWriter("mixed"))
    assert await status(nested) == 400
    assert everything(folders) == []


async def test_a_connection_that_breaks_leaves_nothing(client: Client, folders: Folders) -> None:
    noise = encoded(Image.effect_noise((1500, 1500), 100))
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    body = head + noise + b"\r\n--x--\r\n"
    for share in (0.0, 0.01, 0.5, 0.999):
        reader, writer = await asyncio.open_connection(client.host, client.port)
        request = f"POST /v1/uploads HTTP/1.1\r\nHost: 127.0.0.1:{client.port}\r\n"
        request += f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(request.encode() + body[: int(len(body) * share)])
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.close()
        await reader.read()
    assert (await client.post("/v1/uploads", data=form(encoded(scene()), "after.png"))).status == 201
    assert everything(folders) == ["input/after.png"]


async def test_a_full_disk_is_an_error_that_says_so(client: Client, folders: Folders) -> None:
    (folders.input / "faces").write_text("a file where a folder should be")
    answer = await client.post("/v1/uploads", data=form(encoded(scene()), name="faces/a.png"))
    assert answer.status == 400
    assert "cannot write" in (await answer.json())["error"]["message"]


def test_a_clients_name_becomes_a_plain_one() -> None:
    assert plain_name("C:\\fakepath\\My photo.PNG") == "My photo.PNG"
    assert plain_name("../../etc/passwd") == "passwd"
    assert plain_name(".png") == "png"
    assert plain_name("...") == "picture"
    assert plain_name("") == "picture"
    assert plain_name("a\0\n\x7f\u202e.png") == "a.png"
    assert plain_name("é.png") == "é.png"
    assert len(plain_name("é" * 500 + ".png").encode()) <= 164
    assert plain_name("x.png [output]") == "x.png [output]"


async def test_a_mask_is_painted_onto_its_original(client: Client, folders: Folders) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("workflow", '{"darkroom": 1, "nodes": {}}')
    (folders.output / "set").mkdir(parents=True)
    (folders.output / "set" / "a.png").write_bytes(encoded(scene(), pnginfo=info))
    mask = Image.new("RGBA", (40, 24), (0, 0, 0, 255))
    mask.paste((0, 0, 0, 64), (10, 5, 20, 15))
    original = json.dumps({"filename": "a.png", "subfolder": "set", "type": "output"})
    answer = await client.post(
        "/v1/uploads/mask", data=form(encoded(mask), "masked.webp", name="masks/a", original=original)
    )
    assert answer.status == 201
    stored = await answer.json()
    assert (stored["filename"], stored["subfolder"], stored["width"]) == ("a.png", "masks", 40)
    found = pixels((folders.input / "masks" / "a.png").read_bytes())
    assert (found[..., :3] == pixels(encoded(scene()))[..., :3]).all()
    assert (found[..., 3] == pixels(encoded(mask))[..., 3]).all()
    kept = await (await client.get("/v1/metadata/input/masks/a.png")).json()
    assert kept["workflow"] == {"darkroom": 1, "nodes": {}}


@pytest.mark.parametrize(
    ("original", "status"),
    [
        (None, 400),
        ("", 400),
        ("[]", 400),
        ("[" * 100_00, 400),
        ('{"filename": 3}', 400),
        ('{"filename": ""}', 400),
        ('{"filename": "a.png", "type": ["input"]}', 400),
        ('{"filename": "missing.png"}', 404),
        ('{"filename": "a.png", "type": "user"}', 404),
        ('{"filename": "../a.png"}', 400),
        ('{"filename": "a.png", "subfolder": ".."}', 400),
        ('{"filename": "a.png", "subfolder": "/etc"}', 400),
        ('{"filename": "small.png"}', 400),
    ],
)
async def test_a_mask_needs_its_original(client: Client, folders: Folders, original: str | None, status: int) -> None:
    (folders.input / "a.png").write_bytes(encoded(scene()))
    (folders.input / "small.png").write_bytes(encoded(scene(8, 8)))
    fields = {} if original is None else {"original": original}
    answer = await client.post("/v1/uploads/mask", data=form(encoded(scene(mode="RGBA")), "mask.png", **fields))
    assert answer.status == status
    assert everything(folders) == ["input/a.png", "input/small.png"]


async def test_an_upload_does_not_hold_up_the_others(client: Client, folders: Folders) -> None:
    """Decoding takes long here; the loop goes on meanwhile."""
    data = encoded(Image.effect_noise((1500, 1500), 100).convert("RGB"))
    upload = asyncio.create_task(client.post("/v1/uploads", data=form(data)))
    answered = 0
    while not upload.done():
        assert (await client.get("/healthz")).status == 200
        answered += 1
    assert (await upload).status == 201
    assert answered > 3
    with Image.open(io.BytesIO((folders.input / "photo.png").read_bytes())) as stored:
        assert stored.size == (1500, 1500)


def test_the_server_starts_without_pillow() -> None:
    late = ("PIL", "numpy", "torch", "yaml")
    script = f"import sys, engine.http.app; print([each for each in {late} if each in sys.modules])"
    project = Path(__file__).resolve().parents[2]
    ran = subprocess.run([sys.executable, "-c", script], cwd=project, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
