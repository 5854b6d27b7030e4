"""Configurations: their encoding (spec section 4.2) and each of their rules (spec section 8.1)."""

import unittest
from dataclasses import replace

from config import Config, VectorSpec
from error import Broken
from presentation import Reader
from tests.rehearsal import LANES, complete, regular


class Encoding(unittest.TestCase):
    def test_layout(self):
        config = Config(5, 3, (VectorSpec("ab", 7, 16, 9),), b"t" * 32, b"n" * 32, 4, degree=4)
        expected = (
            "0001" "01" "02" "00000004" "00000005" "00000003" "00000004" "01"
            "02" "6162" "00000007" "10" "01" "0000000000000009"
        )  # fmt: skip
        self.assertEqual(config.encode(), bytes.fromhex(expected) + b"t" * 32 + b"n" * 32)

    def test_layout_without_what_is_optional(self):
        config = Config(5, 3, (VectorSpec("ab", 7, 16),), b"t" * 32, b"n" * 32)
        expected = "0001" "01" "01" "00000005" "00000003" "00000001" "01" "02" "6162" "00000007" "10" "00"
        self.assertEqual(config.encode(), bytes.fromhex(expected) + b"t" * 32 + b"n" * 32)

    def test_not_a_choice(self):
        """The byte `bound_declared` stands before the task and the nonce."""
        encoded = complete().encode()
        self.refused(encoded[:-65] + b"\2" + encoded[-64:], "4.1-1")

    def test_a_name_that_is_not_text(self):
        self.refused(complete(vectors=(VectorSpec("abc", 1, 1),)).encode().replace(b"abc", b"a\xffc"), "4.1-1")

    def test_unknown_version_suite_and_graph(self):
        encoded = complete().encode()
        self.refused(b"\0\2" + encoded[2:], "4.2-1")
        self.refused(encoded[:2] + b"\0" + encoded[3:], "4.2-1")
        self.refused(encoded[:2] + b"\2" + encoded[3:], "4.2-1")
        self.refused(encoded[:3] + b"\0" + encoded[4:], "4.2-1")
        self.refused(encoded[:3] + b"\3" + encoded[4:], "4.2-1")

    def refused(self, encoded, must):
        with self.assertRaisesRegex(Broken, must):
            Config.read(Reader(encoded))


class Rules(unittest.TestCase):
    def test_good_ones(self):
        vector = VectorSpec("v", 1, 62, 2**62 // 4 - 1)
        many = tuple(VectorSpec(str(i), 1, 1) for i in range(255))
        for config in (
            complete(2, 2),
            complete(2**30, 2**30),
            regular(6, 4, 4),
            regular(5, 2, 4),
            complete(vectors=LANES),
            complete(4, vectors=(vector,)),
            complete(vectors=many),
            complete(vectors=(VectorSpec(" ~", 2**32 - 1, 1),)),
            complete(vectors=(VectorSpec("v" * 255, 1, 1, 0),)),
        ):
            with self.subTest(config):
                self.assertTrue(config.keeps_the_rules())
                self.assertEqual(Config.read(Reader(config.encode())), config)

    def test_clients(self):
        self.broken(complete(1, 2), complete(0, 2), complete(2**30 + 1, 2))

    def test_degree(self):
        self.broken(regular(6, 2, 0), regular(6, 2, 3), regular(6, 2, 6), regular(4, 2, 4))

    def test_threshold(self):
        self.broken(complete(4, 1), complete(4, 0), complete(4, 5), regular(6, 1, 4), regular(6, 5, 4))

    def test_minimum_survivors(self):
        self.broken(*(replace(complete(4, 2), minimum_survivors=minimum) for minimum in (0, 5, 2**32 - 1)))
        self.assertTrue(replace(complete(4, 2), minimum_survivors=4).keeps_the_rules())

    def test_number_of_vectors(self):
        self.broken(complete(vectors=()))

    def test_names(self):
        good = VectorSpec("v", 1, 1)
        self.broken(complete(vectors=(good, good)))
        for name in ("", "\x1f", "\x7f", "é"):
            self.broken(complete(vectors=(replace(good, name=name),)))

    def test_bits_and_length(self):
        for vector in (VectorSpec("v", 1, 0), VectorSpec("v", 1, 63), VectorSpec("v", 0, 1)):
            self.broken(complete(vectors=(vector,)))

    def test_bound(self):
        self.broken(complete(4, vectors=(VectorSpec("v", 1, 8, 64),)))
        self.broken(complete(4, vectors=(VectorSpec("v", 1, 62, 2**64 - 1),)))

    def broken(self, *configs):
        for config in configs:
            with self.subTest(config):
                self.assertFalse(config.keeps_the_rules())
