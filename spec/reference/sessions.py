"""The recorded sessions: `python3 sessions.py` writes the files `../vectors/session-*.json`.

Each is a script: who answers in which round, and what goes wrong. What comes of it is the reference's answer.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import ed25519
from identity import certify
from record import Recording

VECTORS = Path(__file__).parent.parent / "vectors"

# With this nonce every secret has two of the clients 1, 2 and 3 among its holders.
REGULAR_NONCE = 5

# The secret of the authority.
AUTHORITY = b"\xa0" * 32


def complete() -> Recording:
    """Clients 5, 4 and 3 are lost; a message of another session comes, and a request that names a client dropped."""
    about = (
        "complete graph; clients 5, 4 and 3 are lost in the rounds 4.3, 4.4 and 4.6; client 1 first sends a masked "
        "input of another session; client 3 refuses a request that names it dropped"
    )
    vectors = [_vector("weights", 3, 16), _vector("examples", 1, 33, 1_000_000_000)]
    session = _recording(about, _config({"graph": "complete"}, 5, vectors, nonce=1))
    requests = _answer(session, session.open(), [1, 2, 3, 4, 5])
    requests = _answer(session, requests, [1, 2, 3, 4])
    first = session.handle(1, requests[1])
    session.receive(1, first[:1] + bytes([first[1] ^ 1]) + first[2:])
    session.receive(1, first)
    requests = _answer(session, requests, [2, 3])
    session.handle(3, requests[3][:-1] + bytes([0b0011]))
    _answer(session, requests, [1, 2])
    return session


def regular() -> Recording:
    """Clients 6, 5 and 4 are lost; the last message of client 6 is cut off."""
    about = (
        "regular graph of degree 4; clients 6, 5 and 4 are lost in the rounds 4.3, 4.4 and 4.6; the message of "
        "client 6 in 4.3 is cut off"
    )
    vectors = [_vector("bits", 9, 1), _vector("wide", 2, 62), _vector("mean", 5, 20)]
    session = _recording(about, _config({"graph": "regular", "degree": 4}, 6, vectors, REGULAR_NONCE))
    requests = _answer(session, session.open(), [1, 2, 3, 4, 5, 6])
    session.receive(6, session.handle(6, requests[6])[:-1])
    requests = _answer(session, requests, [1, 2, 3, 4, 5])
    requests = _answer(session, requests, [1, 2, 3, 4])
    _answer(session, requests, [1, 2, 3])
    return session


def active() -> Recording:
    """A client is lost in each of the five rounds; three of them send or refuse what breaks a rule of this suite."""
    about = (
        "active suite; clients 12, 11, 10, 9 and 8 are lost in the rounds 4.2 to 4.6; client 12 sends the signature of "
        "client 11; client 9 signs another survivor set than the server's; client 8 refuses signatures that are too few"
    )
    vectors = [_vector("weights", 3, 16), _vector("examples", 1, 34, 1_000_000_000)]
    session = _recording(about, _active_config(12, 7, vectors, nonce=9))
    requests = session.open()
    answers = {client: session.handle(client, requests[client]) for client in range(1, 13)}
    for client in range(1, 12):
        session.receive(client, answers[client])
    session.receive(12, answers[12][:-64] + answers[11][-64:])
    requests = session.close_round()
    requests = _answer(session, requests, range(1, 11))
    requests = _answer(session, requests, range(1, 10))
    session.receive(9, session.handle(9, requests[9][:-2] + bytes([0b0111_1111, 0b1])))
    requests = _answer(session, requests, range(1, 9))
    header, signatures = requests[8][:33], requests[8][37:]
    session.handle(8, header + (6 * 68).to_bytes(4, "big") + signatures[: 6 * 68])
    _answer(session, requests, range(1, 8))
    return session


def pinned() -> Recording:
    """A client is lost in each of the five rounds; four of them send or refuse what breaks a rule of this suite."""
    about = (
        "pinned suite; clients 12, 11, 10, 9 and 8 are lost in the rounds 4.2 to 4.6; client 12 sends another draw "
        "commitment than it has signed; client 11 sends another draw than it has committed to; client 10 signs other "
        "sharers than the server's; client 8 refuses the signature of another owner"
    )
    vectors = [_vector("weights", 3, 16), _vector("examples", 1, 34, 1_000_000_000)]
    session = _recording(about, _pinned_config(12, 6, 3, vectors, nonce=13))
    requests = session.open()
    for client in range(1, 12):
        session.receive(client, session.handle(client, requests[client]))
    session.receive(12, _flipped(session.handle(12, requests[12]), 33 + 64))
    requests = session.close_round()
    for client in range(1, 11):
        session.receive(client, session.handle(client, requests[client]))
    session.receive(11, _flipped(session.handle(11, requests[11]), 33 + 32))
    requests = session.close_round()
    for client in range(1, 10):
        session.receive(client, session.handle(client, requests[client]))
    others = requests[10][:37] + bytes([0b1111_1111, 0b111]) + requests[10][39:]
    session.receive(10, session.handle(10, others))
    requests = session.close_round()
    requests = _answer(session, requests, range(1, 9))
    session.handle(8, _flipped(requests[8], len(requests[8]) - 64))
    _answer(session, requests, range(1, 8))
    return session


SESSIONS: dict[str, Callable[[], Recording]] = {
    "session-active.json": active,
    "session-complete.json": complete,
    "session-pinned.json": pinned,
    "session-regular.json": regular,
}


def _answer(session: Recording, requests: dict[int, bytes], clients: Iterable[int]) -> dict[int, bytes] | None:
    """These clients answer, and the round is closed: the requests of the next one."""
    for client in clients:
        session.receive(client, session.handle(client, requests[client]))
    return session.close_round()


def _recording(about: str, config: dict) -> Recording:
    return Recording(about, config, [_client(number, config) for number in range(1, config["clients"] + 1)])


def _config(graph: dict, clients: int, vectors: list[dict], nonce: int) -> dict:
    return {
        "suite": "curious",
        **graph,
        "clients": clients,
        "threshold": 2,
        "minimum_survivors": 2,
        "vectors": vectors,
        "task": "aa" * 32,
        "nonce": f"{nonce:02x}" * 32,
    }


def _active_config(clients: int, threshold: int, vectors: list[dict], nonce: int) -> dict:
    return _signed_config("active", {"graph": "complete"}, clients, threshold, vectors, nonce)


def _pinned_config(clients: int, degree: int, threshold: int, vectors: list[dict], nonce: int) -> dict:
    return _signed_config("pinned", {"graph": "k-out", "degree": degree}, clients, threshold, vectors, nonce)


def _signed_config(suite: str, graph: dict, clients: int, threshold: int, vectors: list[dict], nonce: int) -> dict:
    """One client may be corrupt."""
    config = _config(graph, clients, vectors, nonce)
    suite = {"suite": suite, "corrupt": 1, "authority": ed25519.public_key(AUTHORITY).hex()}
    return suite | {**config, **suite, "threshold": threshold}


def _flipped(message: bytes, place: int) -> bytes:
    return message[:place] + bytes([message[place] ^ 1]) + message[place + 1 :]


def _vector(name: str, length: int, bits: int, bound: int | None = None) -> dict:
    return {"name": name, "length": length, "bits": bits} | ({} if bound is None else {"bound": str(bound)})


def _client(number: int, config: dict) -> dict:
    """Entropy and coordinates that are easy to tell apart and reach the ends of their ranges."""
    vectors = config["vectors"]
    by_name = sorted(vectors, key=lambda vector: vector["name"])
    given = {vector["name"]: [_coordinate(number, vector, at) for at in range(vector["length"])] for vector in by_name}
    credentials = {"credentials": _credentials(number)} if config["suite"] != "curious" else {}
    return {"id": number, "entropy": f"{number:02x}" * 32, **credentials, "input": given}


def _credentials(number: int) -> dict:
    secret = bytes([0xC0 + number]) * 32
    certificate = certify(AUTHORITY, ed25519.public_key(secret))
    public = {"certificate": certificate.hex(), "authority": ed25519.public_key(AUTHORITY).hex()}
    return {"secret": secret.hex(), **public}


def _coordinate(number: int, vector: dict, at: int) -> str:
    greatest = int(vector.get("bound", 2 ** vector["bits"] - 1))
    step = (number * 7 + at * 3) % 11
    return str(min(greatest // 10 * step + step % 2, greatest))


if __name__ == "__main__":
    for name, session in SESSIONS.items():
        (VECTORS / name).write_text(session().to_text())
