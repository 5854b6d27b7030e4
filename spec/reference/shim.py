"""The shim of the reference: JSON lines in, JSON lines out, as `tests/conform/README.md` says.

With the name of a mutant in the environment variable SECAGG_MUTANT the reference is broken in that way.
"""

import json
import os
import sys

import derivations
import mutants
import vector
import wire
from client import Client, Policy
from error import SECRET_LOST, Abort, Broken, Fault, must_hold
from noise import LAWS
from replay import read_config
from server import Server
from wire import Member

unhex = bytes.fromhex


class Parties:
    """A method for each command. Clients get their input once they know the order of the vectors."""

    def __init__(self):
        self.clients, self.inputs, self.server = {}, {}, None

    def hello(self, r):
        return {"name": "reference (Python)", "mutants": mutants.offered()}

    def client_new(self, r):
        policy = r.get("policy", {})
        task = unhex(policy["task"]) if "task" in policy else None
        policy = Policy(policy.get("clients", 2), policy.get("threshold", 2), policy.get("minimum_survivors", 1), task)
        self.clients[r["client"]] = Client(unhex(r["entropy"]), None, policy)
        self.inputs[r["client"]] = r.get("input", {})
        return {}

    def client_input(self, r):
        self.inputs[r["client"]] = r["input"]
        return {}

    def client_handle(self, r):
        client, given = self.clients[r["client"]], self.inputs[r["client"]]
        if hasattr(client, "_config") and given:
            client.set_input([_coordinates(given[spec.name]) for spec in client._config.vectors])
        return {"message": client.handle(unhex(r["message"])).hex()}

    def server_open(self, r):
        self.server = Server(read_config(r["config"]))
        return _messages(self.server.open())

    def server_receive(self, r):
        self.server.receive(r["from"], unhex(r["message"]))
        return {}

    def server_close_round(self, r):
        closed = self.server.close_round()
        if isinstance(closed, dict):
            return _messages(closed)
        faults = _hexed([{"culprit": f.culprit, "must": f.must, "about": f.about} for f in closed.faults])
        sums = {spec.name: list(map(str, sum)) for spec, sum in zip(self.server.config.vectors, closed.sums)}
        return {"aggregate": {"session": closed.session.hex(), "survivors": closed.survivors, "vectors": sums, "faults": faults}}

    def decode(self, r):
        message = unhex(r["message"])
        session, body = wire.open_message(message, message[0] if message else 0)
        if message[0] == wire.MASKED_INPUT_RESPONSE:
            config = read_config(r["config"])
            coordinates = vector.unpack(body, config)
            fields = {"vectors": {spec.name: list(map(str, xs)) for spec, xs in zip(config.vectors, coordinates)}}
            again = vector.pack(coordinates, config)
        else:
            structure = STRUCTURES[message[0]].decode(body)
            fields, again = _fields(structure), structure.encode()
        return {**fields, "type": message[0], "session": session.hex(), "message": (message[:33] + again).hex()}

    def derive(self, r):
        return _hexed(derivations.derive(r))


STRUCTURES = {1: wire.AdvertiseKeysRequest, 2: wire.PublicKeys, 3: wire.ShareKeysRequest, 4: wire.ShareKeysResponse,
              5: wire.MaskedInputRequest, 9: wire.UnmaskingRequest, 10: wire.UnmaskingResponse}


def _messages(requests):
    return {"messages": [{"to": to, "message": message.hex()} for to, message in requests.items()]}


def _hexed(value):
    """Bytes in hexadecimal digits, and objects as their fields."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, (list, tuple)):
        return [_hexed(one) for one in value]
    if isinstance(value, dict):
        return {name: _hexed(one) for name, one in value.items() if one is not None}
    if isinstance(value, Member):
        return {"id": value.id, **_hexed(value.keys)}
    return _hexed(vars(value)) if hasattr(value, "__dict__") else value


def _fields(structure):
    """The fields of a message as the runner knows them: lists of what the reference keeps as one string."""
    fields = _hexed(structure)
    match structure:
        case wire.AdvertiseKeysRequest(id, config):
            config.check()
            graph = {"graph": "complete"} if config.complete else {"graph": "regular", "degree": config.degree}
            del fields["config"]["version"]
            return {"client": id, "config": fields["config"] | graph | {"suite": "curious"} | _vectors(config)}
        case wire.ShareKeysRequest():
            return {"members": fields["neighbourhood"]}
        case wire.ShareKeysResponse():
            return fields | {"bundles": _pieces(structure.bundles, 80)}
        case wire.UnmaskingResponse():
            return fields | {"shares": _pieces(structure.shares, 32)}
    return fields


def _vectors(config):
    bound = lambda spec: None if spec.bound is None else str(spec.bound)
    return {"vectors": [_hexed(vars(spec) | {"bound": bound(spec), "noise": _noise(spec)}) for spec in config.vectors]}


def _noise(spec):
    if spec.noise is None:
        return None
    noise = spec.noise
    reals = {"clip": f"{noise.clip:016x}", "scale": f"{noise.scale:016x}"}
    numbers = {"norm_squared": str(noise.norm_squared), "variance": str(noise.variance)}
    return {"law": LAWS[noise.law], "dimension": noise.dimension} | reals | numbers


def _coordinates(given):
    return list(map(int, given["grid"] if isinstance(given, dict) else given))


def _pieces(data, size):
    return [data[start : start + size].hex() for start in range(0, len(data), size)]


def answer(parties, r):
    """The answer to a request, but for its id."""
    command = getattr(parties, r["command"].replace(".", "_"), None)
    try:
        ok = command and command(r)
        return {"unsupported": True} if ok is None else {"ok": ok}
    except (Broken, Fault) as broken:
        return {"error": {"must": broken.must}}
    except Abort as abort:
        suspects = {"suspects": abort.suspects} if abort.code == SECRET_LOST else {}
        return {"error": {"must": abort.must} if abort.must else {"abort": abort.code} | suspects}


if __name__ == "__main__":
    mutants.become(os.environ.get("SECAGG_MUTANT"))
    parties = Parties()
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps({"id": request["id"], **answer(parties, request)}), flush=True)
