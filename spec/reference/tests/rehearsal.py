"""Sessions for the tests: one server, its clients, and a way to go forward round by round."""

import copy
import unittest

import ed25519
from client import Client, Policy
from config import ACTIVE, PINNED, Config, VectorSpec
from error import CODES, OVER, Abort
from identity import Credentials, certify
from server import Server

ADVERTISE_KEYS, SHARE_KEYS, MASKED_INPUT, UNMASKING = range(4)
CONSISTENCY_CHECK, CERTIFIED = 3, 4  # the last rounds where clients sign

LANES = (
    VectorSpec("narrow", 5, 13),
    VectorSpec("middle", 3, 32, 1000),
    VectorSpec("wide", 2, 62),
)
ONE_VECTOR = (VectorSpec("sum", 3, 16),)
AUTHORITY = b"a" * 32  # its secret


def complete(clients=4, threshold=3, vectors=ONE_VECTOR) -> Config:
    return Config(clients, threshold, vectors, task=b"t" * 32, nonce=b"n" * 32)


def regular(clients=6, threshold=2, degree=4, vectors=ONE_VECTOR) -> Config:
    return Config(clients, threshold, vectors, task=b"t" * 32, nonce=b"n" * 32, degree=degree)


def active(clients=4, threshold=3, corrupt=1, vectors=ONE_VECTOR) -> Config:
    suite = {"suite": ACTIVE, "corrupt": corrupt, "authority": ed25519.public_key(AUTHORITY)}
    return Config(clients, threshold, vectors, task=b"t" * 32, nonce=b"n" * 32, **suite)


def pinned(clients=8, threshold=3, degree=5, corrupt=1, vectors=ONE_VECTOR) -> Config:
    suite = {"suite": PINNED, "corrupt": corrupt, "authority": ed25519.public_key(AUTHORITY)}
    return Config(clients, threshold, vectors, task=b"t" * 32, nonce=b"n" * 32, degree=degree, k_out=True, **suite)


def credentials(client: int, authority: bytes = AUTHORITY) -> Credentials:
    secret = bytes([0x80 + client]) * 32
    certificate = certify(authority, ed25519.public_key(secret))
    return Credentials(secret, certificate, ed25519.public_key(authority))


def entropy(client: int) -> bytes:
    return bytes([client]) * 32


def honest_input(config: Config, client: int) -> list[list[int]]:
    """Large numbers where no bound is declared, so that sums wrap."""
    vectors = []
    for spec in config.vectors:
        modulus = 2**spec.bits if spec.bound is None else spec.bound + 1
        vectors.append([(client * 2**61 // (i + 3) + i) % modulus for i in range(spec.length)])
    return vectors


def honest_sum(config: Config, clients: list[int]) -> list[list[int]]:
    inputs = [honest_input(config, client) for client in clients]
    return [
        [sum(column) % 2**spec.bits for column in zip(*(vectors[place] for vectors in inputs))]
        for place, spec in enumerate(config.vectors)
    ]


class Rehearsal:
    """`requests` are those of the open round, or the aggregate when all is over."""

    def __init__(self, config: Config):
        self.config = config
        self.server = Server(config)
        self.clients = {i: self._client(i) for i in range(1, config.clients + 1)}
        self.requests = self.server.open()

    def _client(self, client: int) -> Client:
        own = credentials(client) if self.config.signed else None
        return Client(entropy(client), honest_input(self.config, client), Policy(roots=1), own)

    def copy(self) -> "Rehearsal":
        return copy.deepcopy(self)

    def answer(self, client: int) -> bytes:
        return self.clients[client].handle(self.requests[client])

    def round(self, without=(), changed=None) -> None:
        """All clients that were asked answer, but those in `without`; `changed` maps a client to a function
        of its answer. Then the round is closed."""
        for client in self.requests:
            if client not in without:
                response = self.answer(client)
                self.server.receive(client, (changed or {}).get(client, bytes)(response))
        self.requests = self.server.close_round()

    def go_to(self, round_number: int) -> "Rehearsal":
        for _ in range(round_number):
            self.round()
        return self


class Sessions(unittest.TestCase):
    """Whole sessions."""

    def check(self, config, losses, survivors):
        rehearsal = Rehearsal(config)
        for lost in losses:
            rehearsal.round(without=lost)
        self.assertEqual(rehearsal.requests.survivors, survivors)
        self.assertEqual(rehearsal.requests.sums, honest_sum(config, survivors))
        self.assertEqual(rehearsal.requests.faults, [])


class Refusals(unittest.TestCase):
    """Requests that a client refuses; it is over then, and has forgotten its secrets."""

    def refuses(self, rehearsal, request, must, client=1):
        client = rehearsal.copy().clients[client]
        with self.assertRaises(Abort) as caught:
            client.handle(request)
        self.assertEqual((caught.exception.must, caught.exception.code), (must, CODES[must]))
        with self.assertRaises(Abort) as caught:
            client.handle(rehearsal.requests[1])
        self.assertEqual(caught.exception.code, OVER)
        self.assertNotIn("_secrets", vars(client))
