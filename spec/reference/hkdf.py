"""HKDF with SHA-256: RFC 5869 section 2."""

import hashlib
import hmac

HASH = 32  # bytes


def extract(salt: bytes, input_key: bytes) -> bytes:
    """RFC 5869 section 2.2. An empty salt is the same as 32 zero bytes."""
    return hmac.digest(salt or bytes(HASH), input_key, hashlib.sha256)


def expand(pseudorandom_key: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869 section 2.3."""
    if length > 255 * HASH:
        raise ValueError("more than 255 blocks")
    output, block, counter = b"", b"", 1
    while len(output) < length:
        block = hmac.digest(pseudorandom_key, block + info + bytes([counter]), hashlib.sha256)
        output += block
        counter += 1
    return output[:length]


def derive(salt: bytes, input_key: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869 section 2: extract, then expand."""
    return expand(extract(salt, input_key), info, length)
