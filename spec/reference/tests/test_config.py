"""Configurations: their encoding (spec section 4.2) and each of their rules (spec section 8.1)."""

import unittest
from dataclasses import replace

from config import Config, VectorSpec
from error import Broken
from noise import CENTRED, DISCRETE_GAUSSIAN, SKELLAM, Level, Noise
from presentation import Reader
from tests.rehearsal import LANES, active, complete, regular


class Encoding(unittest.TestCase):
    def test_layout(self):
        config = Config(5, 3, (VectorSpec("ab", 7, 16, 9),), b"t" * 32, b"n" * 32, 4, degree=4)
        expected = (
            "0001" "01" "02" "00000004" "00000005" "00000003" "00000004" "01"
            "02" "6162" "00000007" "10" "01" "0000000000000009" "00"
        )  # fmt: skip
        self.assertEqual(config.encode(), bytes.fromhex(expected) + b"t" * 32 + b"n" * 32)

    def test_layout_without_what_is_optional(self):
        config = Config(5, 3, (VectorSpec("ab", 7, 16),), b"t" * 32, b"n" * 32)
        expected = "0001" "01" "01" "00000005" "00000003" "00000001" "01" "02" "6162" "00000007" "10" "00" "00"
        self.assertEqual(config.encode(), bytes.fromhex(expected) + b"t" * 32 + b"n" * 32)

    def test_not_a_choice(self):
        """The bytes `bound_declared` and `law` stand before the task and the nonce."""
        encoded = complete().encode()
        self.refused(encoded[:-66] + b"\2" + encoded[-65:], "4.1-1")
        self.refused(encoded[:-65] + b"\4" + encoded[-64:], "9.1-1")

    def test_layout_of_noise(self):
        noise = Noise(SKELLAM, 3, 0x3FF0 << 48, 0x4024 << 48, 77, 1 << 20)
        encoded = complete(vectors=(VectorSpec("v", 4, 9, None, noise),)).encode()
        expected = "00" "02" "00000003" "3ff0000000000000" "4024000000000000" "000000000000004d" "0000000000100000"
        self.assertEqual(encoded[-64 - 39 : -64], bytes.fromhex(expected) + b"\0")
        levels = (Level(7, 1 << 21), Level(6, 1 << 22))
        more = complete(vectors=(VectorSpec("v", 4, 9, None, replace(noise, levels=levels)),)).encode()
        layout = "02" "00000007" "0000000000200000" "00000006" "0000000000400000"
        self.assertEqual(more[-64 - 25 : -64], bytes.fromhex(layout))
        self.assertEqual(len(more), len(encoded) + 24)

    def test_layout_of_the_active_suite(self):
        config = active(5, 4, 2)
        expected = "0001" "02" "00000002" + config.authority.hex() + "01" "00000005" "00000004" "00000001" "01"
        self.assertTrue(config.encode().hex().startswith(expected))
        self.assertEqual(Config.read(Reader(config.encode())), config)

    def test_a_name_that_is_not_text(self):
        self.refused(complete(vectors=(VectorSpec("abc", 1, 1),)).encode().replace(b"abc", b"a\xffc"), "4.1-1")

    def test_unknown_version_suite_and_graph(self):
        encoded = complete().encode()
        self.refused(b"\0\2" + encoded[2:], "4.2-1")
        self.refused(encoded[:2] + b"\0" + encoded[3:], "4.2-1")
        self.refused(encoded[:2] + b"\4" + encoded[3:], "4.2-1")
        self.refused(encoded[:3] + b"\0" + encoded[4:], "4.2-1")
        self.refused(encoded[:3] + b"\4" + encoded[4:], "4.2-1")

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

    def test_active_suite(self):
        self.broken(replace(regular(5, 4, 4), suite=2, authority=active().authority))
        self.broken(*(replace(active(), authority=bad) for bad in (bytes(32), b"\1" + bytes(31), b"\xff" * 32)))
        for clients in range(2, 7):
            for threshold in range(2, clients + 1):
                for corrupt in range(clients + 1):
                    enough = 2 * threshold > clients + corrupt
                    self.assertEqual(active(clients, threshold, corrupt).keeps_the_rules(), enough)
        self.broken(active(corrupt=2**32 - 1))

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

    def test_noise(self):
        good = Noise(DISCRETE_GAUSSIAN, 3, 1 << 52, 0x7FEF << 48, 1, 1 << 14)
        vector = VectorSpec("v", 4, 9, None, good)
        skellam = replace(good, law=SKELLAM, variance=1 << 40)
        bad = [replace(good, **{field: value}) for field, value in (
            ("dimension", 0), ("dimension", 2), ("dimension", 5), ("clip", 0), ("clip", (1 << 52) - 1),
            ("clip", 1 << 63 | 1 << 52), ("scale", 0x7FF << 52), ("norm_squared", 0), ("variance", (1 << 14) - 1),
            ("variance", (1 << 60) + 1),
        )]  # fmt: skip
        complete(vectors=(vector,)).check()
        complete(vectors=(replace(vector, noise=skellam),)).check()
        centred = replace(good, law=CENTRED)
        for variance in (72_254, 1 << 22):
            complete(vectors=(replace(vector, noise=replace(centred, variance=variance)),)).check()
        bad += [replace(skellam, variance=(1 << 40) + 1)]
        bad += [replace(centred, variance=variance) for variance in (72_253, (1 << 22) + 1)]
        vectors = [replace(vector, noise=noise) for noise in bad]
        for vector in [*vectors, replace(vector, bound=1), replace(vector, length=8)]:
            with self.subTest(vector), self.assertRaisesRegex(Broken, "9.1-1"):
                complete(vectors=(vector,)).check()

    def broken(self, *configs):
        for config in configs:
            with self.subTest(config):
                self.assertFalse(config.keeps_the_rules())
