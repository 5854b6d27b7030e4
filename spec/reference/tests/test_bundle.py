"""Share bundles: spec section 3.3 and [4.4-3]."""

import unittest

import bundle
import field
import gcm
from error import Broken
from keys import agree_on_encryption, derive_secrets
from session import Session
from tests.rehearsal import complete, entropy
from wire import Member, PublicKeys


class Bundles(unittest.TestCase):
    HERE = Session(1, b"i" * 32)

    @classmethod
    def setUpClass(cls):
        config = complete()
        cls.secrets = {i: derive_secrets(config, i, entropy(i)) for i in (1, 2, 3)}
        cls.members = {i: Member(i, secrets.public_keys()) for i, secrets in cls.secrets.items()}

    def test_the_holder_opens_what_the_owner_sealed(self):
        sealed = self.seal(1, 2)
        self.assertEqual(len(sealed), 80)
        self.assertEqual(self.open(self.HERE, 1, 2, sealed), (5, 6))

    def test_the_other_direction_has_another_key(self):
        sealed = self.seal(1, 2)
        with self.assertRaisesRegex(Broken, "4.4-3"):
            self.open(self.HERE, 2, 1, sealed)

    def test_another_holder(self):
        with self.assertRaisesRegex(Broken, "4.4-3"):
            self.open(self.HERE, 1, 3, self.seal(1, 2))

    def test_another_session(self):
        with self.assertRaisesRegex(Broken, "4.4-3"):
            self.open(Session(1, b"j" * 32), 1, 2, self.seal(1, 2))

    def test_shares_that_are_not_below_the_order(self):
        owner, holder = self.members[1], self.members[2]
        agreement = agree_on_encryption(self.secrets[1].encryption_key, holder.keys.encryption_key)
        key = bundle._key(self.HERE, owner, holder, agreement)
        associated = bundle._associated(self.HERE, owner, holder)
        good, bad = field.encode(5), field.L.to_bytes(32, "little")
        for plaintext in (good + bad, bad + good):
            sealed = gcm.seal(key, bundle.NONCE, plaintext, associated)
            with self.assertRaisesRegex(Broken, "4.4-3"):
                self.open(self.HERE, 1, 2, sealed)

    def seal(self, owner, holder):
        secret = self.secrets[owner].encryption_key
        return bundle.seal(self.HERE, self.members[owner], self.members[holder], secret, (5, 6))

    def open(self, session, owner, holder, sealed):
        secret = self.secrets[holder].encryption_key
        return bundle.open(session, self.members[owner], self.members[holder], secret, sealed)


class Keys(unittest.TestCase):
    def test_an_agreement_is_symmetric(self):
        one, two = (derive_secrets(complete(), i, entropy(i)) for i in (1, 2))
        there = agree_on_encryption(one.encryption_key, two.public_keys().encryption_key)
        back = agree_on_encryption(two.encryption_key, one.public_keys().encryption_key)
        self.assertEqual(there, back)
        self.assertIsInstance(one.public_keys(), PublicKeys)
