"""Share bundles: spec section 3.3."""

import field
import gcm
import keys
from error import Broken
from presentation import uint32
from session import Session, prefix
from wire import Member

NONCE = bytes(12)


def seal(session: Session, owner: Member, holder: Member, secret: bytes, shares: tuple[int, int]) -> bytes:
    """What the owner, whose private encryption key is `secret`, sends the holder: a share of its mask key
    and a share of its self mask seed."""
    agreement = keys.agree_on_encryption(secret, holder.keys.encryption_key)
    plaintext = field.encode(shares[0]) + field.encode(shares[1])
    return gcm.seal(_key(session, owner, holder, agreement), NONCE, plaintext, _associated(session, owner, holder))


def open(session: Session, owner: Member, holder: Member, secret: bytes, bundle: bytes) -> tuple[int, int]:
    """The two shares, for the holder, whose private encryption key is `secret`. Raises [4.4-3]."""
    agreement = keys.agree_on_encryption(secret, owner.keys.encryption_key)
    key = _key(session, owner, holder, agreement)
    try:
        plaintext = gcm.open(key, NONCE, bundle, _associated(session, owner, holder))
        return field.decode(plaintext[:32]), field.decode(plaintext[32:])
    except (gcm.NotAuthentic, field.NotCanonical):
        raise Broken("4.4-3") from None


def _key(session: Session, owner: Member, holder: Member, agreement: bytes) -> bytes:
    public_keys = owner.keys.encryption_key + holder.keys.encryption_key
    return session.derive("share key", agreement, uint32(owner.id) + uint32(holder.id) + public_keys, 32)


def _associated(session: Session, owner: Member, holder: Member) -> bytes:
    return prefix(session.suite, "share bundle") + session.id + uint32(owner.id) + uint32(holder.id)
