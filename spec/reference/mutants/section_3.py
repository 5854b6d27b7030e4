"""Mutants of section 3: the primitives."""

import bits
import bundle
import client
import config
import ed25519
import edwards25519
import error
import identity
import keys
import keystream
import mask
import ristretto255
import server
import session
import shamir
import x25519

from mutants.catalogue import mutant, without


@mutant("3.1")
def suite_not_hashed():
    session.prefix = lambda suite, label: b"secagg/1" + label.encode() + b"\0"


@mutant("3.2-1")
def low_order_accepted():
    x25519.is_low_order = lambda key: False
    x25519.shared_secret = x25519.x25519


@mutant("3.2-1")
def non_canonical_encryption_key_accepted():
    x25519.is_canonical = lambda key: True


@mutant("3.2-2")
def identity_accepted():
    ristretto255.is_identity = lambda element: False


@mutant("3.3")
def nonce_not_zero():
    bundle.NONCE = bytes(11) + b"\1"


@mutant("3.3")
def one_key_for_both_directions():
    def key(session, owner, holder, agreement):
        low, high = sorted((owner, holder), key=lambda member: member.id)
        return right(session, low, high, agreement)

    right, bundle._key = bundle._key, key


@mutant("3.3")
def shares_in_the_other_order():
    seal = bundle.seal
    bundle.seal = lambda session, owner, holder, secret, shares: seal(session, owner, holder, secret, shares[::-1])


@mutant("3.3")
def nothing_associated():
    bundle._associated = lambda session, owner, holder: b""


@mutant("3.4")
def counter_of_four_bytes():
    def take(self, size):
        high, data = self._counter >> 32 << 32, b""
        for _ in range(size):
            data += right(self, 1)
            self._counter = high | self._counter % 2**32
        return data

    right, keystream.Keystream.take = keystream.Keystream.take, take


@mutant("3.4")
def uniform_without_rejection():
    keystream.Keystream.uniform_below = lambda self, m: int.from_bytes(self.take(4), "little") % m


@mutant("3.4")
def pairwise_ids_in_no_order():
    seed = mask.pairwise_seed

    def unordered(session, mine, mask_key, theirs):
        mask.sorted = lambda pair, key: list(pair)
        return seed(session, mine, mask_key, theirs)

    mask.pairwise_seed = unordered


@mutant("3.4")
def one_mask_for_all_vectors():
    right = mask.mask
    mask.mask = lambda session, seed, place, spec: right(session, seed, 0, spec)


@mutant("3.4")
def lanes_one_bit_late():
    mask.lane_width = lambda bits: 2 if bits < 16 else 4 if bits < 32 else 8


@mutant("3.4")
def commitment_without_id():
    right = mask.commitment
    mask.commitment = lambda session, client, seed: right(session, 0, seed)


@mutant("3.5")
def shares_at_the_index_before():
    right = shamir.evaluate
    shamir.evaluate = lambda coefficients, x: right(coefficients, x - 1)


@mutant("3.5")
def polynomials_share_coefficients():
    right = keys.derive_secrets

    def derive(config, client, entropy):
        secrets = right(config, client, entropy)
        secrets.self_mask_polynomial[1:] = secrets.mask_key_polynomial[1:]
        return secrets

    keys.derive_secrets = derive


@mutant("3.5")
def interpolated_at_one():
    shamir.reconstruct = lambda shares: shamir.interpolate(shares, 1)


@mutant("3.6")
def entropy_without_config():
    keys.advertise_keys_session = lambda config: session.Session(config.suite, bytes(32))


@mutant("3.7")
def certificate_of_a_suite():
    identity.OUTLIVES_SESSIONS = config.ACTIVE


@mutant("3.7")
def checked_without_the_cofactor():
    is_key, is_small_order = ed25519.is_key, ed25519.is_small_order

    def verify(public, statement, signature):
        ed25519.is_key, ed25519.is_small_order = lambda public: True, lambda p: ed25519.equal(p, edwards25519.IDENTITY)
        try:
            return right(public, statement, signature)
        except ed25519.BadEncoding:
            return False
        finally:
            ed25519.is_key, ed25519.is_small_order = is_key, is_small_order

    right, ed25519.verify = ed25519.verify, verify


@mutant("3.7")
def response_not_reduced():
    right = ed25519.verify

    def verify(public, statement, signature):
        response = int.from_bytes(signature[32:], "little") % ed25519.L
        return right(public, statement, signature[:32] + response.to_bytes(32, "little"))

    ed25519.verify = verify


@mutant("3.7-1")
def small_order_accepted():
    def is_key(public):
        try:
            return bool(ed25519.decode_point(public))
        except ed25519.BadEncoding:
            return False

    ed25519.is_key = is_key


@mutant("3.7-1")
def identity_unchecked_by_clients():
    client.identity = without(identity, "check_identity")


@mutant("3.7-1")
def identity_unchecked_by_the_server():
    server.identity = without(identity, "check_identity")


@mutant("3.7-2")
def certificate_unchecked_by_clients():
    client.identity = without(identity, "check_certificate")


@mutant("3.7-2")
def certificate_unchecked_by_the_server():
    server.identity = without(identity, "check_certificate")


@mutant("3.7-2")
def certificates_behind_signatures():
    right = client.Client._check_signatures

    def check(self, members):
        for member in members:
            identity.check_signature(self._config, member)
        right(self, members)

    client.Client._check_signatures = check


@mutant("3.7-2")
def certificate_of_its_own_authority():
    def check(config, member):
        statement = identity.certificate_statement(member.proof.identity)
        by = (config.authority, member.proof.identity)
        error.must_hold(any(ed25519.verify(key, statement, member.proof.certificate) for key in by), "3.7-2")

    identity.check_certificate = check
