"""Wrong shares: "How to reconstruct" and "Who is named" of spec section 4.6."""

import unittest

import polynomial
import reconstruction
import shamir
from reconstruction import Budget, Lost

SECRET = 42


def deal(holders: int, threshold: int) -> dict[int, int]:
    coefficients = [SECRET] + [7**i for i in range(1, threshold)]
    return {x: shamir.evaluate(coefficients, x) for x in range(1, holders + 1)}


def reconstruct(shares, threshold, budget=50_000):
    return reconstruction.reconstruct(shares, threshold, lambda secret: secret == SECRET, Budget(budget))


class RightShares(unittest.TestCase):
    def test_exactly_the_threshold(self):
        self.assertEqual(reconstruct(deal(3, 3), 3), (SECRET, []))

    def test_more_than_the_threshold(self):
        self.assertEqual(reconstruct(deal(7, 3), 3), (SECRET, []))


class WrongShares(unittest.TestCase):
    def test_half_of_the_spare_ones(self):
        shares = deal(7, 3)
        shares[1] += 1
        shares[6] += 5
        self.assertEqual(reconstruction.decode(shares, 3), (SECRET, [1, 6]))
        self.assertEqual(reconstruct(shares, 3), (SECRET, [1, 6]))

    def test_every_single_holder(self):
        for holder in range(1, 6):
            shares = deal(5, 3)
            shares[holder] += 1
            self.assertEqual(reconstruct(shares, 3), (SECRET, [holder]))

    def test_more_than_half_of_the_spare_ones_are_found_by_search(self):
        shares = deal(7, 3)
        for holder in (1, 2, 3, 4):
            shares[holder] += 11**holder
        self.assertEqual(reconstruct(shares, 3), (SECRET, [1, 2, 3, 4]))

    def test_one_spare_share(self):
        shares = deal(4, 3)
        shares[4] += 1
        self.assertIsNone(reconstruction.decode(shares, 3))
        self.assertEqual(reconstruct(shares, 3), (SECRET, [4]))

    def test_a_search_cut_short_names_nobody(self):
        shares = deal(5, 3)
        shares[4] += 1
        shares[5] += 2
        self.assertEqual(reconstruct(shares, 3, budget=1), (SECRET, []))


class LostSecrets(unittest.TestCase):
    def test_no_spare_share(self):
        shares = deal(3, 3)
        shares[2] += 1
        self.lost(shares, 3, owner_alone=False)

    def test_the_owner_dealt_another_secret(self):
        shares = {x: y + 1 for x, y in deal(5, 3).items()}
        self.lost(shares, 3, owner_alone=True)

    def test_too_few_right_shares(self):
        shares = deal(5, 3)
        for holder in (1, 2, 3):
            shares[holder] += 11**holder
        self.lost(shares, 3, owner_alone=False)

    def test_the_budget_is_spent(self):
        shares = deal(5, 3)
        shares[1] += 1
        shares[2] += 3
        self.lost(shares, 3, owner_alone=False, budget=2)

    def lost(self, shares, threshold, owner_alone, budget=50_000):
        with self.assertRaises(Lost) as caught:
            reconstruct(shares, threshold, budget)
        self.assertEqual(caught.exception.owner_alone, owner_alone)


class Polynomials(unittest.TestCase):
    def test_division(self):
        p, q, r = [1, 2, 3, 4], [5, 6], [7]
        product = polynomial.add(polynomial.multiply(p, q), r)
        self.assertEqual(polynomial.divide(product, q), (p, r))

    def test_interpolation(self):
        self.assertEqual(polynomial.interpolate({1: 6, 2: 17, 3: 34}), [1, 2, 3])
        self.assertEqual(polynomial.interpolate({1: 0, 2: 0}), [])
