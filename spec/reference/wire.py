"""The messages: spec section 4.1 and the structures of sections 4.2 to 4.6.

`encode` of a message gives the bytes of its body; `pack` puts the header in front. `open_message` checks the
header, and the `decode` of the class reads the body to its last byte.
"""

from dataclasses import dataclass

from config import CURIOUS, PINNED, Config
from error import must_hold
from presentation import MALFORMED, Reader, long_list, uint8, uint32

ADVERTISE_KEYS_REQUEST = 1
ADVERTISE_KEYS_RESPONSE = 2
SHARE_KEYS_REQUEST = 3
SHARE_KEYS_RESPONSE = 4
MASKED_INPUT_REQUEST = 5
MASKED_INPUT_RESPONSE = 6
CONSISTENCY_CHECK_REQUEST = 7
CONSISTENCY_CHECK_RESPONSE = 8
UNMASKING_REQUEST = 9
UNMASKING_RESPONSE = 10
TYPES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)

BUNDLE = 80  # bytes
SCALAR = 32  # bytes
SEED = 32  # bytes
SIGNATURE = 64  # bytes


def pack(message_type: int, session: bytes, body: bytes) -> bytes:
    """A message: its header and its body (spec section 4.1)."""
    return uint8(message_type) + session + body


def open_message(message: bytes, awaited: int) -> tuple[bytes, bytes]:
    """The session of the header, and the body, of a message of the awaited type."""
    reader = Reader(message)
    message_type = reader.uint8()
    must_hold(message_type in TYPES, MALFORMED)
    session = reader.opaque(32)
    must_hold(message_type == awaited, "4.1-2")
    return session, reader.rest()


@dataclass(frozen=True)
class PublicKeys:
    """The public keys of a client (spec section 4.2)."""

    encryption_key: bytes
    mask_key: bytes

    def encode(self) -> bytes:
        return self.encryption_key + self.mask_key

    @staticmethod
    def read(reader: Reader) -> "PublicKeys":
        return PublicKeys(reader.opaque(32), reader.opaque(32))


@dataclass(frozen=True)
class Proof:
    """Who advertises the keys, where clients sign (spec section 4.2)."""

    identity: bytes
    certificate: bytes
    signature: bytes

    def encode(self) -> bytes:
        return self.identity + self.certificate + self.signature

    @staticmethod
    def read(reader: Reader) -> "Proof":
        return Proof(reader.opaque(32), reader.opaque(SIGNATURE), reader.opaque(SIGNATURE))


@dataclass(frozen=True)
class Advertisement:
    """The answer in AdvertiseKeys (spec section 4.2): with a proof where clients sign, and with the commitment to the
    draw in the pinned suite."""

    keys: PublicKeys
    proof: Proof | None = None
    draw_commitment: bytes | None = None

    def encode(self) -> bytes:
        return self.keys.encode() + (self.draw_commitment or b"") + (self.proof.encode() if self.proof else b"")

    @staticmethod
    def read(reader: Reader, suite: int = CURIOUS) -> "Advertisement":
        keys = PublicKeys.read(reader)
        draw_commitment = reader.opaque(32) if suite == PINNED else None
        return Advertisement(keys, Proof.read(reader) if suite != CURIOUS else None, draw_commitment)

    @staticmethod
    def decode(body: bytes, suite: int = CURIOUS) -> "Advertisement":
        return _whole(body, lambda reader: Advertisement.read(reader, suite))


@dataclass(frozen=True)
class AdvertiseKeysRequest:
    """Spec section 4.2. The configuration is not yet checked against its rules."""

    id: int
    config: Config

    def encode(self) -> bytes:
        return uint32(self.id) + self.config.encode()

    @staticmethod
    def decode(body: bytes) -> "AdvertiseKeysRequest":
        return _whole(body, lambda reader: AdvertiseKeysRequest(reader.client_id(), Config.read(reader)))


@dataclass(frozen=True)
class Member:
    """A client of the roster with what it advertised (spec section 4.3)."""

    id: int
    keys: PublicKeys
    proof: Proof | None = None
    draw_commitment: bytes | None = None

    def encode(self) -> bytes:
        return uint32(self.id) + self.advertisement().encode()

    def advertisement(self) -> Advertisement:
        return Advertisement(self.keys, self.proof, self.draw_commitment)

    @staticmethod
    def of(id: int, advertisement: Advertisement) -> "Member":
        return Member(id, advertisement.keys, advertisement.proof, advertisement.draw_commitment)

    @staticmethod
    def read(reader: Reader, suite: int = CURIOUS) -> "Member":
        return Member.of(reader.client_id(), Advertisement.read(reader, suite))


@dataclass(frozen=True)
class ShareKeysRequest:
    """Spec section 4.3."""

    neighbourhood: tuple[Member, ...]

    def encode(self) -> bytes:
        return long_list(b"".join(member.encode() for member in self.neighbourhood))

    @staticmethod
    def decode(body: bytes, suite: int = CURIOUS) -> "ShareKeysRequest":
        member = lambda reader: Member.read(reader, suite)
        return _whole(body, lambda reader: ShareKeysRequest(tuple(reader.elements(member))))


@dataclass(frozen=True)
class ShareKeysResponse:
    """Spec section 4.3. `bundles` is the bundles one behind the other; there is a draw in the pinned suite."""

    commitment: bytes
    bundles: bytes
    draw: bytes | None = None

    def encode(self) -> bytes:
        return self.commitment + (self.draw or b"") + long_list(self.bundles)

    @staticmethod
    def decode(body: bytes, suite: int = CURIOUS) -> "ShareKeysResponse":
        return _whole(body, lambda reader: ShareKeysResponse._read(reader, suite))

    @staticmethod
    def _read(reader: Reader, suite: int) -> "ShareKeysResponse":
        commitment = reader.opaque(32)
        draw = reader.opaque(32) if suite == PINNED else None
        return ShareKeysResponse(commitment, _pieces_of(BUNDLE, reader), draw)


@dataclass(frozen=True)
class OwnedBundle:
    """A bundle and the client that sealed it (spec section 4.4)."""

    owner: int
    bundle: bytes

    def encode(self) -> bytes:
        return uint32(self.owner) + self.bundle

    @staticmethod
    def read(reader: Reader) -> "OwnedBundle":
        return OwnedBundle(reader.client_id(), reader.opaque(BUNDLE))


@dataclass(frozen=True)
class MaskedInputRequest:
    """Spec section 4.4."""

    bundles: tuple[OwnedBundle, ...]

    def encode(self) -> bytes:
        return long_list(b"".join(bundle.encode() for bundle in self.bundles))

    @staticmethod
    def decode(body: bytes) -> "MaskedInputRequest":
        return _whole(body, lambda reader: MaskedInputRequest(tuple(reader.elements(OwnedBundle.read))))


@dataclass(frozen=True)
class DrawnBundle:
    """A bundle, the client that sealed it, and the draw by which it chose the holder (spec section 4.4)."""

    owner: int
    draw: bytes
    bundle: bytes

    def encode(self) -> bytes:
        return uint32(self.owner) + self.draw + self.bundle

    @staticmethod
    def read(reader: Reader) -> "DrawnBundle":
        return DrawnBundle(reader.client_id(), reader.opaque(32), reader.opaque(BUNDLE))


@dataclass(frozen=True)
class PinnedMaskedInputRequest:
    """MaskedInputRequest in the pinned suite (spec section 4.4). `sharers` are bits over the roster."""

    sharers: bytes
    bundles: tuple[DrawnBundle, ...]

    def encode(self) -> bytes:
        return long_list(self.sharers) + long_list(b"".join(bundle.encode() for bundle in self.bundles))

    @staticmethod
    def decode(body: bytes) -> "PinnedMaskedInputRequest":
        return _whole(body, PinnedMaskedInputRequest._read)

    @staticmethod
    def _read(reader: Reader) -> "PinnedMaskedInputRequest":
        return PinnedMaskedInputRequest(reader.long_list(), tuple(reader.elements(DrawnBundle.read)))


@dataclass(frozen=True)
class MaskedInputResponse:
    """Spec section 4.4, with a signature in the pinned suite. The length of the vectors follows from the configuration,
    which the decoder does not know."""

    packed: bytes
    signature: bytes | None = None

    def encode(self) -> bytes:
        return (self.signature or b"") + self.packed

    @staticmethod
    def decode(body: bytes, suite: int = CURIOUS) -> "MaskedInputResponse":
        reader = Reader(body)
        signature = reader.opaque(SIGNATURE) if suite == PINNED else None
        return MaskedInputResponse(reader.rest(), signature)


@dataclass(frozen=True)
class ConsistencyCheckRequest:
    """Spec section 4.5. `survivors` are bits over the roster."""

    survivors: bytes

    def encode(self) -> bytes:
        return long_list(self.survivors)

    @staticmethod
    def decode(body: bytes) -> "ConsistencyCheckRequest":
        return _whole(body, lambda reader: ConsistencyCheckRequest(reader.long_list()))


@dataclass(frozen=True)
class ConsistencyCheckResponse:
    """Spec section 4.5."""

    signature: bytes

    def encode(self) -> bytes:
        return self.signature

    @staticmethod
    def decode(body: bytes) -> "ConsistencyCheckResponse":
        return _whole(body, lambda reader: ConsistencyCheckResponse(reader.opaque(SIGNATURE)))


@dataclass(frozen=True)
class Signed:
    """A signature and whose it is (spec section 4.6)."""

    signer: int
    signature: bytes

    def encode(self) -> bytes:
        return uint32(self.signer) + self.signature

    @staticmethod
    def read(reader: Reader) -> "Signed":
        return Signed(reader.client_id(), reader.opaque(SIGNATURE))


@dataclass(frozen=True)
class CertifiedUnmaskingRequest:
    """UnmaskingRequest in the active suite (spec section 4.6)."""

    signatures: tuple[Signed, ...]

    def encode(self) -> bytes:
        return long_list(b"".join(signed.encode() for signed in self.signatures))

    @staticmethod
    def decode(body: bytes) -> "CertifiedUnmaskingRequest":
        return _whole(body, lambda reader: CertifiedUnmaskingRequest(tuple(reader.elements(Signed.read))))


@dataclass(frozen=True)
class PinnedUnmaskingRequest:
    """UnmaskingRequest in the pinned suite (spec section 4.6). `inputs` are the signatures over the sharers."""

    signatures: tuple[Signed, ...]
    inputs: tuple[bytes, ...]

    def encode(self) -> bytes:
        return CertifiedUnmaskingRequest(self.signatures).encode() + long_list(b"".join(self.inputs))

    @staticmethod
    def decode(body: bytes) -> "PinnedUnmaskingRequest":
        return _whole(body, PinnedUnmaskingRequest._read)

    @staticmethod
    def _read(reader: Reader) -> "PinnedUnmaskingRequest":
        signatures = tuple(reader.elements(Signed.read))
        return PinnedUnmaskingRequest(signatures, tuple(reader.elements(lambda inner: inner.opaque(SIGNATURE))))


@dataclass(frozen=True)
class UnmaskingRequest:
    """Spec section 4.6, in the curious suite."""

    survivor_count: int
    survivors: bytes

    def encode(self) -> bytes:
        return uint32(self.survivor_count) + long_list(self.survivors)

    @staticmethod
    def decode(body: bytes) -> "UnmaskingRequest":
        return _whole(body, lambda reader: UnmaskingRequest(reader.uint32(), reader.long_list()))


@dataclass(frozen=True)
class UnmaskingResponse:
    """Spec section 4.6. `shares` is the shares one behind the other, and so are `seeds`."""

    unopened: tuple[int, ...]
    shares: bytes
    seeds: bytes = b""

    def encode(self) -> bytes:
        return long_list(b"".join(map(uint32, self.unopened))) + long_list(self.shares) + self.seeds

    @staticmethod
    def decode(body: bytes) -> "UnmaskingResponse":
        return _whole(body, UnmaskingResponse._read)

    @staticmethod
    def _read(reader: Reader) -> "UnmaskingResponse":
        unopened, shares = tuple(reader.elements(Reader.client_id)), _pieces_of(SCALAR, reader)
        seeds = reader.rest()
        must_hold(len(seeds) % SEED == 0, MALFORMED)
        return UnmaskingResponse(unopened, shares, seeds)


def _pieces_of(size: int, reader: Reader) -> bytes:
    """A long list of elements of `size` bytes each, one behind the other."""
    data = reader.long_list()
    must_hold(len(data) % size == 0, MALFORMED)
    return data


def _whole(body: bytes, read):
    """What `read` takes from the body, which it has to use up."""
    reader = Reader(body)
    structure = read(reader)
    reader.end()
    return structure
