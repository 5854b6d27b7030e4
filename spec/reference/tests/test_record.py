"""What is recorded can be replayed, and a changed recording cannot."""

import copy
import json
import unittest

from record import Recording
from replay import replay

CONFIG = {
    "suite": "curious",
    "graph": "complete",
    "clients": 3,
    "threshold": 2,
    "minimum_survivors": 2,
    "vectors": [{"name": "v", "length": 2, "bits": 20}],
    "task": "aa" * 32,
    "nonce": "bb" * 32,
}
CLIENTS = [{"id": i, "entropy": f"{i:02x}" * 32, "input": {"v": [str(i), "7"]}} for i in (1, 2, 3)]


class Recordings(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.recording = Recording("a session", CONFIG, CLIENTS)
        requests = cls.recording.open()
        while requests:
            for client, request in requests.items():
                response = cls.recording.handle(client, request)
                if response:
                    cls.recording.receive(client, response)
            cls.recording.handle(3, b"too late")
            cls.recording.receive(9, b"nobody")
            requests = cls.recording.close_round()

    def test_replay(self):
        self.assertEqual(replay(json.loads(self.recording.to_text())), [])

    def test_the_outcome(self):
        operations = json.loads(self.recording.to_text())["operations"]
        self.assertEqual(operations[-1]["aggregate"]["vectors"], {"v": ["3", "14"]})
        self.assertEqual([op["fault"] for op in operations if "fault" in op], ["4.1-5"] * 4)

    def test_a_change_is_found(self):
        for field, value in (("entropy", "ff" * 32), ("input", {"v": ["0", "0"]})):
            changed = copy.deepcopy(json.loads(self.recording.to_text()))
            changed["clients"][0][field] = value
            self.assertNotEqual(replay(changed), [])
