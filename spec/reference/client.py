"""The client: the client's steps of spec sections 4.2 to 4.6."""

from dataclasses import dataclass

import bits
import bundle
import draws
import ed25519
import field
import identity
import keys
import mask
import noise
import removal
import shamir
import vector
import wire
from config import Config, VectorSpec
from error import CODES, MISUSE, OVER, POLICY, Abort, Broken, must_hold
from identity import Credentials
from session import Session, advertise_keys_session, share_keys_session
from wire import Member


@dataclass(frozen=True)
class Policy:
    """What a client insists on before it takes part (spec section 4.2)."""

    smallest_clients: int = 2
    lowest_threshold: int = 2
    minimum_survivors: int = 1
    least_corrupt: int = 0  # where clients sign
    task: bytes | None = None
    roots: int | None = None  # R of spec section 8.3; without it the pinned suite is refused
    fewest_members: int = 2  # of a roster, in the pinned suite

    def accepts(self, config: Config) -> bool:
        return (
            config.clients >= self.smallest_clients
            and config.threshold >= self.lowest_threshold
            and config.minimum_survivors >= self.minimum_survivors
            and self.task in (None, config.task)
            and (not config.signed or config.corrupt >= self.least_corrupt)
        )


class Client:
    """Answers each request once. After an abort, or after its last answer, it is over.

    It is a function of its entropy (32 bytes, for one session only), its input and the requests. With credentials
    it takes part in the active suite, under its authority, and in the pinned one if its policy names the number of
    roots; without, in the curious one.
    """

    def __init__(
        self,
        entropy: bytes,
        vectors: list[list[int]] | None = None,
        policy: Policy = Policy(),
        credentials: Credentials | None = None,
    ):
        if len(entropy) != 32:
            raise ValueError("entropy has 32 bytes")
        self._entropy = entropy
        self._vectors = vectors
        self._policy = policy
        self._credentials = credentials
        self._step = self._advertise_keys
        self._awaited = wire.ADVERTISE_KEYS_REQUEST

    def set_input(self, vectors: list[list[int]]) -> None:
        """Give the input, at any time before MaskedInputCollection."""
        self._vectors = vectors

    def handle(self, request: bytes) -> bytes:
        """The response to a request. Raises `Abort`; a broken rule is an abort with the rule's code."""
        if self._step is None:
            raise Abort(OVER)
        if self._awaited == wire.MASKED_INPUT_REQUEST and self._vectors is None:
            raise Abort(MISUSE, why="no input yet")  # and nothing else: it can be given, and the request handled again
        step, self._step = self._step, None
        try:
            session_id, body = wire.open_message(request, self._awaited)
            return step(session_id, body)
        except Broken as broken:
            self._forget()
            raise Abort(CODES[broken.must], why=str(broken)) from None
        except Abort:
            self._forget()
            raise

    def _forget(self) -> None:
        self.__dict__ = {"_step": None}

    def _await(self, message_type: int, step) -> None:
        self._awaited = message_type
        self._step = step

    # Spec section 4.2.

    def _advertise_keys(self, session_id: bytes, body: bytes) -> bytes:
        request = wire.AdvertiseKeysRequest.decode(body)
        config = request.config
        config.check()
        session = advertise_keys_session(config)
        must_hold(session_id == session.id, "4.1-3")
        must_hold(request.id <= config.clients, "4.2-2")
        if not (self._trusts(config) and self._policy.accepts(config)):
            raise Abort(POLICY)
        self._config = config
        self._secrets = keys.derive_secrets(config, request.id, self._entropy)
        self._entropy = None
        public = self._secrets.public_keys()
        committed = draws.commitment(config, request.id, self._secrets.draw) if config.pinned else None
        proof = self._credentials.prove(config, request.id, public, committed) if config.signed else None
        self._me = Member(request.id, public, proof, committed)
        self._await(wire.SHARE_KEYS_REQUEST, self._share_keys)
        return wire.pack(wire.ADVERTISE_KEYS_RESPONSE, session.id, self._me.advertisement().encode())

    def _trusts(self, config: Config) -> bool:
        """Whether suite and authority are the client's own (spec section 3.7)."""
        if self._credentials is None:
            return not config.signed
        if config.pinned and self._policy.roots is None:
            return False
        return config.signed and config.authority == self._credentials.authority

    # Spec section 4.3.

    def _share_keys(self, session_id: bytes, body: bytes) -> bytes:
        members = list(wire.ShareKeysRequest.decode(body, self._config.suite).neighbourhood)
        self._check_neighbourhood(members)
        if self._config.complete or self._config.pinned:
            must_hold(session_id == share_keys_session(self._config, members).id, "4.3-2")
        self._check_keys(members)
        self._session = Session(self._config.suite, session_id)
        self._roster = [member.id for member in members]  # but on a regular graph, where it is not known
        self._others = {member.id: member for member in members if member != self._me}
        self._holders = list(self._others)
        if self._config.pinned:
            if len(members) < self._policy.fewest_members:
                raise Abort(POLICY)
            self._holders = self._drawn_by(self._me.id, self._secrets.draw)
        for holder in self._holders:
            keys.check_encryption_key(self._others[holder].keys.encryption_key)
        disclosed = self._secrets.draw if self._config.pinned else None
        response = wire.ShareKeysResponse(self._commitment(), self._deal(), disclosed)
        if self._config.complete:
            self._own_share = shamir.evaluate(self._secrets.self_mask_polynomial, self._me.id)
        self._secrets.mask_key_polynomial = self._secrets.self_mask_polynomial = None
        self._await(wire.MASKED_INPUT_REQUEST, self._masked_input)
        return wire.pack(wire.SHARE_KEYS_RESPONSE, session_id, response.encode())

    def _check_neighbourhood(self, members: list[Member]) -> None:
        ids = [member.id for member in members]
        must_hold(_strictly_ascending(ids) and all(i <= self._config.clients for i in ids), "4.3-1")
        must_hold(self._me in members, "4.3-1")
        if self._config.complete:
            must_hold(len(members) >= self._config.threshold, "4.3-1")
        elif self._config.pinned:
            must_hold(len(members) >= max(self._config.degree + 1, self._config.corrupt + 2), "4.3-1")
        else:
            must_hold(len(members) == self._config.degree + 1, "4.3-1")

    def _check_keys(self, members: list[Member]) -> None:
        seen, identities = set(), set()
        for member in members:
            for key in (member.keys.encryption_key, member.keys.mask_key):
                must_hold(key not in seen, "4.2-3")
                seen.add(key)
            if self._config.signed:
                must_hold(member.proof.identity not in identities, "4.2-5")
                identities.add(member.proof.identity)
            keys.check_mask_key(member.keys.mask_key)
            if self._config.signed:
                identity.check_identity(member)
        if self._config.signed:
            self._check_signatures(members)

    def _check_signatures(self, members: list[Member]) -> None:
        for member in members:
            identity.check_certificate(self._config, member)
        for member in members:
            identity.check_signature(self._config, member)

    def _commitment(self) -> bytes:
        return mask.commitment(self._session, self._me.id, self._secrets.self_mask_seed)

    def _deal(self) -> bytes:
        return b"".join(self._bundle_for(self._others[holder]) for holder in self._holders)

    def _bundle_for(self, holder: Member) -> bytes:
        shares = (
            shamir.evaluate(self._secrets.mask_key_polynomial, holder.id),
            shamir.evaluate(self._secrets.self_mask_polynomial, holder.id),
        )
        return bundle.seal(self._session, self._me, holder, self._secrets.encryption_key, shares)

    # Spec section 4.4.

    def _masked_input(self, session_id: bytes, body: bytes) -> bytes:
        must_hold(session_id == self._session.id, "4.1-3")
        signature = None
        if self._config.pinned:
            request = wire.PinnedMaskedInputRequest.decode(body)
            owners = self._check_sharers(request)
            partners = sorted({*owners, *(self._sharers.intersection(self._holders))})
            self._sharers_statement = identity.sharers_statement(self._session, request.sharers)
            signature = self._credentials.sign(self._sharers_statement)
        else:
            request = wire.MaskedInputRequest.decode(body)
            owners = partners = self._check_owners(request)
            self._sharers = {*owners, self._me.id}
        self._members = sorted(owners + [self._me.id])
        self._open(request.bundles)
        packed = vector.pack(self._mask_input(partners), self._config)
        self._keep_seeds()
        self._secrets = self._vectors = None
        if self._config.signed:
            self._await(wire.CONSISTENCY_CHECK_REQUEST, self._check_consistency)
        else:
            self._await(wire.UNMASKING_REQUEST, self._unmask)
        return wire.pack(wire.MASKED_INPUT_RESPONSE, session_id, wire.MaskedInputResponse(packed, signature).encode())

    def _check_owners(self, request: wire.MaskedInputRequest) -> list[int]:
        """The owners of the bundles, in the curious and the active suite."""
        owners = [owned.owner for owned in request.bundles]
        must_hold(_strictly_ascending(owners) and all(owner in self._others for owner in owners), "4.4-1")
        must_hold(len(owners) + self._config.complete >= self._config.threshold, "4.4-2")
        return owners

    def _check_sharers(self, request: wire.PinnedMaskedInputRequest) -> list[int]:
        """The owners of the bundles, in the pinned suite. Keeps the sharers, and the holders of each owner."""
        self._sharers = bits.unpack(request.sharers, self._roster, "4.4-6")
        must_hold(self._me.id in self._sharers, "4.4-7")
        must_hold(len(self._sharers) >= self._config.quorum(len(self._roster)), "4.4-2")
        must_hold(len(self._sharers.intersection(self._holders)) >= self._config.threshold, "4.4-2")
        owners = [owned.owner for owned in request.bundles]
        must_hold(_strictly_ascending(owners), "4.4-1")
        must_hold(all(owner in self._sharers and owner != self._me.id for owner in owners), "4.4-1")
        self._holders_of = {owned.owner: self._check_draw(owned) for owned in request.bundles}
        for owner in owners:
            keys.check_encryption_key(self._others[owner].keys.encryption_key)
        return owners

    def _check_draw(self, owned: wire.DrawnBundle) -> list[int]:
        """The holders of an owner."""
        draws.check(self._config, self._others[owned.owner], owned.draw, "4.4-8")
        holders = self._drawn_by(owned.owner, owned.draw)
        must_hold(self._me.id in holders, "4.4-8")
        return holders

    def _drawn_by(self, client: int, draw: bytes) -> list[int]:
        return draws.holders(self._session, self._config.degree, client, draw, self._roster)

    def _open(self, bundles: tuple[wire.OwnedBundle | wire.DrawnBundle, ...]) -> None:
        """Keep the shares of the bundles that open and the owners of those that do not."""
        self._shares = {}
        self._unopened = []
        for owned in bundles:
            owner = self._others[owned.owner]
            secret = self._secrets.encryption_key
            try:
                self._shares[owner.id] = bundle.open(self._session, owner, self._me, secret, owned.bundle)
            except Broken:
                self._unopened.append(owner.id)

    def _mask_input(self, partners: list[int]) -> list[list[int]]:
        """Spec section 7.3: the input with the own mask, and with the pairwise masks with these clients."""
        vectors = self._checked_input()
        seed = mask.own_seed(self._session, self._me.id, self._secrets.self_mask_seed)
        vectors = mask.apply(self._config, self._session, vectors, seed, mask.ADD)
        for other in partners:
            seed = mask.pairwise_seed(self._session, self._me, self._secrets.mask_key, self._others[other])
            sign = mask.pairwise_sign(self._me.id, other)
            vectors = mask.apply(self._config, self._session, vectors, seed, sign)
        return vectors

    def _checked_input(self) -> list[list[int]]:
        if len(self._vectors) != len(self._config.vectors):
            raise Abort(MISUSE, why="not one vector for each of the configuration")
        return [self._checked_vector(place, spec) for place, spec in enumerate(self._config.vectors)]

    def _checked_vector(self, place: int, spec: VectorSpec) -> list[int]:
        coordinates = self._vectors[place]
        if spec.noise is not None:
            return self._with_noise(place, spec)
        greatest = 2**spec.bits - 1 if spec.bound is None else spec.bound
        if len(coordinates) != spec.length or not all(0 <= x <= greatest for x in coordinates):
            raise Abort(MISUSE, why="a vector of the wrong length, or a coordinate out of range")
        return coordinates

    def _with_noise(self, place: int, spec: VectorSpec) -> list[int]:
        """Spec sections 9.2 and 9.3, from coordinates on the input grid."""
        grid, seed, terms = self._vectors[place], self._secrets.noise_seeds[place], spec.noise
        if len(grid) != spec.length:
            raise Abort(MISUSE, why="a vector of the wrong length")
        rounded = noise.rounded(grid, terms.greatest_square, seed)
        if terms.law == noise.CENTRED:
            drawn = noise.draw_around(rounded, terms.variance, terms.fraction_bits, seed)
            return noise.wrapped(drawn, [0] * spec.length, spec.bits)
        drawn = removal.share(terms, self._chain(place), seed, spec.length)
        return noise.wrapped(rounded, drawn, spec.bits)

    def _chain(self, place: int) -> removal.Chain:
        return removal.Chain(self._session, self._me.id, place)

    def _keep_seeds(self) -> None:
        """The seeds of what may turn out to be superfluous, by the vector's place (spec section 9.6)."""
        levels = [spec.noise.levels if spec.noise else () for spec in self._config.vectors]
        seeds = self._secrets.noise_seeds
        self._seeds = [self._chain(place).seeds(seeds[place], len(of_one)) for place, of_one in enumerate(levels)]

    # Spec section 4.5.

    def _check_consistency(self, session_id: bytes, body: bytes) -> bytes:
        must_hold(session_id == self._session.id, "4.1-3")
        requested = wire.ConsistencyCheckRequest.decode(body).survivors
        self._survivors = bits.unpack(requested, self._roster, "4.5-1")
        must_hold(self._survivors.issubset(self._sharers), "4.5-2")
        must_hold(self._me.id in self._survivors, "4.5-3")
        fewest = max(self._fewest_signers(), self._config.minimum_survivors)
        must_hold(len(self._survivors) >= fewest, "4.5-4")
        if self._config.pinned:
            self._check_surviving_holders()
        sharers = bits.pack(self._sharers, self._roster)
        self._statement = identity.survivors_statement(self._session, sharers, requested)
        response = wire.ConsistencyCheckResponse(self._credentials.sign(self._statement))
        self._await(wire.UNMASKING_REQUEST, self._unmask_certified)
        return wire.pack(wire.CONSISTENCY_CHECK_RESPONSE, session_id, response.encode())

    def _fewest_signers(self) -> int:
        """How many signatures are enough, and so how many survivors there have to be: the threshold in the active
        suite, a quorum of the roster in the pinned one."""
        return self._config.quorum(len(self._roster)) if self._config.pinned else self._config.threshold

    def _check_surviving_holders(self) -> None:
        """[4.5-6]"""
        surviving = [holders for owner, holders in self._holders_of.items() if owner in self._survivors]
        for holders in [self._holders, *surviving]:
            must_hold(len(self._survivors.intersection(holders)) >= self._config.threshold, "4.5-6")

    # Spec section 4.6.

    def _unmask_certified(self, session_id: bytes, body: bytes) -> bytes:
        """Where clients sign."""
        must_hold(session_id == self._session.id, "4.1-3")
        if self._config.pinned:
            request = wire.PinnedUnmaskingRequest.decode(body)
        else:
            request = wire.CertifiedUnmaskingRequest.decode(body)
        signers = [signed.signer for signed in request.signatures]
        must_hold(_strictly_ascending(signers) and self._survivors.issuperset(signers), "4.6-11")
        must_hold(len(signers) >= self._fewest_signers(), "4.6-11")
        for signed in request.signatures:
            must_hold(self._has_signed(signed.signer, self._statement, signed.signature), "4.6-12")
        if self._config.pinned:
            self._check_inputs(request.inputs)
        return self._give_shares(session_id, self._survivors, len(self._survivors))

    def _check_inputs(self, signatures: tuple[bytes, ...]) -> None:
        """Whether the surviving owners were told of the same sharers."""
        owners = [owner for owner in self._members if owner in self._survivors and owner != self._me.id]
        must_hold(len(signatures) == len(owners), "4.6-13")
        for owner, signature in zip(owners, signatures):
            must_hold(self._has_signed(owner, self._sharers_statement, signature), "4.6-14")

    def _has_signed(self, client: int, statement: bytes, signature: bytes) -> bool:
        member = self._me if client == self._me.id else self._others[client]
        return ed25519.verify(member.proof.identity, statement, signature)

    def _unmask(self, session_id: bytes, body: bytes) -> bytes:
        """In the curious suite."""
        must_hold(session_id == self._session.id, "4.1-3")
        request = wire.UnmaskingRequest.decode(body)
        survivors = bits.unpack(request.survivors, self._members, "4.6-1")
        must_hold(self._me.id in survivors, "4.6-2")
        counted = len(survivors) if self._config.complete else len(survivors) - 1
        must_hold(counted >= self._config.threshold, "4.6-3")
        must_hold(request.survivor_count >= self._config.minimum_survivors, "4.6-9")
        must_hold(self._can_be(request.survivor_count, survivors), "4.6-10")
        return self._give_shares(session_id, survivors, request.survivor_count)

    def _give_shares(self, session_id: bytes, survivors: set[int], count: int) -> bytes:
        shares = b"".join(self._share_of(owner, owner in survivors) for owner in self._members)
        response = wire.UnmaskingResponse(tuple(self._unopened), shares, self._superfluous(count))
        self._forget()
        return wire.pack(wire.UNMASKING_RESPONSE, session_id, response.encode())

    def _superfluous(self, survivors: int) -> bytes:
        """For each vector with components to be removed the first seed of theirs."""
        disclosed = b""
        for spec, seeds in zip(self._config.vectors, self._seeds):
            if removal.is_superfluous(spec.noise, survivors):
                disclosed += seeds[removal.kept(spec.noise, survivors) - 1]
        return disclosed

    def _can_be(self, count: int, survivors: set[int]) -> bool:
        """Whether the session can have so many survivors, of which these are in the closed neighbourhood."""
        if self._config.complete:
            return count == len(survivors)
        lost = self._config.degree + 1 - len(survivors)
        return len(survivors) <= count <= self._config.clients - lost

    def _share_of(self, owner: int, survived: bool) -> bytes:
        """The one share of this owner that the client gives, or nothing."""
        if owner == self._me.id:
            return field.encode(self._own_share) if self._config.complete else b""
        if owner not in self._shares:
            return b""
        share_of_mask_key, share_of_self_mask_seed = self._shares[owner]
        return field.encode(share_of_self_mask_seed if survived else share_of_mask_key)


def _strictly_ascending(ids: list[int]) -> bool:
    return all(a < b for a, b in zip(ids, ids[1:]))
