"""The scalar field of edwards25519 and ristretto255: the numbers modulo the prime l (RFC 9496 section 4.4).

A scalar is an int from 0 to l - 1. On the wire it is 32 bytes, little-endian, and only the encoding of a
number below l is accepted.
"""

from edwards25519 import L

SIZE = 32  # bytes


class NotCanonical(ValueError):
    """These bytes are not the encoding of a number below l."""


def encode(scalar: int) -> bytes:
    return (scalar % L).to_bytes(SIZE, "little")


def decode(data: bytes) -> int:
    number = int.from_bytes(data, "little")
    if len(data) != SIZE or number >= L:
        raise NotCanonical("not 32 bytes below l")
    return number


def from_uniform_bytes(data: bytes) -> int:
    """RFC 9496 section 4.4: 64 uniform bytes, little-endian, reduced modulo l."""
    if len(data) != 64:
        raise ValueError("64 bytes are reduced")
    return int.from_bytes(data, "little") % L


def inverse(scalar: int) -> int:
    return pow(scalar, -1, L)
