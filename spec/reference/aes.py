"""AES-128 and AES-256 encryption (FIPS 197) and the counter mode (NIST SP 800-38A section 6.5).

The decryption of single blocks is left out: counter mode and GCM need only the forward direction.
"""

BLOCK = 16  # bytes


def _multiply(a: int, b: int) -> int:
    """FIPS 197 section 4.2: the product in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1."""
    product = 0
    while b:
        if b & 1:
            product ^= a
        a <<= 1
        if a & 0x100:
            a ^= 0x11B
        b >>= 1
    return product


def _s_box_entry(byte: int) -> int:
    """FIPS 197 section 5.1.1: the inverse in the field (of zero, zero), then an affine map."""
    inverse = next((x for x in range(256) if _multiply(byte, x) == 1), 0)
    result = 0x63
    for turn in range(5):
        result ^= (inverse << turn | inverse >> (8 - turn)) & 0xFF
    return result


S_BOX = [_s_box_entry(byte) for byte in range(256)]
_TIMES_2 = [_multiply(byte, 2) for byte in range(256)]

# FIPS 197 section 5.1.2: where each byte of the state, held column by column, comes from.
_SHIFT_ROWS = [(i + 4 * (i % 4)) % 16 for i in range(16)]


def expand_key(key: bytes) -> list[bytes]:
    """FIPS 197 section 5.2: the round keys, 11 for a key of 16 bytes, 15 for a key of 32."""
    if len(key) not in (16, 32):
        raise ValueError("a key has 16 or 32 bytes")
    nk = len(key) // 4
    rounds = nk + 6
    words = [key[4 * i : 4 * i + 4] for i in range(nk)]
    round_constant = 1
    for i in range(nk, 4 * (rounds + 1)):
        word = words[i - 1]
        if i % nk == 0:
            word = bytes(S_BOX[b] for b in word[1:] + word[:1])
            word = bytes([word[0] ^ round_constant]) + word[1:]
            round_constant = _TIMES_2[round_constant]
        elif nk > 6 and i % nk == 4:
            word = bytes(S_BOX[b] for b in word)
        words.append(_xor(words[i - nk], word))
    return [b"".join(words[i : i + 4]) for i in range(0, len(words), 4)]


def encrypt_block(round_keys: list[bytes], block: bytes) -> bytes:
    """FIPS 197 section 5.1, `Cipher`."""
    state = _xor(block, round_keys[0])
    for round_key in round_keys[1:-1]:
        state = _xor(_mix_columns(_sub_and_shift(state)), round_key)
    return _xor(_sub_and_shift(state), round_keys[-1])


def ctr_keystream(key: bytes, first_counter_block: bytes, length: int) -> bytes:
    """NIST SP 800-38A section 6.5 with the standard incrementing function of its appendix B.1 over all
    128 bits of the counter block: the first `length` bytes of the keystream."""
    round_keys = expand_key(key)
    counter = int.from_bytes(first_counter_block, "big")
    stream = bytearray()
    while len(stream) < length:
        stream += encrypt_block(round_keys, counter.to_bytes(BLOCK, "big"))
        counter = (counter + 1) % 2**128
    return bytes(stream[:length])


def _sub_and_shift(state: bytes) -> bytes:
    return bytes(S_BOX[state[i]] for i in _SHIFT_ROWS)


def _mix_columns(state: bytes) -> bytes:
    """FIPS 197 section 5.1.3, with 3 * x written as 2 * x + x."""
    mixed = bytearray()
    for i in range(0, 16, 4):
        a, b, c, d = state[i : i + 4]
        mixed.append(_TIMES_2[a ^ b] ^ b ^ c ^ d)
        mixed.append(_TIMES_2[b ^ c] ^ c ^ d ^ a)
        mixed.append(_TIMES_2[c ^ d] ^ d ^ a ^ b)
        mixed.append(_TIMES_2[d ^ a] ^ a ^ b ^ c)
    return bytes(mixed)


def _xor(a: bytes, b: bytes) -> bytes:
    return bytes(x ^ y for x, y in zip(a, b, strict=True))
