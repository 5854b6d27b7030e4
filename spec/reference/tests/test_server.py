"""What a server refuses: each rule of a response, and what that costs the sender (spec section 5)."""

import unittest
from dataclasses import replace

import field
import wire
from error import CODES, MISUSE, OVER, Abort, Fault
from presentation import uint32
from server import Server
from tests.rehearsal import (
    ADVERTISE_KEYS,
    MASKED_INPUT,
    SHARE_KEYS,
    UNMASKING,
    Rehearsal,
    complete,
    honest_sum,
    regular,
)
from x25519 import P

HEADER = 33


class Responses(unittest.TestCase):
    """A server in each round, and the honest answer of client 1."""

    @classmethod
    def setUpClass(cls):
        cls.complete = [Rehearsal(complete(5, 3)).go_to(r) for r in range(4)]
        cls.regular = [Rehearsal(regular()).go_to(r) for r in range(4)]
        cls.honest = {id(r): r.copy().answer(1) for r in cls.complete + cls.regular}

    def honest_answer(self, rehearsal) -> bytes:
        return self.honest[id(rehearsal)]

    def faulted(self, server, sender, message, must):
        with self.assertRaises(Fault) as caught:
            server.receive(sender, message)
        fault = caught.exception
        self.assertEqual((fault.culprit, fault.must, fault.about), (sender, must, None))
        self.assertEqual(fault.code, CODES[must])

    def put_out(self, rehearsal, message, must, server=None):
        """The message breaks the rule, and its sender, client 1, is out."""
        server = server or rehearsal.copy().server
        self.faulted(server, 1, message, must)
        self.faulted(server, 1, self.honest_answer(rehearsal), "4.1-5")

    def harmless(self, rehearsal, message, must):
        """The message breaks the rule, and its sender, client 1, may still answer."""
        server = rehearsal.copy().server
        self.faulted(server, 1, message, must)
        server.receive(1, self.honest_answer(rehearsal))


class EveryRound(Responses):
    def test_cut_off(self):
        for rehearsal in self.complete[:2] + self.complete[3:]:
            message = self.honest_answer(rehearsal)
            for size in (0, 1, 32, 33, len(message) - 1):
                self.put_out(rehearsal, message[:size], "4.1-1")

    def test_too_long(self):
        for rehearsal in self.complete[:2] + self.complete[3:]:
            self.put_out(rehearsal, self.honest_answer(rehearsal) + b"\0", "4.1-1")

    def test_unknown_type(self):
        for rehearsal in self.complete:
            for message_type in (0, 11, 12, 255):
                self.put_out(rehearsal, bytes([message_type]) + self.honest_answer(rehearsal)[1:], "4.1-1")

    def test_another_type(self):
        for rehearsal in self.complete:
            for other in self.complete:
                if other is not rehearsal:
                    self.harmless(rehearsal, self.honest_answer(other), "4.1-2")

    def test_another_session(self):
        for rehearsal in self.complete:
            message = self.honest_answer(rehearsal)
            self.harmless(rehearsal, message[:1] + b"?" * 32 + message[HEADER:], "4.1-3")

    def test_a_second_answer(self):
        for rehearsal in self.complete:
            server = rehearsal.copy().server
            server.receive(1, self.honest_answer(rehearsal))
            self.faulted(server, 1, self.honest_answer(rehearsal), "4.1-4")
            self.faulted(server, 1, b"", "4.1-4")

    def test_not_asked(self):
        for rehearsal in self.complete:
            server = rehearsal.copy().server
            for stranger in (0, 6, 2**32):
                self.faulted(server, stranger, self.honest_answer(rehearsal), "4.1-5")

    def test_lost_in_an_earlier_round(self):
        for rounds in (ADVERTISE_KEYS, SHARE_KEYS, MASKED_INPUT):
            rehearsal = self.complete[rounds].copy()
            rehearsal.round(without=(1,))
            self.faulted(rehearsal.server, 1, self.honest_answer(self.complete[rounds]), "4.1-5")

    def test_a_client_that_is_put_out_counts_as_lost(self):
        for rounds in range(4):
            rehearsal = self.complete[rounds].copy()
            self.faulted(rehearsal.server, 1, b"", "4.1-1")
            while isinstance(rehearsal.requests, dict):
                rehearsal.requests.pop(1, None)
                rehearsal.round()
            survivors = [1, 2, 3, 4, 5] if rounds == UNMASKING else [2, 3, 4, 5]
            self.assertEqual(rehearsal.requests.survivors, survivors)
            self.assertEqual(rehearsal.requests.sums, honest_sum(rehearsal.config, survivors))
            self.assertEqual([fault.must for fault in rehearsal.requests.faults], ["4.1-1"])

    def test_faults_are_listed_once_and_in_order(self):
        rehearsal = self.complete[UNMASKING].copy()
        for sender, message in ((5, b""), (5, b""), (9, b""), (4, b""), (5, b"")):
            with self.assertRaises(Fault):
                rehearsal.server.receive(sender, message)
        rehearsal.round(without=(4, 5))
        faults = [(fault.culprit, fault.must) for fault in rehearsal.requests.faults]
        self.assertEqual(faults, [(4, "4.1-1"), (5, "4.1-1"), (5, "4.1-5")])

    def test_after_the_end(self):
        rehearsal = self.complete[UNMASKING].copy()
        rehearsal.round()
        for sender in (1, 9):
            self.faulted(rehearsal.server, sender, self.honest_answer(self.complete[UNMASKING]), "4.1-2")
        with self.assertRaises(Abort) as caught:
            rehearsal.server.close_round()
        self.assertEqual(caught.exception.code, OVER)

    def test_after_an_abort(self):
        server = self.complete[SHARE_KEYS].copy().server
        with self.assertRaises(Abort):
            server.close_round()
        self.faulted(server, 1, self.honest_answer(self.complete[SHARE_KEYS]), "4.1-2")


class Configuration(unittest.TestCase):
    def test_the_server_keeps_the_rules_itself(self):
        for config in (complete(4, 1), regular(6, 2, 3)):
            with self.assertRaises(Abort) as caught:
                Server(config)
            self.assertEqual(caught.exception.code, MISUSE)

    def test_opened_once(self):
        server = Server(complete())
        with self.assertRaises(Abort):
            server.close_round()
        server.open()
        with self.assertRaises(Abort):
            server.open()


class AdvertiseKeys(Responses):
    def setUp(self):
        self.rehearsal = self.complete[ADVERTISE_KEYS]
        self.keys = wire.Advertisement.decode(self.honest_answer(self.rehearsal)[HEADER:]).keys

    def test_encryption_key(self):
        high = (int.from_bytes(self.keys.encryption_key, "little") + 2**255).to_bytes(32, "little")
        for bad in (bytes(32), b"\1" + bytes(31), (P - 1).to_bytes(32, "little"), P.to_bytes(32, "little"), high):
            self.changed(replace(self.keys, encryption_key=bad), "3.2-1")

    def test_mask_key(self):
        for bad in (bytes(32), b"\1" + bytes(31), b"\xff" * 32, P.to_bytes(32, "little")):
            self.changed(replace(self.keys, mask_key=bad), "3.2-2")

    def test_one_key_twice(self):
        self.changed(replace(self.keys, encryption_key=self.keys.mask_key), "4.2-3")

    def test_the_key_of_another(self):
        rehearsal = self.rehearsal.copy()
        rehearsal.server.receive(2, rehearsal.answer(2))
        theirs = wire.Advertisement.decode(self.rehearsal.copy().answer(2)[HEADER:]).keys
        for keys in (
            theirs,
            replace(self.keys, mask_key=theirs.mask_key),
            replace(self.keys, encryption_key=theirs.encryption_key),
            replace(self.keys, encryption_key=theirs.mask_key),
        ):
            self.changed(keys, "4.2-3", server=rehearsal.copy().server)

    def changed(self, keys, must, server=None):
        message = self.honest_answer(self.rehearsal)[:HEADER] + keys.encode()
        self.put_out(self.rehearsal, message, must, server)


class ShareKeys(Responses):
    def test_number_of_bundles(self):
        for rehearsal in (self.complete[SHARE_KEYS], self.regular[SHARE_KEYS]):
            message = self.honest_answer(rehearsal)
            response = wire.ShareKeysResponse.decode(message[HEADER:])
            for bundles in (b"", response.bundles[:-80], response.bundles + bytes(80)):
                body = replace(response, bundles=bundles).encode()
                self.put_out(rehearsal, message[:HEADER] + body, "4.3-3")
            body = replace(response, bundles=response.bundles[:-1]).encode()
            self.put_out(rehearsal, message[:HEADER] + body, "4.1-1")


class MaskedInputCollection(Responses):
    def test_length(self):
        rehearsal = self.complete[MASKED_INPUT]
        message = self.honest_answer(rehearsal)
        for changed in (message[:HEADER], message[:-1], message + b"\0"):
            self.put_out(rehearsal, changed, "4.4-4")

    def test_stray_bits(self):
        config = complete(vectors=(replace(complete().vectors[0], bits=13),))
        rehearsal = Rehearsal(config).go_to(MASKED_INPUT)
        message = rehearsal.copy().answer(1)
        changed = message[:-1] + bytes([message[-1] | 0x80])
        self.faulted(rehearsal.server, 1, changed, "4.4-5")


class Unmasking(Responses):
    def test_unopened(self):
        for rehearsal in (self.complete[UNMASKING], self.regular[UNMASKING]):
            for unopened in ((3, 2), (2, 2), (1,), (7,)):
                self.changed(rehearsal, "4.6-4", unopened=unopened)

    def test_not_a_neighbour(self):
        neighbours = self.regular[MASKED_INPUT].server._neighbours[1]
        stranger = ({2, 3, 4, 5, 6} - set(neighbours)).pop()
        self.changed(self.regular[UNMASKING], "4.6-4", unopened=(stranger,))

    def test_number_of_shares(self):
        for rehearsal in (self.complete[UNMASKING], self.regular[UNMASKING]):
            shares = self.response(rehearsal).shares
            for changed in (b"", shares[:-32], shares + bytes(32)):
                self.changed(rehearsal, "4.6-5", shares=changed)
            self.changed(rehearsal, "4.1-1", shares=shares[:-1])
            owner = self.regular[MASKED_INPUT].server._neighbours[1][0]
            self.changed(rehearsal, "4.6-5", unopened=(owner,))

    def test_shares_below_the_order(self):
        for rehearsal in (self.complete[UNMASKING], self.regular[UNMASKING]):
            shares = self.response(rehearsal).shares
            for bad in (field.L.to_bytes(32, "little"), b"\xff" * 32):
                self.changed(rehearsal, "4.6-6", shares=bad + shares[32:])
                self.changed(rehearsal, "4.6-6", shares=shares[:-32] + bad)

    def test_an_unopened_bundle_names_its_owner(self):
        rehearsal = self.complete[UNMASKING].copy()
        message = self.honest_answer(self.complete[UNMASKING])
        response = self.response(self.complete[UNMASKING])
        body = replace(response, unopened=(2,), shares=response.shares[32:]).encode()
        rehearsal.server.receive(1, message[:HEADER] + body)
        fault = rehearsal.server.faults[-1]
        self.assertEqual((fault.culprit, fault.must, fault.about), (2, "4.4-3", 1))
        self.faulted(rehearsal.server, 1, message, "4.1-4")

    def test_no_client_is_zero(self):
        rehearsal = self.complete[UNMASKING]
        body = uint32(4) + uint32(0) + uint32(0)
        self.put_out(rehearsal, self.honest_answer(rehearsal)[:HEADER] + body, "4.1-1")

    def response(self, rehearsal):
        return wire.UnmaskingResponse.decode(self.honest_answer(rehearsal)[HEADER:])

    def changed(self, rehearsal, must, **fields):
        body = replace(self.response(rehearsal), **fields).encode()
        self.put_out(rehearsal, self.honest_answer(rehearsal)[:HEADER] + body, must)
