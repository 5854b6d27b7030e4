"""Seeds, masks and the commitment: spec sections 3.4 and 7.3."""

import field
import keys
from config import Config, VectorSpec
from keystream import Keystream
from presentation import uint8, uint32
from session import Session, labelled_hash
from vector import lane_width
from wire import Member

ADD = 1
SUBTRACT = -1


def pairwise_seed(session: Session, mine: Member, mask_key: int, theirs: Member) -> bytes:
    """The seed of two neighbours, from the private mask key of one of them."""
    low, high = sorted((mine, theirs), key=lambda member: member.id)
    agreement = keys.agree_on_mask(mask_key, theirs.keys.mask_key)
    parts = uint32(low.id) + uint32(high.id) + low.keys.mask_key + high.keys.mask_key
    return session.derive("pairwise mask", agreement, parts, 32)


def own_seed(session: Session, client: int, self_mask_seed: int) -> bytes:
    return session.derive("self mask", field.encode(self_mask_seed), uint32(client), 32)


def commitment(session: Session, client: int, self_mask_seed: int) -> bytes:
    parts = session.id + uint32(client) + field.encode(self_mask_seed)
    return labelled_hash(session.suite, "self mask commitment", parts)


def mask(session: Session, seed: bytes, place: int, spec: VectorSpec) -> list[int]:
    """The lanes of the mask for the vector at this place of the configuration."""
    keystream = Keystream(session.derive("mask keystream", seed, uint8(place), 32))
    width = lane_width(spec.bits)
    return [int.from_bytes(keystream.take(width), "little") for _ in range(spec.length)]


def pairwise_sign(client: int, neighbour: int) -> int:
    """Of two neighbours the one with the greater id adds."""
    return ADD if client > neighbour else SUBTRACT


def apply(config: Config, session: Session, vectors: list[list[int]], seed: bytes, sign: int) -> list[list[int]]:
    """The vectors with the masks of this seed added or subtracted, modulo 2^bits."""
    result = []
    for place, (vector, spec) in enumerate(zip(vectors, config.vectors, strict=True)):
        lanes = mask(session, seed, place, spec)
        result.append([(x + sign * lane) % 2**spec.bits for x, lane in zip(vector, lanes, strict=True)])
    return result
