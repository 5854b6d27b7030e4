"""The configuration of a session: its encoding (spec section 4.2) and its rules (spec section 8.1)."""

from dataclasses import dataclass

import ed25519
import noise
from error import must_hold
from noise import Noise
from presentation import MALFORMED, Reader, short_list, uint8, uint16, uint32, uint64

VERSION = 1
CURIOUS, ACTIVE, PINNED = SUITES = (1, 2, 3)  # spec section 12.1

COMPLETE = 1
REGULAR = 2
K_OUT = 3


@dataclass(frozen=True)
class VectorSpec:
    """One vector: its name, the number of its coordinates, and the bits of the modulus of its sum."""

    name: str
    length: int
    bits: int
    bound: int | None = None  # greatest value of one client's coordinate
    noise: Noise | None = None

    def encode(self) -> bytes:
        declared = b"\0" if self.bound is None else b"\1" + uint64(self.bound)
        numbers = uint32(self.length) + uint8(self.bits)
        return short_list(self.name.encode()) + numbers + declared + noise.encode(self.noise)

    @staticmethod
    def read(reader: Reader) -> "VectorSpec":
        name = _read_text(reader)
        length = reader.uint32()
        bits = reader.uint8()
        declared = reader.uint8()
        must_hold(declared in (0, 1), MALFORMED)
        bound = reader.uint64() if declared else None
        law = noise.read_law(reader)
        return VectorSpec(name, length, bits, bound, Noise.read(law, reader) if law else None)

    def noise_keeps_the_rules(self) -> bool:
        """[9.1-1]"""
        return self.noise is None or (self.bound is None and self.noise.keeps_the_rules(self.length))

    def keeps_the_rules(self, clients: int) -> bool:
        """Spec section 8.1, items 7 to 9."""
        name = self.name.encode()
        return (
            1 <= len(name) <= 255
            and all(0x20 <= byte <= 0x7E for byte in name)
            and 1 <= self.bits <= 62
            and self.length >= 1
            and (self.bound is None or clients * self.bound < 2**self.bits)
        )


@dataclass(frozen=True)
class Config:
    """What the server proposes to every client."""

    clients: int  # n
    threshold: int  # t
    vectors: tuple[VectorSpec, ...]
    task: bytes
    nonce: bytes
    minimum_survivors: int = 1  # fewest inputs that a sum may be of
    degree: int | None = None  # of a regular or a k-out graph; None stands for the complete graph
    suite: int = CURIOUS
    version: int = VERSION
    corrupt: int = 0  # c, where clients sign
    authority: bytes = b""  # its public key, where clients sign
    k_out: bool = False  # whether each client draws its own holders

    @property
    def active(self) -> bool:
        return self.suite == ACTIVE

    @property
    def pinned(self) -> bool:
        return self.suite == PINNED

    @property
    def signed(self) -> bool:
        """Whether clients have identities: in the active and in the pinned suite."""
        return self.active or self.pinned

    @property
    def complete(self) -> bool:
        return self.degree is None

    def quorum(self, members: int) -> int:
        """How many signatures make a survivor set of the pinned suite the only one, in a roster of so many (spec
        section 6.3)."""
        return (members + self.corrupt) // 2 + 1

    def encode(self) -> bytes:
        graph = uint8(COMPLETE) if self.complete else uint8(K_OUT if self.k_out else REGULAR) + uint32(self.degree)
        suite = uint8(self.suite) + (uint32(self.corrupt) + self.authority if self.signed else b"")
        return (
            uint16(self.version)
            + suite
            + graph
            + uint32(self.clients)
            + uint32(self.threshold)
            + uint32(self.minimum_survivors)
            + uint8(len(self.vectors))
            + b"".join(vector.encode() for vector in self.vectors)
            + self.task
            + self.nonce
        )

    @staticmethod
    def read(reader: Reader) -> "Config":
        """Decode and check: what breaks a rule of spec section 8.1 breaks [4.2-1].

        An unknown version, suite or kind of graph is refused where it stands, for nobody knows how the
        rest would have to be read.
        """
        version = reader.uint16()
        must_hold(version == VERSION, "4.2-1")
        suite = reader.uint8()
        must_hold(suite in SUITES, "4.2-1")
        corrupt, authority = (reader.uint32(), reader.opaque(32)) if suite != CURIOUS else (0, b"")
        kind = reader.uint8()
        must_hold(kind in (COMPLETE, REGULAR, K_OUT), "4.2-1")
        degree = reader.uint32() if kind != COMPLETE else None
        clients = reader.uint32()
        threshold = reader.uint32()
        minimum = reader.uint32()
        vectors = tuple(VectorSpec.read(reader) for _ in range(reader.uint8()))
        task, nonce = reader.opaque(32), reader.opaque(32)
        proposed = (clients, threshold, vectors, task, nonce, minimum, degree, suite, version, corrupt, authority)
        return Config(*proposed, kind == K_OUT)

    def check(self) -> None:
        """[4.2-1], and [9.1-1] for the noise of the vectors."""
        must_hold(self.keeps_the_rules(), "4.2-1")
        must_hold(all(vector.noise_keeps_the_rules() for vector in self.vectors), "9.1-1")

    def keeps_the_rules(self) -> bool:
        """Spec section 8.1."""
        return (
            self.version == VERSION
            and self.suite in SUITES
            and 2 <= self.clients <= 2**30
            and self._degree_keeps_the_rules()
            and 2 <= self.threshold <= (self.clients if self.complete else self.degree)
            and 1 <= self.minimum_survivors <= self.clients
            and 1 <= len(self.vectors) <= 255
            and len({vector.name for vector in self.vectors}) == len(self.vectors)
            and all(vector.keeps_the_rules(self.clients) for vector in self.vectors)
            and self.k_out == self.pinned
            and (not self.active or self._active_keeps_the_rules())
            and (not self.pinned or self._pinned_keeps_the_rules())
        )

    def _active_keeps_the_rules(self) -> bool:
        """Spec section 8.1, item 10."""
        return self.complete and 2 * self.threshold > self.clients + self.corrupt and ed25519.is_key(self.authority)

    def _pinned_keeps_the_rules(self) -> bool:
        """Spec section 8.1, item 11, but for the graph."""
        return self.corrupt + 2 <= self.clients and ed25519.is_key(self.authority)

    def _degree_keeps_the_rules(self) -> bool:
        """Spec section 8.1, item 3."""
        if self.complete:
            return True
        return (self.k_out or self.degree % 2 == 0) and 2 <= self.degree <= self.clients - 1


def _read_text(reader: Reader) -> str:
    data = reader.short_list()
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        must_hold(False, MALFORMED)
