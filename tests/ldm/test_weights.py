"""Model files: what is read, what is refused and how, what is written."""

import json
import os
import pickle
import struct

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from engine.errors import FileProblem, ModelFileError
from engine.ldm.header import read_header
from engine.ldm.weights import load_strict, open_model, read_json_metadata, save_model

TENSORS = {
    "a.weight": torch.arange(6, dtype=torch.float32).reshape(2, 3),
    "b": torch.tensor(7, dtype=torch.int32),
    "half": torch.randn(3).half(),
    "brain": torch.randn(2, 2).bfloat16(),
    "flags": torch.tensor([True, False]),
    "none": torch.zeros(0, 4),
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def write(path, header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + data)


def entry(dtype="F32", shape=(1,), offsets=(0, 4)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


def test_what_is_saved_is_read_again_with_its_metadata(path):
    save_model(path, TENSORS, {"title": "Ünicode"})
    file = open_model(path)
    assert file.metadata == {"title": "Ünicode"}
    assert file.shapes() == {name: tuple(tensor.shape) for name, tensor in TENSORS.items()}
    for name, tensor in file.tensors().items():
        assert tensor.dtype == TENSORS[name].dtype
        assert torch.equal(tensor, TENSORS[name])


def test_files_are_exchanged_with_the_safetensors_library_in_both_directions(path):
    save_model(path, TENSORS)
    assert all(torch.equal(tensor, TENSORS[name]) for name, tensor in load_file(path).items())
    save_file(TENSORS, path, {"format": "pt"})
    assert all(torch.equal(tensor, TENSORS[name]) for name, tensor in open_model(path).tensors().items())


def test_the_same_content_gives_the_same_bytes(path):
    save_model(path, TENSORS, {"b": "2", "a": "1"})
    first = path.read_bytes()
    save_model(path, dict(reversed(TENSORS.items())), {"a": "1", "b": "2"})
    assert path.read_bytes() == first


def test_a_prefix_selects_and_is_removed(path):
    save_model(path, {"model.x": torch.ones(1), "other.x": torch.zeros(1)})
    assert list(open_model(path).tensors("model.")) == ["x"]
    assert open_model(path).shapes("model.") == {"x": (1,)}


def test_writing_to_a_loaded_tensor_leaves_the_file_alone(path):
    save_model(path, TENSORS)
    before = path.read_bytes()
    open_model(path).tensor("a.weight").add_(1)
    assert path.read_bytes() == before


def test_tensors_are_views_of_the_file_and_not_copies(path):
    save_model(path, {"x": torch.ones(1000)})
    file = open_model(path)
    assert file.tensor("x").data_ptr() == file.tensor("x").data_ptr()


def test_a_file_larger_than_memory_is_opened(path):
    size = 2**40
    entries = {"a": entry("U8", (size,), (0, size))}
    write(path, entries)
    try:
        with path.open("ab") as file:
            file.truncate(file.tell() + size)
    except OSError:
        pytest.skip("this disk holds no file of a terabyte, not even a hollow one")
    assert open_model(path).tensor("a")[-1] == 0


def test_a_failed_save_keeps_the_old_file_and_leaves_no_pieces(path, monkeypatch):
    save_model(path, {"x": torch.ones(1)})

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FileProblem, match="No space left"):
        save_model(path, {"x": torch.zeros(1)})
    assert open_model(path).tensor("x") == 1
    assert os.listdir(path.parent) == [path.name]


def test_saving_into_a_file_instead_of_a_folder_is_one_sentence(tmp_path):
    (tmp_path / "x").write_text("")
    with pytest.raises(FileProblem, match="cannot write"):
        save_model(tmp_path / "x" / "model.safetensors", TENSORS)


def refused(path, *words):
    with pytest.raises(ModelFileError) as caught:
        open_model(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    for word in words:
        assert word in message


def test_missing_directory_empty_and_special_files_are_named(path, tmp_path):
    refused(path, "does not exist")
    refused(tmp_path, "is a directory")
    path.write_bytes(b"")
    refused(path, "is empty")
    os.mkfifo(tmp_path / "pipe")
    refused(tmp_path / "pipe", "not a regular file")


def test_an_unreadable_file_is_named(path):
    save_model(path, TENSORS)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user reads every file")
    refused(path, "cannot be read")


def test_pickles_are_refused_whatever_their_name(path):
    torch.save({"x": torch.ones(2)}, path)
    refused(path, "PyTorch checkpoint", "any code")
    path.write_bytes(pickle.dumps({"x": 1}))
    refused(path, "pickle", "any code")
    torch.save({"x": torch.ones(2)}, path, _use_new_zipfile_serialization=False)
    refused(path, "pickle", "any code")


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"GGUF" + b"\0" * 40, "GGUF"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "Git LFS"),
        (b"<!DOCTYPE html><html></html>", "web page"),
        (b'{"a": 1, "b": [1, 2, 3]}', "JSON"),
        (b"short", "not a safetensors file"),
        (b"\0" * 64, "not a safetensors file"),
    ],
)
def test_other_kinds_of_file_are_called_by_their_name(path, content, word):
    path.write_bytes(content)
    refused(path, word)


@pytest.mark.parametrize("share", [0.001, 0.3, 0.7, 0.999])
def test_a_truncated_file_is_refused(path, share):
    save_model(path, {f"tensor{i}": torch.ones(10) for i in range(50)})
    content = path.read_bytes()
    path.write_bytes(content[: max(int(len(content) * share), 1)])
    refused(path)


LIES = {
    "a header longer than the file": (b"{}", 10**6, "cut short"),
    "a header of 2^60 bytes": (b"{}", 2**60, "damaged"),
    "broken JSON": (b'{"a": ', None, "damaged header"),
    "nested without end": (b'{"a":' * 20_000, None, "damaged header"),
    "a name twice": (
        b'{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}',
        None,
        "twice",
    ),
    "metadata that is no text": ({"__metadata__": {"a": 1}}, None, "metadata"),
    "metadata that is no table": ({"__metadata__": []}, None, "metadata"),
    "an entry that is no table": ({"a": 1}, None, "proper dtype"),
    "an unknown dtype": ({"a": entry("F31")}, None, "unknown dtype"),
    "a negative size": ({"a": entry(shape=(-1,))}, None, "proper dtype"),
    "a size that is true": ({"a": entry(shape=(True,))}, None, "proper dtype"),
    "a fractional size": ({"a": entry(shape=(1.0,))}, None, "proper dtype"),
    "a size beyond counting": ({"a": entry(shape=(2**62, 2**62))}, None, "needs"),
    "a hundred dimensions": ({"a": entry(shape=(1,) * 100)}, None, "dimensions"),
    "offsets that run backwards": ({"a": entry(offsets=(4, 0))}, None, "needs 4 bytes"),
    "too few bytes for the shape": ({"a": entry(shape=(2,))}, None, "needs 8 bytes"),
    "an overlap": ({"a": entry(), "b": entry(offsets=(2, 6))}, None, "overlaps"),
    "a gap": ({"a": entry(offsets=(4, 8))}, None, "gap"),
    "data beyond the end": ({"a": entry(shape=(3,), offsets=(0, 12))}, None, "cut short"),
    "data that belongs to nothing": ({"a": entry(shape=(1,))}, None, "beyond its last tensor"),
    "no text in UTF-8": (b'{"\xff\xfe": 1}', None, "damaged header"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_header_that_lies_is_refused(path, lie):
    header, length, word = LIES[lie]
    write(path, header, b"\0" * 8, length)
    refused(path, word)


def test_the_header_alone_can_be_read(path):
    save_model(path, TENSORS)
    assert read_header(path).tensors["a.weight"].shape == (2, 3)


def test_weights_are_loaded_onto_the_meta_device_without_a_copy(path):
    source = nn.Linear(3, 2)
    save_model(path, source.state_dict())
    with torch.device("meta"):
        module = nn.Linear(3, 2)
    module.bias.requires_grad_(False)
    tensors = open_model(path).tensors()
    load_strict(module, tensors)
    assert torch.equal(module.weight, source.weight)
    assert module.weight.data_ptr() == tensors["weight"].data_ptr()
    assert module.weight.requires_grad
    assert not module.bias.requires_grad


def test_weights_are_converted_where_a_dtype_is_asked_for():
    module = nn.Linear(3, 2)
    load_strict(module, {name: tensor.half() for name, tensor in module.state_dict().items()}, dtype=torch.float32)
    assert module.weight.dtype == torch.float32


def test_every_difference_is_named_and_nothing_is_loaded_half():
    module = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 2))
    before = module[0].weight.detach().clone()
    given = {"0.weight": torch.zeros(2, 3), "0.bias": torch.zeros(5), "extra.weight": torch.zeros(1)}
    with pytest.raises(ModelFileError) as caught:
        load_strict(module, given, "my.safetensors")
    message = str(caught.value)
    assert "my.safetensors" in message
    assert "6 missing: 1.weight, 1.bias, 2.weight, 2.bias and 2 more" in message
    assert "1 unused: extra.weight" in message
    assert "0.bias is [5], wanted [2]" in message
    assert torch.equal(module[0].weight, before)


def test_weights_that_are_whole_numbers_are_refused():
    with pytest.raises(ModelFileError, match="not floating-point: weight"):
        load_strict(nn.Linear(1, 1, bias=False), {"weight": torch.zeros(1, 1, dtype=torch.int64)})


def test_json_in_metadata_is_read_and_checked():
    assert read_json_metadata({"k": '{"a": 1}'}, "k") == {"a": 1}
    assert read_json_metadata({}, "k") is None
    for text in ("[1]", "{", '{"a":' * 5000):
        with pytest.raises(ModelFileError, match="metadata 'k'"):
            read_json_metadata({"k": text}, "k")
