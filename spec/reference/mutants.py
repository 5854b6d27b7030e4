"""Ways to break the reference on purpose, so that the conformance tests can be seen to fail.

A mutant is a function that replaces a small part of the reference by a wrong one. Beside its name stands the section or
the rule of the document that it breaks: the test that finds it must be one of that.
"""

from dataclasses import replace

import bits
import bundle
import client
import config
import draws
import ed25519
import edwards25519
import error
import field
import graph
import identity
import keys
import keystream
import mask
import noise
import presentation
import removal
import ristretto255
import server
import session
import shamir
import unmasking
import vector
import wire
import x25519

HOLDS_MUST = (bits, client, config, draws, identity, keys, noise, presentation, server, vector, wire)

# The rules that one call of `must_hold` checks, or several that stand together.
CHECKED = (
    *("3.2-1", "3.2-2", "4.1-2", "4.1-3", "4.1-4", "4.1-5", "4.2-1", "4.2-2", "4.2-3", "4.3-1", "4.3-2", "4.3-3"),
    *("4.4-1", "4.4-2", "4.4-4", "4.4-5", "4.6-1", "4.6-2", "4.6-3", "4.6-4", "4.6-5", "4.6-9", "4.6-10", "9.1-1"),
    *("3.7-1", "3.7-2", "4.2-4", "4.2-5", "4.5-1", "4.5-2", "4.5-3", "4.5-4", "4.5-5", "4.6-11", "4.6-12"),
    *("4.3-4", "4.4-6", "4.4-7", "4.4-8", "4.4-9", "4.5-6", "4.6-13", "4.6-14", "4.6-15"),
)
# The labels by the sections whose derivations use them.
LABELS = {
    "3.3": ("share key", "share bundle"),
    "3.4": ("pairwise mask", "self mask", "mask keystream", "self mask commitment"),
    "3.5": ("coefficients",),
    "3.6": ("encryption key", "mask key", "self mask seed", "draw"),
    "3.7": ("certificate", "advertisement", "sharers", "survivors"),
    "6.1": ("config", "session"),
    "6.2": ("graph", "draw commitment", "holders"),
    "9": ("noise",),
    "9.6": ("removal chain", "removal noise"),
}
CATALOGUE = {}


def mutant(breaks):
    """Enters a function into the catalogue under its name."""

    def enter(function):
        CATALOGUE[function.__name__.replace("_", "-")] = (breaks, function)
        return function

    return enter


def offered():
    """The mutants as `hello` names them."""
    return [{"name": name, "breaks": breaks} for name, (breaks, _) in CATALOGUE.items()]


def become(name):
    """Breaks the reference in this way, if there is a name."""
    if name:
        CATALOGUE[name][1]()


def without_check(must):
    """No code holds anybody to this rule."""
    for module in HOLDS_MUST:
        if hasattr(module, "must_hold"):
            module.must_hold = lambda condition, rule: error.must_hold(condition or rule == must, rule)


def with_label(label):
    """This label is another one."""
    prefix = session.prefix
    session.prefix = lambda suite, other: prefix(suite, other + "s" if other == label else other)
    bundle.prefix = session.prefix


def _with_threshold_minus_one(step):
    right = getattr(client.Client, step)

    def less(self, session_id, body):
        whole = self._config
        self._config = config.Config(**(vars(whole) | {"threshold": whole.threshold - 1}))
        return right(self, session_id, body)

    setattr(client.Client, step, less)


def _with_config(step, change):
    """In this step of the client the configuration is another one, in the pinned suite."""
    right = getattr(client.Client, step)

    def other(self, *arguments):
        whole = self._config
        self._config = change(whole) if whole.pinned else whole
        try:
            return right(self, *arguments)
        finally:
            self._config = whole

    setattr(client.Client, step, other)


def _without(module, check):
    """The module without one of its checks."""
    return type("Without", (), {name: staticmethod(value) for name, value in vars(module).items() if callable(value)} | {
        check: staticmethod(lambda *arguments: None)
    })


for _must in CHECKED:
    CATALOGUE[f"unchecked-{_must}"] = (_must, lambda must=_must: without_check(must))
for _section, _labels in LABELS.items():
    for _label in _labels:
        CATALOGUE["label-" + _label.replace(" ", "-")] = (_section, lambda label=_label: with_label(label))


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
    client.identity = _without(identity, "check_identity")


@mutant("3.7-1")
def identity_unchecked_by_the_server():
    server.identity = _without(identity, "check_identity")


@mutant("3.7-2")
def certificate_unchecked_by_clients():
    client.identity = _without(identity, "check_certificate")


@mutant("3.7-2")
def certificate_unchecked_by_the_server():
    server.identity = _without(identity, "check_certificate")


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


@mutant("4.2-4")
def signature_unchecked_by_clients():
    client.identity = _without(identity, "check_signature")


@mutant("4.2-4")
def signature_unchecked_by_the_server():
    server.identity = _without(identity, "check_signature")


@mutant("4.2-5")
def identities_compared_with_the_clients_own_only():
    right = client.must_hold

    def must_hold(condition, rule):
        return right(condition or rule == "4.2-5", rule)

    def check_keys(self, members):
        same = [member for member in members if member.proof and member.proof.identity == self._me.proof.identity]
        right(len(same) == 1, "4.2-5")
        keys_checked(self, members)

    client.must_hold = must_hold
    keys_checked, client.Client._check_keys = client.Client._check_keys, check_keys


@mutant("4.2")
def suite_not_the_clients_own():
    client.Client._trusts = lambda self, config: self._credentials is not None or not config.signed


@mutant("4.2")
def authority_not_the_clients_own():
    client.Client._trusts = lambda self, config: config.signed == (self._credentials is not None)


@mutant("4.2-1")
def quorum_of_half():
    config.Config._active_keeps_the_rules = lambda self: (
        self.complete and 2 * self.threshold >= self.clients + self.corrupt and ed25519.is_key(self.authority)
    )


@mutant("4.2-1")
def authority_of_small_order():
    config.Config._active_keeps_the_rules = lambda self: (
        self.complete and 2 * self.threshold > self.clients + self.corrupt
    )


@mutant("4.6")
def bits_from_the_top():
    right = bits.pack
    bits.pack = lambda subset, members: right(subset, members[::-1])


@mutant("4.5")
def sharers_are_the_survivors():
    right = identity.survivors_statement
    identity.survivors_statement = lambda session, sharers, survivors: right(session, survivors, survivors)


@mutant("4.5")
def one_signer_fewer_is_enough():
    right = server.Server._close_consistency_check

    def close(self):
        self.config = config.Config(**(vars(self.config) | {"threshold": self.config.threshold - 1}))
        return right(self)

    server.Server._close_consistency_check = close


@mutant("4.5-4")
def one_survivor_below_the_threshold():
    _with_threshold_minus_one("_check_consistency")


@mutant("4.5-4")
def minimum_of_survivors_not_looked_at():
    right = client.Client._check_consistency

    def check(self, session_id, body):
        self._config = config.Config(**(vars(self._config) | {"minimum_survivors": 1}))
        return right(self, session_id, body)

    client.Client._check_consistency = check


@mutant("4.6-11")
def quorum_off_by_one():
    _with_threshold_minus_one("_unmask_certified")


@mutant("4.6-11")
def signers_in_any_order():
    right = client._strictly_ascending
    client._strictly_ascending = lambda ids: right(sorted(ids))


@mutant("4.6-11")
def signers_need_not_survive():
    right = client.Client._unmask_certified

    def unmask(self, session_id, body):
        signers = {signed.signer for signed in wire.CertifiedUnmaskingRequest.decode(body).signatures}
        survivors, self._survivors = self._survivors, self._survivors | signers & set(self._roster)
        give = self._give_shares
        self._give_shares = lambda session_id, _, __: give(session_id, survivors, len(survivors))
        return right(self, session_id, body)

    client.Client._unmask_certified = unmask


@mutant("4.6-12")
def quorum_of_good_signatures_is_enough():
    right = client.Client._unmask_certified

    def unmask(self, session_id, body):
        signed = wire.CertifiedUnmaskingRequest.decode(body).signatures[: self._config.threshold]
        return right(self, session_id, wire.CertifiedUnmaskingRequest(signed).encode())

    client.Client._unmask_certified = unmask


@mutant("4.6-12")
def survivor_set_not_compared():
    right = client.Client._check_consistency
    statement = identity.survivors_statement

    def check(self, session_id, body):
        signed = right(self, session_id, body)
        sharers = bits.pack(self._members, self._roster)
        sets = [number.to_bytes(1, "little") for number in range(2 ** len(self._roster))]
        self._statement = [statement(self._session, sharers, survivors) for survivors in sets]
        return signed

    client.Client._check_consistency = check
    client.ed25519 = type("Any", (), {})
    client.ed25519.verify = lambda public, known, signature: any(ed25519.verify(public, s, signature) for s in known)


@mutant("4.1-2")
def signs_twice():
    right = client.Client.handle

    def handle(self, request):
        if self._step == self._unmask_certified and request[:1] == bytes([wire.CONSISTENCY_CHECK_REQUEST]):
            self._await(wire.CONSISTENCY_CHECK_REQUEST, self._check_consistency)
        return right(self, request)

    client.Client.handle = handle


# The pinned suite.


def _with_quorum(party, step, quorum):
    """In this step of the client or the server the quorum is another one."""
    right = getattr(party, step)

    def other(self, *arguments):
        whole, config.Config.quorum = config.Config.quorum, lambda config, members: quorum(self, config, members)
        try:
            return right(self, *arguments)
        finally:
            config.Config.quorum = whole

    setattr(party, step, other)


def _majority(members, corrupt):
    return (members + corrupt) // 2 + 1


def _one_less(party, config, members):
    return _majority(members, config.corrupt) - 1


@mutant("4.2")
def pinned_without_being_asked_for():
    right = client.Client._trusts
    client.Client._trusts = lambda self, config: right(self, replace(config, suite=2) if config.pinned else config)


@mutant("4.2-1")
def pinned_on_a_complete_graph():
    config.Config.k_out = property(lambda self: self.pinned, lambda self, value: None)


@mutant("4.2-1")
def quorum_above_all_clients():
    config.Config._pinned_keeps_the_rules = lambda self: ed25519.is_key(self.authority)


@mutant("4.2-1")
def pinned_authority_unchecked():
    config.Config._pinned_keeps_the_rules = lambda self: self.corrupt + 2 <= self.clients


@mutant("8.1")
def drawn_degree_is_even():
    config.Config._degree_keeps_the_rules = lambda self: (
        self.complete or (self.degree % 2 == 0 and 2 <= self.degree <= self.clients - 1)
    )


@mutant("4.2-4")
def draw_commitment_unsigned():
    right = identity.advertisement_statement
    identity.advertisement_statement = lambda config, client, keys, committed=None: right(config, client, keys)


@mutant("4.3-1")
def roster_too_small_for_a_quorum():
    _with_config("_check_neighbourhood", lambda config: replace(config, corrupt=0))


@mutant("4.3-2")
def session_id_unchecked_in_the_pinned_suite():
    right = client.Client._share_keys

    def share_keys(self, session_id, body):
        derive = client.share_keys_session
        if self._config.pinned:
            client.share_keys_session = lambda config, members: session.Session(config.suite, session_id)
        try:
            return right(self, session_id, body)
        finally:
            client.share_keys_session = derive

    client.Client._share_keys = share_keys


@mutant("4.4-8")
def draws_of_owners_unchecked():
    right = draws.check
    draws.check = lambda config, member, draw, must: must == "4.4-8" or right(config, member, draw, must)


@mutant("4.4-8")
def owners_need_not_have_drawn_the_client():
    right = client.Client._check_draw

    def check(self, owned):
        must_hold, client.must_hold = client.must_hold, lambda condition, must: None
        try:
            return right(self, owned)
        finally:
            client.must_hold = must_hold

    client.Client._check_draw = check


@mutant("4.4-2")
def sharers_one_below_the_quorum():
    _with_quorum(client.Client, "_check_sharers", _one_less)


@mutant("4.4-2")
def holders_that_shared_uncounted():
    _with_config("_check_sharers", lambda config: replace(config, threshold=0))


@mutant("4.4-1")
def owner_that_is_the_client_itself():
    right = client.Client._check_sharers

    def check(self, request):
        owners = [owned.owner for owned in request.bundles]
        if self._me.id in owners:
            request = replace(request, bundles=tuple(b for b in request.bundles if b.owner != self._me.id))
        return right(self, request)

    client.Client._check_sharers = check


@mutant("4.4")
def masked_with_owners_only():
    right = client.Client._mask_input

    def mask_input(self, partners):
        return right(self, [i for i in partners if not self._config.pinned or i in self._members])

    client.Client._mask_input = mask_input


@mutant("4.4")
def masked_with_holders_only():
    right = client.Client._mask_input

    def mask_input(self, partners):
        return right(self, [i for i in partners if not self._config.pinned or i in self._holders])

    client.Client._mask_input = mask_input


@mutant("4.4")
def masked_twice_with_who_is_both():
    right = client.Client._mask_input

    def mask_input(self, partners):
        both = [i for i in partners if self._config.pinned and i in self._holders and i in self._members]
        return right(self, partners + both)

    client.Client._mask_input = mask_input


@mutant("4.3")
def too_few_sharers_for_a_quorum():
    _with_quorum(server.Server, "_close_share_keys", _one_less)


@mutant("4.4")
def too_few_survivors_for_a_quorum():
    _with_quorum(server.Server, "_close_masked_input", _one_less)


@mutant("4.5-6")
def holders_of_owners_uncounted():
    right = client.Client._check_surviving_holders

    def check(self):
        known, self._holders_of = self._holders_of, {}
        right(self)
        self._holders_of = known

    client.Client._check_surviving_holders = check


@mutant("4.5-6")
def own_holders_uncounted():
    right = client.Client._check_surviving_holders

    def check(self):
        known, self._holders = self._holders, self._roster
        right(self)
        self._holders = known

    client.Client._check_surviving_holders = check


@mutant("4.5-4")
def survivors_one_below_the_quorum():
    _with_quorum(client.Client, "_check_consistency", _one_less)


@mutant("4.6-11")
def certificate_one_below_the_quorum():
    _with_quorum(client.Client, "_unmask_certified", _one_less)


@mutant("4.6-11")
def threshold_is_the_quorum():
    _with_quorum(client.Client, "_unmask_certified", lambda self, config, members: config.threshold)


@mutant("6.3")
def quorum_of_the_sharers():
    quorum = lambda self, config, members: _majority(len(self._sharers), config.corrupt)
    for step in ("_check_consistency", "_unmask_certified"):
        _with_quorum(client.Client, step, quorum)


@mutant("6.3")
def quorum_of_all_clients():
    config.Config.quorum = lambda self, members: _majority(self.clients, self.corrupt)


@mutant("6.3")
def quorum_of_the_honest():
    config.Config.quorum = lambda self, members: members // 2 + 1


@mutant("4.5")
def signers_without_holders():
    right = server.Server._close_consistency_check

    def close(self):
        self._enough_holders = lambda owners, present: True
        try:
            return right(self)
        finally:
            del self._enough_holders

    server.Server._close_consistency_check = close


@mutant("4.6-13")
def surplus_input_signatures_ignored():
    right = client.Client._check_inputs

    def check(self, signatures):
        owners = [owner for owner in self._members if owner in self._survivors and owner != self._me.id]
        right(self, signatures[: len(owners)])

    client.Client._check_inputs = check


@mutant("4.6-14")
def one_input_signature_is_enough():
    right = client.Client._check_inputs

    def check(self, signatures):
        has_signed = [self._has_signed]
        self._has_signed = lambda *arguments: has_signed.pop()(*arguments) if has_signed else True
        try:
            right(self, signatures)
        finally:
            del self._has_signed

    client.Client._check_inputs = check


@mutant("4.6-14")
def sharers_with_one_more_or_less_are_the_same():
    right = client.Client._check_inputs

    def check(self, signatures):
        near = [self._sharers ^ {member} for member in self._roster] + [self._sharers]
        packed = [bits.pack(sharers, self._roster) for sharers in near]
        self._sharers_statement = [identity.sharers_statement(self._session, sharers) for sharers in packed]
        client.ed25519 = type("Any", (), {})
        client.ed25519.verify = lambda public, near, signature: any(
            ed25519.verify(public, statement, signature) for statement in near
        )
        right(self, signatures)

    client.Client._check_inputs = check


@mutant("6.2")
def client_draws_itself():
    right = draws.holders
    draws.holders = lambda known, degree, client, draw, roster: right(known, degree, 0, draw, roster)


@mutant("6.2")
def holders_drawn_from_one_on():
    right = keystream.Keystream.uniform_below
    draws.Keystream = type("Late", (keystream.Keystream,), {"uniform_below": lambda self, m: (right(self, m) + 1) % m})


@mutant("6.2")
def draw_commitment_without_id():
    right = draws.commitment
    draws.commitment = lambda config, client, draw: right(config, 0, draw)


@mutant("4.1-1")
def trailing_bytes_accepted():
    presentation.Reader.end = lambda self: None


@mutant("4.1-1")
def client_zero_accepted():
    presentation.Reader.client_id = presentation.Reader.uint32


@mutant("4.1-1")
def length_unchecked():
    def opaque(self, size):
        self._at += min(size, self.remaining())
        return self._data[max(self._at - size, 0) : self._at]

    presentation.Reader.opaque = opaque


@mutant("4.1-1")
def client_goes_on_after_a_broken_rule():
    right = client.Client.handle

    def handle(self, request):
        before = dict(self.__dict__)
        try:
            return right(self, request)
        except error.Abort:
            self.__dict__ = before
            raise

    client.Client.handle = handle


@mutant("4.1-1")
def liar_stays_in():
    server.HARMLESS = error.RULES


@mutant("4.1-3")
def stray_message_puts_out():
    server.HARMLESS = ("4.1-4", "4.1-5")


@mutant("4.1-4")
def client_answers_twice():
    right = client.Client.handle

    def handle(self, request):
        before = dict(self.__dict__)
        response = right(self, request)
        if self._step is None:
            self.__dict__ = before
        return response

    client.Client.handle = handle


@mutant("4.2")
def policy_ignored():
    client.Policy.accepts = lambda self, config: True


@mutant("4.2-1")
def bound_one_too_great():
    right = config.VectorSpec.keeps_the_rules
    config.VectorSpec.keeps_the_rules = lambda self, clients: right(self, clients - 1)


@mutant("4.3")
def too_few_holders_accepted():
    server.Server._enough_holders = lambda self, owners, present: True


@mutant("4.4-3")
def any_share_in_a_bundle():
    bundle.field = type("Field", (), {"encode": field.encode, "NotCanonical": field.NotCanonical})
    bundle.field.decode = lambda data: int.from_bytes(data, "little") % field.L


@mutant("4.4-3")
def unopened_not_listed():
    right = client.Client._open

    def open(self, bundles):
        right(self, bundles)
        self._unopened = []

    client.Client._open = open


@mutant("4.4-3")
def unopened_owner_not_masked():
    right = client.Client._mask_input
    client.Client._mask_input = lambda self, owners: right(self, [o for o in owners if o not in self._unopened])


@mutant("4.4")
def dropped_masks_taken_off_with_the_wrong_sign():
    right = unmasking._without_pairwise_masks

    def wrong(*arguments):
        sign, mask.pairwise_sign = mask.pairwise_sign, lambda client, neighbour: -sign(client, neighbour)
        sums = right(*arguments)
        mask.pairwise_sign = sign
        return sums

    unmasking._without_pairwise_masks = wrong


@mutant("4.6")
def share_of_the_wrong_kind():
    right = client.Client._share_of
    client.Client._share_of = lambda self, owner, survived: right(self, owner, not survived)


@mutant("4.6-3")
def one_survivor_fewer_is_enough():
    right = client.Client._unmask

    def unmask(self, session_id, body):
        self._config = config.Config(**(vars(self._config) | {"threshold": self._config.threshold - 1}))
        return right(self, session_id, body)

    client.Client._unmask = unmask


@mutant("4.6-10")
def survivor_count_may_be_all_clients():
    client.Client._can_be = lambda self, count, survivors: len(survivors) <= count <= self._config.clients


@mutant("4.4")
def sum_of_too_few_survivors_made():
    server.Server._too_few = lambda self, present: not present


@mutant("4.6-6")
def share_above_the_order_accepted():
    field.decode = lambda data: int.from_bytes(data, "little") % field.L


@mutant("4.6-7")
def spare_shares_unused():
    unmasking.reconstruct = lambda shares, threshold, committed, budget: (
        shamir.reconstruct(dict(sorted(shares.items())[:threshold])),
        [],
    )


@mutant("4.6-7")
def liar_not_named():
    right = unmasking.reconstruct
    unmasking.reconstruct = lambda *arguments: (right(*arguments)[0], [])


@mutant("4.6-8")
def reconstructed_secret_unchecked():
    unmasking._committed = lambda collected, owner: lambda secret: True


@mutant("4.6-8")
def reconstructed_mask_key_unchecked():
    right = unmasking._committed
    unmasking._committed = lambda collected, owner: (
        right(collected, owner) if owner in collected.survivors else lambda secret: True
    )


@mutant("6.1")
def roster_not_counted():
    session.uint32 = lambda number: b""


@mutant("6.2")
def graph_shuffled_upwards():
    graph.range = lambda *bounds: range(1, bounds[0] + 1) if len(bounds) == 3 else range(*bounds)


@mutant("6.2")
def graph_one_step_far():
    right = graph._regular
    graph._regular = lambda degree, session, roster: right(degree + 2, session, roster)


@mutant("7.2")
def packed_from_the_top():
    right = vector._pack_one
    vector._pack_one = lambda coordinates, spec: right(coordinates[::-1], spec)


@mutant("7.3")
def mask_sign_swapped():
    mask.pairwise_sign = lambda client, neighbour: mask.ADD if client < neighbour else mask.SUBTRACT


@mutant("7.3")
def own_mask_subtracted():
    mask.ADD, mask.SUBTRACT = mask.SUBTRACT, mask.ADD


@mutant("9.1-1")
def subnormal_numbers_accepted():
    noise._is_positive_normal = lambda bits: bits >> 63 == 0 and bits >> 52 < 0x7FF


@mutant("9.1-1")
def skellam_noise_of_any_variance():
    right = noise.Noise.keeps_the_rules
    noise.Noise.keeps_the_rules = lambda self, length: right(
        noise.Noise(**(vars(self) | {"law": noise.DISCRETE_GAUSSIAN})), length
    )


@mutant("9.1-1")
def centred_noise_below_the_floor():
    noise.VARIANCES = noise.VARIANCES | {noise.CENTRED: (2**14, 2**22)}


@mutant("9.1")
def one_fraction_bit_too_many():
    right = noise.fraction_bits
    noise.fraction_bits = lambda norm_squared, length: right(norm_squared, length) + 1


@mutant("9.2")
def norm_of_fractions_in_the_finest_units():
    noise.Noise.greatest_square = property(lambda self: self.norm_squared)


@mutant("9.2")
def purposes_share_a_stream():
    right = noise.Stream.__init__
    noise.Stream.__init__ = lambda self, seed, purpose: right(self, seed, "")


@mutant("9.2")
def rounded_to_the_nearest():
    noise._round = lambda grid, stream: [(x + noise.GRID // 2) // noise.GRID for x in grid]


@mutant("9.2")
def norm_unchecked():
    right = noise.rounded
    noise.rounded = lambda grid, norm_squared, seed: right(grid, 2**128, seed)


@mutant("9.2")
def rounded_towards_zero():
    noise._round = lambda grid, stream: [int(x / noise.GRID) for x in grid]


@mutant("9.2")
def centred_one_too_low():
    noise.centred = lambda elements, bits: [x - 2**bits if x >> (bits - 1) else x for x in (e + 1 for e in elements)]


@mutant("9")
def no_noise():
    noise.draw = lambda law, variance, seed, count: [0] * count


@mutant("9.3")
def half_the_noise():
    right = noise.draw
    noise.draw = lambda law, variance, seed, count: right(law, variance // 4, seed, count)


@mutant("9.3")
def zero_twice_as_often():
    right = noise.HalfGaussian.__init__
    noise.HalfGaussian.__init__ = lambda self, exponent, doubled: right(self, exponent, False)


@mutant("9.3")
def signs_before_all_distances():
    noise.SHORT = 0


@mutant("9.3")
def words_one_by_one():
    noise.BLOCK = 1


@mutant("9.3")
def two_levels_without_rejection():
    noise.Stream.exp_minus = lambda self, exponent: True


@mutant("9.3")
def poisson_of_the_whole_variance():
    right = noise.Poisson.__init__
    noise.Poisson.__init__ = lambda self, mean: right(self, 2 * mean)


@mutant("9")
def noise_added_to_fractions_cut_off():
    right = noise.draw_around
    noise.draw_around = lambda centres, variance, fraction_bits, seed: right(
        [centre >> fraction_bits for centre in centres], variance, 0, seed
    )


@mutant("9.3")
def centred_on_the_nearest_integer():
    right = noise.Centred.__init__
    noise.Centred.__init__ = lambda self, variance, centre: right(self, variance, 0 * centre)


@mutant("9.3")
def negative_fractions_not_mirrored():
    right = noise.draw_around

    def positive(centre, one):
        nearest = (2 * centre + one) // (2 * one)
        return nearest * one + abs(centre - nearest * one)

    noise.draw_around = lambda centres, variance, fraction_bits, seed: right(
        [positive(centre, 2**fraction_bits) for centre in centres], variance, fraction_bits, seed
    )


@mutant("9.3")
def half_is_nearest_to_the_integer_below():
    right = noise.draw_around
    noise.draw_around = lambda centres, variance, fraction_bits, seed: [
        -x for x in right([-centre for centre in centres], variance, fraction_bits, seed)
    ]


@mutant("9.1-1")
def levels_in_any_order():
    noise.Noise._levels_keep_the_rules = lambda self: all(
        level.variance <= self._greatest() for level in self.levels
    )


@mutant("9.6")
def one_component_too_many_removed():
    right = removal.kept
    removal.kept = lambda terms, survivors: max(1, right(terms, survivors) - 1)


@mutant("9.6")
def a_level_kept_at_its_own_number():
    removal.kept = lambda terms, survivors: 1 + sum(level.survivors >= survivors for level in terms.levels)


@mutant("9.6")
def components_of_the_whole_share():
    right = removal.components
    removal.components = lambda terms, chain, first, seed, length: right(
        noise.Noise(**(vars(terms) | {"variance": 0})), chain, first, seed, length
    )


@mutant("9.6")
def only_the_first_superfluous_component_removed():
    right = unmasking._without_noise

    def without(collected, sums, client, seeds):
        whole = removal.components

        def first_one(terms, chain, first, seed, length):
            short = noise.Noise(**(vars(terms) | {"levels": terms.levels[:first]}))
            return whole(short, chain, first, seed, length)

        removal.components = first_one
        found = right(collected, sums, client, seeds)
        removal.components = whole
        return found

    unmasking._without_noise = without


@mutant("9.6")
def a_chain_for_all_vectors():
    right = removal.Chain._derive
    removal.Chain._derive = lambda self, label, seed, component: right(
        removal.Chain(self.session, self.client, 0), label, seed, component
    )
