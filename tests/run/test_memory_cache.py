"""The memory tier: bounded, and choosy about what it lets go."""

from __future__ import annotations

from engine.codec import ValueCodec
from engine.run.memory_cache import ENTRY_BYTES, MemoryCache
from engine.run.outcome import Outcome, Record

CODEC = ValueCodec(dict[type, bool])


def outcome(size: int, seconds: float = 1.0) -> Outcome:
    return Outcome(Record("Make", seconds), ([b"x" * size],))


def test_it_keeps_within_its_bytes() -> None:
    cache = MemoryCache(100_000, CODEC)
    for index in range(200):
        cache.put(str(index), outcome(5_000))
        assert cache.bytes <= 100_000
    assert len(cache) == 100_000 // (5_000 + ENTRY_BYTES)


def test_what_is_dear_and_light_outlives_what_is_cheap_and_heavy() -> None:
    cache = MemoryCache(1_000_000, CODEC)
    cache.put("latent", outcome(6_000, seconds=20))
    for index in range(50):
        cache.put(f"image {index}", outcome(100_000, seconds=2))
    assert cache.peek("latent") is not None


def test_what_is_used_outlives_what_is_not() -> None:
    cache = MemoryCache(5 * (1_000 + ENTRY_BYTES), CODEC)
    for index in range(5):
        cache.put(str(index), outcome(1_000))
    cache.get("0")
    cache.get("3")
    for index in range(5, 8):
        cache.put(str(index), outcome(1_000))
    assert cache.peek("0") is not None and cache.peek("3") is not None


def test_old_favourites_age() -> None:
    cache = MemoryCache(5 * (1_000 + ENTRY_BYTES), CODEC)
    cache.put("favourite", outcome(1_000))
    for _ in range(10):
        cache.get("favourite")
    for index in range(200):
        cache.put(str(index), outcome(1_000))
    assert cache.peek("favourite") is None


def test_what_is_larger_than_all_room_is_not_kept_and_pushes_nothing_out() -> None:
    cache = MemoryCache(10_000, CODEC)
    cache.put("small", outcome(100))
    cache.put("huge", outcome(20_000))
    assert cache.peek("small") is not None and cache.peek("huge") is None


def test_discarding_and_replacing_count_the_bytes() -> None:
    cache = MemoryCache(100_000, CODEC)
    cache.put("a", outcome(1_000))
    cache.put("b", outcome(1_000))
    cache.put("a", outcome(2_000))
    assert cache.bytes == 3_000 + 2 * ENTRY_BYTES
    cache.discard("a")
    assert cache.bytes == 1_000 + ENTRY_BYTES and cache.get("a") is None
    cache.clear()
    assert cache.bytes == 0 and len(cache) == 0
