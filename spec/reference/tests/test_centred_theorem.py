"""Every inequality of ../centred.md, against exact sums. SECAGG_LONG=1 checks many times as many cases."""

import os
import random
import unittest
from decimal import Decimal as D
from itertools import product

from centred_theorem import (PI, Share, big_lambda, cosine, divergence, gaussian, lattice_bounds, lattice_sums,
                             moments, normalised, precise, psi_bounds, unnormalised, variance, zeta, zeta_simple)

LONG = os.environ.get("SECAGG_LONG") == "1"

# What sixty digits, and laws that are cut off, may be wrong by.
ERROR = D(10) ** -34

SIGMAS = [D(s) for s in (("0.6", "0.8", "1", "1.05", "1.2", "1.3", "1.5") if LONG else ("0.8", "1.05", "1.3"))]
MIXED = [[D(s) for s in row.split()] for row in (
    "1.05 1.3", "1.3 1.05", "1.05 3 1.1", "3 1.05 1.05 1.05", "0.8 0.9 1 1.1 1.2", "2 1.05 1.05 1.05 1.05 1.05")]
ORDERS = [D(a) for a in (("1.01", "1.5", "2", "8", "64") if LONG else ("1.01", "2", "64"))]
VICTIMS = [(D(x), D(y)) for x, y in (("0.5", "0"), ("0.001", "0"), ("1", "0"), ("0.25", "0.5"), ("0.501", "0.5"),
                                     ("-0.7", "0"))]


def configurations():
    """Shares, and the victim's two centres."""
    dice = random.Random(5)
    shapes = [[sigma] * n for n in range(1, 7) for sigma in SIGMAS] + MIXED
    for sigmas in shapes:
        others = [[D(0)] * len(sigmas), [D("0.5")] * len(sigmas),
                  [D(dice.randrange(-10**6, 10**6)) / 10**6 for _ in sigmas]]
        if LONG:
            others += [[D("0.25")] * len(sigmas), [D("0.5") * (i % 2) for i, _ in enumerate(sigmas)]]
        picked = others if LONG else [dice.choice(others)]
        for centres in picked:
            pairs = VICTIMS if LONG else dice.sample(VICTIMS, 2)
            for one, other in pairs:
                yield [Share(c, s) for c, s in zip(centres, sigmas)], one, other


def with_victim(shares, centre):
    return [Share(centre, shares[0].sigma)] + shares[1:]


def correction(shares, weights):
    """R at the likely z: the convolution over the Gaussian, relative to what Poisson summation makes of its mean."""
    v, centre = variance(shares), sum(share.centre for share in shares)
    constant = (2 * PI * v).sqrt()
    for share in shares:
        constant /= (2 * PI).sqrt() * share.sigma
    near = [z for z in weights if abs(z - centre) < 4 * v.sqrt() + 2]
    return {z: weights[z] / gaussian(z, centre, v) * constant for z in near}


class Theorem(unittest.TestCase):
    @precise
    def test_the_divergence_is_within_the_bound(self):
        closest, cases = D(0), 0
        for shares, one, other in configurations():
            v, delta = variance(shares), one - other
            bound = zeta([share.sigma for share in shares])
            for order in ORDERS:
                tilt = order * abs(delta) / v
                p, q = (normalised(unnormalised(with_victim(shares, c), tilt)) for c in (one, other))
                gauss = order * delta**2 / (2 * v)
                for forth, back in ((p, q), (q, p)):
                    excess = divergence(forth, back, order) / gauss - 1
                    allowed = bound + ERROR / gauss
                    self.assertLessEqual(excess, allowed, (shares, one, other, order))
                    closest, cases = max(closest, excess / bound), cases + 1
        # The bound is attained, nearly: a smaller constant would have failed.
        self.assertGreater(closest, D("0.98"))
        self.assertGreater(cases, 2000 if LONG else 250)

    @precise
    def test_the_simple_bound_is_above_the_theorems(self):
        for sigmas in [[s] * n for n in (1, 2, 3, 6) for s in SIGMAS if s >= 1] + MIXED:
            if min(sigmas) < 1:
                continue
            simple = zeta_simple(len(sigmas), min(sigmas), sum(s**2 for s in sigmas))
            for victim in range(len(sigmas)):
                self.assertGreaterEqual(simple, zeta(sigmas, victim))

    @precise
    def test_a_claim_without_zeta_would_be_wrong(self):
        shares = [Share(D("0.5"), D("0.8")), Share(D("0.5"), D("0.8"))]
        p, q = (normalised(unnormalised(with_victim(shares, c), D(8))) for c in (D("0.5"), D("0.25")))
        gauss = 2 * D("0.25") ** 2 / (2 * variance(shares))
        self.assertGreater(max(divergence(p, q, D(2)), divergence(q, p, D(2))) / gauss, 1 + D("1e-6"))


class Steps(unittest.TestCase):
    """The lemmas, one by one."""

    @precise
    def test_lemma_1_the_law_of_the_sum(self):
        for sigmas in ([D("0.8")] * 2, [D("0.8")] * 3, [D(1), D("0.7"), D("1.3")]):
            shares = [Share(c, s) for c, s in zip((D("0.3"), D("-0.41"), D("0.77")), sigmas)]
            v, centre = variance(shares), sum(share.centre for share in shares)
            for z, found in list(correction(shares, unnormalised(shares, D(1))).items())[::3]:
                total = D(0)
                reach = range(7)
                for k in self.classes(len(shares), reach):
                    mean = sum(s.sigma**2 * one for s, one in zip(shares, k)) / v
                    norm = sum(s.sigma**2 * (one - mean) ** 2 for s, one in zip(shares, k))
                    phase = sum(one * s.centre for s, one in zip(shares, k)) + mean * (z - centre)
                    total += (-2 * PI**2 * norm).exp() * cosine(phase)
                self.assertLess(abs(total - found), D("1e-30"))

    @staticmethod
    def classes(n, reach):
        """One representative of each class of Z^n modulo (1, …, 1): the one whose least entry is zero."""
        return (k for k in product(reach, repeat=n) if not min(k))

    @precise
    def test_the_correction_and_its_change_are_bounded(self):
        for shares, one, other in configurations():
            sigmas = [share.sigma for share in shares]
            delta, lam = lattice_bounds(len(sigmas), min(sigmas))
            if delta >= 1:
                continue
            ours, theirs = (correction(with_victim(shares, c), unnormalised(with_victim(shares, c), D(2)))
                            for c in (one, other))
            change = abs(one - other) * big_lambda(delta, lam) + ERROR
            for z in ours.keys() & theirs.keys():
                self.assertLessEqual(abs(ours[z] - 1), delta + ERROR)
                self.assertLessEqual(abs((ours[z] / theirs[z]).ln()), change)

    @precise
    def test_step_a_tilting(self):
        shares = [Share(D("0.3"), D("0.8")), Share(D("0.1"), D("1.1")), Share(D("-0.45"), D("0.9"))]
        v, centre = variance(shares), sum(share.centre for share in shares)
        weights = unnormalised(shares, D(3))
        ratios = []
        for tau in (D(0), D("0.37"), D("-1.2"), D("2.5")):
            tilted = sum(w * (tau * (z - centre) - tau**2 * v / 2).exp() for z, w in weights.items())
            phis = D(1)
            for share in shares:
                phis *= share.phi(share.centre + tau * share.sigma**2)
            ratios.append(tilted / phis)
        for ratio in ratios[1:]:
            self.assertLess(abs(ratio / ratios[0] - 1), ERROR)

    @precise
    def test_psi_and_the_bias_are_bounded(self):
        step = D("1e-12")
        for sigma in [D("0.8"), D("1.05"), D("1.3")]:
            share, (first, second) = Share(D(0), sigma), psi_bounds(sigma)
            for at in (D(i) / 40 for i in range(21)):
                low, mid, high = (share.phi(at + by).ln() for by in (-step, D(0), step))
                self.assertLessEqual(abs(high - low) / (2 * step), first * (1 + D("1e-9")))
                self.assertLessEqual(abs(high - 2 * mid + low) / step**2, second * (1 + D("1e-6")))
                law = normalised(unnormalised([Share(at, sigma)], D(0)))
                mean, spread = moments(law)
                self.assertLessEqual(abs(mean - at), sigma**2 * first + ERROR)
                self.assertLessEqual(abs(spread / sigma**2 - 1), sigma**2 * second + ERROR)

    @precise
    def test_the_closed_bounds_are_above_the_lattice_sums(self):
        for sigmas in [[s] * n for n in range(2, 5) for s in (D("0.8"), D("1.05"))] + MIXED[:4]:
            delta, lam = lattice_bounds(len(sigmas), min(sigmas))
            exact, each = lattice_sums(sigmas, 2)
            self.assertLessEqual(exact, delta)
            self.assertLessEqual(max(each), lam)
            if len(set(sigmas)) == 1 and len(sigmas) > 2:
                self.assertGreater(exact, delta * D("0.8"))

    @precise
    def test_the_figures_of_the_document(self):
        for n, sigma, least, most in ((1, "1.05", "3.0e-8", "3.1e-8"), (2, "1.05", "1.5e-7", "1.2e-6"),
                                      (100, "1.05", "9.0e-8", "1.4e-7"), (100, "1.3", "1.2e-12", "1.4e-12")):
            found = zeta([D(sigma)] * n) if n < 10 else zeta_simple(n, D(sigma), n * D(sigma) ** 2)
            self.assertTrue(D(least) < found < D(most), (n, sigma, found))


class Grid(unittest.TestCase):
    @precise
    def test_a_rounded_centre_costs_no_more_than_the_worst_one(self):
        """A mixture of centres, against zero, at most as far as the farthest of them."""
        rest = [Share(D("0.3"), D("1.05")), Share(D("0.8"), D("1.05"))]
        def law(c):
            return normalised(unnormalised(with_victim([rest[0]] + rest, c), D(9)))
        low, high, zero = law(D("0.5")), law(D("0.625")), law(D(0))
        mixture = {z: (low[z] + 3 * high[z]) / 4 for z in low.keys() & high.keys()}
        for order in (D("1.01"), D(2), D(8)):
            self.assertLessEqual(divergence(mixture, zero, order), divergence(high, zero, order))
            self.assertLessEqual(divergence(zero, mixture, order), divergence(zero, high, order))


if __name__ == "__main__":
    unittest.main()
