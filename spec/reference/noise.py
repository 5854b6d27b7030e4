"""The integer steps of vectors with noise: spec sections 9.2 and 9.3.

Probabilities are kept as integers over a power of two, with a bound on what is missing. Where that does not settle a
draw they are computed anew with more digits.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import isqrt

import hkdf
from error import MISUSE, Abort, must_hold
from keystream import Keystream
from presentation import Reader, uint8, uint32, uint64

DISCRETE_GAUSSIAN = 1
SKELLAM = 2
CENTRED = 3
LAWS = {DISCRETE_GAUSSIAN: "discrete gaussian", SKELLAM: "skellam", CENTRED: "centred discrete gaussian"}
# The least and the greatest variance of each law.
VARIANCES = {DISCRETE_GAUSSIAN: (2**14, 2**60), SKELLAM: (2**14, 2**40), CENTRED: (72_254, 2**22)}

UNIT = 2**16  # of variances
LEAST = 2**14  # variance of a share or a component
GRID = 2**24  # units of the input grid in one
GREATEST_FRACTION = 12  # bits
ATTEMPTS = 10_000
WORD = 64


@dataclass(frozen=True)
class Level:
    """More noise for fewer survivors (spec section 9.6)."""

    survivors: int  # needed if fewer inputs than this are in the sum
    variance: int  # of the share that a client then keeps

    def encode(self) -> bytes:
        return uint32(self.survivors) + uint64(self.variance)


@dataclass(frozen=True)
class Noise:
    """The parameters in a configuration (spec section 9.1). The reals are the bits of binary64 numbers."""

    law: int
    dimension: int
    clip: int
    scale: int
    norm_squared: int
    variance: int
    levels: tuple[Level, ...] = ()

    def encode(self) -> bytes:
        levels = uint8(len(self.levels)) + b"".join(level.encode() for level in self.levels)
        reals = uint64(self.clip) + uint64(self.scale)
        return uint32(self.dimension) + reals + uint64(self.norm_squared) + uint64(self.variance) + levels

    @staticmethod
    def read(law: int, reader: Reader) -> "Noise":
        numbers = reader.uint32(), *(reader.uint64() for _ in range(4))
        levels = tuple(Level(reader.uint32(), reader.uint64()) for _ in range(reader.uint8()))
        return Noise(law, *numbers, levels)

    def keeps_the_rules(self, length: int) -> bool:
        """[9.1-1], but for the law and the bound."""
        least, greatest = VARIANCES[self.law]
        return (
            1 <= self.dimension <= 2**28
            and length == 1 << (self.dimension - 1).bit_length()
            and _is_positive_normal(self.clip)
            and _is_positive_normal(self.scale)
            and self.norm_squared >= 1
            and least <= self.variance <= greatest
            and self._levels_keep_the_rules()
        )

    def _greatest(self) -> int:
        return VARIANCES[self.law][1]

    def _levels_keep_the_rules(self) -> bool:
        survivors = [level.survivors for level in self.levels]
        variances = [self.variance] + [level.variance for level in self.levels]
        if self.law == CENTRED and self.levels:
            return False
        return (
            all(after < before for before, after in zip(survivors, survivors[1:]))
            and all(after - before >= LEAST for before, after in zip(variances, variances[1:]))
            and variances[-1] <= self._greatest()
        )

    @property
    def fraction_bits(self) -> int:
        """Spec section 9.1. The length is the least power of two that is not below the dimension."""
        if self.law != CENTRED:
            return 0
        return fraction_bits(self.norm_squared, 1 << (self.dimension - 1).bit_length())

    @property
    def greatest_square(self) -> int:
        """The greatest sum of squares of a rounded vector, in its own units."""
        unused = GREATEST_FRACTION - self.fraction_bits
        return self.norm_squared >> 2 * unused if self.law == CENTRED else self.norm_squared


def fraction_bits(norm_squared: int, length: int) -> int:
    enough = (k for k in range(GREATEST_FRACTION) if norm_squared * 4**k >= 2**31 * length)
    return next(enough, GREATEST_FRACTION)


def read_law(reader: Reader) -> int | None:
    law = reader.uint8()
    must_hold(law in (0, *LAWS), "9.1-1")
    return law or None


def encode(noise: Noise | None) -> bytes:
    return uint8(0) if noise is None else uint8(noise.law) + noise.encode()


def _is_positive_normal(bits: int) -> bool:
    """Neither a sign, nor the exponents of subnormal numbers, infinities and what is no number."""
    return bits >> 63 == 0 and 0 < bits >> 52 < 0x7FF


class Stream:
    """Words and bits from a seed, for one purpose."""

    def __init__(self, seed: bytes, purpose: str):
        info = b"secagg/1 privacy " + purpose.encode("ascii")
        self._keystream = Keystream(hkdf.derive(b"", seed, info, 32))
        self._bits = []

    def word(self) -> int:
        return int.from_bytes(self._keystream.take(8), "little")

    def bit(self) -> int:
        if not self._bits:
            word = self.word()
            self._bits = [word >> i & 1 for i in range(WORD)]
        return self._bits.pop(0)

    def chance(self, probability: Fraction) -> bool:
        """True with this probability: whether a uniform number is below it."""
        drawn, scale = 0, 1
        while True:
            drawn, scale = drawn << WORD | self.word(), scale << WORD
            if Fraction(drawn, scale) >= probability:
                return False
            if Fraction(drawn + 1, scale) <= probability:
                return True

    def exp_minus(self, exponent: Fraction) -> bool:
        """True with the probability exp(-exponent)."""
        while exponent > 1:
            if not self._exp_minus_at_most_one(Fraction(1)):
                return False
            exponent -= 1
        return self._exp_minus_at_most_one(exponent)

    def _exp_minus_at_most_one(self, exponent: Fraction) -> bool:
        k = 1
        while self.chance(exponent) and (k == 1 or self.chance(Fraction(1, k))):
            k += 1
        return k % 2 == 1

    def below(self, bound: int) -> int:
        while True:
            product = self.word() * bound
            if product % 2**WORD >= 2**WORD % bound:
                return product >> WORD


class Law:
    """A law on integers by its distribution function F: draws are the least m with F(m) > U."""

    def first(self, bits: int) -> int:
        """Which m the first of the thresholds of so many bits is of."""
        return 0

    def cumulated(self, bits: int) -> list[tuple[int, int]]:
        """For each m from the first in turn a number not above F(m) * 2^bits and one not below it, until F is hardly less than 1."""
        raise NotImplementedError

    def thresholds(self, words: int) -> list[int]:
        """The first words of each F(m), as one number, up to the first whose words are all ones."""
        bits = words * WORD
        if bits not in self.__dict__.setdefault("_known", {}):
            guard = 128
            while (found := self._thresholds(bits, guard)) is None:
                guard *= 2
            self._known[bits] = found
        return self._known[bits]

    def _thresholds(self, bits: int, guard: int) -> list[int] | None:
        found = []
        for low, high in self.cumulated(bits + guard):
            if low >> guard != high >> guard:
                return None
            found.append(low >> guard)
            if found[-1] == 2**bits - 1:
                return found
        return None

    def draw(self, stream: Stream) -> int:
        return self.settle(stream.word(), stream)

    def settle(self, drawn: int, stream: Stream) -> int:
        """The draw that begins with this word; takes more words until they settle it."""
        words = 1
        while True:
            thresholds = self.thresholds(words)
            above = next((m for m, threshold in enumerate(thresholds) if threshold >= drawn), None)
            if above is not None and thresholds[above] > drawn:
                return self.first(words * WORD) + above
            drawn, words = drawn << WORD | stream.word(), words + 1


class HalfGaussian(Law):
    """The probability of m is proportional to exp(-m^2 * exponent), times two for all m but 0 if `doubled`."""

    def __init__(self, exponent: Fraction, doubled: bool):
        self._exponent, self._doubled = exponent, doubled

    def cumulated(self, bits):
        precision = bits + 64
        weights = []
        while not weights or weights[-1] > 0:
            weight = _exp_minus(len(weights) ** 2 * self._exponent, precision)
            weights.append(weight * (2 if self._doubled and weights else 1))
        # Each weight is too small by less than 4 units, and those left out are less than 4 units together.
        error = 4 * len(weights) + 4
        whole, sum_so_far, found = sum(weights), 0, []
        for m, weight in enumerate(weights):
            sum_so_far += weight
            low = (sum_so_far << bits) // (whole + error)
            high = -(-((sum_so_far + error) << bits) // whole)
            found.append((low, min(high, 2**bits - 1)))
        return found


class Centred(Law):
    """The probability of m is proportional to exp(-(m - centre)^2 / 2 sigma^2), for all integers."""

    def __init__(self, variance: Fraction, centre: Fraction):
        self._variance, self._centre = variance, centre

    def first(self, bits):
        # As exp(-x) < 2^-x, F of it and of the next ones is below 2^-bits: no thresholds are left out but zeros.
        reach = isqrt(int(2 * self._variance * (bits + 64))) + 1
        return -reach - 1

    def _thresholds(self, bits, guard):
        found = super()._thresholds(bits, guard)
        return found and found[self.first(bits) - self.first(bits + guard) :]

    def cumulated(self, bits):
        precision, first = bits + 64, self.first(bits)
        exponents = ((m - self._centre) ** 2 / (2 * self._variance) for m in range(first, 1 - first))
        weights = [_exp_minus(exponent, precision) for exponent in exponents]
        error = 4 * len(weights) + 4
        whole, sum_so_far, found = sum(weights), 0, []
        for m, weight in enumerate(weights, first):
            sum_so_far += weight
            low = (sum_so_far << bits) // (whole + error)
            high = -(-((sum_so_far + error) << bits) // whole)
            found.append((low, min(high, 2**bits - 1)))
            if m == 0 and self._centre == Fraction(1, 2):
                # The law is symmetric, so that this is known exactly, and no number of digits would settle it.
                found[-1] = (2 ** (bits - 1), 2 ** (bits - 1))
        return found


class Poisson(Law):
    def __init__(self, mean: Fraction):
        self._mean = mean

    def cumulated(self, bits):
        precision = bits + 64 + 2 * int(self._mean)
        none, weight, sum_so_far, k, found = _exp_minus(self._mean, precision), Fraction(1), 0, 0, []
        while k <= self._mean or weight * none >= 1:
            sum_so_far += int(weight * 2**precision)
            error = k + 2
            low = (sum_so_far * none) >> (2 * precision - bits)
            high = ((sum_so_far + error) * (none + 4) >> (2 * precision - bits)) + 1
            found.append((low, min(high, 2**bits - 1)))
            k += 1
            # As the exact numbers grow without end, what is below the precision is cut off.
            weight = Fraction(int(weight * self._mean / k * 2 ** (2 * precision)), 2 ** (2 * precision))
        return found


def _exp_minus(exponent: Fraction, bits: int) -> int:
    """exp(-exponent) * 2^bits, too small by less than 4: the 2^j-th power of exp(-exponent / 2^j)."""
    halvings = max(0, int(exponent).bit_length() + 1)
    precision = bits + 2 * halvings + 32
    argument = int(exponent * 2**precision) >> halvings
    term, total, k = 2**precision, 0, 0
    while term:
        total += term if k % 2 == 0 else -term
        k += 1
        term = (term * argument >> precision) // k
    for _ in range(halvings):
        total = total * total >> precision
    return max(0, (total >> (precision - bits)) - 1)


SHORT = 48  # thresholds of which the first word is not all ones
BLOCK = 4  # words


def draw(law: int, variance: int, seed: bytes, count: int) -> list[int]:
    """A share of noise (spec section 9.3)."""
    if law == SKELLAM:
        return _skellam(variance, Stream(seed, "skellam"), count)
    return _gaussian(variance, Stream(seed, "discrete gaussian"), count)


def _skellam(variance: int, stream: Stream, count: int) -> list[int]:
    half = Poisson(Fraction(variance, 2 * UNIT))
    draws = [half.draw(stream) for _ in range(2 * count)]
    return [first - second for first, second in zip(draws[::2], draws[1::2])]


def _gaussian(variance: int, stream: Stream, count: int) -> list[int]:
    sigma = isqrt(variance // UNIT)
    step = 1 if sigma < 256 else sigma // 32
    law = HalfGaussian(Fraction(step * step * UNIT, 2 * variance), doubled=step == 1)
    if step > 1:
        return [_in_two_levels(law, step, variance, stream) for _ in range(count)]
    if sum(threshold < 2**WORD - 1 for threshold in law.thresholds(1)) > SHORT:
        return [_signed(law.draw(stream), stream.bit()) for _ in range(count)]
    distances = []
    while len(distances) < count:
        words = [stream.word() for _ in range(BLOCK)]
        distances += [law.settle(word, stream) for word in words[: count - len(distances)]]
    return [_signed(distance, stream.bit()) for distance in distances]


def _in_two_levels(law: HalfGaussian, step: int, variance: int, stream: Stream) -> int:
    while True:
        base = step * law.draw(stream)
        beyond = stream.below(step)
        accepted = stream.exp_minus(Fraction(beyond * (2 * base + beyond) * UNIT, 2 * variance))
        negative = stream.bit()
        if accepted and not (negative and base + beyond == 0):
            return _signed(base + beyond, negative)


def _signed(distance: int, negative: int) -> int:
    return -distance if negative else distance


def draw_around(centres: list[int], variance: int, fraction_bits: int, seed: bytes) -> list[int]:
    """A draw around each centre, of so many bits of fraction (spec section 9.3)."""
    stream, one, laws = Stream(seed, "centred gaussian"), 2**fraction_bits, {}
    found = []
    for centre in centres:
        nearest = (2 * centre + one) // (2 * one)
        beyond = centre - nearest * one
        distance = abs(beyond)
        if distance not in laws:
            laws[distance] = Centred(Fraction(variance, UNIT), Fraction(distance, one))
        found.append(nearest + _signed(laws[distance].draw(stream), beyond < 0))
    return found


def negated(seed: bytes, count: int) -> list[int]:
    """1 for each coordinate that the rotation negates (spec section 9.2)."""
    stream = Stream(seed, "rotation")
    return [stream.bit() for _ in range(count)]


def rounded(grid: list[int], norm_squared: int, seed: bytes) -> list[int]:
    """Spec section 9.2. A vector that is too long is a mistake of the caller."""
    stream = Stream(seed, "rounding")
    for _ in range(ATTEMPTS):
        found = _round(grid, stream)
        if sum(x * x for x in found) <= norm_squared:
            return found
    raise Abort(MISUSE, why="no rounding is within the norm bound")


def _round(grid: list[int], stream: Stream) -> list[int]:
    found = []
    for place, x in enumerate(grid):
        if place % 2 == 0:
            word = stream.word()
        drawn = (word >> 32 * (place % 2)) % GRID
        found.append(x // GRID + (drawn < x % GRID))
    return found


def wrapped(integers: list[int], noise: list[int], bits: int) -> list[int]:
    return [(x + y) % 2**bits for x, y in zip(integers, noise)]


def centred(elements: list[int], bits: int) -> list[int]:
    return [element - 2**bits if element >> (bits - 1) else element for element in elements]
