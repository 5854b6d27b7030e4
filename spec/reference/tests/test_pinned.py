"""The pinned suite: sessions with losses in every round, and each rule that only it has (spec sections 4.2 to 6.3)."""

import functools
import unittest
from dataclasses import replace

import bits
import draws
import identity
import wire
from client import Client, Policy
from config import ACTIVE, CURIOUS, PINNED
from error import POLICY, TOO_FEW_CLIENTS, Abort, Broken, Fault
from graph import neighbours_by_holders
from session import Session, share_keys_session
from tests.rehearsal import (
    ADVERTISE_KEYS,
    CERTIFIED,
    CONSISTENCY_CHECK,
    LANES,
    MASKED_INPUT,
    SHARE_KEYS,
    Refusals,
    Rehearsal,
    Sessions,
    active,
    complete,
    credentials,
    entropy,
    pinned,
    regular,
)

HEADER = 33
ALL = tuple(range(1, 9))


@functools.cache
def rehearsals():
    """The session of eight clients in each of its rounds: copied before it is changed."""
    session, rounds = Rehearsal(pinned()), []
    for _ in range(5):
        rounds.append(session.copy())
        session.round()
    return rounds


class Sums(Sessions):
    def test_nobody_is_lost(self):
        self.check(pinned(vectors=LANES), [()] * 5, list(ALL))

    def test_losses_in_every_round(self):
        self.check(pinned(14, 2, 9, 1, LANES), [(14,), (1,), (5,), (6,), (7,)], [2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13])

    def test_two_clients_can_not_share(self):
        self.assertFalse(pinned(2, 2, 1, 0).keeps_the_rules())
        self.check(pinned(3, 2, 2, 1), [()] * 5, [1, 2, 3])

    def test_a_quorum_is_not_the_threshold(self):
        """Five of eight are a quorum: four survivors, or signers, are too few, though the threshold is two."""
        for losses in ([(), (5, 6, 7, 8)], [(), (), (5, 6, 7, 8)], [(), (), (), (5, 6, 7, 8)]):
            rehearsal = Rehearsal(pinned(8, 2, 7))
            self.aborts(rehearsal, losses)
        self.check(pinned(8, 2, 7), [(), (), (), (6, 7, 8), ()], list(ALL))
        self.check(pinned(8, 2, 7), [(), (), (), (), (4, 5, 6, 7, 8)], list(ALL))

    def test_too_few_for_the_degree_and_for_a_quorum(self):
        self.aborts(Rehearsal(pinned(8, 2, 7)), [(1,)])
        self.aborts(Rehearsal(pinned(8, 2, 3, 6)), [(1,)])

    def test_too_few_holders(self):
        for losses in ([(), (1,)], [(), (), (1,)], [(), (), (), (1,)], [(), (), (), (), (1,)]):
            self.aborts(Rehearsal(pinned(8, 7, 7)), losses)

    def aborts(self, rehearsal, losses):
        for lost in losses[:-1]:
            rehearsal.round(without=lost)
        with self.assertRaises(Abort) as caught:
            rehearsal.round(without=losses[-1])
        self.assertEqual(caught.exception.code, TOO_FEW_CLIENTS)


class Configurations(unittest.TestCase):
    def test_rules(self):
        for good in (pinned(), pinned(degree=7), pinned(8, 2, 2), pinned(8, 3, 5, 6), pinned(8, 2, 3, 0)):
            self.assertTrue(good.keeps_the_rules(), good)
        for bad in (
            pinned(degree=8),
            pinned(8, 2, 1),
            pinned(threshold=6),
            pinned(corrupt=7),
            pinned(corrupt=2**32 - 1),
            replace(pinned(), authority=b"\1" + bytes(31)),
            replace(pinned(), k_out=False, degree=4),
            replace(pinned(), k_out=False, degree=None),
            replace(regular(), k_out=True),
            replace(pinned(), suite=CURIOUS),
            replace(pinned(), suite=ACTIVE),
        ):
            self.assertFalse(bad.keeps_the_rules(), bad)

    def test_quorum(self):
        self.assertEqual([pinned(corrupt=1).quorum(m) for m in (3, 4, 5, 8)], [3, 3, 4, 5])


class Draws(unittest.TestCase):
    def test_holders(self):
        roster, here = [2, 3, 5, 7, 11, 13, 17, 19], Session(PINNED, b"i" * 32)
        drawn = {i: draws.holders(here, 5, i, bytes([i]) * 32, roster) for i in roster}
        for client, holders in drawn.items():
            self.assertEqual(len(holders), 5)
            self.assertEqual(holders, sorted(set(holders)))
            self.assertTrue(set(holders) <= set(roster) - {client})
        elsewhere = Session(PINNED, b"j" * 32)
        self.assertNotEqual(drawn[2], draws.holders(elsewhere, 5, 2, b"\2" * 32, roster))
        self.assertEqual(draws.holders(here, 7, 2, b"\2" * 32, roster), roster[1:])

    def test_the_commitment_is_to_config_client_and_draw(self):
        commitment = draws.commitment(pinned(), 1, b"d" * 32)
        for other in ((pinned(corrupt=0), 1, b"d" * 32), (pinned(), 2, b"d" * 32), (pinned(), 1, b"e" * 32)):
            self.assertNotEqual(commitment, draws.commitment(*other))

    def test_neighbours_either_way(self):
        self.assertEqual(neighbours_by_holders({1: [2], 2: [3, 4], 3: []}), {1: [2], 2: [1, 3], 3: [2]})


class Pinned(Refusals):
    """Eight clients of five holders each, threshold 3, one of them corrupt; five are a quorum."""

    @property
    def at(self):
        return rehearsals()

    def faulted(self, round_number, response, must, client=1):
        server = self.at[round_number].copy().server
        with self.assertRaises(Fault) as caught:
            server.receive(client, response)
        self.assertEqual((caught.exception.culprit, caught.exception.must), (client, must))

    def members(self):
        body = self.at[SHARE_KEYS].requests[1][HEADER:]
        return list(wire.ShareKeysRequest.decode(body, PINNED).neighbourhood)

    def response(self, round_number, client=1):
        return self.at[round_number].copy().answer(client)


class Policies(Pinned):
    def test_the_policy_names_the_roots(self):
        self.refused(pinned(), credentials(1), Policy())
        self.refused(pinned(), credentials(1, b"b" * 32), Policy(roots=1))
        self.refused(pinned(), None, Policy(roots=1))
        self.refused(pinned(), credentials(1), Policy(roots=1, least_corrupt=2))
        self.refused(complete(), credentials(1), Policy(roots=1))
        Client(entropy(1), None, Policy(roots=1), credentials(1)).handle(Rehearsal(active()).requests[1])

    def test_the_roster_may_be_too_small(self):
        for fewest in (8, 9):
            client = Client(entropy(1), None, Policy(roots=1, fewest_members=fewest), credentials(1))
            client.handle(self.at[ADVERTISE_KEYS].requests[1])
            if fewest == 8:
                client.handle(self.at[SHARE_KEYS].requests[1])
                continue
            with self.assertRaises(Abort) as caught:
                client.handle(self.at[SHARE_KEYS].requests[1])
            self.assertEqual(caught.exception.code, POLICY)

    def refused(self, config, own, policy):
        with self.assertRaises(Abort) as caught:
            Client(entropy(1), None, policy, own).handle(Rehearsal(config).requests[1])
        self.assertEqual(caught.exception.code, POLICY)


class ShareKeys(Pinned):
    def test_the_roster_is_large_enough(self):
        for config, kept in ((pinned(), 5), (pinned(8, 2, 3, 6), 7)):
            rehearsal = Rehearsal(config).go_to(SHARE_KEYS)
            body = rehearsal.requests[1][HEADER:]
            members = list(wire.ShareKeysRequest.decode(body, PINNED).neighbourhood)
            self.refuses(rehearsal, self.request(members[:kept], config), "4.3-1")
        self.at[SHARE_KEYS].copy().clients[1].handle(self.request(self.members()[:6]))

    def test_the_session_id_follows_from_the_roster(self):
        members = self.members()
        members[4] = replace(members[4], draw_commitment=bytes(32))
        request = self.at[SHARE_KEYS].requests[1][:HEADER] + wire.ShareKeysRequest(tuple(members)).encode()
        self.refuses(self.at[SHARE_KEYS], request, "4.3-2")

    def test_the_draw_commitment_is_the_clients_own_and_signed(self):
        for client, must in ((1, "4.3-1"), (3, "4.2-4")):
            members = self.members()
            members[client - 1] = replace(members[client - 1], draw_commitment=bytes(32))
            self.refuses(self.at[SHARE_KEYS], self.request(members), must)

    def test_encryption_keys_as_they_are_used(self):
        """A bad key is noticed by the clients that draw its owner, and by those that its owner has drawn."""
        drawn, not_drawn = self.bad_key(True), self.bad_key(False)
        self.refuses(self.at[SHARE_KEYS], drawn, "3.2-1")
        rehearsal = self.at[SHARE_KEYS].copy()
        rehearsal.clients[1].handle(not_drawn)
        bundles = wire.PinnedMaskedInputRequest(b"\xff", (wire.DrawnBundle(3, self.draw, bytes(80)),))
        request = wire.pack(wire.MASKED_INPUT_REQUEST, not_drawn[1:HEADER], bundles.encode())
        self.refuses(rehearsal, request, "3.2-1")

    def bad_key(self, drawn):
        """The roster with a bad key of client 3, which has drawn client 1, and is or is not drawn by it."""
        mine = self.at[SHARE_KEYS].clients[1]._secrets.draw
        for number in range(256):
            self.draw = bytes([number]) * 32
            members, committed = self.members(), draws.commitment(pinned(), 3, self.draw)
            public = replace(members[2].keys, encryption_key=b"\1" + bytes(31))
            members[2] = wire.Member(3, public, credentials(3).prove(pinned(), 3, public, committed), committed)
            session = share_keys_session(pinned(), members)
            its_own = draws.holders(session, 5, 3, self.draw, list(ALL))
            if 1 in its_own and (3 in draws.holders(session, 5, 1, mine, list(ALL))) == drawn:
                return self.request(members)

    def test_the_server_wants_a_bundle_for_each_holder_and_the_right_draw(self):
        response = self.response(SHARE_KEYS)
        commitment, draw, bundles = response[33:65], response[65:97], response[101:]
        self.assertEqual(len(bundles), 5 * wire.BUNDLE)
        pack = lambda draw, bundles: response[:33] + wire.ShareKeysResponse(commitment, bundles, draw).encode()
        self.faulted(SHARE_KEYS, pack(draw, bundles[80:]), "4.3-3")
        self.faulted(SHARE_KEYS, pack(draw, bundles + bytes(160)), "4.3-3")
        self.faulted(SHARE_KEYS, pack(bytes(32), bundles), "4.3-4")
        self.faulted(SHARE_KEYS, pack(self.response(SHARE_KEYS, 2)[65:97], bundles), "4.3-4")
        self.faulted(SHARE_KEYS, pack(bytes(32), bundles[80:]), "4.3-3")

    def request(self, members, config=pinned()):
        session_id = share_keys_session(config, members).id
        return wire.pack(wire.SHARE_KEYS_REQUEST, session_id, wire.ShareKeysRequest(tuple(members)).encode())


class MaskedInput(Pinned):
    def test_sharers(self):
        for sharers, must in ((b"", "4.4-6"), (b"\xff\0", "4.4-6"), (b"\xfe", "4.4-7"), (b"\x0f", "4.4-2")):
            self.bad(must, sharers=sharers)

    def test_the_bits_behind_the_last_member(self):
        rehearsal = Rehearsal(pinned(7, 3, 5)).go_to(MASKED_INPUT)
        self.refuses(rehearsal, self.changed(rehearsal, sharers=b"\xff"), "4.4-6")

    def test_enough_holders_of_its_own(self):
        rehearsal = Rehearsal(pinned(8, 5, 5)).go_to(MASKED_INPUT)
        holder = rehearsal.clients[1]._holders[0]
        without = bits.pack(set(ALL) - {holder}, list(ALL))
        self.refuses(rehearsal, self.changed(rehearsal, sharers=without, bundles=()), "4.4-2")

    def test_owners(self):
        bundles = self.request().bundles
        owner = bundles[0].owner
        for bad in (
            bundles[::-1],
            bundles[:1] * 2,
            (replace(bundles[0], owner=9),),
            (replace(bundles[0], owner=1),),
        ):
            self.bad("4.4-1", bundles=tuple(bad))
        self.bad("4.4-1", sharers=bits.pack(set(ALL) - {owner}, list(ALL)))

    def test_draws(self):
        bundles = self.request().bundles
        self.bad("4.4-8", bundles=(replace(bundles[0], draw=bytes(32)),))
        self.bad("4.4-8", bundles=(replace(bundles[0], draw=bundles[1].draw),))
        owner = next(i for i in ALL[1:] if 1 not in self.at[MASKED_INPUT].server._holders[i])
        draw = self.at[MASKED_INPUT].clients[owner]._secrets.draw
        self.bad("4.4-8", bundles=(wire.DrawnBundle(owner, draw, bytes(80)),))

    def test_the_order_of_the_checks(self):
        bundles = self.request().bundles
        drawless = tuple(replace(bundle, draw=bytes(32)) for bundle in bundles)
        self.bad("4.4-6", sharers=b"\0\0", bundles=drawless[::-1])
        self.bad("4.4-7", sharers=b"\0", bundles=drawless[::-1])
        self.bad("4.4-2", sharers=b"\1", bundles=drawless[::-1])
        self.bad("4.4-1", bundles=drawless[::-1])

    def test_a_bundle_that_the_server_keeps_back(self):
        """The client still masks with its holders, whatever has come from them."""
        rehearsal = self.at[MASKED_INPUT]
        client = rehearsal.clients[1]
        both = next(b for b in self.request().bundles if b.owner in client._holders)
        one_way = next(b for b in self.request().bundles if b.owner not in client._holders)
        whole = rehearsal.copy().answer(1)
        for kept_back, same in ((both, True), (one_way, False)):
            bundles = tuple(b for b in self.request().bundles if b != kept_back)
            answer = rehearsal.copy().clients[1].handle(self.changed(rehearsal, bundles=bundles))
            self.assertEqual(answer == whole, same)

    def test_the_signature(self):
        response = self.response(MASKED_INPUT)
        others = self.changed(self.at[MASKED_INPUT], sharers=b"\x7f", bundles=())
        for signature in (
            bytes(64),
            self.response(MASKED_INPUT, 2)[33:97],
            self.at[MASKED_INPUT].copy().clients[1].handle(others)[33:97],
        ):
            self.faulted(MASKED_INPUT, response[:33] + signature + response[97:], "4.4-9")
        self.faulted(MASKED_INPUT, response[:33] + bytes(64) + response[97:-1], "4.4-4")
        self.faulted(MASKED_INPUT, response[:33] + bytes(63), "4.1-1")
        session = Session(PINNED, response[1:33])
        self.assertEqual(response[33:97], credentials(1).sign(identity.sharers_statement(session, b"\xff")))

    def request(self, rehearsal=None):
        rehearsal = rehearsal or self.at[MASKED_INPUT]
        return wire.PinnedMaskedInputRequest.decode(rehearsal.requests[1][HEADER:])

    def changed(self, rehearsal, **fields):
        return rehearsal.requests[1][:HEADER] + replace(self.request(rehearsal), **fields).encode()

    def bad(self, must, **fields):
        self.refuses(self.at[MASKED_INPUT], self.changed(self.at[MASKED_INPUT], **fields), must)


class ConsistencyCheck(Pinned):
    def test_survivor_sets(self):
        for survivors, must in ((b"", "4.5-1"), (b"\xff\0", "4.5-1"), (b"\xfe", "4.5-3"), (b"\x0f", "4.5-4")):
            self.refuses(self.at[CONSISTENCY_CHECK], self.request(survivors), must)

    def test_a_survivor_that_is_no_sharer(self):
        rehearsal = Rehearsal(pinned()).go_to(SHARE_KEYS)
        rehearsal.round(without=(8,))
        rehearsal.round()
        request = rehearsal.requests[1][:HEADER] + wire.ConsistencyCheckRequest(b"\xff").encode()
        self.refuses(rehearsal, request, "4.5-2")

    def test_a_survivor_that_is_no_owner(self):
        rehearsal = self.at[CONSISTENCY_CHECK]
        self.assertLess(len(rehearsal.clients[1]._members), 8)
        rehearsal.copy().clients[1].handle(self.request(b"\xff"))

    def test_holders_that_survive(self):
        config = pinned(8, 5, 5)
        rehearsal = Rehearsal(config).go_to(CONSISTENCY_CHECK)
        client = rehearsal.clients[1]
        elsewhere = [i for i in ALL if i != 1 and i not in client._holders]
        self.refuses(rehearsal, self.request(self.without(client._holders[0]), rehearsal), "4.5-6")
        # Client 1 has its holders, but an owner that survives does not.
        needed = {i for holders in client._holders_of.values() for i in holders}
        lost = next(i for i in elsewhere if i in needed)
        self.refuses(rehearsal, self.request(self.without(lost), rehearsal), "4.5-6")

    def without(self, *clients):
        return bits.pack(set(ALL) - set(clients), list(ALL))

    def request(self, survivors, rehearsal=None):
        rehearsal = rehearsal or self.at[CONSISTENCY_CHECK]
        return rehearsal.requests[1][:HEADER] + wire.ConsistencyCheckRequest(survivors).encode()


class Certificates(Pinned):
    def test_signers(self):
        signed = self.request().signatures
        self.assertEqual([one.signer for one in signed], [1, 2, 3, 4, 5])
        for bad in (signed[:4], signed[::-1], signed + signed[4:], (*signed, replace(signed[0], signer=9))):
            self.bad("4.6-11", signatures=tuple(bad))
        self.bad("4.6-12", signatures=(*signed, wire.Signed(6, bytes(64))))

    def test_signatures_of_masked_inputs(self):
        inputs = self.request().inputs
        self.bad("4.6-13", inputs=inputs[1:])
        self.bad("4.6-13", inputs=(*inputs, inputs[0]))
        self.bad("4.6-14", inputs=(bytes(64), *inputs[1:]))
        self.bad("4.6-14", inputs=(*inputs[:-1], bytes(64)))
        self.bad("4.6-14", inputs=(inputs[1], inputs[0], *inputs[2:]))

    def test_a_private_set_of_sharers(self):
        """An owner that was told of other sharers has signed those: no share of its seed is given."""
        client = self.at[CERTIFIED].clients[1]
        owner = next(i for i in client._members if i != 1)
        statement = identity.sharers_statement(client._session, b"\x7f")
        self.bad("4.6-14", inputs=(credentials(owner).sign(statement), *self.request().inputs[1:]))

    def test_a_server_that_names_few_sharers_needs_the_quorum_of_the_roster(self):
        """Of five sharers four would be a quorum; of the roster of eight it is five."""
        rehearsal = Rehearsal(pinned(8, 2, 7)).go_to(SHARE_KEYS)
        rehearsal.round(without=(6, 7, 8))
        rehearsal.round()
        request = rehearsal.requests[1][:HEADER] + wire.ConsistencyCheckRequest(b"\x0f").encode()
        self.refuses(rehearsal, request, "4.5-4")
        rehearsal.round()
        certified = wire.PinnedUnmaskingRequest.decode(rehearsal.requests[1][HEADER:])
        few = replace(certified, signatures=certified.signatures[:4])
        self.refuses(rehearsal, rehearsal.requests[1][:HEADER] + few.encode(), "4.6-11")

    def request(self):
        return wire.PinnedUnmaskingRequest.decode(self.at[CERTIFIED].requests[1][HEADER:])

    def bad(self, must, **fields):
        request = replace(self.request(), **fields)
        self.refuses(self.at[CERTIFIED], self.at[CERTIFIED].requests[1][:HEADER] + request.encode(), must)


class Messages(unittest.TestCase):
    def test_lengths(self):
        config = pinned()
        for round_number, decode in (
            (ADVERTISE_KEYS, lambda body: wire.Advertisement.decode(body, config.suite)),
            (SHARE_KEYS, lambda body: wire.ShareKeysResponse.decode(body, config.suite)),
        ):
            body = rehearsals()[round_number].copy().answer(1)[HEADER:]
            self.assertEqual(decode(body).encode(), body)
            for bad in (body[:-1], body + b"\0", b""):
                with self.assertRaisesRegex(Broken, "4.1-1"):
                    decode(bad)
        for round_number, kind in ((MASKED_INPUT, wire.PinnedMaskedInputRequest), (CERTIFIED, wire.PinnedUnmaskingRequest)):
            body = rehearsals()[round_number].requests[1][HEADER:]
            self.assertEqual(kind.decode(body).encode(), body)
            for bad in (body[:-1], body + b"\0", b"", body[:4]):
                with self.assertRaisesRegex(Broken, "4.1-1"):
                    kind.decode(bad)
