"""Keystreams and the uniform numbers drawn from them: spec section 3.4."""

import aes
import field


class Keystream:
    """The keystream of a seed of 32 bytes, read from its beginning."""

    def __init__(self, seed: bytes):
        self._round_keys = aes.expand_key(seed[:16])
        self._counter = int.from_bytes(seed[16:], "big")
        self._waiting = b""

    def take(self, size: int) -> bytes:
        """The next bytes."""
        stream = bytearray(self._waiting)
        while len(stream) < size:
            stream += aes.encrypt_block(self._round_keys, self._counter.to_bytes(aes.BLOCK, "big"))
            self._counter = (self._counter + 1) % 2**128
        self._waiting = bytes(stream[size:])
        return bytes(stream[:size])

    def uniform_below(self, m: int) -> int:
        """A uniform number below m, which is at least 1 and at most 2^32."""
        while True:
            x = int.from_bytes(self.take(4), "little")
            if x < 2**32 // m * m:
                return x % m

    def uniform_scalar(self) -> int:
        return field.from_uniform_bytes(self.take(64))
