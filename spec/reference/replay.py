"""Replay recorded sessions byte for byte: `python3 replay.py FILE...`.

The format is that of the README beside the vectors. Every operation is carried out by this client or this
server with the inputs of the file, and what comes out is compared with what the file says.
"""

import json
import sys

from client import Client, Policy
from config import ACTIVE, CURIOUS, PINNED, Config, VectorSpec
from error import Abort, Fault
from identity import Credentials
from noise import LAWS, Level, Noise
from server import Aggregate, Server

SUITES = {"curious": CURIOUS, "active": ACTIVE, "pinned": PINNED}
GRAPHS = ("complete", "regular", "k-out")


def replay(recording: dict) -> list[str]:
    """The differences, each with the place of its operation."""
    config = read_config(recording["config"])
    parties = Parties(config, recording["clients"])
    differences = []
    for place, operation in enumerate(recording["operations"]):
        expected = {key: operation[key] for key in ("output", "aggregate", "abort", "fault") if key in operation}
        found = parties.carry_out(operation)
        if found != expected:
            name = operation["operation"]
            differences.append(f"operation {place}, {name}: expected {expected}, found {found}")
    return differences


def read_config(data: dict) -> Config:
    suite = SUITES[data["suite"]]
    assert data["graph"] in GRAPHS
    return Config(
        clients=data["clients"],
        threshold=data["threshold"],
        minimum_survivors=data["minimum_survivors"],
        vectors=tuple(map(_read_vector, data["vectors"])),
        task=bytes.fromhex(data["task"]),
        nonce=bytes.fromhex(data["nonce"]),
        degree=data["degree"] if data["graph"] != "complete" else None,
        suite=suite,
        corrupt=data["corrupt"] if suite != CURIOUS else 0,
        authority=bytes.fromhex(data["authority"]) if suite != CURIOUS else b"",
        k_out=data["graph"] == "k-out",
    )


def graph_name(config: Config) -> str:
    return "complete" if config.complete else "k-out" if config.k_out else "regular"


def read_credentials(data: dict) -> Credentials:
    return Credentials(*(bytes.fromhex(data[field]) for field in ("secret", "certificate", "authority")))


def _read_vector(data: dict) -> VectorSpec:
    bound = int(data["bound"]) if "bound" in data else None
    noise = _read_noise(data["noise"]) if "noise" in data else None
    return VectorSpec(data["name"], data["length"], data["bits"], bound, noise)


def _read_noise(data: dict) -> Noise:
    law = next(law for law, name in LAWS.items() if name == data["law"])
    reals = int(data["clip"], 16), int(data["scale"], 16)
    levels = tuple(Level(level["survivors"], int(level["variance"])) for level in data.get("levels", ()))
    return Noise(law, data["dimension"], *reals, int(data["norm_squared"]), int(data["variance"]), levels)


class Parties:
    """One server and its clients."""

    def __init__(self, config: Config, clients: list[dict]):
        self.config = config
        self.server = Server(config)
        self.clients = {data["id"]: self._client(data) for data in clients}

    def carry_out(self, operation: dict) -> dict:
        """What comes out, in the fields of the file."""
        match operation["operation"]:
            case "server.open":
                return {"output": _requests(self.server.open())}
            case "client.handle":
                return self._handle(operation["client"], bytes.fromhex(operation["input"]))
            case "server.receive":
                return self._receive(operation["from"], bytes.fromhex(operation["input"]))
            case "server.close_round":
                return self._close_round()
        raise ValueError(operation["operation"])

    def _client(self, data: dict) -> Client:
        vectors = [[int(x) for x in data["input"][spec.name]] for spec in self.config.vectors]
        credentials = read_credentials(data["credentials"]) if "credentials" in data else None
        return Client(bytes.fromhex(data["entropy"]), vectors, Policy(roots=1), credentials)

    def _handle(self, client: int, request: bytes) -> dict:
        try:
            return {"output": self.clients[client].handle(request).hex()}
        except Abort as abort:
            return {"abort": _abort(abort)}

    def _receive(self, sender: int, response: bytes) -> dict:
        try:
            self.server.receive(sender, response)
            return {}
        except Fault as fault:
            return {"fault": fault.must}

    def _close_round(self) -> dict:
        try:
            closed = self.server.close_round()
        except Abort as abort:
            return {"abort": _abort(abort)}
        if isinstance(closed, Aggregate):
            return {"aggregate": self._aggregate(closed)}
        return {"output": _requests(closed)}

    def _aggregate(self, aggregate: Aggregate) -> dict:
        names = [spec.name for spec in self.config.vectors]
        return {
            "session": aggregate.session.hex(),
            "survivors": aggregate.survivors,
            "vectors": {name: list(map(str, sums)) for name, sums in sorted(zip(names, aggregate.sums))},
            "faults": list(map(_fault, aggregate.faults)),
        }


def _requests(requests: dict[int, bytes]) -> list[dict]:
    return [{"to": client, "message": message.hex()} for client, message in requests.items()]


def _abort(abort: Abort) -> dict:
    return {"code": abort.code} | ({"rule": abort.must} if abort.must else {})


def _fault(fault: Fault) -> dict:
    about = {} if fault.about is None else {"about": fault.about}
    return {"culprit": fault.culprit, "rule": fault.must} | about


def main(paths: list[str]) -> int:
    different = 0
    for path in paths:
        with open(path) as file:
            differences = replay(json.load(file))
        different += bool(differences)
        print(f"{path}: {len(differences)} differences")
        for difference in differences:
            print("  " + difference)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
