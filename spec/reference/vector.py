"""Lanes and packing: spec sections 7.1 and 7.2."""

from config import Config, VectorSpec
from error import must_hold


def lane_width(bits: int) -> int:
    """The bytes of a lane."""
    if bits <= 16:
        return 2
    return 4 if bits <= 32 else 8


def packed_length(spec: VectorSpec) -> int:
    """The bytes of one packed vector."""
    return (spec.length * spec.bits + 7) // 8


def pack(vectors: list[list[int]], config: Config) -> bytes:
    """All vectors of a client, each from a byte of its own on, in the configuration's order."""
    return b"".join(_pack_one(vector, spec) for vector, spec in zip(vectors, config.vectors, strict=True))


def unpack(packed: bytes, config: Config) -> list[list[int]]:
    """The vectors of a client; the wrong length breaks [4.4-4] and a stray bit at the end [4.4-5]."""
    must_hold(len(packed) == sum(map(packed_length, config.vectors)), "4.4-4")
    vectors = []
    for spec in config.vectors:
        vectors.append(_unpack_one(packed[: packed_length(spec)], spec))
        packed = packed[packed_length(spec) :]
    return vectors


def _pack_one(vector: list[int], spec: VectorSpec) -> bytes:
    """Bit p of the string is bit p of a large little-endian number."""
    number = 0
    for coordinate in reversed(vector):
        number = number << spec.bits | coordinate
    return number.to_bytes(packed_length(spec), "little")


def _unpack_one(packed: bytes, spec: VectorSpec) -> list[int]:
    number = int.from_bytes(packed, "little")
    must_hold(number >> spec.length * spec.bits == 0, "4.4-5")
    return [number >> i * spec.bits & (2**spec.bits - 1) for i in range(spec.length)]
