"""The test cases of RFC 5869 appendix A that use SHA-256."""

import unittest

import hkdf


def h(text: str) -> bytes:
    return bytes.fromhex(text)


class Rfc5869(unittest.TestCase):
    def test_a_1(self):
        prk = hkdf.extract(h("000102030405060708090a0b0c"), b"\x0b" * 22)
        self.assertEqual(prk, h("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5"))
        okm = hkdf.expand(prk, h("f0f1f2f3f4f5f6f7f8f9"), 42)
        expected = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
        self.assertEqual(okm, h(expected))

    def test_a_2(self):
        ikm, salt, info = bytes(range(0x50)), bytes(range(0x60, 0xB0)), bytes(range(0xB0, 0x100))
        prk = hkdf.extract(salt, ikm)
        self.assertEqual(prk, h("06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244"))
        expected = (
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
            "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
            "cc30c58179ec3e87c14c01d5c1f3434f1d87"
        )
        self.assertEqual(hkdf.expand(prk, info, 82), h(expected))

    def test_a_3(self):
        okm = hkdf.derive(b"", b"\x0b" * 22, b"", 42)
        expected = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
        self.assertEqual(okm, h(expected))

    def test_longest(self):
        self.assertEqual(len(hkdf.expand(bytes(32), b"", 255 * 32)), 8160)
        with self.assertRaises(ValueError):
            hkdf.expand(bytes(32), b"", 255 * 32 + 1)
