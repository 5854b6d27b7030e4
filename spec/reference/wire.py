"""The messages: spec section 4.1 and the structures of sections 4.2 to 4.6.

`encode` of a message gives the bytes of its body; `pack` puts the header in front. `open_message` checks the
header, and the `decode` of the class reads the body to its last byte.
"""

from dataclasses import dataclass

from config import ACTIVE, CURIOUS, Config
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
    """What the active suite has beside the keys: who advertises them (spec section 4.2)."""

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
    """The answer in AdvertiseKeys (spec section 4.2), with a proof in the active suite."""

    keys: PublicKeys
    proof: Proof | None = None

    def encode(self) -> bytes:
        return self.keys.encode() + (self.proof.encode() if self.proof else b"")

    @staticmethod
    def read(reader: Reader, suite: int = CURIOUS) -> "Advertisement":
        keys = PublicKeys.read(reader)
        return Advertisement(keys, Proof.read(reader) if suite == ACTIVE else None)

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

    def encode(self) -> bytes:
        return uint32(self.id) + self.advertisement().encode()

    def advertisement(self) -> Advertisement:
        return Advertisement(self.keys, self.proof)

    @staticmethod
    def of(id: int, advertisement: Advertisement) -> "Member":
        return Member(id, advertisement.keys, advertisement.proof)

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
    """Spec section 4.3. `bundles` is the bundles one behind the other."""

    commitment: bytes
    bundles: bytes

    def encode(self) -> bytes:
        return self.commitment + long_list(self.bundles)

    @staticmethod
    def decode(body: bytes) -> "ShareKeysResponse":
        return _whole(body, lambda reader: ShareKeysResponse(reader.opaque(32), _pieces_of(BUNDLE, reader)))


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
class MaskedInputResponse:
    """Spec section 4.4. Its length follows from the configuration, which the decoder does not know."""

    packed: bytes

    def encode(self) -> bytes:
        return self.packed

    @staticmethod
    def decode(body: bytes) -> "MaskedInputResponse":
        return MaskedInputResponse(body)


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
