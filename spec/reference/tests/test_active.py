"""The active suite: sessions with losses in every round, and each rule that only it has (spec sections 3.7 to 4.6)."""

import functools
import unittest
from dataclasses import replace

import bits
import wire
from client import Client, Policy
from error import POLICY, TOO_FEW_CLIENTS, Abort, Fault
from session import share_keys_session
from tests.rehearsal import (
    ADVERTISE_KEYS,
    CERTIFIED,
    CONSISTENCY_CHECK,
    LANES,
    SHARE_KEYS,
    Refusals,
    Rehearsal,
    Sessions,
    active,
    complete,
    credentials,
    entropy,
)

HEADER = 33


@functools.cache
def rehearsals():
    """The session of four clients in each of its rounds: copied before it is changed."""
    session, rounds = Rehearsal(active()), []
    for _ in range(5):
        rounds.append(session.copy())
        session.round()
    return rounds


class Sums(Sessions):
    def test_nobody_is_lost(self):
        self.check(active(vectors=LANES), [()] * 5, [1, 2, 3, 4])

    def test_losses_in_every_round(self):
        self.check(active(8, 5, 1, LANES), [(8,), (1,), (5,), (), ()], [2, 3, 4, 6, 7])
        self.check(active(7, 4, 0), [(7,), (), (), (1,), (2,)], [1, 2, 3, 4, 5, 6])

    def test_two_clients(self):
        self.check(active(2, 2, 1), [()] * 5, [1, 2])

    def test_too_few(self):
        for rehearsal in rehearsals():
            rehearsal = rehearsal.copy()
            with self.assertRaises(Abort) as caught:
                rehearsal.round(without=(1, 2))
            self.assertEqual(caught.exception.code, TOO_FEW_CLIENTS)


class Active(Refusals):
    """Four clients, threshold 3, one of them corrupt."""

    @property
    def at(self):
        return rehearsals()

    def faulted(self, server, sender, message, must):
        with self.assertRaises(Fault) as caught:
            server.receive(sender, message)
        self.assertEqual((caught.exception.culprit, caught.exception.must), (sender, must))


class Policies(Active):
    def test_suite_and_authority_are_the_clients_own(self):
        self.refused(active(), None)
        self.refused(complete(), credentials(1))
        self.refused(active(), credentials(1, b"b" * 32))
        self.refused(active(corrupt=0), credentials(1), Policy(least_corrupt=1))
        Client(entropy(1), None, Policy(least_corrupt=1), credentials(1)).handle(self.at[0].requests[1])

    def refused(self, config, own, policy=Policy()):
        with self.assertRaises(Abort) as caught:
            Client(entropy(1), None, policy, own).handle(Rehearsal(config).requests[1])
        self.assertEqual(caught.exception.code, POLICY)


class Advertisements(Active):
    """Bad advertisements, to the server and in the roster that client 1 is shown."""

    def test_identity(self):
        for bad in (bytes(32), b"\1" + bytes(31), b"\xff" * 32, b"\1" + bytes(30) + b"\x80"):
            self.bad("3.7-1", identity=bad)

    def test_certificate(self):
        stranger = credentials(3, b"b" * 32)
        other = self.proof(2)
        self.bad("3.7-2", certificate=stranger.certificate)
        self.bad("3.7-2", certificate=other.certificate)
        self.bad("3.7-2", certificate=bytes(64))
        self.bad("3.7-2", identity=credentials(5).prove(active(), 3, self.member(3).keys).identity)

    def test_signature(self):
        own = self.proof(3)
        flipped = own.signature[:40] + bytes([own.signature[40] ^ 1]) + own.signature[41:]
        elsewhere = credentials(3).prove(active(), 2, self.member(3).keys)
        another = credentials(3).prove(active(corrupt=0), 3, self.member(3).keys)
        for signature in (flipped, elsewhere.signature, another.signature, self.proof(2).signature):
            self.bad("4.2-4", signature=signature)

    def test_one_identity_twice(self):
        twin = replace(self.member(3), proof=credentials(2).prove(active(), 3, self.member(3).keys))
        self.refuses(self.at[SHARE_KEYS], self.roster({3: twin}), "4.2-5")
        server = self.at[ADVERTISE_KEYS].copy().server
        server.receive(2, self.response(self.member(2)))
        self.faulted(server, 3, self.response(twin), "4.2-5")

    def test_certificates_come_before_signatures(self):
        """Of member 2 the signature is bad, of member 3 the certificate."""
        two, three = self.member(2), self.member(3)
        two = replace(two, proof=replace(two.proof, signature=bytes(64)))
        three = replace(three, proof=replace(three.proof, certificate=bytes(64)))
        self.refuses(self.at[SHARE_KEYS], self.roster({2: two, 3: three}), "3.7-2")

    def bad(self, must, **fields):
        member = self.member(3)
        member = replace(member, proof=replace(member.proof, **fields))
        self.faulted(self.at[ADVERTISE_KEYS].copy().server, 3, self.response(member), must)
        self.refuses(self.at[SHARE_KEYS], self.roster({3: member}), must)

    def response(self, member):
        session_id = self.at[ADVERTISE_KEYS].requests[1][1:HEADER]
        return wire.pack(wire.ADVERTISE_KEYS_RESPONSE, session_id, member.advertisement().encode())

    def roster(self, changed):
        members = [changed.get(i, self.member(i)) for i in range(1, 5)]
        session_id = share_keys_session(active(), members).id
        return wire.pack(wire.SHARE_KEYS_REQUEST, session_id, wire.ShareKeysRequest(tuple(members)).encode())

    def member(self, client):
        body = self.at[SHARE_KEYS].requests[1][HEADER:]
        return wire.ShareKeysRequest.decode(body, active().suite).neighbourhood[client - 1]

    def proof(self, client):
        return self.member(client).proof


class ConsistencyCheck(Active):
    def test_survivor_sets(self):
        for survivors, must in (
            (b"", "4.5-1"),
            (b"\x0f\x00", "4.5-1"),
            (b"\x1f", "4.5-1"),
            (b"\x0e", "4.5-3"),
            (b"\x03", "4.5-4"),
        ):
            self.refuses(self.at[CONSISTENCY_CHECK], self.request(survivors), must)

    def test_a_survivor_that_is_no_sharer(self):
        rehearsal = Rehearsal(active()).go_to(SHARE_KEYS)
        rehearsal.round(without=(4,))
        rehearsal.round()
        session_id = rehearsal.requests[1][1:HEADER]
        request = wire.pack(wire.CONSISTENCY_CHECK_REQUEST, session_id, b"\0\0\0\1\x0f")
        self.refuses(rehearsal, request, "4.5-2")

    def test_the_minimum_of_survivors(self):
        rehearsal = Rehearsal(replace(active(), minimum_survivors=4)).go_to(CONSISTENCY_CHECK)
        self.refuses(rehearsal, rehearsal.requests[1][:-1] + b"\x07", "4.5-4")

    def test_a_client_signs_once(self):
        client = self.at[CONSISTENCY_CHECK].copy().clients[1]
        client.handle(self.request(b"\x07"))
        with self.assertRaises(Abort) as caught:
            client.handle(self.request(b"\x0f"))
        self.assertEqual(caught.exception.must, "4.1-2")

    def test_signatures(self):
        rehearsal = self.at[CONSISTENCY_CHECK].copy()
        other = rehearsal.copy().clients[1].handle(self.request(b"\x07"))
        of_another = rehearsal.copy().answer(2)
        right = rehearsal.copy().answer(1)
        for message in (other, of_another, right[:-1] + bytes([right[-1] ^ 1])):
            self.faulted(rehearsal.copy().server, 1, message, "4.5-5")
        self.faulted(rehearsal.copy().server, 1, right[:-1], "4.1-1")

    def request(self, survivors):
        request = wire.ConsistencyCheckRequest(survivors)
        return self.at[CONSISTENCY_CHECK].requests[1][:HEADER] + request.encode()


class Certificates(Active):
    def test_signers(self):
        one, two, three = self.signatures()
        for signatures in ((one, two), (), (one, three, two), (one, two, two), (one, two, replace(three, signer=9))):
            self.refuses(self.at[CERTIFIED], self.request(*signatures), "4.6-11")

    def test_a_signer_that_is_no_survivor(self):
        rehearsal = self.at[CONSISTENCY_CHECK].copy()
        request = rehearsal.requests[1][:-1] + b"\x07"
        signed = {i: rehearsal.clients[i].handle(request)[HEADER:] for i in (1, 2, 3)}
        signatures = [wire.Signed(i, signature) for i, signature in signed.items()]
        self.refuses(rehearsal, self.request(*signatures, wire.Signed(4, signatures[2].signature)), "4.6-11")
        rehearsal.clients[1].handle(self.request(*signatures))

    def test_signatures_over_the_same_statement(self):
        one, two, three = self.signatures()
        other = self.at[CONSISTENCY_CHECK].copy().clients[3].handle(
            self.at[CONSISTENCY_CHECK].requests[1][:-1] + b"\x07"
        )
        for wrong in (other[HEADER:], two.signature, bytes(64)):
            self.refuses(self.at[CERTIFIED], self.request(one, two, replace(three, signature=wrong)), "4.6-12")

    def test_one_bad_signature_among_enough_good_ones(self):
        signatures = [*self.signatures(), wire.Signed(4, bytes(64))]
        self.refuses(self.at[CERTIFIED], self.request(*signatures), "4.6-12")

    def signatures(self):
        return wire.CertifiedUnmaskingRequest.decode(self.at[CERTIFIED].requests[1][HEADER:]).signatures

    def request(self, *signatures):
        return self.at[CERTIFIED].requests[1][:HEADER] + wire.CertifiedUnmaskingRequest(signatures).encode()


class Bits(unittest.TestCase):
    def test_places(self):
        members = list(range(2, 12))
        self.assertEqual(bits.pack({2, 9, 10}, members), b"\x81\x01")
        self.assertEqual(bits.unpack(b"\x81\x01", members, "4.5-1"), {2, 9, 10})
        self.assertEqual(bits.pack((), []), b"")
