"""The reference and the document beside it name the same rules and codes (spec section 12.3)."""

import re
import unittest
from pathlib import Path

import error

DOCUMENT = Path(__file__).parents[2] / "secagg.md"


@unittest.skipUnless(DOCUMENT.exists(), "the document is not here")
class Document(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.text = DOCUMENT.read_text()

    def test_the_rules(self):
        rules = re.findall(r"^- \*\*\[(\d+\.\d+-\d+)\]\*\*", self.text, re.MULTILINE)
        self.assertEqual(sorted(rules), sorted(error.RULES))

    def test_the_codes_of_the_rules(self):
        codes = re.findall(r"^\| (\d+) \| `\[(\d+\.\d+-\d+)\]` \|$", self.text, re.MULTILINE)
        self.assertEqual({rule: int(code) for code, rule in codes}, error.CODES)
