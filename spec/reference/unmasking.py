"""The end of Unmasking: from the answers to the sum (spec section 4.6)."""

from dataclasses import dataclass

import keys
import mask
import removal
from config import Config
from error import SECRET_LOST, TOO_FEW_CLIENTS, Abort, Fault
from reconstruction import Budget, Lost, reconstruct
from session import Session
from wire import Member


@dataclass
class Collected:
    """What the server knows when Unmasking closes."""

    config: Config
    session: Session
    roster: dict[int, Member]
    dealt: dict[int, list[int]]  # owner to the other clients that hold its shares
    neighbours: dict[int, list[int]]
    sharers: list[int]
    survivors: list[int]
    commitments: dict[int, bytes]  # of the sharers
    sums: list[list[int]]  # of the masked inputs
    shares: dict[int, dict[int, int]]  # owner to holder to share, of the kind that was asked for
    answered: list[int]
    seeds: dict[int, list[bytes]]  # of superfluous noise, by who disclosed them

    def needed(self) -> list[int]:
        """The sharers whose secret is needed (spec section 4.4)."""
        return [u for u in self.sharers if u in self.survivors or self.surviving_neighbours(u)]

    def surviving_neighbours(self, client: int) -> list[int]:
        return [v for v in self.neighbours[client] if v in self.survivors]

    def holders(self, owner: int) -> list[int]:
        """Spec section 3.5. The owner is one on the complete graph, of its self mask seed."""
        itself = [owner] if self.config.complete and owner in self.survivors else []
        return sorted(self.dealt[owner] + itself)


def unmask(collected: Collected) -> tuple[list[list[int]], list[Fault]]:
    """The sums of the survivors' inputs, and the holders of wrong shares."""
    _enough_shares(collected)
    secrets, faults = _secrets(collected)
    sums = collected.sums
    for owner, secret in secrets.items():
        if owner in collected.survivors:
            sums = _without_own_mask(collected, sums, owner, secret)
        else:
            sums = _without_pairwise_masks(collected, sums, owner, secret)
    for client, seeds in collected.seeds.items():
        sums = _without_noise(collected, sums, client, list(seeds))
    return sums, faults


def _without_noise(collected: Collected, sums, client: int, seeds: list[bytes]):
    """Spec section 9.6."""
    rest = []
    for place, (sum_of_one, spec) in enumerate(zip(sums, collected.config.vectors)):
        if removal.is_superfluous(spec.noise, len(collected.survivors)):
            chain = removal.Chain(collected.session, client, place)
            first = removal.kept(spec.noise, len(collected.survivors))
            drawn = removal.components(spec.noise, chain, first, seeds.pop(0), spec.length)
            sum_of_one = [(x - y) % 2**spec.bits for x, y in zip(sum_of_one, drawn)]
        rest.append(sum_of_one)
    return rest


def _enough_shares(collected: Collected) -> None:
    threshold = collected.config.threshold
    for owner in collected.needed():
        answered = [holder for holder in collected.holders(owner) if holder in collected.answered]
        if len(answered) < threshold or len(collected.shares.get(owner, {})) < threshold:
            raise Abort(TOO_FEW_CLIENTS)


def _secrets(collected: Collected) -> tuple[dict[int, int], list[Fault]]:
    """Every needed secret, each the one that its owner committed to."""
    secrets, faults, budget, named = {}, [], Budget(), set()
    for owner in collected.needed():
        shares = _without(named, collected.shares[owner], collected.config.threshold)
        try:
            secrets[owner], wrong = reconstruct(
                shares, collected.config.threshold, _committed(collected, owner), budget
            )
        except Lost as lost:
            suspects = {owner} if lost.owner_alone else {owner, *shares}
            raise Abort(SECRET_LOST, tuple(sorted(suspects)), f"[4.6-8] for the secret of {owner}") from None
        faults += [Fault(holder, "4.6-7", owner) for holder in wrong]
        named.update(wrong)
    return secrets, faults


def _without(named: set[int], shares: dict[int, int], threshold: int) -> dict[int, int]:
    """The shares of holders that are not named yet, as long as they are enough."""
    others = {holder: share for holder, share in shares.items() if holder not in named}
    return others if len(others) >= threshold else shares


def _committed(collected: Collected, owner: int):
    """The test of [4.6-8] for this owner's secret."""
    if owner in collected.survivors:
        commitment = collected.commitments[owner]
        return lambda secret: mask.commitment(collected.session, owner, secret) == commitment
    public = collected.roster[owner].keys.mask_key
    return lambda secret: keys.public_mask_key(secret) == public


def _without_own_mask(collected: Collected, sums, owner: int, self_mask_seed: int):
    seed = mask.own_seed(collected.session, owner, self_mask_seed)
    return mask.apply(collected.config, collected.session, sums, seed, mask.SUBTRACT)


def _without_pairwise_masks(collected: Collected, sums, owner: int, mask_key: int):
    """With the sign of the owner, which undoes what the survivors applied."""
    for survivor in collected.surviving_neighbours(owner):
        roster = collected.roster
        seed = mask.pairwise_seed(collected.session, roster[owner], mask_key, roster[survivor])
        sign = mask.pairwise_sign(owner, survivor)
        sums = mask.apply(collected.config, collected.session, sums, seed, sign)
    return sums
