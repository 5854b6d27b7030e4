"""The test cases of D. McGrew and J. Viega, The Galois/Counter Mode of Operation (GCM), appendix B, which
NIST SP 800-38D refers to: those with AES-128 or AES-256 and a nonce of 96 bits."""

import unittest

import gcm


def h(text: str) -> bytes:
    return bytes.fromhex(text)


ZERO_128 = "00" * 16
ZERO_256 = "00" * 32
KEY_128 = "feffe9928665731c6d6a8f9467308308"
KEY_256 = KEY_128 + KEY_128
NONCE = "cafebabefacedbaddecaf888"
PLAINTEXT = (
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255"
)
DATA = "feedfacedeadbeeffeedfacedeadbeefabaddad2"
CIPHERTEXT_128 = (
    "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
    "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091473f5985"
)
CIPHERTEXT_256 = (
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
    "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad"
)

# (number, key, nonce, plaintext, associated data, ciphertext, tag)
CASES = [
    (1, ZERO_128, "00" * 12, "", "", "", "58e2fccefa7e3061367f1d57a4e7455a"),
    (
        2,
        ZERO_128,
        "00" * 12,
        "00" * 16,
        "",
        "0388dace60b6a392f328c2b971b2fe78",
        "ab6e47d42cec13bdf53a67b21257bddf",
    ),
    (3, KEY_128, NONCE, PLAINTEXT, "", CIPHERTEXT_128, "4d5c2af327cd64a62cf35abd2ba6fab4"),
    (4, KEY_128, NONCE, PLAINTEXT[:120], DATA, CIPHERTEXT_128[:120], "5bc94fbc3221a5db94fae95ae7121a47"),
    (13, ZERO_256, "00" * 12, "", "", "", "530f8afbc74536b9a963b4f1c4cb738b"),
    (
        14,
        ZERO_256,
        "00" * 12,
        "00" * 16,
        "",
        "cea7403d4d606b6e074ec5d3baf39d18",
        "d0d1c8a799996bf0265b98b5d48ab919",
    ),
    (15, KEY_256, NONCE, PLAINTEXT, "", CIPHERTEXT_256, "b094dac5d93471bdec1a502270e3cc6c"),
    (16, KEY_256, NONCE, PLAINTEXT[:120], DATA, CIPHERTEXT_256[:120], "76fc6ece0f4e1768cddf8853bb2d551b"),
]


class McGrewViega(unittest.TestCase):
    def test_seal(self):
        for number, *fields in CASES:
            with self.subTest(number):
                key, nonce, plaintext, data, ciphertext, tag = map(h, fields)
                self.assertEqual(gcm.seal(key, nonce, plaintext, data), ciphertext + tag)

    def test_open(self):
        for number, *fields in CASES:
            with self.subTest(number):
                key, nonce, plaintext, data, ciphertext, tag = map(h, fields)
                self.assertEqual(gcm.open(key, nonce, ciphertext + tag, data), plaintext)


class Refusals(unittest.TestCase):
    def test_any_change(self):
        sealed = gcm.seal(h(KEY_256), h(NONCE), b"secret", b"data")
        for i in range(len(sealed)):
            changed = bytearray(sealed)
            changed[i] ^= 0x80
            with self.assertRaises(gcm.NotAuthentic):
                gcm.open(h(KEY_256), h(NONCE), bytes(changed), b"data")
        with self.assertRaises(gcm.NotAuthentic):
            gcm.open(h(KEY_256), h(NONCE), sealed, b"Data")
        with self.assertRaises(gcm.NotAuthentic):
            gcm.open(h(KEY_256), bytes(12), sealed, b"data")
        with self.assertRaises(gcm.NotAuthentic):
            gcm.open(h(ZERO_256), h(NONCE), sealed, b"data")

    def test_shorter_than_a_tag(self):
        with self.assertRaises(gcm.NotAuthentic):
            gcm.open(h(KEY_256), h(NONCE), bytes(15), b"")
