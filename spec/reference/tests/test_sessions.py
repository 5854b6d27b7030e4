"""Whole sessions: both graphs, all widths of lanes, clients lost in each round, and lies that come to light
when the round closes."""

import unittest

from config import VectorSpec
from error import SECRET_LOST, TOO_FEW_CLIENTS, Abort
from tests.rehearsal import (
    LANES,
    MASKED_INPUT,
    SHARE_KEYS,
    UNMASKING,
    Rehearsal,
    Sessions,
    complete,
    honest_sum,
    regular,
)


def flip(place):
    """A change of one byte of a message; a share becomes another one by it."""

    def changed(message: bytes) -> bytes:
        message = bytearray(message)
        message[place] ^= 1
        return bytes(message)

    return changed


class Sums(Sessions):
    def test_complete_graph(self):
        self.check(complete(vectors=LANES), [()] * 4, [1, 2, 3, 4])

    def test_regular_graph(self):
        self.check(regular(vectors=LANES), [()] * 4, [1, 2, 3, 4, 5, 6])

    def test_complete_graph_with_losses_in_every_round(self):
        self.check(complete(7, 3, LANES), [(7,), (6,), (5,), (2,)], [1, 2, 3, 4])

    def test_regular_graph_with_losses_in_every_round(self):
        self.check(regular(9, 2, 6, LANES), [(9,), (8,), (7,), (6,)], [1, 2, 3, 4, 5, 6])

    def test_regular_graph_of_all_clients(self):
        self.check(regular(5, 2, 4), [(), (3,), (1,), ()], [2, 4, 5])

    def test_losses_down_to_the_threshold(self):
        self.check(complete(5, 3), [(), (), (2, 4), ()], [1, 3, 5])

    def test_two_clients(self):
        self.check(complete(2, 2), [()] * 4, [1, 2])

    def test_as_many_vectors_as_there_can_be(self):
        vectors = tuple(VectorSpec(str(i), 1, 1 + i % 62) for i in range(255))
        self.check(complete(2, 2, vectors), [()] * 4, [1, 2])


class TooFew(unittest.TestCase):
    def test_complete_graph(self):
        for losses in ([(1, 2)], [(1,), (2,)], [(1,), (), (2,)], [(1,), (), (), (2,)]):
            self.aborts(complete(4, 3), losses)

    def test_nobody_at_all(self):
        for config in (complete(), regular()):
            everybody = tuple(range(1, config.clients + 1))
            for rounds in range(4):
                self.aborts(config, [()] * rounds + [everybody])

    def test_regular_graph(self):
        self.aborts(regular(6, 2, 4), [(1, 2)])
        self.aborts(regular(5, 4, 4), [(), (1,)])
        self.aborts(regular(5, 4, 4), [(), (), (1,)])
        self.aborts(regular(5, 4, 4), [(), (), (), (1,)])

    def test_a_single_survivor_of_a_regular_graph(self):
        """It has no surviving neighbour, so nobody holds shares of its own mask."""
        self.aborts(regular(5, 2, 4), [(), (), (2, 3, 4, 5)])

    def aborts(self, config, losses):
        rehearsal = Rehearsal(config)
        for lost in losses[:-1]:
            rehearsal.round(without=lost)
        with self.assertRaises(Abort) as caught:
            rehearsal.round(without=losses[-1])
        self.assertEqual(caught.exception.code, TOO_FEW_CLIENTS)


class Lies(unittest.TestCase):
    """What only shows when Unmasking closes."""

    def test_a_bundle_that_does_not_open(self):
        """Client 1 reports client 2, whose secret is found without it."""
        rehearsal = Rehearsal(complete(4, 3)).go_to(SHARE_KEYS)
        rehearsal.round(changed={2: flip(33 + 32 + 4)})
        rehearsal.round()
        rehearsal.round()
        self.assertEqual(rehearsal.requests.sums, honest_sum(rehearsal.config, [1, 2, 3, 4]))
        self.assertEqual(self.faults(rehearsal.requests), [(2, "4.4-3", 1)])

    def test_an_unopened_bundle_of_a_client_that_dropped(self):
        rehearsal = Rehearsal(complete(5, 3)).go_to(SHARE_KEYS)
        rehearsal.round(changed={2: flip(33 + 32 + 4)})
        rehearsal.round(without=(2,))
        rehearsal.round()
        self.assertEqual(rehearsal.requests.sums, honest_sum(rehearsal.config, [1, 3, 4, 5]))
        self.assertEqual(self.faults(rehearsal.requests), [(2, "4.4-3", 1)])

    def test_too_many_unopened_bundles(self):
        rehearsal = Rehearsal(complete(3, 3)).go_to(SHARE_KEYS)
        rehearsal.round(changed={2: flip(33 + 32 + 4)})
        rehearsal.round()
        with self.assertRaises(Abort):
            rehearsal.round()

    def test_a_wrong_share_is_named(self):
        """The first share that client 3 gives is of client 1."""
        for config in (complete(6, 3), regular(7, 3, 6)):
            rehearsal = Rehearsal(config).go_to(UNMASKING)
            rehearsal.round(changed={3: flip(33 + 4 + 4)})
            self.assertEqual(rehearsal.requests.sums, honest_sum(config, list(range(1, config.clients + 1))))
            self.assertEqual(self.faults(rehearsal.requests), [(3, "4.6-7", 1)])

    def test_a_wrong_share_of_a_mask_key(self):
        rehearsal = Rehearsal(complete(6, 3)).go_to(MASKED_INPUT)
        rehearsal.round(without=(1,))
        rehearsal.round(changed={3: flip(33 + 4 + 4)})
        self.assertEqual(rehearsal.requests.sums, honest_sum(rehearsal.config, [2, 3, 4, 5, 6]))
        self.assertEqual(self.faults(rehearsal.requests), [(3, "4.6-7", 1)])

    def test_a_wrong_share_without_spare_ones(self):
        rehearsal = Rehearsal(complete(3, 3)).go_to(UNMASKING)
        self.lost(rehearsal, {3: flip(33 + 4 + 4)}, (1, 2, 3))

    def test_a_wrong_commitment(self):
        """All shares of client 2 lie on one polynomial, so it is the only suspect."""
        rehearsal = Rehearsal(complete(4, 3)).go_to(SHARE_KEYS)
        rehearsal.round(changed={2: flip(33)})
        rehearsal.round()
        self.lost(rehearsal, {}, (2,))

    def lost(self, rehearsal, changed, suspects):
        with self.assertRaises(Abort) as caught:
            rehearsal.round(changed=changed)
        self.assertEqual(caught.exception.code, SECRET_LOST)
        self.assertEqual(caught.exception.suspects, suspects)

    def faults(self, aggregate):
        return [(fault.culprit, fault.must, fault.about) for fault in aggregate.faults]
