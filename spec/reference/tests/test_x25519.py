"""The vectors of RFC 7748, and the points that must be refused."""

import unittest

import x25519


def h(text: str) -> bytes:
    return bytes.fromhex(text)


class Rfc7748(unittest.TestCase):
    def test_section_5_2_first(self):
        scalar = h("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4")
        u = h("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c")
        out = h("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552")
        self.assertEqual(x25519.x25519(scalar, u), out)

    def test_section_5_2_second(self):
        scalar = h("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d")
        u = h("e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493")
        out = h("95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957")
        self.assertEqual(x25519.x25519(scalar, u), out)

    def test_section_5_2_iterated(self):
        k = u = x25519.BASE_POINT
        for i in range(1, 1001):
            k, u = x25519.x25519(k, u), k
            if i == 1:
                self.assertEqual(k, h("422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"))
        self.assertEqual(k, h("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"))

    def test_section_6_1(self):
        a = h("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
        b = h("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")
        public_a = h("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a")
        public_b = h("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f")
        shared = h("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")
        self.assertEqual(x25519.public_key(a), public_a)
        self.assertEqual(x25519.public_key(b), public_b)
        self.assertEqual(x25519.shared_secret(a, public_b), shared)
        self.assertEqual(x25519.shared_secret(b, public_a), shared)


class PublicKeys(unittest.TestCase):
    # The five u-coordinates below p of the points whose order divides eight, on the curve or its twist:
    # D. J. Bernstein, https://cr.yp.to/ecdh.html#validate.
    LOW_ORDER = [
        0,
        1,
        325606250916557431795983626356110631294008115727848805560023387167927233504,
        39382357235489614581723060781553021112529911719440698176882885853963445705823,
        2**255 - 20,
    ]

    def test_low_order_is_found(self):
        for u in self.LOW_ORDER:
            encoded = u.to_bytes(32, "little")
            self.assertTrue(x25519.is_low_order(encoded))
            with self.assertRaises(x25519.LowOrder):
                x25519.shared_secret(b"\x42" * 32, encoded)

    def test_other_points_are_not_of_low_order(self):
        self.assertFalse(x25519.is_low_order(x25519.BASE_POINT))
        self.assertFalse(x25519.is_low_order(x25519.public_key(b"\x42" * 32)))

    def test_canonical_encoding(self):
        self.assertTrue(x25519.is_canonical((x25519.P - 1).to_bytes(32, "little")))
        for u in (x25519.P, x25519.P + 1, 2**255 - 1, 2**255 + 9):
            self.assertFalse(x25519.is_canonical(u.to_bytes(32, "little")))
        self.assertFalse(x25519.is_canonical(bytes(31)))
