"""Record a session in the format that `replay.py` reads.

The script of a session is a list of operations without their outcomes; carrying one out adds the outcome.
"""

import json

from replay import Parties, read_config


class Recording:
    """One session: `config` and `clients` are as in the file."""

    def __init__(self, about: str, config: dict, clients: list[dict]):
        self._heading = {"about": about, "config": config, "clients": clients}
        self._parties = Parties(read_config(config), clients)
        self._operations = []

    def open(self) -> dict[int, bytes]:
        """The first requests."""
        return _by_client(self._carry_out({"operation": "server.open"}))

    def handle(self, client: int, request: bytes) -> bytes | None:
        """The client's response, or nothing if it aborts."""
        operation = {"operation": "client.handle", "client": client, "input": request.hex()}
        outcome = self._carry_out(operation)
        return bytes.fromhex(outcome["output"]) if "output" in outcome else None

    def receive(self, sender: int, response: bytes) -> str | None:
        """The rule that the response breaks, if it breaks one."""
        operation = {"operation": "server.receive", "from": sender, "input": response.hex()}
        return self._carry_out(operation).get("fault")

    def close_round(self) -> dict[int, bytes] | None:
        """The next requests, or nothing when the session is over."""
        outcome = self._carry_out({"operation": "server.close_round"})
        return _by_client(outcome) if "output" in outcome else None

    def to_text(self) -> str:
        return json.dumps(self._heading | {"operations": self._operations}, indent=2, ensure_ascii=False) + "\n"

    def _carry_out(self, operation: dict) -> dict:
        outcome = self._parties.carry_out(operation)
        self._operations.append(operation | outcome)
        return outcome


def _by_client(outcome: dict) -> dict[int, bytes]:
    return {request["to"]: bytes.fromhex(request["message"]) for request in outcome["output"]}
