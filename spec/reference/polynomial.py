"""Polynomials over the scalar field. A polynomial is the list of its coefficients from the constant term up,
without zeros at its end; zero is the empty list."""

from field import L, inverse


def trim(p: list[int]) -> list[int]:
    while p and p[-1] == 0:
        p = p[:-1]
    return p


def add(p: list[int], q: list[int]) -> list[int]:
    size = max(len(p), len(q))
    return trim([(_at(p, i) + _at(q, i)) % L for i in range(size)])


def scale(p: list[int], factor: int) -> list[int]:
    return trim([factor * coefficient % L for coefficient in p])


def multiply(p: list[int], q: list[int]) -> list[int]:
    product = [0] * (len(p) + len(q))
    for i, a in enumerate(p):
        for j, b in enumerate(q):
            product[i + j] = (product[i + j] + a * b) % L
    return trim(product)


def divide(p: list[int], q: list[int]) -> tuple[list[int], list[int]]:
    """The quotient and the remainder of p by q, which is not zero."""
    quotient = []
    lead = inverse(q[-1])
    while len(p) >= len(q):
        term = [0] * (len(p) - len(q)) + [p[-1] * lead % L]
        quotient = add(quotient, term)
        p = add(p, scale(multiply(term, q), L - 1))
    return quotient, p


def interpolate(values: dict[int, int]) -> list[int]:
    """The polynomial of lowest degree with these values."""
    result = []
    for x, y in values.items():
        basis = [1]
        for other in values:
            if other != x:
                basis = scale(multiply(basis, [-other % L, 1]), inverse(x - other))
        result = add(result, scale(basis, y))
    return result


def _at(p: list[int], i: int) -> int:
    return p[i] if i < len(p) else 0
