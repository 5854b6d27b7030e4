"""Who is whose neighbour: spec section 6.2."""

from config import Config
from keystream import Keystream
from session import Session


def neighbourhoods(config: Config, session: Session, roster: list[int]) -> dict[int, list[int]]:
    """The neighbours of each client of the roster, both ascending."""
    if config.complete:
        return {client: [other for other in roster if other != client] for client in roster}
    return _regular(config.degree, session, roster)


def neighbours_by_holders(holders: dict[int, list[int]]) -> dict[int, list[int]]:
    """Two of these clients are neighbours if one is a holder of the other (spec section 4.4)."""
    return {
        client: [other for other in sorted(holders) if other in holders[client] or client in holders[other]]
        for client in holders
    }


def _regular(degree: int, session: Session, roster: list[int]) -> dict[int, list[int]]:
    """A Harary graph on a random permutation of the roster."""
    m = len(roster)
    c = _permutation(Keystream(session.derive("graph", b"", b"", 32)), m)
    neighbours = {}
    for p in range(m):
        steps = range(1, degree // 2 + 1)
        places = [c[(p + s) % m] for s in steps] + [c[(p - s) % m] for s in steps]
        neighbours[roster[c[p]]] = sorted(roster[place] for place in places)
    return neighbours


def _permutation(keystream: Keystream, m: int) -> list[int]:
    c = list(range(m))
    for i in range(m - 1, 0, -1):
        j = keystream.uniform_below(i + 1)
        c[i], c[j] = c[j], c[i]
    return c
