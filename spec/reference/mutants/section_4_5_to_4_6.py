"""Mutants of sections 4.5 and 4.6: survivors and unmasking."""

import bits
import client
import config
import ed25519
import field
import identity
import server
import session
import shamir
import unmasking
import wire

from mutants.catalogue import mutant, one_less, with_quorum, with_threshold_minus_one


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
    with_threshold_minus_one("_check_consistency")


@mutant("4.5-4")
def minimum_of_survivors_not_looked_at():
    right = client.Client._check_consistency

    def check(self, session_id, body):
        self._config = config.Config(**(vars(self._config) | {"minimum_survivors": 1}))
        return right(self, session_id, body)

    client.Client._check_consistency = check


@mutant("4.6-11")
def quorum_off_by_one():
    with_threshold_minus_one("_unmask_certified")


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
    with_quorum(client.Client, "_check_consistency", one_less)


@mutant("4.6-11")
def certificate_one_below_the_quorum():
    with_quorum(client.Client, "_unmask_certified", one_less)


@mutant("4.6-11")
def threshold_is_the_quorum():
    with_quorum(client.Client, "_unmask_certified", lambda self, config, members: config.threshold)


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
