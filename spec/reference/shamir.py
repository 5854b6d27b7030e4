"""Shamir's secret sharing over the scalar field (A. Shamir, How to share a secret, CACM 22(11), 1979).

The secret is the value at zero of a polynomial of degree threshold - 1; a share is its value at a nonzero
index.
"""

from field import L, inverse


def evaluate(coefficients: list[int], x: int) -> int:
    """The polynomial at x by Horner's rule; the first coefficient, the secret, is the constant term."""
    value = 0
    for coefficient in reversed(coefficients):
        value = (value * x + coefficient) % L
    return value


def interpolate(shares: dict[int, int], x: int) -> int:
    """The value at x of the polynomial of lowest degree through the shares, which map index to value."""
    return sum(value * _lagrange(shares, index, x) for index, value in shares.items()) % L


def reconstruct(shares: dict[int, int]) -> int:
    """The secret: the value at zero. Exactly as many shares as the threshold are enough."""
    return interpolate(shares, 0)


def _lagrange(indices, index: int, x: int) -> int:
    """The Lagrange coefficient of one index among these, at x."""
    numerator = denominator = 1
    for other in indices:
        if other != index:
            numerator = numerator * (x - other) % L
            denominator = denominator * (index - other) % L
    return numerator * inverse(denominator) % L
