"""Draws, the commitments to them, and the holders that follow: the k-out graph of spec section 6.2."""

from config import Config
from error import must_hold
from keystream import Keystream
from presentation import uint32
from session import Session, advertise_keys_session, labelled_hash
from wire import Member


def commitment(config: Config, client: int, draw: bytes) -> bytes:
    """What a client advertises of its draw."""
    return labelled_hash(config.suite, "draw commitment", advertise_keys_session(config).id + uint32(client) + draw)


def check(config: Config, member: Member, draw: bytes, must: str) -> None:
    """That the member has committed to this draw: [4.3-4] for the server, [4.4-8] for a holder."""
    must_hold(commitment(config, member.id, draw) == member.draw_commitment, must)


def holders(session: Session, degree: int, client: int, draw: bytes, roster: list[int]) -> list[int]:
    """The holders of a client, ascending and as many as the degree, from its draw and the roster, ascending."""
    others = [other for other in roster if other != client]
    keystream = Keystream(session.derive("holders", draw, uint32(client), 32))
    drawn = set()
    while len(drawn) < degree:
        drawn.add(others[keystream.uniform_below(len(others))])
    return sorted(drawn)
