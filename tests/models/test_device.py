"""Names of devices and what they mean."""

from __future__ import annotations

import pytest
import torch

from engine.errors import DarkroomError, InputProblem
from engine.models.device import Device, default_budget, default_precision, device_class, is_out_of_memory, open_device


@pytest.mark.parametrize(
    ("name", "kind"), [("cpu", "cpu"), ("cuda", "cuda"), ("cuda:0", "cuda"), ("cuda:3", "cuda"), ("mps", "mps")]
)
def test_a_device_name_has_a_class(name: str, kind: str) -> None:
    assert device_class(name) == kind


def test_auto_is_what_torch_can_use() -> None:
    kind = device_class("auto")
    assert (kind == "cuda") == torch.cuda.is_available()
    assert open_device("auto").kind == kind


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "cuda:-1", "", "cpu:0"])
def test_another_name_is_refused_with_those_there_are(name: str) -> None:
    with pytest.raises(InputProblem, match="use auto, cpu, cuda, cuda:N or mps"):
        device_class(name)


def test_the_cpu_computes_in_float32_and_gpus_in_half_precision() -> None:
    assert open_device("cpu") == Device("cpu", "fp32")
    assert open_device("cpu").dtype == torch.float32
    assert default_precision("cuda") == default_precision("mps") == "fp16"
    assert Device("cuda:1", "bf16").dtype == torch.bfloat16


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_an_error_with_a_remedy() -> None:
    with pytest.raises(DarkroomError, match="run with --device cpu"):
        open_device("cuda:0")


def test_the_budget_is_a_part_of_what_is_free() -> None:
    device = Device()
    free = device.free_bytes()
    assert free is None or 0 < default_budget(device) < free


def test_running_out_of_memory_is_told_from_other_errors() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**55)
    assert is_out_of_memory(caught.value)
    assert is_out_of_memory(MemoryError()) and is_out_of_memory(torch.OutOfMemoryError())
    assert not is_out_of_memory(RuntimeError("shapes differ"))


@pytest.mark.gpu
def test_a_gpu_beyond_the_last_is_refused() -> None:
    with pytest.raises(InputProblem, match="there are"):
        open_device("cuda:99")
