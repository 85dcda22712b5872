"""What strangers upload becomes a plain picture, or a clear error."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from engine.errors import FileProblem
from engine.http.metadata import read_metadata
from engine.http.pictures import Remade, picture_size, remake, thumbnail, with_alpha_of
from tests.http.drawing import encoded, pixels, scene

ORIENTATION = 0x0112


def remade(data: bytes, name: str = "a.png", *, keep_texts: bool = False) -> Remade:
    return remake(io.BytesIO(data), name, keep_texts=keep_texts)


@pytest.mark.parametrize(
    ("kind", "suffix", "options"),
    [
        ("PNG", ".png", {}),
        ("WEBP", ".webp", {"lossless": True}),
        ("BMP", ".png", {}),
        ("TIFF", ".png", {}),
        ("GIF", ".png", {}),
    ],
)
def test_a_lossless_picture_keeps_every_pixel(kind: str, suffix: str, options: dict[str, object]) -> None:
    data = encoded(scene(), kind, **options)
    made = remade(data)
    assert (made.suffix, made.width, made.height) == (suffix, 40, 24)
    assert np.array_equal(pixels(made.data), pixels(data))


def test_a_jpeg_stays_a_jpeg_and_nearly_keeps_its_pixels() -> None:
    data = encoded(scene(), "JPEG", quality=85)
    made = remade(data, "Photo.JPG")
    assert made.suffix == ".JPG"
    assert np.abs(pixels(made.data) - pixels(data)).max() <= 6
    assert np.abs(pixels(made.data) - pixels(data)).mean() < 1


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_every_mode_of_png_comes_through(mode: str) -> None:
    data = encoded(scene(mode=mode), "PNG")
    assert np.array_equal(pixels(remade(data).data), pixels(data))


def test_16_bits_stay_16_bits() -> None:
    grey = Image.fromarray(np.linspace(0, 65535, 40 * 24).astype(np.uint16).reshape(24, 40))
    made = remade(encoded(grey, "PNG"))
    with Image.open(io.BytesIO(made.data)) as picture:
        assert np.array_equal(np.asarray(picture), np.asarray(grey))


def test_more_than_16_bits_are_an_error() -> None:
    with pytest.raises(FileProblem, match="save it with 8 or 16 bits"):
        remade(encoded(Image.fromarray(np.ones((4, 4), np.float32)), "TIFF"), "depth.tiff")


def test_a_palette_with_a_transparent_colour_becomes_alpha() -> None:
    picture = scene().quantize(8)
    data = encoded(picture, "PNG", transparency=0)
    made = remade(data)
    assert (pixels(made.data)[..., 3] == 0).sum() == (np.asarray(picture) == 0).sum() > 0
    assert np.array_equal(pixels(made.data), pixels(data))


def test_inks_become_lights() -> None:
    made = remade(encoded(scene(mode="CMYK"), "JPEG", quality=95, icc_profile=b"inks"), "print.jpg")
    with Image.open(io.BytesIO(made.data)) as picture:
        assert picture.mode == "RGB"
        assert "icc_profile" not in picture.info
    assert np.abs(pixels(made.data, "RGB") - np.asarray(scene()).astype(int)).mean() < 6


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_held_sideways_is_turned_upright(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    data = encoded(scene(), kind, exif=exif.tobytes(), **({"quality": 95} if kind == "JPEG" else {"lossless": True}))
    made = remade(data, "a.jpg")
    lying = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
    wanted = scene().transpose(lying[orientation]) if orientation > 1 else scene()
    assert (made.width, made.height) == wanted.size
    assert np.abs(pixels(made.data, "RGB") - np.asarray(wanted).astype(int)).mean() < 6  # of a hundred if it lay wrong
    with Image.open(io.BytesIO(made.data)) as picture:
        assert picture.getexif().get(ORIENTATION, 1) == 1


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_of_an_animation_the_first_frame_is_kept(kind: str) -> None:
    frames = [scene(), scene().transpose(Image.Transpose.ROTATE_180)]
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=50, **options)
    made = remade(data)
    assert np.abs(pixels(made.data, "RGB") - np.asarray(scene()).astype(int)).mean() < 8  # a GIF has a palette
    with Image.open(io.BytesIO(made.data)) as picture:
        assert getattr(picture, "n_frames", 1) == 1


def with_texts(texts: dict[str, str]) -> bytes:
    info = PngImagePlugin.PngInfo()
    for key, text in texts.items():
        info.add_text(key, text)
    return encoded(scene(), "PNG", pnginfo=info)


def test_metadata_is_dropped_but_for_the_workflow_when_asked() -> None:
    exif = Image.Exif()
    exif[0x010E] = "where the picture was taken"
    data = with_texts({"prompt": '{"1": {}}', "workflow": "{}", "Comment": "<script>", "parameters": "x"})
    with Image.open(io.BytesIO(remade(data).data)) as picture:
        assert picture.info == {}
    with Image.open(io.BytesIO(remade(data, keep_texts=True).data)) as picture:
        assert picture.info == {"prompt": '{"1": {}}', "workflow": "{}"}
    for kind in ("JPEG", "WEBP", "PNG"):
        tagged = encoded(scene(), kind, exif=exif.tobytes(), icc_profile=b"profile")
        with Image.open(io.BytesIO(remade(tagged, "a.jpg").data)) as picture:
            assert not picture.getexif()
            assert "icc_profile" not in picture.info


def test_a_webp_keeps_its_workflow_where_comfyui_puts_it(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0110], exif[0x010F] = 'prompt:{"3": {"class_type": "KSampler"}}', 'workflow:{"nodes": []}'
    data = encoded(scene(), "WEBP", lossless=True, exif=exif.tobytes())
    path = tmp_path / "a.webp"
    for each in (data, remade(data, keep_texts=True).data):
        path.write_bytes(each)
        found = read_metadata(path)
        assert (found.prompt, found.workflow) == ({"3": {"class_type": "KSampler"}}, {"nodes": []})
        assert (found.width, found.height) == (40, 24)
    path.write_bytes(remade(data).data)
    assert read_metadata(path).prompt is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"seed": 18446744073709551615}', {"seed": 18446744073709551615}),
        ('{"cfg": NaN, "b": [-Infinity, 1]}', {"cfg": None, "b": [None, 1]}),
        ("not JSON", None),
        ("[" * 100_000, None),
        ('{"a": NaN, "b": ' + "[" * 100 + "]" * 100 + "}", None),
        ('"' + "x" * 9_000_000 + '"', None),
    ],
)
def test_metadata_is_read_under_limits(tmp_path: Path, text: str, value: object) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encoded_with_chunk("prompt", text))
    assert read_metadata(path).prompt == value


def encoded_with_chunk(key: str, text: str) -> bytes:
    """A PNG with a text of any size, which Pillow would not write."""
    body = b"tEXt" + key.encode() + b"\0" + text.encode()
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    data = encoded(scene(), "PNG")
    return data[:33] + chunk + data[33:]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "it is empty"),
        (b"<html><script>alert(1)</script>", "of no format known here"),
        (b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "of no format known here"),
        (b"GIF89a<script>alert(1)</script>", "cannot be read as a picture"),
        (b"%PDF-1.7", "of no format known here"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "cannot be read as a picture"),
        (encoded(scene(), "PNG")[:-60], "cannot be read as a picture"),
        (encoded(scene(), "JPEG")[:-200], "cannot be read as a picture"),
        (encoded(scene(), "WEBP")[:-40], "cannot be read as a picture"),
        (encoded(scene(), "PPM"), "of no format known here"),
    ],
)
def test_what_is_no_whole_picture_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(FileProblem, match=words) as refused:
        remade(data, "evil.png")
    assert "evil.png" in str(refused.value)


@pytest.mark.parametrize(("width", "height"), [(8001, 8000), (2**31 - 1, 2**31 - 1), (100_000, 1000)])
def test_a_bomb_is_refused_by_its_header(width: int, height: int) -> None:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    header = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    with pytest.raises(FileProblem, match=r"megapixels|cannot be read"):
        remade(header + encoded(scene(), "PNG")[33:])


def test_a_text_bomb_is_refused(tmp_path: Path) -> None:
    body = b"zTXtprompt\0\0" + zlib.compress(b"0" * 200_000_000)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    data = encoded(scene(), "PNG")
    with pytest.raises(FileProblem, match="cannot be read as a picture"):
        remade(data[:33] + chunk + data[33:], keep_texts=True)


def test_of_a_polyglot_only_the_picture_is_left() -> None:
    script = b"<script>alert(document.domain)</script>"
    for kind in ("PNG", "JPEG", "GIF", "WEBP", "BMP"):
        data = encoded(scene(), kind) + script
        assert script not in remade(data, "a.jpg").data
        assert np.abs(pixels(remade(data, "a.jpg").data) - pixels(data)).mean() < 1


def test_a_suffix_that_lies_is_corrected() -> None:
    assert remade(encoded(scene(), "PNG"), "a.jpg").suffix == ".png"
    assert remade(encoded(scene(), "JPEG"), "a.html").suffix == ".jpg"
    assert remade(encoded(scene(), "WEBP"), "a.svg").suffix == ".webp"


def test_the_same_file_gives_the_same_bytes() -> None:
    for kind in ("PNG", "JPEG", "WEBP"):
        data = encoded(scene(), kind)
        assert remade(data) == remade(data)


def test_a_mask_becomes_the_alpha_of_the_original(tmp_path: Path) -> None:
    original = tmp_path / "photo.png"
    original.write_bytes(with_texts({"workflow": '{"darkroom": 1}', "Comment": "no"}))
    mask = Image.new("RGBA", (40, 24), (9, 9, 9, 255))
    mask.paste((0, 0, 0, 0), (10, 5, 20, 15))
    made = with_alpha_of(original, io.BytesIO(encoded(mask, "PNG")), "mask.png")
    found = pixels(made.data)
    assert np.array_equal(found[..., :3], np.asarray(scene()))
    assert np.array_equal(found[..., 3], np.asarray(mask)[..., 3])
    with Image.open(io.BytesIO(made.data)) as picture:
        assert picture.info == {"workflow": '{"darkroom": 1}'}
    with pytest.raises(FileProblem, match=r"the mask has 20x24 pixels and photo\.png has 40x24"):
        with_alpha_of(original, io.BytesIO(encoded(mask.resize((20, 24)), "PNG")), "mask.png")


def test_a_thumbnail_is_small_and_keeps_proportions_and_transparency(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encoded(scene(400, 200, "RGBA"), "PNG"))
    with Image.open(io.BytesIO(thumbnail(path, 64))) as small:
        assert (small.format, small.size, small.mode) == ("WEBP", (64, 32), "RGB")  # it is opaque all over
    holey = scene(400, 200, "RGBA")
    holey.putalpha(100)
    path.write_bytes(encoded(holey, "PNG"))
    with Image.open(io.BytesIO(thumbnail(path, 64))) as small:
        assert small.mode == "RGBA"
    path.write_bytes(encoded(Image.fromarray(np.full((300, 300), 40_000, np.uint16)), "PNG"))
    assert abs(pixels(thumbnail(path, 64))[5, 5, 0] - 40_000 // 256) <= 2
    path.write_bytes(encoded(scene(8, 8), "JPEG"))
    with Image.open(io.BytesIO(thumbnail(path, 64))) as small:
        assert small.size == (8, 8)


def test_the_size_of_a_picture_is_known_by_its_header(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encoded(scene(), "PNG")[:40])
    assert picture_size(path) == (40, 24)
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    for name, kind in (("a.jpg", "JPEG"), ("a.webp", "WEBP")):
        (tmp_path / name).write_bytes(encoded(scene(), kind, exif=exif.tobytes()))
        assert picture_size(tmp_path / name) == (24, 40)
    (tmp_path / "a.txt").write_text("words")
    assert picture_size(tmp_path / "a.txt") is None
    assert picture_size(tmp_path / "missing.png") is None


def test_a_stored_upload_loads_as_the_original_would(tmp_path: Path) -> None:
    from engine.pixels import read_picture

    grey = Image.fromarray(np.linspace(0, 65535, 40 * 24).astype(np.uint16).reshape(24, 40))
    sources = {
        "grey16": encoded(grey, "PNG"),
        "palette": encoded(scene().quantize(8), "PNG", transparency=0),
        "alpha": encoded(scene(mode="RGBA"), "PNG"),
        "key": encoded(scene(), "PNG", transparency=(255, 0, 0)),
        "bmp": encoded(scene(), "BMP"),
        "gif": encoded(scene(), "GIF"),
    }
    for name, data in sources.items():
        before, after = tmp_path / f"{name}.in", tmp_path / f"{name}.out"
        before.write_bytes(data)
        after.write_bytes(remade(data).data)
        for one, two in zip(read_picture(before), read_picture(after), strict=True):
            assert one.equal(two), name


def test_damage_anywhere_is_a_picture_or_an_error_of_ours() -> None:
    exif = Image.Exif()
    exif[ORIENTATION], exif[0x010E] = 6, "text"
    random = np.random.default_rng(0)
    refused = 0
    for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"):
        data = encoded(scene(), kind, **({} if kind in ("GIF", "BMP") else {"exif": exif.tobytes()}))
        for _ in range(150):
            damaged = bytearray(data)
            for place in random.integers(0, min(len(data), 300), 3):
                damaged[place] = random.integers(0, 256)
            try:
                remade(bytes(damaged), "a.jpg", keep_texts=True)
            except FileProblem:
                refused += 1
    assert 100 < refused < 800
