"""From shares to a secret in spite of wrong shares: "How to reconstruct" in spec section 4.6.

Shares are a dictionary from holder to value. `committed` says whether a number is the secret that the owner
committed to.
"""

import itertools
import math
from dataclasses import dataclass

import polynomial
import shamir


class Lost(Exception):
    """No set of shares gives the committed secret. `owner_alone` tells who is suspect: the owner alone, or
    the holders as well."""

    def __init__(self, owner_alone: bool):
        super().__init__()
        self.owner_alone = owner_alone


@dataclass
class Budget:
    """How many sets of shares may still be tried in this session."""

    sets: int = 50_000


def reconstruct(shares: dict[int, int], threshold: int, committed, budget: Budget) -> tuple[int, list[int]]:
    """The secret, and the holders whose shares are wrong."""
    secret = shamir.reconstruct(_first(shares, threshold))
    on_one_polynomial = not wrong_holders(shares, threshold)
    if on_one_polynomial and committed(secret):
        return secret, []
    if on_one_polynomial:
        raise Lost(owner_alone=len(shares) > threshold)
    decoded = decode(shares, threshold)
    if decoded is not None and committed(decoded[0]):
        return decoded
    return search(shares, threshold, committed, budget)


def wrong_holders(shares: dict[int, int], threshold: int) -> list[int]:
    """The holders whose shares are not on the polynomial through the first `threshold` shares.

    A server that has many secrets to check would rather test a random word of the dual code.
    """
    first = _first(shares, threshold)
    return [x for x, y in shares.items() if x not in first and shamir.interpolate(first, x) != y]


def decode(shares: dict[int, int], threshold: int) -> tuple[int, list[int]] | None:
    """Gao's decoder: the secret and the holders of wrong shares, if at most half of the spare ones are wrong."""
    g_0 = [1]
    for x in shares:
        g_0 = polynomial.multiply(g_0, [-x % shamir.L, 1])
    g_1 = polynomial.interpolate(shares)
    remainder, v = _partial_gcd(g_0, g_1, (len(shares) + threshold) / 2)
    message, rest = polynomial.divide(remainder, v)
    if rest or len(message) > threshold:
        return None
    wrong = [x for x, y in shares.items() if shamir.evaluate(message, x) != y]
    if len(wrong) > (len(shares) - threshold) // 2:
        return None
    return shamir.evaluate(message, 0), wrong


def search(shares: dict[int, int], threshold: int, committed, budget: Budget) -> tuple[int, list[int]]:
    """Try sets of `threshold` shares. If all were tried, the wrong holders are those that every successful
    set leaves out; else nobody is named."""
    all_sets = math.comb(len(shares), threshold)
    secret, used = None, set()
    tried = itertools.islice(itertools.combinations(shares, threshold), budget.sets)
    exhaustive = all_sets <= budget.sets
    for holders in tried:
        budget.sets -= 1
        candidate = shamir.reconstruct({x: shares[x] for x in holders})
        if candidate == secret or (secret is None and committed(candidate)):
            secret = candidate
            used.update(holders)
            if not exhaustive:
                break
    if secret is None:
        raise Lost(owner_alone=False)
    return secret, [x for x in shares if x not in used] if exhaustive else []


def _partial_gcd(g_0: list[int], g_1: list[int], bound: float) -> tuple[list[int], list[int]]:
    """The extended Euclidean algorithm, stopped at the first remainder g of degree below the bound; with it
    the v such that g = u g_0 + v g_1 for some u."""
    v_0, v_1 = [], [1]
    while len(g_1) - 1 >= bound:
        quotient, remainder = polynomial.divide(g_0, g_1)
        g_0, g_1 = g_1, remainder
        step = polynomial.multiply(quotient, v_1)
        v_0, v_1 = v_1, polynomial.add(v_0, polynomial.scale(step, shamir.L - 1))
    return g_1, v_1


def _first(shares: dict[int, int], threshold: int) -> dict[int, int]:
    return dict(sorted(shares.items())[:threshold])
