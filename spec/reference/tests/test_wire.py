"""Messages: every structure has one encoding, and nothing else is decoded (spec sections 4.1 to 4.6)."""

import unittest

import wire
from error import Broken
from presentation import long_list, uint32
from tests.rehearsal import LANES, complete, regular

KEYS = wire.PublicKeys(b"e" * 32, b"m" * 32)
MESSAGES = [
    wire.AdvertiseKeysRequest(3, complete(vectors=LANES)),
    wire.AdvertiseKeysRequest(3, regular()),
    wire.Advertisement(KEYS),
    wire.ShareKeysRequest((wire.Member(1, KEYS), wire.Member(7, KEYS))),
    wire.ShareKeysRequest(()),
    wire.ShareKeysResponse(b"c" * 32, b"b" * 160),
    wire.MaskedInputRequest((wire.OwnedBundle(2, b"b" * 80), wire.OwnedBundle(2**32 - 1, b"c" * 80))),
    wire.ConsistencyCheckRequest(b"\x05"),
    wire.ConsistencyCheckResponse(b"s" * 64),
    wire.CertifiedUnmaskingRequest((wire.Signed(3, b"s" * 64), wire.Signed(4, b"t" * 64))),
    wire.UnmaskingRequest(9, b"\xff\x01"),
    wire.UnmaskingResponse((1, 2), b"s" * 64),
    wire.UnmaskingResponse((), b""),
]


class Bodies(unittest.TestCase):
    def test_decoding_undoes_encoding(self):
        for message in MESSAGES:
            with self.subTest(message):
                self.assertEqual(type(message).decode(message.encode()), message)

    def test_every_shorter_body_is_refused(self):
        for message in MESSAGES:
            body = message.encode()
            for size in range(len(body)):
                self.refused(type(message), body[:size])

    def test_a_byte_behind_the_end_is_refused(self):
        for message in MESSAGES:
            self.refused(type(message), message.encode() + b"\0")

    def test_lists_are_whole_numbers_of_elements(self):
        self.refused(wire.ShareKeysRequest, long_list(uint32(1) + bytes(63)))
        self.refused(wire.MaskedInputRequest, long_list(uint32(1) + bytes(81)))
        self.refused(wire.UnmaskingResponse, long_list(b"\0\0\0\1\0\0") + long_list(b""))
        self.refused(wire.CertifiedUnmaskingRequest, long_list(uint32(1) + bytes(63)))

    def test_no_client_is_zero(self):
        self.refused(wire.AdvertiseKeysRequest, uint32(0) + complete().encode())
        self.refused(wire.ShareKeysRequest, long_list(uint32(0) + bytes(64)))
        self.refused(wire.MaskedInputRequest, long_list(uint32(0) + bytes(80)))
        self.refused(wire.UnmaskingResponse, long_list(uint32(0)) + long_list(b""))
        self.refused(wire.CertifiedUnmaskingRequest, long_list(uint32(0) + bytes(64)))

    def test_a_length_beyond_the_end_costs_nothing(self):
        self.refused(wire.UnmaskingRequest, b"\0\0\0\1\xff\xff\xff\xff")

    def test_a_masked_input_is_all_of_its_body(self):
        self.assertEqual(wire.MaskedInputResponse.decode(b"abc").packed, b"abc")

    def refused(self, structure, body):
        with self.assertRaisesRegex(Broken, "4.1-1"):
            structure.decode(body)


class Headers(unittest.TestCase):
    MESSAGE = wire.pack(wire.UNMASKING_REQUEST, b"i" * 32, b"body")

    def test_layout(self):
        self.assertEqual(self.MESSAGE, b"\x09" + b"i" * 32 + b"body")
        self.assertEqual(wire.open_message(self.MESSAGE, 9), (b"i" * 32, b"body"))

    def test_too_short(self):
        for size in range(33):
            self.refused(self.MESSAGE[:size], 9, "4.1-1")

    def test_unknown_types(self):
        for message_type in (0, 11, 255):
            self.refused(bytes([message_type]) + self.MESSAGE[1:], 9, "4.1-1")

    def test_a_type_that_is_not_awaited(self):
        self.refused(self.MESSAGE, 10, "4.1-2")

    def refused(self, message, awaited, must):
        with self.assertRaisesRegex(Broken, must):
            wire.open_message(message, awaited)
