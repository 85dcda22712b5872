"""Values become bytes and come back exactly, and nothing else does."""

from __future__ import annotations

import dataclasses
import math
import random
import struct
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

from engine.codec import ValueCodec
from engine.values import Conditioning, ConditioningPart, Image, Latent, Mask

CODEC = ValueCodec(lambda: {Image: False, Mask: True, Latent: True, Conditioning: True, ConditioningPart: True})


def same(a: Any, b: Any) -> bool:
    if isinstance(a, Tensor):
        return isinstance(b, Tensor) and a.dtype == b.dtype and a.shape == b.shape and a.equal(b)
    if dataclasses.is_dataclass(a):
        fields = dataclasses.fields(a)
        return type(a) is type(b) and all(same(getattr(a, each.name), getattr(b, each.name)) for each in fields)
    if isinstance(a, tuple | list):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return type(a) is type(b) and list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    return type(a) is type(b) and a == b


def there_and_back(value: object) -> object:
    data = CODEC.encode(value)
    assert data is not None
    return CODEC.decode(data)


def test_a_latent_comes_back_bit_for_bit() -> None:
    latent = Latent(torch.randn(2, 4, 8, 8), torch.rand(1, 64, 64), (0, 3))
    assert same(there_and_back(latent), latent)


@pytest.mark.parametrize("value", [5, "text", None, 1.5, (), [(1, "a")], {(1, 2): "pair"}])
def test_values_without_tensors_come_back(value: object) -> None:
    assert same(there_and_back(value), value)


def test_dataclasses_nest() -> None:
    part = ConditioningPart(context=torch.randn(1, 77, 8), y=torch.tensor([3]), strength=0.1 + 0.2)
    conditioning = Conditioning((part, ConditioningPart(strength=math.inf)))
    assert same(there_and_back(conditioning), conditioning)


@pytest.mark.parametrize(
    "dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.uint8, torch.bool]
)
def test_every_kind_of_number_comes_back(dtype: torch.dtype) -> None:
    tensor = (torch.randn(3, 5) * 10).to(dtype)
    assert same(there_and_back((tensor, [tensor[0], None], {"x": tensor})), (tensor, [tensor[0], None], {"x": tensor}))


def test_views_empty_and_scalar_tensors_come_back() -> None:
    base = torch.arange(12.0).reshape(3, 4)
    value = (base.T, base[1:], base, base[0].expand(5, 4), torch.zeros(0, 3), torch.tensor(2.5), base.requires_grad_())
    assert same(there_and_back(value), tuple(each.detach() for each in value))


def test_handles_and_pictures_do_not_go_to_disk() -> None:
    image = Image(torch.zeros(1, 2, 2, 3))
    assert CODEC.encode(image) is None
    assert CODEC.encode((1, image)) is None
    assert CODEC.encode(object()) is None


def test_a_class_that_is_not_listed_is_not_written() -> None:
    @dataclass(frozen=True)
    class Stranger:
        number: int

    class Better(Latent):
        pass

    assert CODEC.encode(Stranger(1)) is None
    assert CODEC.encode(Better(torch.zeros(1, 1, 1, 1))) is None


def test_digests_follow_the_content_also_of_what_stays_off_the_disk() -> None:
    one, same_again, other = (Image(torch.full((1, 2, 2, 3), value)) for value in (0.5, 0.5, 0.25))
    assert CODEC.digest(one) == CODEC.digest(same_again) != CODEC.digest(other)
    assert CODEC.digest(1) != CODEC.digest(1.0) != CODEC.digest(True)
    assert CODEC.digest(object()) is None


def test_the_size_is_that_of_the_tensors() -> None:
    latent = Latent(torch.zeros(2, 4, 8, 8), torch.zeros(1, 64, 64))
    assert CODEC.size(latent) == 4 * (2 * 4 * 8 * 8 + 64 * 64)
    assert CODEC.size([latent, {"a": (latent,)}, "four"]) == 2 * CODEC.size(latent) + 4
    assert CODEC.size(object()) == 0


def test_bytes_that_encode_did_not_make_are_refused() -> None:
    data = CODEC.encode(Latent(torch.zeros(1, 4, 2, 2)))
    assert data is not None
    names = [b'{"class": ["Path", {}]}', b'{"class": ["Latent", {"samples": 1}]}', b'{"tensor": 0}', b'{"eval": "1"}']
    headers = [struct.pack("<Q", 2) + b"{}", struct.pack("<Q", 2**40) + b"{}"]
    for bad in [b"", b"{", b"not JSON", data[:-1], data[:20], data.replace(b"Latent", b"LATENT"), *names, *headers]:
        with pytest.raises(ValueError):
            CODEC.decode(bad)


def test_random_damage_is_refused_or_harmless() -> None:
    data = CODEC.encode(Latent(torch.zeros(1, 4, 2, 2), None, (1, 2)))
    assert data is not None
    generator = random.Random(0)
    for _ in range(500):
        damaged = bytearray(data)
        damaged[generator.randrange(len(data))] ^= 1 << generator.randrange(8)
        try:
            CODEC.decode(bytes(damaged))
        except ValueError:
            continue
