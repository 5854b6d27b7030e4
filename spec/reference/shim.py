"""The shim of the reference: JSON lines in, JSON lines out, as `tests/conform/README.md` says.

With the name of a mutant in the environment variable SECAGG_MUTANT the reference is broken in that way.
"""

import json
import os
import sys

import derivations
import mutants
import shown
from client import Client, Policy
from error import SECRET_LOST, Abort, Broken, Fault
from replay import read_config, read_credentials
from server import Server
from shown import hexed

unhex = bytes.fromhex

# What a policy asks for if it does not say.
LEAST = {"clients": 2, "threshold": 2, "minimum_survivors": 1, "corrupt": 0}


class Parties:
    """A method for each command. Clients get their input once they know the order of the vectors."""

    def __init__(self):
        self.clients, self.inputs, self.server = {}, {}, None

    def hello(self, r):
        return {"name": "reference (Python)", "mutants": mutants.offered()}

    def client_new(self, r):
        policy = r.get("policy", {})
        task = unhex(policy["task"]) if "task" in policy else None
        least = [policy.get(name, least) for name, least in LEAST.items()]
        credentials = read_credentials(r["credentials"]) if "credentials" in r else None
        roots = 1 if policy.get("pinned") else None
        insisted = Policy(*least, task, roots)
        self.clients[r["client"]] = Client(unhex(r["entropy"]), None, insisted, credentials)
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
        faults = hexed([{"culprit": f.culprit, "must": f.must, "about": f.about} for f in closed.faults])
        sums = {spec.name: list(map(str, sum)) for spec, sum in zip(self.server.config.vectors, closed.sums)}
        return {"aggregate": {"session": closed.session.hex(), "survivors": closed.survivors, "vectors": sums, "faults": faults}}

    def decode(self, r):
        return shown.decode(unhex(r["message"]), read_config(r["config"]) if "config" in r else None)

    def derive(self, r):
        return hexed(derivations.derive(r))


def _messages(requests):
    return {"messages": [{"to": to, "message": message.hex()} for to, message in requests.items()]}


def _coordinates(given):
    return list(map(int, given["grid"] if isinstance(given, dict) else given))


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
