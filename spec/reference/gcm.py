"""AES in Galois/Counter Mode: NIST SP 800-38D, with nonces of 96 bits and tags of 128 bits only."""

import hmac

import aes

NONCE = 12  # bytes
TAG = 16  # bytes


class NotAuthentic(ValueError):
    """The tag does not match: wrong key, nonce, associated data or ciphertext."""


def seal(key: bytes, nonce: bytes, plaintext: bytes, associated_data: bytes) -> bytes:
    """SP 800-38D section 7.1, algorithm 4: the ciphertext, followed by the tag."""
    round_keys = aes.expand_key(key)
    counter_block = _first_counter_block(nonce)
    ciphertext = _counter_mode(round_keys, _increment(counter_block), plaintext)
    return ciphertext + _tag(round_keys, counter_block, ciphertext, associated_data)


def open(key: bytes, nonce: bytes, sealed: bytes, associated_data: bytes) -> bytes:
    """SP 800-38D section 7.2, algorithm 5: the plaintext, if the tag is right."""
    if len(sealed) < TAG:
        raise NotAuthentic("shorter than a tag")
    round_keys = aes.expand_key(key)
    counter_block = _first_counter_block(nonce)
    ciphertext, tag = sealed[:-TAG], sealed[-TAG:]
    if not hmac.compare_digest(tag, _tag(round_keys, counter_block, ciphertext, associated_data)):
        raise NotAuthentic("the tag does not match")
    return _counter_mode(round_keys, _increment(counter_block), ciphertext)


def _first_counter_block(nonce: bytes) -> bytes:
    if len(nonce) != NONCE:
        raise ValueError("a nonce has 12 bytes")
    return nonce + b"\0\0\0\1"


def _increment(counter_block: bytes) -> bytes:
    """SP 800-38D section 6.2: only the last 32 bits count."""
    counter = (int.from_bytes(counter_block[12:], "big") + 1) % 2**32
    return counter_block[:12] + counter.to_bytes(4, "big")


def _counter_mode(round_keys, counter_block: bytes, data: bytes) -> bytes:
    """SP 800-38D section 6.5, `GCTR`."""
    result = bytearray()
    for start in range(0, len(data), aes.BLOCK):
        stream = aes.encrypt_block(round_keys, counter_block)
        result += bytes(x ^ y for x, y in zip(data[start : start + aes.BLOCK], stream))
        counter_block = _increment(counter_block)
    return bytes(result)


def _tag(round_keys, counter_block: bytes, ciphertext: bytes, associated_data: bytes) -> bytes:
    hash_key = aes.encrypt_block(round_keys, bytes(aes.BLOCK))
    lengths = _bit_length(associated_data) + _bit_length(ciphertext)
    digest = _ghash(hash_key, _pad(associated_data) + _pad(ciphertext) + lengths)
    return _counter_mode(round_keys, counter_block, digest)


def _ghash(hash_key: bytes, data: bytes) -> bytes:
    """SP 800-38D section 6.4."""
    h = int.from_bytes(hash_key, "big")
    y = 0
    for start in range(0, len(data), aes.BLOCK):
        y = _multiply(y ^ int.from_bytes(data[start : start + aes.BLOCK], "big"), h)
    return y.to_bytes(aes.BLOCK, "big")


def _multiply(x: int, y: int) -> int:
    """SP 800-38D section 6.3: the product of two blocks; the leftmost bit is the constant term."""
    z, v = 0, y
    for i in reversed(range(128)):
        if x >> i & 1:
            z ^= v
        v = v >> 1 ^ (0xE1 << 120 if v & 1 else 0)
    return z


def _pad(data: bytes) -> bytes:
    return data + bytes(-len(data) % aes.BLOCK)


def _bit_length(data: bytes) -> bytes:
    return (8 * len(data)).to_bytes(8, "big")
