//! Keys that the checks of section 3.2 refuse, by what is wrong with them.

/// Not below 2^255 − 19, or of low order (RFC 7748, sections 5 and 7).
pub(crate) const BAD_ENCRYPTION_KEYS: [(&str, &str); 12] = [
    ("zero", "0000000000000000000000000000000000000000000000000000000000000000"),
    ("one", "0100000000000000000000000000000000000000000000000000000000000000"),
    ("order-eight", "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    ("order-eight-other", "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
    ("minus-one", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ("prime", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ("prime-plus-one", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ("prime-plus-nine", "f6ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ("all-but-the-top-bit", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ("all-bits", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"),
    ("base-point-with-top-bit", "0900000000000000000000000000000000000000000000000000000000000080"),
    ("good-key-with-top-bit", "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882bcf"),
];

/// Not the canonical encoding of an element but the identity (RFC 9496, appendix A.3).
pub(crate) const BAD_MASK_KEYS: [(&str, &str); 10] = [
    ("identity", "0000000000000000000000000000000000000000000000000000000000000000"),
    ("non-canonical", "00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"),
    ("non-canonical-prime", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ("non-canonical-all-but-top", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ("negative-one", "0100000000000000000000000000000000000000000000000000000000000000"),
    ("negative", "ed57ffd8c914fb201471d1c3d245ce3c746fcbe63a3679d51b6a516ebebe0e20"),
    ("non-square", "26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371"),
    ("non-square-other", "4eac077a713c57b4f4397629a4145982c661f48044dd3f96427d40b147d9742f"),
    ("negative-product", "3eb858e78f5a7254d8c9731174a94f76755fd3941c0ac93735c07ba14579630e"),
    ("minus-one", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
];
