"""Models that lie elsewhere are found by the file that ComfyUI's users have."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import pytest

from engine.errors import FileProblem
from engine.node.extra_paths import FILE_NAME, VARIABLE, with_extra_paths
from engine.node.folders import EXAMPLE_PICTURES, Folders


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv(VARIABLE, raising=False)
    home = tmp_path / "home"
    home.mkdir()
    return home


def put(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


def read(home: Path, text: str) -> Folders:
    (home / FILE_NAME).write_text(dedent(text))
    return with_extra_paths(replace(Folders.under(home), models=(home / "models",)), home)


def test_comfyuis_own_example_is_understood(home: Path, tmp_path: Path) -> None:
    folders = read(
        home,
        f"""\
        # Rename this to extra_model_paths.yaml
        a111:
            base_path: {tmp_path}/webui/

            checkpoints: models/Stable-diffusion
            configs: models/Stable-diffusion
            vae: models/VAE
            loras: |
                 models/Lora
                 models/LyCORIS
            embeddings: embeddings

        #comfyui:
        #     base_path: path/to/comfyui/
        other_ui:
        """,
    )
    webui = tmp_path / "webui"
    assert folders.roots("checkpoints") == (home / "models" / "checkpoints", webui / "models" / "Stable-diffusion")
    assert folders.roots("loras") == (
        home / "models" / "loras",
        webui / "models" / "Lora",
        webui / "models" / "LyCORIS",
    )
    found = put(webui / "models" / "LyCORIS" / "set" / "a.safetensors")
    assert folders.resolve("loras", "set/a.safetensors") == found
    assert folders.list("loras") == ["set/a.safetensors"]


def test_our_own_models_come_first_unless_the_file_says_otherwise(home: Path, tmp_path: Path) -> None:
    own, other = put(home / "models" / "vae" / "a.safetensors"), put(tmp_path / "other" / "a.safetensors")
    section = f"here:\n  vae: {other.parent}\n"
    assert read(home, section).resolve("vae", "a.safetensors") == own
    default = read(home, section + "  is_default: true\n")
    assert default.resolve("vae", "a.safetensors") == other
    assert default.place("vae", "new.safetensors") == tmp_path / "other" / "new.safetensors"


def test_paths_are_relative_to_the_file_and_filled_in(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    monkeypatch.setenv("BIG_DISK", str(tmp_path / "big"))
    folders = read(
        home,
        """\
        relative: {vae: ../shared/vae, checkpoints: models}
        mine: {base_path: ~/ai, vae: vae}
        disk: {base_path: $BIG_DISK/models, vae: [vae one, /absolute/vae]}
        """,
    )
    assert folders.roots("vae")[1:] == (
        tmp_path / "shared" / "vae",
        tmp_path / "me" / "ai" / "vae",
        tmp_path / "big" / "models" / "vae one",
        Path("/absolute/vae"),
    )


def test_old_and_new_keys_are_understood_and_plugins_left_out(home: Path, tmp_path: Path) -> None:
    folders = read(
        home,
        f"""\
        comfyui:
          base_path: {tmp_path}/comfy
          unet: models/unet
          clip: |
            models/clip
            models/text_encoders
          custom_nodes: custom_nodes
          ipadapter: models/ipadapter
          vae:
        """,
    )
    comfy = tmp_path / "comfy" / "models"
    assert comfy / "unet" in folders.roots("diffusion_models")
    assert folders.roots("clip")[-2:] == (comfy / "clip", comfy / "text_encoders")
    put(comfy / "ipadapter" / "a.bin")
    assert folders.list("ipadapter") == ["a.bin"]
    with pytest.raises(FileProblem, match="there is no folder 'custom_nodes'"):
        folders.roots("custom_nodes")


def test_input_and_output_stay_where_they_are(home: Path) -> None:
    folders = read(home, "here: {is_default: true, input: /etc, output: /etc, temp: /etc}")
    assert folders.roots("input") == (home / "input", EXAMPLE_PICTURES)
    assert folders.roots("output") == (home / "output",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", "is no YAML: line 1, column 5"),
        ("a:\n  vae: x\n b: y", "is no YAML: line 3"),
        ("!!python/object/apply:os.system ['true']", "is no YAML: line 1"),
        ("just words", "the file should be names with values"),
        ("- a\n- b", "the file should be names with values"),
        ("vae: models/vae", "section 'vae' should be names with values"),
        ("a: {vae: 3}", "a.vae should be a folder"),
        ("a: {vae: {x: y}}", "a.vae should be a folder"),
        ("a: {vae: [1]}", "a.vae should be a folder"),
        ("a: {base_path: [x], vae: y}", "a.base_path should be a folder"),
        ("a: {is_default: perhaps}", "a.is_default should be true or false"),
        ("a: {'../vae': x}", "the name of a model folder"),
        ("a: &a {vae: x}\nb: *c", "is no YAML: line 2"),
        ('a: {vae: "x\\0y"}', "a.vae should be a folder"),
    ],
)
def test_a_broken_file_is_an_error_that_says_where(home: Path, text: str, words: str) -> None:
    with pytest.raises(FileProblem) as refused:
        read(home, text)
    assert words in str(refused.value)
    assert str(home / FILE_NAME) in str(refused.value)


def test_an_empty_file_adds_nothing(home: Path) -> None:
    for text in ("", "# only a comment\n", "a:\n", "\ufeff"):
        assert read(home, text) == replace(Folders.under(home), models=(home / "models",))


def test_more_files_are_named_by_the_environment(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(2):
        (tmp_path / f"{n}.yaml").write_text(f"here: {{vae: folder{n}}}")
    monkeypatch.setenv("DARKROOM_HOME", str(home))
    monkeypatch.setenv(VARIABLE, os.pathsep.join(str(tmp_path / f"{n}.yaml") for n in range(2)))
    (home / FILE_NAME).write_text("own: {vae: own}")
    added = [path for path in Folders.default().roots("vae") if path.name.startswith(("own", "folder"))]
    assert added == [home / "own", tmp_path / "folder0", tmp_path / "folder1"]
    monkeypatch.setenv(VARIABLE, str(tmp_path / "missing.yaml"))
    with pytest.raises(FileProblem, match=r"missing\.yaml cannot be read"):
        Folders.default()


def test_yaml_is_loaded_only_where_there_is_such_a_file(home: Path) -> None:
    script = "import sys; from engine.node.folders import Folders; Folders.default(); print('yaml' in sys.modules)"

    def loaded() -> str:
        environment = {**os.environ, "DARKROOM_HOME": str(home)}
        project = Path(__file__).resolve().parents[2]
        ran = subprocess.run(
            [sys.executable, "-c", script], cwd=project, env=environment, capture_output=True, text=True, check=True
        )
        return ran.stdout.strip()

    assert loaded() == "False"
    (home / FILE_NAME).write_text("a: {vae: x}")
    assert loaded() == "True"


def test_the_example_in_the_docs_is_understood(home: Path) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "files.md").read_text()
    example = page.split("```yaml\n")[1].split("```")[0]
    folders = read(home, example)
    me = Path.home()
    assert folders.roots("loras")[1:] == (me / "ComfyUI" / "models" / "loras", Path("/mnt/big/loras"))
    assert me / "ComfyUI" / "models" / "unet" in folders.roots("diffusion_models")
    assert folders.roots("embeddings")[-1] == me / "stable-diffusion-webui" / "embeddings"
