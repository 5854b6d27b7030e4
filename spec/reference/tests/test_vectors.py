"""The recorded sessions beside the document, byte for byte: replayed, and recorded anew."""

import json
import unittest
from pathlib import Path

from replay import replay
from sessions import SESSIONS

VECTORS = sorted((Path(__file__).parents[2] / "vectors").glob("session-*.json"))


@unittest.skipUnless(VECTORS, "the vectors are not here")
class Vectors(unittest.TestCase):
    def test_replay(self):
        for path in VECTORS:
            with self.subTest(path.name):
                self.assertEqual(replay(json.loads(path.read_text())), [])

    def test_record_anew(self):
        self.assertEqual(sorted(SESSIONS), [path.name for path in VECTORS])
        for path in VECTORS:
            with self.subTest(path.name):
                self.assertEqual(SESSIONS[path.name]().to_text(), path.read_text())
