"""Ids and derivations against the formulas of the specification, written out by hand (sections 3 and 6.1)."""

import hashlib
import hmac
import unittest

import keys
import mask
import session
import wire
from session import Session
from tests.rehearsal import complete, entropy

PREFIX = b"secagg/1\x01"


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def one_block(salt: bytes, ikm: bytes, info: bytes) -> bytes:
    """HKDF-SHA-256 of 32 bytes or fewer."""
    prk = hmac.digest(salt, ikm, "sha256")
    return hmac.digest(prk, info + b"\1", "sha256")


class Ids(unittest.TestCase):
    def test_config_id(self):
        config = complete()
        expected = sha256(PREFIX + b"config\0" + config.encode())
        self.assertEqual(session.advertise_keys_session(config).id, expected)

    def test_session_id(self):
        config = complete()
        members = [wire.Member(i, wire.PublicKeys(bytes([i]) * 32, bytes([i + 50]) * 32)) for i in (2, 3)]
        config_id = session.advertise_keys_session(config).id
        encoded = b"\0\0\0\2" + b"\2" * 32 + b"\x34" * 32 + b"\0\0\0\3" + b"\3" * 32 + b"\x35" * 32
        expected = sha256(PREFIX + b"session\0" + config_id + b"\0\0\0\2" + encoded)
        self.assertEqual(session.share_keys_session(config, members).id, expected)


class Derivations(unittest.TestCase):
    def test_secrets(self):
        config = complete()
        salt = session.advertise_keys_session(config).id
        secrets = keys.derive_secrets(config, 3, entropy(3))
        expected = one_block(salt, entropy(3), PREFIX + b"encryption key\0" + b"\0\0\0\3")
        self.assertEqual(secrets.encryption_key, expected)
        self.assertEqual(len(secrets.mask_key_polynomial), config.threshold)
        self.assertEqual(len(secrets.self_mask_polynomial), config.threshold)
        self.assertEqual(secrets.mask_key_polynomial[0], secrets.mask_key)
        self.assertEqual(secrets.self_mask_polynomial[0], secrets.self_mask_seed)

    def test_own_seed_and_commitment(self):
        here = Session(1, b"i" * 32)
        number = (5).to_bytes(32, "little")
        expected = one_block(here.id, number, PREFIX + b"self mask\0" + b"\0\0\0\x09")
        self.assertEqual(mask.own_seed(here, 9, 5), expected)
        expected = sha256(PREFIX + b"self mask commitment\0" + here.id + b"\0\0\0\x09" + number)
        self.assertEqual(mask.commitment(here, 9, 5), expected)

    def test_the_suite_is_in_everything(self):
        one, two = Session(1, b"i" * 32), Session(2, b"i" * 32)
        self.assertNotEqual(one.derive("graph", b"", b"", 32), two.derive("graph", b"", b"", 32))
        self.assertNotEqual(mask.commitment(one, 9, 5), mask.commitment(two, 9, 5))
