"""Noise that is removed: the components of a share and the chains of their seeds (spec section 9.6)."""

from dataclasses import dataclass

import noise
from noise import Noise
from presentation import uint8, uint32
from session import Session


@dataclass(frozen=True)
class Chain:
    """The seeds of one client for the vector at one place."""

    session: Session
    client: int
    place: int

    def next(self, seed: bytes, component: int) -> bytes:
        """c_k, for k = `component`, from the one before it; c_1 from the seed of the client's noise."""
        return self._derive("removal chain", seed, component)

    def noise_seed(self, seed: bytes, component: int) -> bytes:
        return self._derive("removal noise", seed, component)

    def _derive(self, label: str, seed: bytes, component: int) -> bytes:
        return self.session.derive(label, seed, uint32(self.client) + uint8(self.place) + uint8(component), 32)

    def seeds(self, noise_seed: bytes, count: int) -> list[bytes]:
        """c_1 to c_count."""
        found = []
        for component in range(1, count + 1):
            found.append(self.next(found[-1] if found else noise_seed, component))
        return found


def kept(terms: Noise, survivors: int) -> int:
    """How many components stay in a sum of so many inputs: number 0 and those of the levels that are needed."""
    return 1 + sum(level.survivors > survivors for level in terms.levels)


def is_superfluous(terms: Noise | None, survivors: int) -> bool:
    """Whether there are components to be removed."""
    return terms is not None and kept(terms, survivors) <= len(terms.levels)


def share(terms: Noise, chain: Chain, seed: bytes, length: int) -> list[int]:
    """All components of a client's noise."""
    drawn = noise.draw(terms.law, terms.variance, seed, length)
    return _sum(drawn, components(terms, chain, 1, chain.next(seed, 1), length)) if terms.levels else drawn


def components(terms: Noise, chain: Chain, first: int, seed: bytes, length: int) -> list[int]:
    """The components from number `first` on together; `seed` is c_first."""
    variances = [terms.variance] + [level.variance for level in terms.levels]
    total = [0] * length
    for component in range(first, len(variances)):
        if component > first:
            seed = chain.next(seed, component)
        variance = variances[component] - variances[component - 1]
        total = _sum(total, noise.draw(terms.law, variance, chain.noise_seed(seed, component), length))
    return total


def _sum(some: list[int], others: list[int]) -> list[int]:
    return [one + other for one, other in zip(some, others)]
