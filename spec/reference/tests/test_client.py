"""What a client refuses: each rule of a request, and who it is that gives up."""

import unittest
from dataclasses import replace

import field
import ristretto255
import wire
from client import Client, Policy
from error import CODES, MISUSE, OVER, POLICY, Abort
from presentation import uint32
from session import advertise_keys_session, share_keys_session
from tests.rehearsal import (
    ADVERTISE_KEYS,
    MASKED_INPUT,
    ONE_VECTOR,
    SHARE_KEYS,
    UNMASKING,
    Refusals,
    Rehearsal,
    complete,
    entropy,
    honest_input,
    regular,
)
from x25519 import P

HEADER = 33


class Requests(Refusals):
    """Client 1 in each round, on a complete graph of 4 with threshold 3 and a regular one of 6, degree 4."""

    @classmethod
    def setUpClass(cls):
        cls.complete = [Rehearsal(complete()).go_to(r) for r in range(4)]
        cls.regular = [Rehearsal(regular()).go_to(r) for r in range(4)]


class EveryRound(Requests):
    def test_cut_off(self):
        for rehearsal in self.complete + self.regular:
            request = rehearsal.requests[1]
            for size in (0, 1, 32, 33, len(request) - 1):
                self.refuses(rehearsal, request[:size], "4.1-1")

    def test_too_long(self):
        for rehearsal in self.complete + self.regular:
            self.refuses(rehearsal, rehearsal.requests[1] + b"\0", "4.1-1")

    def test_unknown_type(self):
        for rehearsal in self.complete:
            for message_type in (0, 11, 12, 255):
                self.refuses(rehearsal, bytes([message_type]) + rehearsal.requests[1][1:], "4.1-1")

    def test_another_type(self):
        for rehearsal in self.complete:
            for message_type in (1, 2, 3, 4, 5, 6, 9, 10):
                if message_type != rehearsal.requests[1][0]:
                    self.refuses(rehearsal, bytes([message_type]) + rehearsal.requests[1][1:], "4.1-2")

    def test_a_request_of_another_round(self):
        for rehearsal in self.complete:
            for other in self.complete:
                if other is not rehearsal:
                    self.refuses(rehearsal, other.requests[1], "4.1-2")

    def test_another_session(self):
        for rehearsal in (self.complete[0], self.complete[2], self.complete[3], self.regular[2]):
            request = rehearsal.requests[1]
            self.refuses(rehearsal, request[:1] + b"?" * 32 + request[HEADER:], "4.1-3")

    def test_a_client_answers_once(self):
        for rehearsal in self.complete:
            client = rehearsal.copy().clients[1]
            client.handle(rehearsal.requests[1])
            with self.assertRaises(Abort) as caught:
                client.handle(rehearsal.requests[1])
            self.assertEqual(caught.exception.code, OVER if rehearsal is self.complete[3] else CODES["4.1-2"])


class AdvertiseKeys(Requests):
    def test_configuration(self):
        good = complete()
        for config in (
            replace(good, version=2),
            replace(good, suite=3),
            replace(good, suite=2, authority=bytes(32)),
            replace(good, clients=1),
            replace(good, threshold=1),
            replace(good, threshold=5),
            replace(good, degree=3),
            replace(good, vectors=()),
            replace(good, vectors=ONE_VECTOR + ONE_VECTOR),
            replace(good, vectors=(replace(ONE_VECTOR[0], bits=63),)),
            replace(good, vectors=(replace(ONE_VECTOR[0], bound=2**14),)),
        ):
            self.refuses(self.complete[ADVERTISE_KEYS], self.request(config, 1), "4.2-1")

    def test_own_id(self):
        self.refuses(self.complete[ADVERTISE_KEYS], self.request(complete(), 5), "4.2-2")
        self.refuses(self.complete[ADVERTISE_KEYS], self.request(complete(), 0), "4.1-1")

    def test_policy(self):
        for policy in (
            Policy(smallest_clients=5),
            Policy(lowest_threshold=4),
            Policy(minimum_survivors=2),
            Policy(task=b"another".ljust(32)),
        ):
            client = Client(entropy(1), policy=policy)
            with self.assertRaises(Abort) as caught:
                client.handle(self.request(complete(), 1))
            self.assertEqual((caught.exception.code, caught.exception.must), (POLICY, None))

    def request(self, config, client):
        body = uint32(client) + config.encode()
        return wire.pack(wire.ADVERTISE_KEYS_REQUEST, advertise_keys_session(config).id, body)


class ShareKeys(Requests):
    """The neighbourhood of client 1 on the complete graph is 1, 2, 3, 4."""

    def test_neighbourhood(self):
        one, two, three, four = self.members(self.complete)
        self.changed(self.complete, [two, one, three, four], "4.3-1")
        self.changed(self.complete, [one, two, two, three], "4.3-1")
        self.changed(self.complete, [one, two, three, replace(four, id=5)], "4.3-1")
        self.changed(self.complete, [two, three, four], "4.3-1")
        self.changed(self.complete, [replace(one, keys=two.keys), two, three, four], "4.3-1")
        self.changed(self.complete, [one, two], "4.3-1")
        self.changed(self.complete, [], "4.3-1")

    def test_neighbourhood_of_a_regular_graph(self):
        members = self.members(self.regular)
        self.assertEqual(len(members), 5)
        self.changed(self.regular, members[:-1], "4.3-1")
        absent = ({2, 3, 4, 5, 6} - {member.id for member in members}).pop()
        more = sorted([*members, replace(members[-1], id=absent)], key=lambda member: member.id)
        self.changed(self.regular, more, "4.3-1")
        self.changed(self.regular, members[1:] + [replace(members[-1], id=7)], "4.3-1")

    def test_session_id(self):
        request = self.complete[SHARE_KEYS].requests[1]
        self.refuses(self.complete[SHARE_KEYS], request[:1] + b"?" * 32 + request[HEADER:], "4.3-2")
        rest = [member.encode() for member in self.members(self.complete)[:3]]
        body = uint32(3 * 68) + b"".join(rest)
        self.refuses(self.complete[SHARE_KEYS], request[:HEADER] + body, "4.3-2")

    def test_repeated_keys(self):
        for rehearsals in (self.complete, self.regular):
            members = self.members(rehearsals)
            first, second = members[-2], members[-1]
            for keys in (
                replace(second.keys, mask_key=first.keys.mask_key),
                replace(second.keys, encryption_key=first.keys.encryption_key),
                replace(second.keys, encryption_key=members[0].keys.mask_key),
                replace(second.keys, encryption_key=second.keys.mask_key),
            ):
                self.changed(rehearsals, [*members[:-1], replace(second, keys=keys)], "4.2-3")

    def test_mask_keys(self):
        for rehearsals in (self.complete, self.regular):
            members = self.members(rehearsals)
            for bad in (bytes(32), b"\1" + bytes(31), b"\xff" * 32):
                keys = replace(members[-1].keys, mask_key=bad)
                self.changed(rehearsals, [*members[:-1], replace(members[-1], keys=keys)], "3.2-2")

    def test_encryption_keys(self):
        for rehearsals in (self.complete, self.regular):
            members = self.members(rehearsals)
            high = (int.from_bytes(members[-1].keys.encryption_key, "little") + 2**255).to_bytes(32, "little")
            for bad in (bytes(32), b"\1" + bytes(31), P.to_bytes(32, "little"), high):
                keys = replace(members[-1].keys, encryption_key=bad)
                self.changed(rehearsals, [*members[:-1], replace(members[-1], keys=keys)], "3.2-1")

    def members(self, rehearsals):
        request = rehearsals[SHARE_KEYS].requests[1]
        return list(wire.ShareKeysRequest.decode(request[HEADER:]).neighbourhood)

    def changed(self, rehearsals, members, must):
        """With the session id that fits, where the client can check it."""
        rehearsal = rehearsals[SHARE_KEYS]
        session_id = share_keys_session(rehearsal.config, members).id
        body = wire.ShareKeysRequest(tuple(members)).encode()
        self.refuses(rehearsal, wire.pack(wire.SHARE_KEYS_REQUEST, session_id, body), must)


class MaskedInputCollection(Requests):
    def test_owners(self):
        for rehearsals in (self.complete, self.regular):
            bundles = self.bundles(rehearsals)
            self.changed(rehearsals, [bundles[1], bundles[0], *bundles[2:]], "4.4-1")
            self.changed(rehearsals, [bundles[0], *bundles], "4.4-1")
            self.changed(rehearsals, [replace(bundles[0], owner=1), *bundles[1:]], "4.4-1")
            self.changed(rehearsals, [*bundles[:-1], replace(bundles[-1], owner=99)], "4.4-1")

    def test_not_a_neighbour(self):
        bundles = self.bundles(self.regular)
        stranger = ({2, 3, 4, 5, 6} - {owned.owner for owned in bundles}).pop()
        changed = sorted([*bundles[1:], replace(bundles[0], owner=stranger)], key=lambda owned: owned.owner)
        self.changed(self.regular, changed, "4.4-1")

    def test_too_few(self):
        self.changed(self.complete, self.bundles(self.complete)[:1], "4.4-2")
        self.changed(self.complete, [], "4.4-2")
        self.changed(self.regular, self.bundles(self.regular)[:1], "4.4-2")

    def test_just_enough(self):
        for rehearsals, count in ((self.complete, 2), (self.regular, 2)):
            rehearsal = rehearsals[MASKED_INPUT].copy()
            rehearsal.clients[1].handle(self.request(rehearsal, self.bundles(rehearsals)[:count]))

    def test_a_bundle_that_does_not_open_is_reported_later(self):
        """[4.4-3] is the one broken rule that does not make the client give up."""
        rehearsal = self.complete[MASKED_INPUT].copy()
        bundles = self.bundles(self.complete)
        bundles[1] = replace(bundles[1], bundle=bytes(80))
        honest = self.complete[MASKED_INPUT].copy().answer(1)
        self.assertEqual(rehearsal.clients[1].handle(self.request(rehearsal, bundles)), honest)
        answer = rehearsal.clients[1].handle(self.complete[UNMASKING].requests[1])
        response = wire.UnmaskingResponse.decode(answer[HEADER:])
        self.assertEqual((response.unopened, len(response.shares)), ((3,), 3 * 32))

    def test_input_that_does_not_fit(self):
        good = honest_input(complete(), 1)
        for vectors in (None, [], good + good, [good[0][:-1]], [[-1, 0, 0]], [[2**16, 0, 0]]):
            rehearsal = self.complete[MASKED_INPUT].copy()
            rehearsal.clients[1].set_input(vectors)
            with self.assertRaises(Abort) as caught:
                rehearsal.answer(1)
            self.assertEqual(caught.exception.code, MISUSE)

    def bundles(self, rehearsals):
        request = rehearsals[MASKED_INPUT].requests[1]
        return list(wire.MaskedInputRequest.decode(request[HEADER:]).bundles)

    def request(self, rehearsal, bundles):
        body = wire.MaskedInputRequest(tuple(bundles)).encode()
        return rehearsal.requests[1][:HEADER] + body

    def changed(self, rehearsals, bundles, must):
        rehearsal = rehearsals[MASKED_INPUT]
        self.refuses(rehearsal, self.request(rehearsal, bundles), must)


class Unmasking(Requests):
    """Client 1 has four members on the complete graph, itself first, and five on the regular one."""

    def test_survivor_set(self):
        for bits in (b"", b"\x0f\x00", b"\x1f", b"\x8f"):
            self.changed(self.complete, bits, "4.6-1")
        for bits in (b"", b"\x1f\x00", b"\x3f"):
            self.changed(self.regular, bits, "4.6-1")

    def test_the_client_itself(self):
        self.changed(self.complete, b"\x0e", "4.6-2")
        self.changed(self.regular, b"\x1e", "4.6-2")

    def test_too_few(self):
        self.changed(self.complete, b"\x03", "4.6-3")
        self.changed(self.regular, b"\x03", "4.6-3")

    def test_one_share_of_each_owner(self):
        """The same client, asked with client 2 among the survivors and without it: the shares differ, and
        the first of them is of the self mask seed of client 1 itself."""
        answers = []
        for bits in (b"\x0f", b"\x0d"):
            rehearsal = self.complete[UNMASKING].copy()
            answer = rehearsal.clients[1].handle(self.request(rehearsal, bits))
            answers.append(wire.UnmaskingResponse.decode(answer[HEADER:]).shares)
        self.assertEqual([len(shares) for shares in answers], [4 * 32, 4 * 32])
        self.assertEqual(answers[0][:32], answers[1][:32])
        self.assertNotEqual(answers[0][32:64], answers[1][32:64])
        self.assertEqual(answers[0][64:], answers[1][64:])

    def test_nothing_of_itself_on_a_regular_graph(self):
        answer = self.regular[UNMASKING].copy().answer(1)
        self.assertEqual(len(wire.UnmaskingResponse.decode(answer[HEADER:]).shares), 4 * 32)

    def test_number_of_survivors(self):
        for count, must in ((3, "4.6-10"), (5, "4.6-10"), (0, "4.6-9")):
            self.refuses(self.complete[UNMASKING], self.request(self.complete[UNMASKING], b"\x0f", count), must)
        # Six clients, five members: of three survivors among them there are three or four in all.
        for count in (3, 4):
            rehearsal = self.regular[UNMASKING].copy()
            self.assertTrue(rehearsal.clients[1].handle(self.request(rehearsal, b"\x07", count)))
        for count, must in ((2, "4.6-10"), (5, "4.6-10"), (0, "4.6-9")):
            self.refuses(self.regular[UNMASKING], self.request(self.regular[UNMASKING], b"\x07", count), must)

    def request(self, rehearsal, bits, count=None):
        count = int.from_bytes(bits, "little").bit_count() if count is None else count
        return rehearsal.requests[1][:HEADER] + wire.UnmaskingRequest(count, bits).encode()

    def changed(self, rehearsals, bits, must):
        rehearsal = rehearsals[UNMASKING]
        self.refuses(rehearsal, self.request(rehearsal, bits), must)


class Keys(unittest.TestCase):
    def test_the_mask_key_is_in_the_group(self):
        rehearsal = Rehearsal(complete())
        public = wire.Advertisement.decode(rehearsal.answer(1)[HEADER:]).keys
        element = ristretto255.decode(public.mask_key)
        self.assertTrue(ristretto255.is_identity(ristretto255.multiply(field.L, element)))
