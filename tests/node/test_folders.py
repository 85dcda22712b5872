"""Names in workflows become files, and never lead out of the user's folders."""

from __future__ import annotations

import os
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import FileProblem
from engine.node.folders import EMBEDDED_MODELS, Folders


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return replace(Folders.under(tmp_path), models=(tmp_path / "models",), examples=())


def put(path: Path, content: bytes = b"x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_a_name_is_looked_up_in_its_folder(folders: Folders, tmp_path: Path) -> None:
    image = put(tmp_path / "input" / "cats" / "tom.png")
    weights = put(tmp_path / "models" / "checkpoints" / "sd15.safetensors")
    assert folders.resolve("input", "cats/tom.png") == image
    assert folders.resolve("input", "cats\\tom.png") == image
    assert folders.resolve("checkpoints", "sd15.safetensors") == weights


def test_roots_are_searched_in_order(folders: Folders, tmp_path: Path) -> None:
    second = put(tmp_path / "more" / "vae" / "a.safetensors")
    both = replace(folders, models=(tmp_path / "models", tmp_path / "more"))
    assert both.resolve("vae", "a.safetensors") == second
    first = put(tmp_path / "models" / "vae" / "a.safetensors")
    assert both.resolve("vae", "a.safetensors") == first


def test_old_folder_names_still_work(folders: Folders, tmp_path: Path) -> None:
    old = put(tmp_path / "models" / "unet" / "flat.safetensors")
    new = put(tmp_path / "models" / "diffusion_models" / "new.safetensors")
    assert folders.resolve("diffusion_models", "flat.safetensors") == old
    assert folders.resolve("unet", "new.safetensors") == new
    assert folders.list("unet") == ["flat.safetensors", "new.safetensors"]


def test_an_extra_folder_is_searched_too(folders: Folders, tmp_path: Path) -> None:
    elsewhere = put(tmp_path / "elsewhere" / "a.safetensors")
    more = replace(folders, extra={"loras": (tmp_path / "elsewhere",), "datasets": (tmp_path / "elsewhere",)})
    assert more.resolve("loras", "a.safetensors") == elsewhere
    assert more.resolve("datasets", "a.safetensors") == elsewhere


def test_the_embedded_models_are_always_searched(tmp_path: Path) -> None:
    assert Folders.under(tmp_path).models == (tmp_path / "models", EMBEDDED_MODELS)
    assert Folders.under(EMBEDDED_MODELS.parent).models == (EMBEDDED_MODELS,)


def test_an_example_picture_stands_in_for_a_missing_input(tmp_path: Path) -> None:
    folders = replace(Folders.under(tmp_path), examples=(tmp_path / "examples",))
    example = put(tmp_path / "examples" / "cat.png")
    assert folders.resolve("input", "cat.png") == example
    assert folders.list("input") == ["cat.png"]
    own = put(tmp_path / "input" / "cat.png")
    assert folders.resolve("input", "cat.png") == own
    assert folders.place("input", "cat.png") == own


def test_an_input_may_come_from_another_folder(folders: Folders, tmp_path: Path) -> None:
    saved = put(tmp_path / "output" / "a.png")
    assert folders.resolve("input", "a.png [output]") == saved
    with pytest.raises(FileProblem):
        folders.resolve("checkpoints", "a.png [output]")


BAD = [
    ("", "is empty"),
    ("   ", "is empty"),
    (".", "names no file"),
    ("/etc/passwd", "absolute path"),
    ("~/secret", "absolute path"),
    ("C:\\Windows\\win.ini", "absolute path"),
    ("c:secret", "absolute path"),
    ("\\\\server\\share\\x", "absolute path"),
    ("../secret", "leads out of the folder with '..'"),
    ("a/../../secret", "leads out of the folder with '..'"),
    ("a\\..\\..\\secret", "leads out of the folder with '..'"),
    ("../secret [output]", "leads out of the folder with '..'"),
    ("a\0.png", "characters that no file name has"),
    ("a\n.png", "characters that no file name has"),
    ("\ud800.png", "characters that no file name has"),
    ("NUL", "names a device"),
    ("sub/com1.png", "names a device"),
    ("x" * 300, "300 bytes long"),
    ("/".join(["x" * 200] * 8), "are allowed"),
]


@pytest.mark.parametrize(("name", "words"), BAD)
def test_a_name_that_leads_elsewhere_is_refused(folders: Folders, tmp_path: Path, name: str, words: str) -> None:
    put(tmp_path / "secret")
    with pytest.raises(FileProblem, match=re.escape(words)):
        folders.resolve("input", name)
    with pytest.raises(FileProblem, match=re.escape(words)):
        folders.next_output(name.removesuffix(" [output]"))


@given(st.text(max_size=40))
def test_no_name_at_all_leads_outside(name: str) -> None:
    here = Path(__file__).resolve().parent
    try:
        found = replace(Folders.under(here), input=here).resolve("input", name)
    except FileProblem:
        return
    assert found.is_relative_to(here)


def test_links_that_lead_outside_are_refused_and_not_listed(folders: Folders, tmp_path: Path) -> None:
    put(tmp_path / "secret.png")
    put(tmp_path / "private" / "diary.png")
    real = put(tmp_path / "input" / "real.png")
    (tmp_path / "input" / "link.png").symlink_to(tmp_path / "secret.png")
    (tmp_path / "input" / "door").symlink_to(tmp_path / "private")
    (tmp_path / "input" / "alias.png").symlink_to(real)
    (tmp_path / "input" / "round.png").symlink_to(tmp_path / "input" / "round.png")
    for name in ("link.png", "door/diary.png"):
        with pytest.raises(FileProblem, match="link that leads out of"):
            folders.resolve("input", name)
    with pytest.raises(FileProblem, match=r"there is no 'round\.png'"):
        folders.resolve("input", "round.png")
    assert folders.resolve("input", "alias.png") == real
    assert folders.list("input") == ["alias.png", "real.png"]


def test_a_root_may_itself_be_a_link(folders: Folders, tmp_path: Path) -> None:
    real = put(tmp_path / "disk" / "a.png")
    (tmp_path / "input").symlink_to(tmp_path / "disk")
    assert folders.resolve("input", "a.png") == real


def test_what_is_no_regular_file_is_refused(folders: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "input" / "folder").mkdir(parents=True)
    os.mkfifo(tmp_path / "input" / "pipe.png")
    with pytest.raises(FileProblem, match="is a folder; choose a file in it"):
        folders.resolve("input", "folder")
    with pytest.raises(FileProblem, match="is not a file"):
        folders.resolve("input", "pipe.png")
    with pytest.raises(FileProblem, match="is not a folder"):
        folders.resolve("input", "pipe.png", "folder")
    assert folders.resolve("input", "folder", "folder") == tmp_path / "input" / "folder"
    monkeypatch.chdir(tmp_path)  # a socket's path is limited to 108 bytes
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("input/door.png")
        with pytest.raises(FileProblem, match="is not a file"):
            folders.resolve("input", "door.png")


def test_a_missing_file_names_the_nearest_and_where_it_looked(folders: Folders, tmp_path: Path) -> None:
    put(tmp_path / "models" / "checkpoints" / "Emoji-64.safetensors")
    with pytest.raises(FileProblem) as missing:
        folders.resolve("checkpoints", "emoji64.safetensors")
    assert "did you mean Emoji-64.safetensors?" in str(missing.value)
    assert str(tmp_path / "models" / "checkpoints") in str(missing.value)
    with pytest.raises(FileProblem, match=r"there are Emoji-64\.safetensors"):
        folders.resolve("checkpoints", "something else")
    with pytest.raises(FileProblem, match="the folder is empty"):
        folders.resolve("vae", "x.safetensors")


def test_an_unknown_folder_names_the_known_ones(folders: Folders) -> None:
    with pytest.raises(FileProblem, match="there is no folder 'checkpoint'; the folders are input, output"):
        folders.resolve("checkpoint", "x")


def test_a_list_holds_what_a_user_may_choose(folders: Folders, tmp_path: Path) -> None:
    for name in ("B.safetensors", "a.safetensors", "sub/c.safetensors", "notes.txt", ".hidden.safetensors"):
        put(tmp_path / "models" / "loras" / name)
    assert folders.list("loras") == ["a.safetensors", "B.safetensors", "sub/c.safetensors"]
    assert folders.list("vae") == []


def test_outputs_are_counted_from_the_highest_there_is(folders: Folders, tmp_path: Path) -> None:
    put(tmp_path / "output" / "cats" / "tom_00041_.png")
    put(tmp_path / "output" / "cats" / "tom_jerry_00099_.png")
    first = folders.next_output("cats/tom")
    assert first == tmp_path / "output" / "cats" / "tom_00042_.png"
    assert folders.next_output("cats/tom", ".webp") == tmp_path / "output" / "cats" / "tom_00043_.webp"
    assert folders.next_output("x", folder="temp") == tmp_path / "temp" / "x_00001_.png"
    assert not first.exists()


def test_threads_never_get_the_same_name(folders: Folders) -> None:
    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(lambda _: folders.next_output("a"), range(64)))
    assert len(set(names)) == 64


def test_saving_never_overwrites_what_another_process_saved(folders: Folders) -> None:
    expected = folders.next_output("a")
    other = Folders(folders.input, folders.output, folders.temp, folders.cache, folders.user)
    assert other.save(b"theirs", "a") == expected
    folders._last.clear()  # pyright: ignore[reportPrivateUsage]  as if this process had counted before the other saved
    mine = folders.save(b"mine", "a")
    assert (expected.read_bytes(), mine.read_bytes()) == (b"theirs", b"mine")
    assert sorted(path.name for path in folders.output.iterdir()) == ["a_00001_.png", "a_00002_.png"]


def test_tokens_in_a_prefix_are_filled_in(folders: Folders) -> None:
    path = folders.next_output(
        "%year%/%width%x%height%-%batch_num%-%date:yyyy-MM-dd%-%other%", width=64, height=32, batch=3
    )
    assert re.fullmatch(r"64x32-3-\d{4}-\d\d-\d\d-%other%_00001_\.png", path.name)
    assert re.fullmatch(r"\d{4}", path.parent.name)


def test_a_folder_in_the_output_that_leads_outside_is_refused(folders: Folders, tmp_path: Path) -> None:
    (tmp_path / "private").mkdir()
    (tmp_path / "output").mkdir()
    (tmp_path / "output" / "door").symlink_to(tmp_path / "private")
    with pytest.raises(FileProblem, match="link that leads out of"):
        folders.next_output("door/a")
    put(tmp_path / "output" / "file")
    with pytest.raises(FileProblem, match="cannot make the folder"):
        folders.next_output("file/a")


def test_the_default_folders_follow_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DARKROOM_HOME", str(tmp_path))
    assert Folders.default() == Folders.under(tmp_path)
    monkeypatch.delenv("DARKROOM_HOME")
    checkout = Folders.default()
    assert checkout.output == EMBEDDED_MODELS.parent / "output"
    assert checkout.with_output(tmp_path).output == tmp_path
