"""Ed25519 signatures: RFC 8032 section 5.1, the pure variant without a context, checked as spec section 3.7 says."""

import functools
import hashlib

from edwards25519 import BASE_POINT, D, IDENTITY, L, P, SQRT_M1, add, equal, multiply, negate


class BadEncoding(ValueError):
    """These bytes do not encode a point of the curve."""


def public_key(secret: bytes) -> bytes:
    """RFC 8032 section 5.1.5."""
    scalar, _ = _expand(secret)
    return encode_point(multiply(scalar, BASE_POINT))


def sign(secret: bytes, message: bytes) -> bytes:
    """RFC 8032 section 5.1.6: 64 bytes, the same for every call with the same arguments."""
    scalar, prefix = _expand(secret)
    a = encode_point(multiply(scalar, BASE_POINT))
    r = _hash_to_scalar(prefix + message)
    big_r = encode_point(multiply(r, BASE_POINT))
    k = _hash_to_scalar(big_r + a + message)
    s = (r + k * scalar) % L
    return big_r + s.to_bytes(32, "little")


@functools.lru_cache(4096)
def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Spec section 3.7: the equation with the cofactor, [8][S]B = [8]R + [8][k]A, for a key of no small order.

    Verdicts are kept: all clients of a session check the same signatures.
    """
    if len(signature) != 64 or not is_key(public):
        return False
    s = int.from_bytes(signature[32:], "little")
    if s >= L:
        return False
    try:
        big_r = decode_point(signature[:32])
    except BadEncoding:
        return False
    k = _hash_to_scalar(signature[:32] + public + message)
    right = add(big_r, multiply(k, decode_point(public)))
    return is_small_order(add(multiply(s, BASE_POINT), negate(right)))


@functools.lru_cache(4096)
def is_key(public: bytes) -> bool:
    """Whether these bytes are a public key that checks can be made with."""
    try:
        return len(public) == 32 and not is_small_order(decode_point(public))
    except BadEncoding:
        return False


def is_small_order(point) -> bool:
    """Whether eight times the point is the neutral element."""
    return equal(multiply(8, point), IDENTITY)


def encode_point(p) -> bytes:
    """RFC 8032 section 5.1.2: y, and the lowest bit of x on top."""
    z_inverse = pow(p[2], P - 2, P)
    x = p[0] * z_inverse % P
    y = p[1] * z_inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def decode_point(data: bytes):
    """RFC 8032 section 5.1.3."""
    number = int.from_bytes(data, "little")
    sign_of_x = number >> 255
    y = number & ~(1 << 255)
    if y >= P:
        raise BadEncoding("y is not canonical")
    x = _recover_x(y, sign_of_x)
    return (x, y, 1, x * y % P)


def _recover_x(y: int, sign_of_x: int) -> int:
    """RFC 8032 section 5.1.3, steps 2 to 4."""
    u = (y * y - 1) % P
    v = (D * y * y + 1) % P
    x = u * v**3 * pow(u * v**7, (P - 5) // 8, P) % P
    if v * x * x % P == -u % P:
        x = x * SQRT_M1 % P
    elif v * x * x % P != u:
        raise BadEncoding("x squared is not a square")
    if x == 0 and sign_of_x == 1:
        raise BadEncoding("zero has no sign")
    return -x % P if x % 2 != sign_of_x else x


def _expand(secret: bytes) -> tuple[int, bytes]:
    """RFC 8032 section 5.1.5: the secret scalar and the prefix."""
    if len(secret) != 32:
        raise ValueError("a secret key has 32 bytes")
    digest = hashlib.sha512(secret).digest()
    scalar = int.from_bytes(digest[:32], "little")
    scalar &= (1 << 254) - 8
    return scalar | 1 << 254, digest[32:]


def _hash_to_scalar(data: bytes) -> int:
    return int.from_bytes(hashlib.sha512(data).digest(), "little") % L
