"""The server: the server's steps of spec sections 4.2 to 4.6."""

from dataclasses import dataclass

import bits
import draws
import ed25519
import field
import identity
import keys
import removal
import unmasking
import vector
import wire
from config import Config
from error import MISUSE, OVER, TOO_FEW_CLIENTS, Abort, Broken, Fault, must_hold
from graph import neighbourhoods, neighbours_by_holders
from session import advertise_keys_session, share_keys_session
from wire import Member

# Spec section 5: what an honest network may cause costs the sender nothing.
HARMLESS = ("4.1-2", "4.1-3", "4.1-4", "4.1-5")


@dataclass(frozen=True)
class Aggregate:
    """What a session is for: the sums of the survivors' vectors, modulo 2^bits. With them the session id, the
    survivors, and the faults of the session's clients, each once, ascending by culprit, rule and other client."""

    session: bytes
    survivors: list[int]
    sums: list[list[int]]
    faults: list[Fault]


@dataclass(frozen=True)
class Shared:
    """What a client sends in ShareKeys: its commitment, a bundle for each holder, and its draw in the pinned suite."""

    commitment: bytes
    bundles: dict[int, bytes]
    draw: bytes | None


class Server:
    """`open` gives the first requests; then, for each round, `receive` takes the responses and `close_round`
    gives the requests of the next round, in the end the aggregate.

    `faults` keeps all that was found, in that order, also what is found in a message that is used or when a
    round closes.
    """

    def __init__(self, config: Config):
        try:
            config.check()
        except Broken as broken:
            raise Abort(MISUSE, why=f"the configuration breaks a rule: {broken}") from None
        self.config = config
        self.faults: list[Fault] = []
        self._session = advertise_keys_session(config)
        self._round = None

    def open(self) -> dict[int, bytes]:
        """The requests of AdvertiseKeys, by client."""
        if self._round is not None:
            raise Abort(MISUSE, why="the session is already open")
        requests = {i: wire.AdvertiseKeysRequest(i, self.config) for i in range(1, self.config.clients + 1)}
        self._keys_seen, self._identities_seen = set(), set()
        self._begin(wire.ADVERTISE_KEYS_RESPONSE, self._take_keys, self._close_advertise_keys, requests)
        return self._packed(wire.ADVERTISE_KEYS_REQUEST, requests)

    def receive(self, sender: int, message: bytes) -> None:
        """Take a client's response. Raises `Fault` if it breaks a rule; the session goes on."""
        try:
            self._check_sender(sender)
            session_id, body = wire.open_message(message, self._awaited)
            must_hold(session_id == self._session.id, "4.1-3")
            self._answers[sender] = self._take(sender, body)
        except Broken as broken:
            if broken.must not in HARMLESS:
                self._asked.discard(sender)
            fault = Fault(sender, broken.must)
            self.faults.append(fault)
            raise fault from None

    def close_round(self) -> dict[int, bytes] | Aggregate:
        """The requests of the next round, by client, or the aggregate. Raises `Abort`."""
        if self._round in (None, "over"):
            raise Abort(MISUSE if self._round is None else OVER)
        try:
            return self._close()
        except Abort:
            self._round = "over"
            raise

    def _begin(self, awaited: int, take, close, requests: dict) -> None:
        """Open a round: `take` reads a response, `close` ends the round."""
        self._round = awaited
        self._awaited = awaited
        self._take = take
        self._close = close
        self._asked = set(requests)
        self._answers = {}

    def _packed(self, message_type: int, requests: dict) -> dict[int, bytes]:
        session_id = self._session.id
        return {i: wire.pack(message_type, session_id, request.encode()) for i, request in requests.items()}

    def _check_sender(self, sender: int) -> None:
        must_hold(self._round not in (None, "over"), "4.1-2")
        must_hold(sender in self._asked, "4.1-5")
        must_hold(sender not in self._answers, "4.1-4")

    # Spec section 4.2.

    def _take_keys(self, sender: int, body: bytes) -> Member:
        member = Member.of(sender, wire.Advertisement.decode(body, self.config.suite))
        public, proof = member.keys, member.proof
        keys.check_encryption_key(public.encryption_key)
        keys.check_mask_key(public.mask_key)
        if self.config.signed:
            identity.check_identity(member)
            identity.check_certificate(self.config, member)
            identity.check_signature(self.config, member)
        must_hold(public.encryption_key != public.mask_key, "4.2-3")
        for key in (public.encryption_key, public.mask_key):
            must_hold(key not in self._keys_seen, "4.2-3")
        if self.config.signed:
            must_hold(proof.identity not in self._identities_seen, "4.2-5")
            self._identities_seen.add(proof.identity)
        self._keys_seen |= {public.encryption_key, public.mask_key}
        return member

    def _close_advertise_keys(self) -> dict[int, bytes]:
        config = self.config
        fewest = config.threshold if config.complete else config.degree + 1
        if config.pinned:
            fewest = max(fewest, config.corrupt + 2)
        if len(self._answers) < max(fewest, config.minimum_survivors):
            raise Abort(TOO_FEW_CLIENTS)
        self._roster = dict(sorted(self._answers.items()))
        self._session = share_keys_session(config, list(self._roster.values()))
        if config.pinned:
            requests = dict.fromkeys(self._roster, wire.ShareKeysRequest(tuple(self._roster.values())))
        else:
            self._holders = neighbourhoods(config, self._session, list(self._roster))
            requests = {i: wire.ShareKeysRequest(self._closed_neighbourhood(i)) for i in self._roster}
        self._begin(wire.SHARE_KEYS_RESPONSE, self._take_shares, self._close_share_keys, requests)
        return self._packed(wire.SHARE_KEYS_REQUEST, requests)

    def _closed_neighbourhood(self, client: int) -> tuple[Member, ...]:
        return tuple(self._roster[i] for i in sorted([client, *self._holders[client]]))

    # Spec section 4.3.

    def _take_shares(self, sender: int, body: bytes) -> Shared:
        config = self.config
        response = wire.ShareKeysResponse.decode(body, config.suite)
        count = config.degree if config.pinned else len(self._holders[sender])
        must_hold(len(response.bundles) == wire.BUNDLE * count, "4.3-3")
        if config.pinned:
            draws.check(config, self._roster[sender], response.draw, "4.3-4")
            holders = draws.holders(self._session, config.degree, sender, response.draw, list(self._roster))
        else:
            holders = self._holders[sender]
        bundles = dict(zip(holders, _pieces(response.bundles, wire.BUNDLE)))
        return Shared(response.commitment, bundles, response.draw)

    def _close_share_keys(self) -> dict[int, bytes]:
        self._sharers = sorted(self._answers)
        if self.config.pinned:
            self._holders = {owner: list(shared.bundles) for owner, shared in self._answers.items()}
        self._neighbours = neighbours_by_holders(self._holders)
        if self._too_few(self._sharers) or not self._enough_holders(self._sharers, self._sharers):
            raise Abort(TOO_FEW_CLIENTS)
        self._commitments = {i: shared.commitment for i, shared in self._answers.items()}
        self._sharer_bits = bits.pack(self._sharers, list(self._roster))
        requests = {i: self._bundles_for(i) for i in self._sharers}
        self._sums = [[0] * spec.length for spec in self.config.vectors]
        self._begin(wire.MASKED_INPUT_RESPONSE, self._take_masked_input, self._close_masked_input, requests)
        return self._packed(wire.MASKED_INPUT_REQUEST, requests)

    def _too_few(self, present: list[int]) -> bool:
        """Whether a sum of these clients' inputs would be of fewer than the configuration asks for."""
        quorum = self.config.quorum(len(self._roster)) if self.config.pinned else 0
        return len(present) < max(self.config.minimum_survivors, quorum)

    def _enough_holders(self, owners: list[int], present: list[int]) -> bool:
        """Whether the threshold of holders of each of these owners' secrets is present."""
        if self.config.complete:
            return len(present) >= self.config.threshold
        return all(
            sum(holder in present for holder in self._holders[owner]) >= self.config.threshold
            for owner in owners
        )

    def _owners_for(self, holder: int) -> list[int]:
        return [i for i in self._sharers if holder in self._holders[i]]

    def _bundles_for(self, holder: int) -> wire.MaskedInputRequest | wire.PinnedMaskedInputRequest:
        owned = [(owner, self._answers[owner]) for owner in self._owners_for(holder)]
        if self.config.pinned:
            drawn = [wire.DrawnBundle(owner, shared.draw, shared.bundles[holder]) for owner, shared in owned]
            return wire.PinnedMaskedInputRequest(self._sharer_bits, tuple(drawn))
        return wire.MaskedInputRequest(tuple(wire.OwnedBundle(owner, shared.bundles[holder]) for owner, shared in owned))

    # Spec section 4.4.

    def _take_masked_input(self, sender: int, body: bytes) -> bytes | None:
        """The signature, in the pinned suite."""
        response = wire.MaskedInputResponse.decode(body, self.config.suite)
        vectors = vector.unpack(response.packed, self.config)
        if self.config.pinned:
            statement = identity.sharers_statement(self._session, self._sharer_bits)
            must_hold(self._has_signed(sender, statement, response.signature), "4.4-9")
        for sums, coordinates, spec in zip(self._sums, vectors, self.config.vectors):
            for i, coordinate in enumerate(coordinates):
                sums[i] = (sums[i] + coordinate) % 2**spec.bits
        return response.signature

    def _has_signed(self, client: int, statement: bytes, signature: bytes) -> bool:
        return ed25519.verify(self._roster[client].proof.identity, statement, signature)

    def _close_masked_input(self) -> dict[int, bytes]:
        self._survivors = sorted(self._answers)
        self._needed = [u for u in self._sharers if self._is_needed(u)]
        too_few = self._too_few(self._survivors) or not self._needed
        if too_few or not self._enough_holders(self._needed, self._survivors):
            raise Abort(TOO_FEW_CLIENTS)
        self._shares, self._seeds = {}, {}
        self._inputs = self._answers
        if self.config.signed:
            return self._ask_for_signatures()
        requests = {i: wire.UnmaskingRequest(len(self._survivors), self._survivor_bits(i)) for i in self._survivors}
        self._begin(wire.UNMASKING_RESPONSE, self._take_unmasking, self._close_unmasking, requests)
        return self._packed(wire.UNMASKING_REQUEST, requests)

    def _is_needed(self, sharer: int) -> bool:
        return sharer in self._survivors or any(i in self._survivors for i in self._neighbours[sharer])

    def _members(self, client: int) -> list[int]:
        return sorted([client, *self._owners_for(client)])

    def _survivor_bits(self, client: int) -> bytes:
        return bits.pack(self._survivors, self._members(client))

    # Spec section 4.5.

    def _ask_for_signatures(self) -> dict[int, bytes]:
        survivors = bits.pack(self._survivors, list(self._roster))
        self._statement = identity.survivors_statement(self._session, self._sharer_bits, survivors)
        requests = dict.fromkeys(self._survivors, wire.ConsistencyCheckRequest(survivors))
        self._begin(wire.CONSISTENCY_CHECK_RESPONSE, self._take_signature, self._close_consistency_check, requests)
        return self._packed(wire.CONSISTENCY_CHECK_REQUEST, requests)

    def _take_signature(self, sender: int, body: bytes) -> bytes:
        signature = wire.ConsistencyCheckResponse.decode(body).signature
        must_hold(self._has_signed(sender, self._statement, signature), "4.5-5")
        return signature

    def _close_consistency_check(self) -> dict[int, bytes]:
        signers = sorted(self._answers)
        pinned = self.config.pinned
        fewest = self.config.quorum(len(self._roster)) if pinned else self.config.threshold
        if len(signers) < fewest or (pinned and not self._enough_holders(self._needed, signers)):
            raise Abort(TOO_FEW_CLIENTS)
        certificate = tuple(wire.Signed(i, self._answers[i]) for i in signers[:fewest])
        if pinned:
            requests = {i: wire.PinnedUnmaskingRequest(certificate, self._inputs_for(i)) for i in signers}
        else:
            requests = dict.fromkeys(signers, wire.CertifiedUnmaskingRequest(certificate))
        self._begin(wire.UNMASKING_RESPONSE, self._take_unmasking, self._close_unmasking, requests)
        return self._packed(wire.UNMASKING_REQUEST, requests)

    def _inputs_for(self, holder: int) -> tuple[bytes, ...]:
        """The signatures that came with the masked inputs of the surviving owners."""
        return tuple(self._inputs[i] for i in self._owners_for(holder) if i in self._survivors)

    # Spec section 4.6.

    def _take_unmasking(self, sender: int, body: bytes) -> bool:
        response = wire.UnmaskingResponse.decode(body)
        asked = self._members(sender) if self.config.complete else self._owners_for(sender)
        unopened = response.unopened
        must_hold(all(a < b for a, b in zip(unopened, unopened[1:])), "4.6-4")
        must_hold(all(owner in asked and owner != sender for owner in unopened), "4.6-4")
        opened = [owner for owner in asked if owner not in unopened]
        must_hold(len(response.shares) == wire.SCALAR * len(opened), "4.6-5")
        shares = [_share(piece) for piece in _pieces(response.shares, wire.SCALAR)]
        superfluous = [removal.is_superfluous(spec.noise, len(self._survivors)) for spec in self.config.vectors]
        must_hold(len(response.seeds) == wire.SEED * sum(superfluous), "4.6-15")
        self._seeds[sender] = _pieces(response.seeds, wire.SEED)
        for owner, share in zip(opened, shares):
            self._shares.setdefault(owner, {})[sender] = share
        self.faults += [Fault(owner, "4.4-3", sender) for owner in unopened]
        return True

    def _close_unmasking(self) -> Aggregate:
        collected = unmasking.Collected(
            self.config,
            self._session,
            self._roster,
            self._holders,
            self._neighbours,
            self._sharers,
            self._survivors,
            self._commitments,
            self._sums,
            {owner: dict(sorted(shares.items())) for owner, shares in self._shares.items()},
            sorted(self._answers),
            self._seeds,
        )
        sums, faults = unmasking.unmask(collected)
        self.faults += faults
        self._round = "over"
        return Aggregate(self._session.id, self._survivors, sums, self._distinct_faults())

    def _distinct_faults(self) -> list[Fault]:
        known = [fault for fault in self.faults if 1 <= fault.culprit <= self.config.clients]
        distinct = {(fault.culprit, fault.code, fault.about or 0): fault for fault in known}
        return [distinct[key] for key in sorted(distinct)]


def _pieces(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def _share(data: bytes) -> int:
    try:
        return field.decode(data)
    except field.NotCanonical:
        raise Broken("4.6-6") from None
