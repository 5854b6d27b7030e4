"""The presentation language: integers and length-prefixed lists (spec section 2, after RFC 8446 section 3)."""

from error import Broken

MALFORMED = "4.1-1"


def uint8(number: int) -> bytes:
    return number.to_bytes(1, "big")


def uint16(number: int) -> bytes:
    return number.to_bytes(2, "big")


def uint32(number: int) -> bytes:
    return number.to_bytes(4, "big")


def uint64(number: int) -> bytes:
    return number.to_bytes(8, "big")


def short_list(data: bytes) -> bytes:
    """A list of at most 255 bytes."""
    return uint8(len(data)) + data


def long_list(data: bytes) -> bytes:
    """A list of up to 2^32 - 1 bytes."""
    return uint32(len(data)) + data


class Reader:
    """Takes a message apart from the front. Whatever does not fit breaks [4.1-1]."""

    def __init__(self, data: bytes):
        self._data = data
        self._at = 0

    def opaque(self, size: int) -> bytes:
        if size > self.remaining():
            raise Broken(MALFORMED)
        self._at += size
        return self._data[self._at - size : self._at]

    def rest(self) -> bytes:
        return self.opaque(self.remaining())

    def remaining(self) -> int:
        return len(self._data) - self._at

    def end(self) -> None:
        """No byte may be left."""
        if self.remaining():
            raise Broken(MALFORMED)

    def uint8(self) -> int:
        return self._integer(1)

    def uint16(self) -> int:
        return self._integer(2)

    def uint32(self) -> int:
        return self._integer(4)

    def uint64(self) -> int:
        return self._integer(8)

    def client_id(self) -> int:
        """Spec section 4.1: zero is no ClientId."""
        number = self.uint32()
        if number == 0:
            raise Broken(MALFORMED)
        return number

    def short_list(self) -> bytes:
        return self.opaque(self.uint8())

    def long_list(self) -> bytes:
        return self.opaque(self.uint32())

    def elements(self, read):
        """A long list of elements, each taken by `read` from a reader."""
        inner = Reader(self.long_list())
        elements = []
        while inner.remaining():
            elements.append(read(inner))
        return elements

    def _integer(self, size: int) -> int:
        return int.from_bytes(self.opaque(size), "big")
