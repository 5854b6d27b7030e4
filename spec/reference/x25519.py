"""X25519, the Diffie-Hellman function of RFC 7748 section 5.

Besides the function itself, this module holds the two checks that RFC 7748 leaves to the protocol: is a
public key the one canonical encoding of its u-coordinate, and is the shared secret all zeros, which
happens exactly when the other side sent a point of low order (RFC 7748 section 6.1).
"""

P = 2**255 - 19  # RFC 7748 section 4.1
A24 = 121665  # RFC 7748 section 5
BASE_POINT = (9).to_bytes(32, "little")  # RFC 7748 section 6.1


class LowOrder(ValueError):
    """The shared secret is all zeros: the other public key has low order."""


def x25519(scalar: bytes, u_coordinate: bytes) -> bytes:
    """RFC 7748 section 5: both arguments and the result are 32 bytes."""
    return _encode(_ladder(_decode_scalar(scalar), _decode_u(u_coordinate)))


def public_key(secret: bytes) -> bytes:
    """RFC 7748 section 6.1: the public key of 32 secret bytes."""
    return x25519(secret, BASE_POINT)


def shared_secret(secret: bytes, their_public_key: bytes) -> bytes:
    """RFC 7748 section 6.1, with its all-zero check."""
    shared = x25519(secret, their_public_key)
    if shared == bytes(32):
        raise LowOrder("the shared secret is all zeros")
    return shared


def is_canonical(u_coordinate: bytes) -> bool:
    """Whether these 32 bytes are the encoding of a number below p, with the unused top bit clear."""
    return len(u_coordinate) == 32 and int.from_bytes(u_coordinate, "little") < P


def is_low_order(u_coordinate: bytes) -> bool:
    """Whether the point has an order that divides the cofactor, so that every secret key, being a
    multiple of eight once decoded, sends it to zero (RFC 7748 sections 6.1 and 7)."""
    return x25519(bytes(32), u_coordinate) == bytes(32)


def _decode_scalar(scalar: bytes) -> int:
    """RFC 7748 section 5, `decodeScalar25519`."""
    if len(scalar) != 32:
        raise ValueError("a scalar has 32 bytes")
    number = int.from_bytes(scalar, "little")
    number &= ~7
    number &= ~(1 << 255)
    return number | 1 << 254


def _decode_u(u_coordinate: bytes) -> int:
    """RFC 7748 section 5, `decodeUCoordinate`: the top bit is masked off."""
    if len(u_coordinate) != 32:
        raise ValueError("a u-coordinate has 32 bytes")
    return (int.from_bytes(u_coordinate, "little") & ~(1 << 255)) % P


def _encode(number: int) -> bytes:
    return (number % P).to_bytes(32, "little")


def _ladder(k: int, u: int) -> int:
    """The Montgomery ladder of RFC 7748 section 5, in its variable names."""
    x_1 = u
    x_2, z_2 = 1, 0
    x_3, z_3 = u, 1
    swap = 0
    for t in reversed(range(255)):
        k_t = k >> t & 1
        if swap ^ k_t:
            x_2, x_3 = x_3, x_2
            z_2, z_3 = z_3, z_2
        swap = k_t
        a = (x_2 + z_2) % P
        aa = a * a % P
        b = (x_2 - z_2) % P
        bb = b * b % P
        e = (aa - bb) % P
        c = (x_3 + z_3) % P
        d = (x_3 - z_3) % P
        da = d * a % P
        cb = c * b % P
        x_3 = (da + cb) ** 2 % P
        z_3 = x_1 * (da - cb) ** 2 % P
        x_2 = aa * bb % P
        z_2 = e * (aa + A24 * e) % P
    if swap:
        x_2, z_2 = x_3, z_3
    return x_2 * pow(z_2, P - 2, P) % P
