"""The recorded sessions beside the document, byte for byte."""

import json
import unittest
from pathlib import Path

from replay import replay

VECTORS = sorted((Path(__file__).parents[2] / "vectors").glob("*.json"))


@unittest.skipUnless(VECTORS, "the vectors are not here")
class Vectors(unittest.TestCase):
    def test_replay(self):
        for path in VECTORS:
            with self.subTest(path.name):
                self.assertEqual(replay(json.loads(path.read_text())), [])
