"""Vectors with noise: spec sections 9.2 and 9.3. The same integers as the core are in the vectors of section 9."""

import math
import unittest
from dataclasses import replace
from fractions import Fraction

import noise
import removal
from error import Abort
from session import Session

ONE = noise.UNIT


def digits(law, words=2):
    """The distribution function, as numbers."""
    return [threshold / 2 ** (64 * words) for threshold in law.thresholds(words)]


class Laws(unittest.TestCase):
    def test_discrete_gaussian(self):
        for variance in (0.25, 1.0, 30.5):
            weights = [math.exp(-m * m / (2 * variance)) * (2 if m else 1) for m in range(60)]
            found = digits(noise.HalfGaussian(Fraction(1) / (2 * Fraction(variance)), True))
            for m, expected in enumerate(weights[: len(found)]):
                exact = sum(weights[: m + 1]) / sum(weights)
                self.assertAlmostEqual(found[m], exact, delta=1e-12)

    def test_poisson(self):
        for mean in (0.125, 3.0, 40.5):
            found = digits(noise.Poisson(Fraction(mean)))
            weight, total = math.exp(-mean), 0.0
            for m, value in enumerate(found):
                total += weight
                weight *= mean / (m + 1)
                self.assertAlmostEqual(value, total, delta=1e-12)

    def test_centred(self):
        for variance, centre in ((1.1025, 0.0), (1.1025, 0.125), (2.0, 0.5), (64.0, 0.375)):
            law = noise.Centred(Fraction(variance), Fraction(centre))
            first, found = law.first(128), digits(law)
            weights = [math.exp(-((m - centre) ** 2) / (2 * variance)) for m in range(first, 1 - first)]
            for at, value in enumerate(found):
                self.assertAlmostEqual(value, sum(weights[: at + 1]) / sum(weights), delta=1e-12)
            # The same m, however many digits: the first is so rare that all its digits are zeros.
            short, long = law.thresholds(1), law.thresholds(3)
            shift = law.first(64) - law.first(192)
            self.assertEqual(short, [threshold >> 128 for threshold in long[shift : shift + len(short)]])
            self.assertEqual(short[0], 0)

    def test_half_is_exact_and_read_on(self):
        law = noise.Centred(Fraction(2), Fraction(1, 2))
        self.assertEqual(law.thresholds(2)[-law.first(128)], 2**127)
        for words, expected in (([2**63, 0, 1], 1), ([2**63, 1], 1), ([2**63 - 1], 0)):
            self.assertEqual(law.draw(Words(words)), expected)
        # A word of zeros stands for none of the rare values yet.
        self.assertLess(law.draw(Words([0, 1])), -15)

    def test_digits_are_added_and_none_is_changed(self):
        for law in (noise.HalfGaussian(Fraction(1, 2), True), noise.Poisson(Fraction(7, 2))):
            short, long = law.thresholds(1), law.thresholds(3)
            self.assertEqual(short, [threshold >> 128 for threshold in long[: len(short)]])

    def test_a_tie_reads_on(self):
        """A word that begins a threshold settles nothing: the next words do, on either side."""
        law = noise.HalfGaussian(Fraction(1, 2), True)
        first, second = (law.thresholds(words)[1] for words in (1, 2))
        for last, expected in ((0, 1), (second % 2**64 - 1, 1), (second % 2**64 + 1, 2), (2**64 - 1, 2)):
            self.assertEqual(law.settle(first, Words([last])), expected)
        self.assertEqual(law.settle(first, Words([second % 2**64, 2**64 - 1])), 2)
        # All ones are never settled by themselves.
        self.assertGreaterEqual(law.settle(2**64 - 1, Words([0])), 9)


class Words:
    """A stream that is made up."""

    def __init__(self, words):
        self.word = iter(words).__next__


class Draws(unittest.TestCase):
    def test_moments(self):
        for law, variance, count in ((1, 4 * ONE, 2000), (1, 100 * ONE, 2000), (1, 90_000 * ONE, 1500), (2, 9 * ONE, 2000)):
            drawn = noise.draw(law, variance, b"s" * 32, count)
            spread = math.sqrt(variance / ONE)
            self.assertLess(abs(sum(drawn)), 5 * spread * math.sqrt(count))
            squares = sum(x * x for x in drawn) / count
            self.assertLess(abs(squares * ONE / variance - 1), 0.2)

    def test_centred_moments(self):
        for bits, centre in ((3, 3), (3, -3), (4, 8), (0, -5), (12, 5 * 4096 - 1)):
            drawn = noise.draw_around([centre] * 3000, 2 * ONE, bits, b"s" * 32)
            mean = sum(drawn) / 3000
            self.assertLess(abs(mean - centre / 2**bits), 5 * math.sqrt(2 / 3000))
            self.assertLess(abs(sum((x - mean) ** 2 for x in drawn) / 3000 - 2), 0.3)

    def test_whole_parts_only_move(self):
        at, moved = (noise.draw_around([centre] * 50, 2 * ONE, 4, b"s" * 32) for centre in (-3, -3 + 7 * 16))
        self.assertEqual([x + 7 for x in at], moved)

    def test_chances(self):
        stream = noise.Stream(b"c" * 32, "test")
        count = lambda chance: sum(chance() for _ in range(2000))
        self.assertEqual(count(lambda: stream.chance(Fraction(0))), 0)
        self.assertEqual(count(lambda: stream.chance(Fraction(1))), 2000)
        self.assertLess(abs(count(lambda: stream.chance(Fraction(1, 3))) - 667), 110)
        self.assertLess(abs(count(lambda: stream.exp_minus(Fraction(5, 2))) - 164), 65)
        self.assertLess(max(stream.below(7) for _ in range(500)), 7)


class Fractions(unittest.TestCase):
    def test_fraction_bits(self):
        for norm_squared, length, expected in ((1000 << 24, 8, 1), (1024 << 24, 8, 0), (1, 2**28, 12), (512, 1, 11)):
            self.assertEqual(noise.fraction_bits(norm_squared, length), expected)
        terms = noise.Noise(noise.CENTRED, 5, 0, 0, 20 << 24, 72_254)
        self.assertEqual((terms.fraction_bits, terms.greatest_square), (3, 20 * 64))
        whole = noise.Noise(noise.SKELLAM, 5, 0, 0, 20 << 24, 72_254)
        self.assertEqual((whole.fraction_bits, whole.greatest_square), (0, 20 << 24))


class Rounding(unittest.TestCase):
    def test_neighbours_within_the_bound(self):
        grid = [noise.GRID // 2] * 10 + [-noise.GRID // 4, 3 * noise.GRID]
        found = noise.rounded(grid, 9 + 3, b"r" * 32)
        self.assertTrue(all(x in (0, 1) for x in found[:10]) and found[10] in (-1, 0) and found[11] == 3)
        self.assertLessEqual(sum(x * x for x in found), 12)
        with self.assertRaises(Abort):
            noise.rounded([2 * noise.GRID], 3, b"r" * 32)

    def test_wrapping_and_centring(self):
        for bits in (1, 5, 62):
            ends = [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1]
            elements = noise.wrapped(ends, [0, 0], bits)
            self.assertTrue(all(0 <= element < 2**bits for element in elements))
            self.assertEqual(noise.centred(elements, bits), ends)
            beyond = noise.wrapped(ends, [-1, 1], bits)
            self.assertEqual(noise.centred(beyond, bits), ends[::-1])


class Removal(unittest.TestCase):
    """Spec section 9.6."""

    levels = (noise.Level(9, 6 * ONE), noise.Level(7, 9 * ONE))

    def test_components_kept(self):
        terms = noise.Noise(1, 5, 0, 0, 1, 4 * ONE, self.levels)
        self.assertEqual([removal.kept(terms, m) for m in (10, 9, 8, 7, 6, 0)], [1, 1, 2, 2, 3, 3])
        self.assertEqual([removal.is_superfluous(terms, m) for m in (9, 7, 6)], [True, True, False])

    def test_all_components_less_the_superfluous_are_those_kept(self):
        for law in noise.LAWS:
            terms = noise.Noise(law, 5, 0, 0, 1, 4 * ONE, self.levels)
            chain = removal.Chain(Session(1, b"s" * 32), 3, 1)
            seeds = chain.seeds(b"e" * 32, 2)
            whole = removal.share(terms, chain, b"e" * 32, 20)
            for first in (1, 2):
                superfluous = removal.components(terms, chain, first, seeds[first - 1], 20)
                fewer = noise.Noise(law, 5, 0, 0, 1, 4 * ONE, self.levels[: first - 1])
                kept = removal.share(fewer, chain, b"e" * 32, 20)
                self.assertEqual([x - y for x, y in zip(whole, superfluous)], kept)

    def test_rules(self):
        usual = noise.Noise(2, 5, 1 << 60, 1 << 60, 1, 4 * ONE, self.levels)
        self.assertTrue(usual.keeps_the_rules(8))
        for levels in (
            self.levels[::-1],
            (noise.Level(9, 4 * ONE),),
            (noise.Level(9, 4 * ONE + noise.LEAST - 1),),
            (noise.Level(9, 5 * ONE), noise.Level(9, 6 * ONE)),
            (noise.Level(9, 2**40 + 1),),
        ):
            self.assertFalse(replace(usual, levels=levels).keeps_the_rules(8))
