"""Key pairs, their checks and their agreements (spec section 3.2), and a client's secrets (section 3.6)."""

from dataclasses import dataclass

import field
import ristretto255
import x25519
from config import Config
from error import Broken, must_hold
from keystream import Keystream
from presentation import uint8, uint32
from session import advertise_keys_session
from wire import PublicKeys


@dataclass
class Secrets:
    """All that a client derives from its entropy."""

    encryption_key: bytes
    mask_key: int
    self_mask_seed: int
    mask_key_polynomial: list[int]  # from the constant term, which is the secret
    self_mask_polynomial: list[int]
    noise_seeds: list[bytes]  # by the vector's place
    draw: bytes  # in the pinned suite

    def public_keys(self) -> PublicKeys:
        return PublicKeys(x25519.public_key(self.encryption_key), public_mask_key(self.mask_key))


def derive_secrets(config: Config, client: int, entropy: bytes) -> Secrets:
    """Spec section 3.6."""
    session = advertise_keys_session(config)

    def derive(label: str, length: int) -> bytes:
        return session.derive(label, entropy, uint32(client), length)

    mask_key = field.from_uniform_bytes(derive("mask key", 64))
    self_mask_seed = field.from_uniform_bytes(derive("self mask seed", 64))
    coefficients = Keystream(derive("coefficients", 32))
    mask_key_polynomial = [mask_key]
    self_mask_polynomial = [self_mask_seed]
    for polynomial in (mask_key_polynomial, self_mask_polynomial):
        polynomial.extend(coefficients.uniform_scalar() for _ in range(config.threshold - 1))
    noise_seeds = [
        session.derive("noise", entropy, uint32(client) + uint8(place), 32) for place in range(len(config.vectors))
    ]
    encryption_key = derive("encryption key", 32)
    draw = derive("draw", 32) if config.pinned else b""
    polynomials = mask_key_polynomial, self_mask_polynomial
    return Secrets(encryption_key, mask_key, self_mask_seed, *polynomials, noise_seeds, draw)


def public_mask_key(mask_key: int) -> bytes:
    return ristretto255.encode(ristretto255.multiply(mask_key, ristretto255.BASE_POINT))


def check_encryption_key(key: bytes) -> None:
    """[3.2-1]"""
    must_hold(x25519.is_canonical(key) and not x25519.is_low_order(key), "3.2-1")


def check_mask_key(key: bytes) -> None:
    """[3.2-2]"""
    try:
        element = ristretto255.decode(key)
    except ristretto255.BadEncoding:
        raise Broken("3.2-2") from None
    must_hold(not ristretto255.is_identity(element), "3.2-2")


def agree_on_encryption(secret: bytes, public: bytes) -> bytes:
    return x25519.shared_secret(secret, public)


def agree_on_mask(secret: int, public: bytes) -> bytes:
    return ristretto255.encode(ristretto255.multiply(secret, ristretto255.decode(public)))
