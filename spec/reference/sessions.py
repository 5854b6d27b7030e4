"""The recorded sessions: `python3 sessions.py` writes the files `../vectors/session-*.json`.

Each is a script: who answers in which round, and what goes wrong. What comes of it is the reference's answer.
"""

from collections.abc import Callable
from pathlib import Path

from record import Recording

VECTORS = Path(__file__).parent.parent / "vectors"

# With this nonce every secret has two of the clients 1, 2 and 3 among its holders.
REGULAR_NONCE = 5


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


SESSIONS: dict[str, Callable[[], Recording]] = {
    "session-complete.json": complete,
    "session-regular.json": regular,
}


def _answer(session: Recording, requests: dict[int, bytes], clients: list[int]) -> dict[int, bytes] | None:
    """These clients answer, and the round is closed: the requests of the next one."""
    for client in clients:
        session.receive(client, session.handle(client, requests[client]))
    return session.close_round()


def _recording(about: str, config: dict) -> Recording:
    return Recording(about, config, [_client(number, config["vectors"]) for number in range(1, config["clients"] + 1)])


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


def _vector(name: str, length: int, bits: int, bound: int | None = None) -> dict:
    return {"name": name, "length": length, "bits": bits} | ({} if bound is None else {"bound": str(bound)})


def _client(number: int, vectors: list[dict]) -> dict:
    """Entropy and coordinates that are easy to tell apart and reach the ends of their ranges."""
    by_name = sorted(vectors, key=lambda vector: vector["name"])
    given = {vector["name"]: [_coordinate(number, vector, at) for at in range(vector["length"])] for vector in by_name}
    return {"id": number, "entropy": f"{number:02x}" * 32, "input": given}


def _coordinate(number: int, vector: dict, at: int) -> str:
    greatest = int(vector.get("bound", 2 ** vector["bits"] - 1))
    step = (number * 7 + at * 3) % 11
    return str(min(greatest // 10 * step + step % 2, greatest))


if __name__ == "__main__":
    for name, session in SESSIONS.items():
        (VECTORS / name).write_text(session().to_text())
