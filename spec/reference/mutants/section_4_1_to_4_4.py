"""Mutants of sections 4.1 to 4.4: messages, keys, shares and masked inputs."""

from dataclasses import replace

import bundle
import client
import config
import draws
import ed25519
import error
import field
import identity
import keys
import mask
import presentation
import server
import session
import unmasking
import wire

from mutants.catalogue import mutant, one_less, with_config, with_quorum, without


@mutant("4.2-4")
def signature_unchecked_by_clients():
    client.identity = without(identity, "check_signature")


@mutant("4.2-4")
def signature_unchecked_by_the_server():
    server.identity = without(identity, "check_signature")


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


@mutant("4.1-2")
def signs_twice():
    right = client.Client.handle

    def handle(self, request):
        if self._step == self._unmask_certified and request[:1] == bytes([wire.CONSISTENCY_CHECK_REQUEST]):
            self._await(wire.CONSISTENCY_CHECK_REQUEST, self._check_consistency)
        return right(self, request)

    client.Client.handle = handle


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


@mutant("4.2-4")
def draw_commitment_unsigned():
    right = identity.advertisement_statement
    identity.advertisement_statement = lambda config, client, keys, committed=None: right(config, client, keys)


@mutant("4.3-1")
def roster_too_small_for_a_quorum():
    with_config("_check_neighbourhood", lambda config: replace(config, corrupt=0))


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
    with_quorum(client.Client, "_check_sharers", one_less)


@mutant("4.4-2")
def holders_that_shared_uncounted():
    with_config("_check_sharers", lambda config: replace(config, threshold=0))


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
    with_quorum(server.Server, "_close_share_keys", one_less)


@mutant("4.4")
def too_few_survivors_for_a_quorum():
    with_quorum(server.Server, "_close_masked_input", one_less)


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


@mutant("4.4")
def sum_of_too_few_survivors_made():
    server.Server._too_few = lambda self, present: not present
