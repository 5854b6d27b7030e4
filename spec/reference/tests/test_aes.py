"""The examples of FIPS 197 appendices B and C, and of NIST SP 800-38A appendix F.5."""

import unittest

import aes


def h(text: str) -> bytes:
    return bytes.fromhex(text)


class Fips197(unittest.TestCase):
    def test_s_box(self):
        """Section 5.1.1, figure 7: the corners of the table and the example {53}."""
        self.assertEqual([aes.S_BOX[i] for i in (0x00, 0x0F, 0x53, 0xF0, 0xFF)], [0x63, 0x76, 0xED, 0x8C, 0x16])

    def test_appendix_a_last_round_keys(self):
        keys = aes.expand_key(h("2b7e151628aed2a6abf7158809cf4f3c"))
        self.assertEqual(keys[10], h("d014f9a8c9ee2589e13f0cc8b6630ca6"))
        keys = aes.expand_key(h("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"))
        self.assertEqual(keys[14], h("fe4890d1e6188d0b046df344706c631e"))

    def test_appendix_b(self):
        self._encrypts(
            "2b7e151628aed2a6abf7158809cf4f3c",
            "3243f6a8885a308d313198a2e0370734",
            "3925841d02dc09fbdc118597196a0b32",
        )

    def test_appendix_c_1(self):
        self._encrypts(
            "000102030405060708090a0b0c0d0e0f",
            "00112233445566778899aabbccddeeff",
            "69c4e0d86a7b0430d8cdb78070b4c55a",
        )

    def test_appendix_c_3(self):
        self._encrypts(
            "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
            "00112233445566778899aabbccddeeff",
            "8ea2b7ca516745bfeafc49904b496089",
        )

    def _encrypts(self, key, plaintext, ciphertext):
        self.assertEqual(aes.encrypt_block(aes.expand_key(h(key)), h(plaintext)), h(ciphertext))


class Sp80038a(unittest.TestCase):
    COUNTER = h("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
    PLAINTEXT = h(
        "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
        "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
    )

    def test_f_5_1(self):
        self._encrypts(
            "2b7e151628aed2a6abf7158809cf4f3c",
            "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff"
            "5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee",
        )

    def test_f_5_5(self):
        self._encrypts(
            "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
            "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5"
            "2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6",
        )

    def _encrypts(self, key, ciphertext):
        stream = aes.ctr_keystream(h(key), self.COUNTER, len(self.PLAINTEXT))
        self.assertEqual(bytes(a ^ b for a, b in zip(stream, self.PLAINTEXT)), h(ciphertext))

    def test_the_counter_carries_through_all_128_bits(self):
        stream = aes.ctr_keystream(bytes(16), b"\xff" * 16, 32)
        self.assertEqual(stream[16:], aes.ctr_keystream(bytes(16), bytes(16), 16))

    def test_a_shorter_stream_is_a_prefix(self):
        stream = aes.ctr_keystream(bytes(16), bytes(16), 40)
        self.assertEqual(aes.ctr_keystream(bytes(16), bytes(16), 17), stream[:17])
