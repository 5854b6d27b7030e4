"""The group ristretto255: RFC 9496 section 4.

An element is held as one of the edwards25519 points that represent it; two elements are compared with
`equal`, never by their coordinates.
"""

import edwards25519
from edwards25519 import D, IDENTITY, L, P, SQRT_M1

BASE_POINT = edwards25519.BASE_POINT  # RFC 9496 section 4.2
add = edwards25519.add  # RFC 9496 section 4.3.3: the group law is that of the representatives
negate = edwards25519.negate

# RFC 9496 section 4.1.
INVSQRT_A_MINUS_D = 54469307008909316920995813868745141605393597292927456921205312896311721017578


class BadEncoding(ValueError):
    """These bytes do not encode an element of the group."""


def multiply(scalar: int, element):
    """The element added to itself `scalar mod l` times."""
    return edwards25519.multiply(scalar % L, element)


def decode(data: bytes):
    """RFC 9496 section 4.3.1. Only the one canonical encoding of an element is accepted."""
    s = _canonical_field_element(data)
    if _is_negative(s):
        raise BadEncoding("the field element is negative")
    ss = s * s % P
    u1 = (1 - ss) % P
    u2 = (1 + ss) % P
    u2_squared = u2 * u2 % P
    v = (-(D * u1 * u1) - u2_squared) % P
    was_square, invsqrt = sqrt_ratio_m1(1, v * u2_squared % P)
    den_x = invsqrt * u2 % P
    den_y = invsqrt * den_x * v % P
    x = _absolute(2 * s * den_x % P)
    y = u1 * den_y % P
    t = x * y % P
    if not was_square:
        raise BadEncoding("x squared is not a square")
    if _is_negative(t):
        raise BadEncoding("x times y is negative")
    if y == 0:
        raise BadEncoding("y is zero")
    return (x, y, 1, t)


def encode(element) -> bytes:
    """RFC 9496 section 4.3.2: the 32 bytes of an element, the same for all its representatives."""
    x0, y0, z0, t0 = element
    u1 = (z0 + y0) * (z0 - y0) % P
    u2 = x0 * y0 % P
    _, invsqrt = sqrt_ratio_m1(1, u1 * u2 * u2 % P)
    den1 = invsqrt * u1 % P
    den2 = invsqrt * u2 % P
    z_inv = den1 * den2 * t0 % P
    if _is_negative(t0 * z_inv % P):
        x, y = y0 * SQRT_M1 % P, x0 * SQRT_M1 % P
        den_inv = den1 * INVSQRT_A_MINUS_D % P
    else:
        x, y = x0, y0
        den_inv = den2
    if _is_negative(x * z_inv % P):
        y = -y % P
    return _absolute(den_inv * (z0 - y) % P).to_bytes(32, "little")


def equal(p, q) -> bool:
    """RFC 9496 section 4.3.3: whether two points represent the same element."""
    x1, y1 = p[0], p[1]
    x2, y2 = q[0], q[1]
    return (x1 * y2 - y1 * x2) % P == 0 or (y1 * y2 - x1 * x2) % P == 0


def is_identity(element) -> bool:
    return equal(element, IDENTITY)


def sqrt_ratio_m1(u: int, v: int) -> tuple[bool, int]:
    """RFC 9496 section 4.2, `SQRT_RATIO_M1`: whether u/v is a square, and a root of u/v or of i * u/v."""
    r = u * v**3 * pow(u * v**7, (P - 5) // 8, P) % P
    check = v * r * r % P
    i = SQRT_M1
    correct_sign = check == u % P
    flipped_sign = check == -u % P
    flipped_sign_i = check == -u * i % P
    if flipped_sign or flipped_sign_i:
        r = i * r % P
    return correct_sign or flipped_sign, _absolute(r)


def _canonical_field_element(data: bytes) -> int:
    if len(data) != 32:
        raise BadEncoding("an encoding has 32 bytes")
    number = int.from_bytes(data, "little")
    if number >= P:
        raise BadEncoding("the field element is not canonical")
    return number


def _is_negative(number: int) -> bool:
    """RFC 9496 section 4.1: negative means that the least nonnegative representative is odd."""
    return number % P % 2 == 1


def _absolute(number: int) -> int:
    return -number % P if _is_negative(number) else number % P
