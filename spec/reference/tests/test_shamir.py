"""The scalar field, and sharing over it."""

import itertools
import unittest

import field
import shamir


class Field(unittest.TestCase):
    def test_only_numbers_below_the_order_are_decoded(self):
        self.assertEqual(field.decode((field.L - 1).to_bytes(32, "little")), field.L - 1)
        for data in (field.L.to_bytes(32, "little"), b"\xff" * 32, bytes(31), bytes(33)):
            with self.assertRaises(field.NotCanonical):
                field.decode(data)

    def test_wide_reduction(self):
        self.assertEqual(field.from_uniform_bytes(b"\xff" * 64), (2**512 - 1) % field.L)
        self.assertEqual(field.from_uniform_bytes(field.L.to_bytes(64, "little")), 0)

    def test_inverse(self):
        self.assertEqual(field.inverse(7) * 7 % field.L, 1)


class Shamir(unittest.TestCase):
    def setUp(self):
        coefficients = [42, 5, field.L - 3]
        self.shares = {x: shamir.evaluate(coefficients, x) for x in range(1, 6)}

    def test_values(self):
        """42 + 5 x - 3 x^2, by hand."""
        self.assertEqual(self.shares[1], 44)
        self.assertEqual(self.shares[2], 40)
        self.assertEqual(self.shares[5], field.L - 8)

    def test_every_subset_of_the_threshold(self):
        for indices in itertools.combinations(self.shares, 3):
            self.assertEqual(shamir.reconstruct({x: self.shares[x] for x in indices}), 42)

    def test_more_shares_than_the_threshold(self):
        self.assertEqual(shamir.reconstruct(self.shares), 42)

    def test_fewer_shares_give_something_else(self):
        self.assertNotEqual(shamir.reconstruct({x: self.shares[x] for x in (1, 2)}), 42)

    def test_interpolation_at_another_index(self):
        three = {x: self.shares[x] for x in (1, 2, 3)}
        self.assertEqual(shamir.interpolate(three, 5), self.shares[5])
