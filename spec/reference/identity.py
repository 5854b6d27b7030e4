"""Identities and authorities: their statements, signatures and checks (spec section 3.7)."""

from dataclasses import dataclass

import ed25519
from config import Config
from error import must_hold
from presentation import uint32
from session import Session, advertise_keys_session, labelled_hash
from wire import Member, Proof, PublicKeys

OUTLIVES_SESSIONS = 0  # the suite in hashes that belong to none


@dataclass(frozen=True)
class Credentials:
    """What a client holds of its own identity, and the authority that it trusts."""

    secret: bytes
    certificate: bytes
    authority: bytes

    def prove(self, config: Config, client: int, keys: PublicKeys, draw_commitment: bytes | None = None) -> Proof:
        """What the client advertises beside its keys, and beside its draw commitment in the pinned suite."""
        signature = self.sign(advertisement_statement(config, client, keys, draw_commitment))
        return Proof(ed25519.public_key(self.secret), self.certificate, signature)

    def sign(self, statement: bytes) -> bytes:
        return ed25519.sign(self.secret, statement)


def certify(authority_secret: bytes, identity: bytes) -> bytes:
    """The certificate by which an authority admits an identity."""
    return ed25519.sign(authority_secret, certificate_statement(identity))


def certificate_statement(identity: bytes) -> bytes:
    return labelled_hash(OUTLIVES_SESSIONS, "certificate", identity)


def advertisement_statement(
    config: Config, client: int, keys: PublicKeys, draw_commitment: bytes | None = None
) -> bytes:
    """There is a draw commitment in the pinned suite."""
    advertised = uint32(client) + keys.encode() + (draw_commitment or b"")
    return labelled_hash(config.suite, "advertisement", advertise_keys_session(config).id + advertised)


def sharers_statement(session: Session, sharers: bytes) -> bytes:
    """The sharers are bits over the roster (spec section 4.4)."""
    return labelled_hash(session.suite, "sharers", session.id + sharers)


def survivors_statement(session: Session, sharers: bytes, survivors: bytes) -> bytes:
    """Both sets are bits over the roster (spec section 4.5)."""
    return labelled_hash(session.suite, "survivors", session.id + sharers + survivors)


def check_identity(member: Member) -> None:
    """[3.7-1]"""
    must_hold(ed25519.is_key(member.proof.identity), "3.7-1")


def check_certificate(config: Config, member: Member) -> None:
    """[3.7-2]"""
    statement = certificate_statement(member.proof.identity)
    must_hold(ed25519.verify(config.authority, statement, member.proof.certificate), "3.7-2")


def check_signature(config: Config, member: Member) -> None:
    """[4.2-4]"""
    statement = advertisement_statement(config, member.id, member.keys, member.draw_commitment)
    must_hold(ed25519.verify(member.proof.identity, statement, member.proof.signature), "4.2-4")
