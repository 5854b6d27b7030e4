"""Hashes and derivations (spec section 3.1) and the two ids (spec section 6.1)."""

import hashlib
from dataclasses import dataclass

import hkdf
from config import Config
from presentation import uint8, uint32
from wire import Member


def prefix(suite: int, label: str) -> bytes:
    """What every hash, every HKDF info and the associated data begin with."""
    return b"secagg/1" + uint8(suite) + label.encode("ascii") + b"\0"


def labelled_hash(suite: int, label: str, parts: bytes) -> bytes:
    """`Hash(label; parts)`."""
    return hashlib.sha256(prefix(suite, label) + parts).digest()


@dataclass(frozen=True)
class Session:
    """What a derivation is bound to: the suite, and the config id or the session id as the salt."""

    suite: int
    id: bytes

    def derive(self, label: str, input_key: bytes, parts: bytes, length: int) -> bytes:
        """`Derive(label; id; input_key; parts; length)`."""
        return hkdf.derive(self.id, input_key, prefix(self.suite, label) + parts, length)


def advertise_keys_session(config: Config) -> Session:
    """The session as AdvertiseKeys names it: by its config id."""
    return Session(config.suite, labelled_hash(config.suite, "config", config.encode()))


def share_keys_session(config: Config, roster: list[Member]) -> Session:
    """The session as it is named from ShareKeys on: by its session id. The roster is ascending by id."""
    config_id = advertise_keys_session(config).id
    members = b"".join(member.encode() for member in roster)
    return Session(config.suite, labelled_hash(config.suite, "session", config_id + uint32(len(roster)) + members))
