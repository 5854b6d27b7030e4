"""The graphs of spec section 6.2, and the draws behind the regular one (spec section 3.4)."""

import unittest

import aes
from graph import neighbourhoods
from keystream import Keystream
from session import Session
from tests.rehearsal import complete, regular

HERE = Session(1, b"i" * 32)


class Complete(unittest.TestCase):
    def test_everyone_in_the_roster(self):
        self.assertEqual(neighbourhoods(complete(), HERE, [1, 3, 4]), {1: [3, 4], 3: [1, 4], 4: [1, 3]})


class Regular(unittest.TestCase):
    def test_degree_and_symmetry(self):
        roster = [1, 2, 4, 5, 6, 9, 10, 11, 12]
        for degree in (2, 4, 6, 8):
            neighbours = neighbourhoods(regular(12, 2, degree), HERE, roster)
            self.assertEqual(list(sorted(neighbours)), roster)
            for client, others in neighbours.items():
                self.assertEqual(len(set(others) - {client}), degree)
                self.assertEqual(others, sorted(others))
                self.assertTrue(all(client in neighbours[other] for other in others))

    def test_another_session_has_another_graph(self):
        roster = list(range(1, 13))
        one = neighbourhoods(regular(12, 2, 4), HERE, roster)
        two = neighbourhoods(regular(12, 2, 4), Session(1, b"j" * 32), roster)
        self.assertNotEqual(one, two)


class Draws(unittest.TestCase):
    def test_pieces_of_a_keystream(self):
        seed = bytes(range(32))
        keystream = Keystream(seed)
        pieces = b"".join(keystream.take(size) for size in (1, 0, 20, 16, 3))
        self.assertEqual(pieces, aes.ctr_keystream(seed[:16], seed[16:], 40))

    def test_little_endian(self):
        self.assertEqual(self.stream(b"\1\2\0\0").uniform_below(2**32), 0x201)

    def test_rejection(self):
        """2^32 mod 3 is 1, so that only the greatest number is rejected."""
        self.assertEqual(self.stream(b"\xff\xff\xff\xff" + b"\5\0\0\0").uniform_below(3), 2)
        self.assertEqual(self.stream(b"\xfe\xff\xff\xff" + b"\5\0\0\0").uniform_below(3), 2)
        self.assertEqual(self.stream(b"\xfd\xff\xff\xff").uniform_below(3), 1)

    def test_below_one(self):
        self.assertEqual(self.stream(b"\xff\xff\xff\xff").uniform_below(1), 0)

    def stream(self, data):
        keystream = Keystream(bytes(32))
        keystream._waiting = data
        return keystream
