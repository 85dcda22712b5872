"""Checkpoints of PyTorch become safetensors; pickles that want more are refused, and nothing of them runs."""

from __future__ import annotations

import collections
import io
import os
import pickle
import struct
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from engine.errors import FileProblem, ModelFileError
from engine.ldm.weights import open_model
from engine.pickles.convert import convert

Tensors = dict[str, torch.Tensor]
SYSTEM: Any = vars(os)["system"]  # as attacks have it; called by its own name it is deprecated


def weights() -> Tensors:
    torch.manual_seed(0)
    shared = torch.randn(6, 4)
    return {
        "a.weight": shared,
        "a.again": shared,
        "turned": shared.T,
        "part": shared[1:3, ::2],
        "half": torch.randn(3).half(),
        "brain": torch.randn(3).bfloat16(),
        "count": torch.tensor(7),
        "mask": torch.tensor([True, False]),
        "bytes": torch.arange(5, dtype=torch.uint8),
        "nothing": torch.zeros(0, 3),
    }


def assert_converted(source: Path, expected: Tensors) -> None:
    target = source.with_suffix(".safetensors")
    done = convert(source, target, {"format": "pt"})
    assert done.tensors == len(expected)
    made = open_model(target).tensors()
    assert made.keys() == expected.keys()
    for name, tensor in expected.items():
        assert made[name].dtype == tensor.dtype, name
        assert torch.equal(made[name], tensor), name
    assert os.listdir(source.parent) == [each for each in os.listdir(source.parent) if not each.startswith(".")]


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_saved_table_of_weights_is_converted(tmp_path: Path, zipped: bool) -> None:
    torch.save(weights(), tmp_path / "model.ckpt", _use_new_zipfile_serialization=zipped)
    assert_converted(tmp_path / "model.ckpt", weights())


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_a_checkpoint_of_lightning_is_converted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zipped: bool) -> None:
    """As the original's are: callbacks, numpy's numbers and an optimizer beside the weights."""
    names = ("pytorch_lightning", "pytorch_lightning.callbacks", "pytorch_lightning.callbacks.model_checkpoint")
    module = ModuleType(names[-1])
    for name in names:
        monkeypatch.setitem(sys.modules, name, module)
    kind = type("ModelCheckpoint", (), {"__module__": names[-1]})
    monkeypatch.setattr(module, "ModelCheckpoint", kind, raising=False)
    callback = kind()
    callback.best = np.float64(0.25)  # type: ignore[attr-defined]
    content = {
        "epoch": 3,
        "callbacks": {kind: {"best_model_score": torch.tensor(1.0), "best": np.float32(2.0), "itself": callback}},
        "optimizer_states": [{"state": {0: {"exp_avg": torch.ones(2)}}, "param_groups": [{"lr": 1e-6}]}],
        "state_dict": collections.OrderedDict(weights()),
    }
    torch.save(content, tmp_path / "last.ckpt", _use_new_zipfile_serialization=zipped)
    assert_converted(tmp_path / "last.ckpt", weights())


def test_parameters_are_tensors_and_what_is_none_is_left_out(tmp_path: Path) -> None:
    content = {"state_dict": {"w": torch.nn.Parameter(torch.ones(2)), "step": 4}}
    torch.save(content, tmp_path / "model.pt")
    done = convert(tmp_path / "model.pt", tmp_path / "model.safetensors", {})
    assert (done.tensors, done.left_out) == (1, ("step",))


class Calls:
    """Pickles as a call, the way attacks do."""

    def __init__(self, called: Callable[..., Any], *arguments: Any) -> None:
        self.reduced = (called, arguments)

    def __reduce__(self) -> Any:
        return self.reduced


def raw(*parts: bytes) -> bytes:
    return b"\x80\x02" + b"".join(parts) + b"."


def name(module: str, attribute: str) -> bytes:
    return f"c{module}\n{attribute}\n".encode()


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def touch(path: Path) -> str:
    return f"touch {path}"


ATTACKS: dict[str, tuple[Callable[[Path], bytes], str]] = {
    "os.system": (lambda path: pickle.dumps(Calls(SYSTEM, touch(path))), "posix.system"),
    "eval": (lambda path: pickle.dumps(Calls(eval, f"open({str(path)!r}, 'w')")), "builtins.eval"),
    "exec in protocol 0": (lambda path: pickle.dumps(Calls(exec, "1"), protocol=0), "__builtin__.exec"),
    "getattr": (lambda path: pickle.dumps(Calls(getattr, Calls(__import__, "os"), "system")), "builtins.getattr"),
    "hidden in the weights": (
        lambda path: pickle.dumps({"state_dict": {"w": Calls(SYSTEM, touch(path))}}),
        "posix.system",
    ),
    "nested in an innocent call": (
        lambda path: pickle.dumps(Calls(collections.OrderedDict, [("a", Calls(SYSTEM, touch(path)))])),
        "posix.system",
    ),
    "attributes of an allowed module": (
        lambda path: raw(b"\x8c\x0ctorch._utils", b"\x8c\x10_import_dotted_n", b"\x93"),
        "torch._utils._import_dotted_n",
    ),
    "climbing from an allowed name": (
        lambda path: raw(b"\x8c\x0bcollections", b"\x8c\x17OrderedDict.__globals__", b"\x93"),
        "OrderedDict.__globals__",
    ),
    "a class of an uninteresting package's own imports": (
        lambda path: raw(name("pytorch_lightning.utilities", "os.__builtins__")),
        "os.__builtins__",
    ),
    "a pickle inside": (
        lambda path: raw(name("torch.storage", "_load_from_bytes"), b"C\x02\x80\x02", b"\x85R"),
        "torch.storage._load_from_bytes",
    ),
    "a stored call under another memo": (
        lambda path: raw(name("posix", "system"), b"q\x05", b"0", b"h\x05", text(touch(path)), b"\x85R"),
        "posix.system",
    ),
    "instances in the old way": (lambda path: raw(b"(", text(touch(path)), b"iposix\nsystem\n"), "posix.system"),
    "extensions": (lambda path: raw(b"\x82\x01"), "EXT1"),
    "calling what is no name": (lambda path: raw(text("x"), b")R"), "calls a str"),
    "a memo that was never written": (lambda path: raw(b"j\xff\xff\xff\x7f"), "damaged"),
    "text longer than the file": (lambda path: raw(b"\x8d" + struct.pack("<Q", 2**62)), "damaged"),
    "an empty stack": (lambda path: raw(b"0000"), "damaged"),
    "no end": (lambda path: b"\x80\x02N", "damaged"),
}


def zipped(pickled: bytes, **members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", pickled)
        for key, data in members.items():
            archive.writestr(f"archive/data/{key.removeprefix('k')}", data)
    return buffer.getvalue()


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_malicious_pickle_is_refused_by_name_and_nothing_runs(tmp_path: Path, attack: str) -> None:
    make, reason = ATTACKS[attack]
    evidence, folder = tmp_path / "evidence", tmp_path / "folder"
    folder.mkdir()
    (folder / "model.ckpt").write_bytes(zipped(make(evidence)))
    with pytest.raises(ModelFileError, match=reason.replace(".", r"\.")):
        convert(folder / "model.ckpt", folder / "model.safetensors", {})
    assert not evidence.exists()
    assert os.listdir(folder) == ["model.ckpt"]


def test_a_malicious_pickle_without_a_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_bytes(pickle.dumps(Calls(SYSTEM, touch(tmp_path / "evidence"))))
    with pytest.raises(ModelFileError, match=r"posix\.system"):
        convert(tmp_path / "model.pt", tmp_path / "model.safetensors", {})
    assert os.listdir(tmp_path) == ["model.pt"]


def tensor(size: int, shape: tuple[int, ...], stride: tuple[int, ...], offset: int = 0) -> bytes:
    """A table of one tensor in a storage of `size` numbers, called "0"."""

    def numbers(values: tuple[int, ...]) -> bytes:
        return b"(" + b"".join(b"\x8a\x08" + struct.pack("<q", value) for value in values) + b"t"

    storage = b"(" + text("storage") + name("torch", "FloatStorage") + text("0") + text("cpu") + numbers((size,))[1:-1]
    rebuilt = b"(" + storage + b"tQ" + numbers((offset,))[1:-1] + numbers(shape) + numbers(stride) + b"\x89}t"
    return raw(b"}" + text("w") + name("torch._utils", "_rebuild_tensor_v2") + rebuilt + b"Rs")


@pytest.mark.parametrize(
    ("pickled", "reason"),
    [
        (tensor(4, (2**40,), (0,)), "does not fit"),
        (tensor(2**40, (2**40,), (1,)), "many times"),
        (tensor(4, (2, 2), (1, 2**30)), "does not fit"),
        (tensor(4, (4,), (1,), offset=1), "does not fit"),
        (tensor(4, (-4,), (1,)), "where a size should be"),
        (tensor(8, (8,), (1,)), "cut short"),
    ],
    ids=["repeated without end", "huge storage", "wide steps", "behind the end", "negative", "short storage"],
)
def test_a_tensor_larger_than_its_data_is_refused(tmp_path: Path, pickled: bytes, reason: str) -> None:
    (tmp_path / "model.ckpt").write_bytes(zipped(pickled, k0=b"\0" * 16))
    with pytest.raises(ModelFileError, match=reason):
        convert(tmp_path / "model.ckpt", tmp_path / "model.safetensors", {})
    assert os.listdir(tmp_path) == ["model.ckpt"]


def test_a_tensor_made_by_hand_is_read(tmp_path: Path) -> None:
    (tmp_path / "model.ckpt").write_bytes(zipped(tensor(4, (2,), (2,), 1), k0=struct.pack("<4f", 1, 2, 3, 4)))
    assert_converted(tmp_path / "model.ckpt", {"w": torch.tensor([2.0, 4.0])})


def test_a_pickle_that_never_ends_to_compute_is_stopped(tmp_path: Path) -> None:
    """The hash of a pair of itself, sixty deep, takes 2^60 steps."""
    (tmp_path / "model.ckpt").write_bytes(zipped(raw(b"}", b")", b"2\x86" * 60, b"Ns")))
    with pytest.raises(ModelFileError, match=r"longer than|more than the"):
        convert(tmp_path / "model.ckpt", tmp_path / "model.safetensors", {}, seconds=1)
    assert os.listdir(tmp_path) == ["model.ckpt"]


def test_a_pickle_that_fills_memory_is_stopped(tmp_path: Path) -> None:
    """One list of ten thousand pairs, made a table again and again."""
    pairs = b"](" + b"".join(b"J" + struct.pack("<i", i) + b"N\x86" for i in range(10_000)) + b"e\x85q\x000"
    tables = name("collections", "OrderedDict") + b"q\x010" + b"h\x01h\x00R" * 100_000
    (tmp_path / "model.ckpt").write_bytes(zipped(raw(pairs, tables)))
    with pytest.raises(ModelFileError, match="more memory than weights do"):
        convert(tmp_path / "model.ckpt", tmp_path / "model.safetensors", {}, memory=600 * 2**20)
    assert os.listdir(tmp_path) == ["model.ckpt"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"PK\x03\x04 and nothing more", "damaged"),
        (b"something else", "no PyTorch checkpoint"),
        (pickle.dumps({"a": 1}), "no PyTorch checkpoint"),
        (zipped(pickle.dumps({"epoch": 1, "state_dict": {}})), "no weights in the file; it has epoch, state_dict"),
        (zipped(pickle.dumps([1])), "a list, no table of weights"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "model.ckpt").write_bytes(content)
    with pytest.raises(ModelFileError, match=reason):
        convert(tmp_path / "model.ckpt", tmp_path / "model.safetensors", {})


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    for zip_format in (True, False):
        torch.save({"w": torch.ones(4000)}, tmp_path / "whole.ckpt", _use_new_zipfile_serialization=zip_format)
        whole = (tmp_path / "whole.ckpt").read_bytes()
        (tmp_path / "model.ckpt").write_bytes(whole[: len(whole) // 2])
        with pytest.raises(ModelFileError, match=r"damaged|cut short"):
            convert(tmp_path / "model.ckpt", tmp_path / "model.safetensors", {})


def test_an_older_file_stays_when_the_new_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_text("older")
    (tmp_path / "model.ckpt").write_bytes(zipped(pickle.dumps(Calls(eval, "1"))))
    with pytest.raises(ModelFileError):
        convert(tmp_path / "model.ckpt", tmp_path / "model.safetensors", {})
    assert (tmp_path / "model.safetensors").read_text() == "older"


def test_a_folder_that_cannot_be_written_to_is_said(tmp_path: Path) -> None:
    torch.save(weights(), tmp_path / "model.ckpt")
    with pytest.raises(FileProblem, match="cannot write"):
        convert(tmp_path / "model.ckpt", tmp_path / "nowhere" / "model.safetensors", {})
