"""Lanes, packing, masks and their signs: spec section 7."""

import unittest

import mask
import vector
from config import VectorSpec
from error import Broken
from keys import derive_secrets
from session import Session
from tests.rehearsal import LANES, complete, entropy, honest_input
from wire import Member


class Packing(unittest.TestCase):
    def test_the_example(self):
        config = complete(vectors=(VectorSpec("v", 3, 3),))
        self.assertEqual(vector.pack([[5, 3, 7]], config).hex(), "dd01")

    def test_every_width(self):
        for bits in range(1, 63):
            config = complete(vectors=(VectorSpec("v", 5, bits), VectorSpec("w", 1, bits)))
            vectors = [[(3**40 >> i) % 2**bits for i in range(5)], [2**bits - 1]]
            packed = vector.pack(vectors, config)
            self.assertEqual(len(packed), (5 * bits + 7) // 8 + (bits + 7) // 8)
            self.assertEqual(vector.unpack(packed, config), vectors)

    def test_wrong_length(self):
        config = complete(vectors=(VectorSpec("v", 3, 3),))
        for packed in (b"", b"\0", b"\0\0\0"):
            with self.assertRaisesRegex(Broken, "4.4-4"):
                vector.unpack(packed, config)

    def test_stray_bits(self):
        config = complete(vectors=(VectorSpec("v", 3, 3), VectorSpec("w", 1, 3)))
        for packed in (b"\x00\x02\x00", b"\x00\x80\x00", b"\x00\x00\x08"):
            with self.assertRaisesRegex(Broken, "4.4-5"):
                vector.unpack(packed, config)

    def test_lanes(self):
        widths = {1: 2, 16: 2, 17: 4, 32: 4, 33: 8, 62: 8}
        for bits, width in widths.items():
            self.assertEqual(vector.lane_width(bits), width)


class Masks(unittest.TestCase):
    HERE = Session(1, b"i" * 32)

    def test_two_neighbours_agree_and_cancel(self):
        config = complete(vectors=LANES)
        low, high = (derive_secrets(config, i, entropy(i)) for i in (1, 2))
        member_low, member_high = Member(1, low.public_keys()), Member(2, high.public_keys())
        seed = mask.pairwise_seed(self.HERE, member_low, low.mask_key, member_high)
        self.assertEqual(seed, mask.pairwise_seed(self.HERE, member_high, high.mask_key, member_low))
        vectors = honest_input(config, 1)
        masked = mask.apply(config, self.HERE, vectors, seed, mask.pairwise_sign(1, 2))
        self.assertNotEqual(masked, vectors)
        self.assertEqual(mask.apply(config, self.HERE, masked, seed, mask.pairwise_sign(2, 1)), vectors)

    def test_the_greater_adds(self):
        self.assertEqual(mask.pairwise_sign(2, 1), mask.ADD)
        self.assertEqual(mask.pairwise_sign(1, 2), mask.SUBTRACT)

    def test_each_place_has_its_own_mask(self):
        spec = VectorSpec("v", 4, 62)
        masks = [mask.mask(self.HERE, b"s" * 32, place, spec) for place in (0, 1, 0)]
        self.assertNotEqual(masks[0], masks[1])
        self.assertEqual(masks[0], masks[2])
