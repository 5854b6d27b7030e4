"""The quantities of ../centred.md in decimal arithmetic of sixty digits: exact laws of sums of centred discrete
Gaussians, their divergences, and the bounds that the document proves.

Nothing here draws noise: this is what the proof is checked with.
"""

from dataclasses import dataclass
from decimal import Decimal, localcontext
from itertools import product

DIGITS = 60
PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459")
ONE, TWO = Decimal(1), Decimal(2)

# Deviations beyond which a share's law is cut off, and beyond which a divergence no longer looks: exp(-13**2 / 2)
# is below 10**-36. A cut share is nearly nothing of the sum where the divergence looks.
REACH, WINDOW = 22, 13


def precise(function):
    """The function, computing with DIGITS digits."""
    def inner(*arguments):
        with localcontext() as context:
            context.prec = DIGITS
            return function(*arguments)
    return inner


def cosine(x: Decimal) -> Decimal:
    """cos(2 pi x), by its series after reduction to a turn of at most one half."""
    x = 2 * PI * (x - x.to_integral_value())
    term, total, k = ONE, ONE, 0
    while abs(term) > Decimal(10) ** -(DIGITS - 4):
        k += 2
        term *= -x * x / (k * (k - 1))
        total += term
    return total


@dataclass(frozen=True)
class Share:
    """A draw of N_Z(centre, sigma**2)."""
    centre: Decimal
    sigma: Decimal

    def weight(self, y: int) -> Decimal:
        return (-((y - self.centre) / self.sigma) ** 2 / 2).exp()

    def phi(self, u: Decimal) -> Decimal:
        """The sum of exp(-(y - u)**2 / 2 sigma**2) over the integers y."""
        u -= u.to_integral_value()
        reach = int(REACH * self.sigma) + 2
        return sum((-((y - u) / self.sigma) ** 2 / 2).exp() for y in range(-reach, reach + 1))

    def moved(self, by: Decimal) -> "Share":
        return Share(self.centre + by, self.sigma)


def variance(shares: list[Share]) -> Decimal:
    return sum(share.sigma**2 for share in shares)


def unnormalised(shares: list[Share], tilt: Decimal) -> dict[int, Decimal]:
    """The convolution of the shares' weights, right wherever the sum of the shares, tilted by up to `tilt` of
    their variances to either side, is likely to lie."""
    total = {0: ONE}
    for share in shares:
        reach = int(REACH * share.sigma + abs(tilt) * share.sigma**2) + 2
        middle = int(share.centre.to_integral_value())
        weights = {y: share.weight(y) for y in range(middle - reach, middle + reach + 1)}
        summed: dict[int, Decimal] = {}
        for x, one in total.items():
            for y, other in weights.items():
                summed[x + y] = summed.get(x + y, 0) + one * other
        total = summed
    return total


def normalised(weights: dict[int, Decimal]) -> dict[int, Decimal]:
    mass = sum(weights.values())
    return {z: weight / mass for z, weight in weights.items()}


def divergence(p: dict[int, Decimal], q: dict[int, Decimal], order: Decimal) -> Decimal:
    """The Rényi divergence of the order, of laws close to Gaussians of the same variance: what counts lies about
    the mean of p, moved from that of q by order - 1 times their distance."""
    (own, spread), (other, _) = moments(p), moments(q)
    middle, width = own + (order - 1) * (own - other), WINDOW * spread.sqrt() + 1
    whole = order == order.to_integral_value()
    total = Decimal(0)
    for z, probability in p.items():
        if abs(z - middle) > width:
            continue
        ratio = probability / q[z]
        total += probability * (ratio ** int(order - 1) if whole else (ratio.ln() * (order - 1)).exp())
    return total.ln() / (order - 1)


def moments(law: dict[int, Decimal]) -> tuple[Decimal, Decimal]:
    """Mean and variance."""
    mean = sum(z * probability for z, probability in law.items())
    return mean, sum((z - mean) ** 2 * probability for z, probability in law.items())


def gaussian(z: int, centre: Decimal, v: Decimal) -> Decimal:
    return (-((z - centre) ** 2) / (2 * v)).exp()


# The bounds.


def _dual(sigma: Decimal, power: int) -> Decimal:
    """The sum of j**power exp(-2 pi**2 sigma**2 j**2) over j from 1."""
    return sum(j**power * (-2 * PI**2 * sigma**2 * j * j).exp() for j in range(1, 12))


def psi_bounds(sigma: Decimal) -> tuple[Decimal, Decimal]:
    """Bounds on the absolute first and second derivative of log phi."""
    least = 1 - 2 * _dual(sigma, 0)
    first = 4 * PI * _dual(sigma, 1) / least
    return first, 8 * PI**2 * _dual(sigma, 2) / least + first**2


def lattice_bounds(n: int, sigma: Decimal) -> tuple[Decimal, Decimal]:
    """Bounds on delta and lambda of n shares whose least sigma this is: the closed ones, term by term."""
    if n == 1:
        return Decimal(0), Decimal(0)
    a = 2 * PI**2 * sigma**2
    delta = lam = Decimal(0)
    choose = ONE
    for m in range(1, n + 1):
        choose = choose * (n - m + 1) / m
        b = a * (1 - min(Decimal(m), Decimal(n) / 2) / n)
        b0 = 2 * sum((-b * j * j).exp() for j in range(1, 12))
        b1 = 2 * sum(j * (-b * j * j).exp() for j in range(1, 12))
        delta += choose * b0**m
        lam += 2 * choose * m / n * b0 ** (m - 1) * b1
    return delta, lam


def lattice_sums(sigmas: list[Decimal], reach: int) -> tuple[Decimal, list[Decimal]]:
    """delta, and lambda for each share as the victim, summed over the classes with a representative whose
    entries differ from zero by at most `reach` and whose least entry is zero."""
    v = sum(sigma**2 for sigma in sigmas)
    delta, lam = Decimal(0), [Decimal(0)] * len(sigmas)
    for k in product(range(2 * reach + 1), repeat=len(sigmas)):
        if min(k) or not max(k):
            continue
        mean = sum(s**2 * one for s, one in zip(sigmas, k)) / v
        norm = sum(s**2 * (one - mean) ** 2 for s, one in zip(sigmas, k))
        weight = (-2 * PI**2 * norm).exp()
        delta += weight
        lam = [old + abs(one - mean) * weight for old, one in zip(lam, k)]
    return delta, lam


def big_lambda(delta: Decimal, lam: Decimal) -> Decimal:
    return 2 * PI * lam / (1 - delta)


def zeta(sigmas: list[Decimal], victim: int = 0) -> Decimal:
    """The theorem's zeta for this victim, with the closed bounds on delta and lambda."""
    v = sum(sigma**2 for sigma in sigmas)
    own = sigmas[victim]
    total = own**2 * (2 - own**2 / v) * psi_bounds(own)[1]
    total += sum(s**4 / v * psi_bounds(s)[1] for i, s in enumerate(sigmas) if i != victim)
    delta, lam = lattice_bounds(len(sigmas), min(sigmas))
    return total + v * big_lambda(delta, lam) ** 2 * (1 + delta) / (1 - delta)


def zeta_simple(n: int, least: Decimal, v: Decimal) -> Decimal:
    """What the accountant evaluates: a bound on zeta whoever is the victim."""
    delta, lam = lattice_bounds(n, least)
    return 3 * least**2 * psi_bounds(least)[1] + v * big_lambda(delta, lam) ** 2 * (1 + delta) / (1 - delta)
