//! Where the fields of a message are (spec §4).

use std::ops::Range;

use super::super::wire::{BUNDLE, HEADER, number};

/// The names of the messages, by type.
pub const MESSAGES: [&str; 10] = [
    "advertise-keys-request",
    "advertise-keys-response",
    "share-keys-request",
    "share-keys-response",
    "masked-input-request",
    "masked-input-response",
    "consistency-check-request",
    "consistency-check-response",
    "unmasking-request",
    "unmasking-response",
];

/// The fields of one message, in their order.
#[derive(Default)]
pub(super) struct Layout {
    pub(super) fields: Vec<(&'static str, Range<usize>)>,
    pub(super) lists: Vec<List>,
}

/// A list in a message.
pub(super) struct List {
    /// Where its length is.
    pub(super) prefix: usize,
    /// Bytes of an item.
    pub(super) size: usize,
    pub(super) count: usize,
}

/// Reads a message that is as it should be.
pub(super) fn layout(message: &[u8], suite: u8) -> Layout {
    let mut walk = Walk { message, at: 0, layout: Layout::default() };
    walk.fields(&[("type", 1), ("session", 32)]);
    let (pinned, signed) = (suite == 3, suite != 1);
    let mut keys = vec![("encryption_key", 32), ("mask_key", 32)];
    keys.extend(pinned.then_some(("draw_commitment", 32)));
    if signed {
        keys.extend([("identity", 32), ("certificate", 64), ("signature", 64)]);
    }
    match message[0] {
        1 => walk.proposal(),
        2 => walk.fields(&keys),
        3 => walk.list("neighbourhood", &[&[("id", 4)], &keys[..]].concat()),
        4 => {
            walk.field("commitment", 32);
            if pinned {
                walk.field("draw", 32);
            }
            walk.list("bundles", &[("bundle", BUNDLE)]);
        }
        5 if pinned => {
            walk.list("sharers", &[("sharers", 1)]);
            walk.list("bundles", &[("owner", 4), ("draw", 32), ("bundle", BUNDLE)]);
        }
        5 => walk.list("bundles", &[("owner", 4), ("bundle", BUNDLE)]),
        6 => {
            if pinned {
                walk.field("signature", 64);
            }
            walk.fields(&[("packed v", 4), ("packed w", 2)]);
        }
        7 => walk.list("survivors", &[("survivors", 1)]),
        8 => walk.field("signature", 64),
        9 if signed => {
            walk.list("signatures", &[("signer", 4), ("signature", 64)]);
            if pinned {
                walk.list("inputs", &[("input signature", 64)]);
            }
        }
        9 => {
            walk.field("survivor_count", 4);
            walk.list("survivors", &[("survivors", 1)]);
        }
        _ => {
            walk.list("unopened", &[("unopened", 4)]);
            walk.list("shares", &[("share", 32)]);
        }
    }
    assert_eq!(walk.at, message.len(), "all of a message is in its fields");
    walk.layout
}

struct Walk<'a> {
    message: &'a [u8],
    at: usize,
    layout: Layout,
}

impl Walk<'_> {
    fn field(&mut self, name: &'static str, length: usize) {
        self.layout.fields.push((name, self.at..self.at + length));
        self.at += length;
    }

    fn fields(&mut self, fields: &[(&'static str, usize)]) {
        fields.iter().for_each(|(name, length)| self.field(name, *length));
    }

    /// A field of one byte, and what it says.
    fn byte(&mut self, name: &'static str) -> usize {
        self.field(name, 1);
        usize::from(self.message[self.at - 1])
    }

    fn list(&mut self, name: &'static str, item: &[(&'static str, usize)]) {
        let size = item.iter().map(|(_, length)| length).sum();
        let (prefix, count) = (self.at, number(&self.message[self.at..]) as usize / size);
        self.layout.lists.push(List { prefix, size, count });
        self.field(name, 4);
        (0..count).for_each(|_| self.fields(item));
    }

    fn proposal(&mut self) {
        self.fields(&[("id", 4), ("version", 2)]);
        if self.byte("suite") != 1 {
            self.fields(&[("corrupt", 4), ("authority", 32)]);
        }
        if self.byte("graph") != 1 {
            self.field("degree", 4);
        }
        self.fields(&[("clients", 4), ("threshold", 4), ("minimum_survivors", 4)]);
        for _ in 0..self.byte("vector_count") {
            let length = self.byte("name length");
            self.fields(&[("name", length), ("length", 4), ("bits", 1)]);
            if self.byte("bound_declared") == 1 {
                self.field("bound", 8);
            }
            if self.byte("law") != 0 {
                let noise =
                    [("dimension", 4), ("clip", 8), ("scale", 8), ("norm_squared", 8), ("variance", 8)];
                self.fields(&noise);
                for _ in 0..self.byte("level_count") {
                    self.fields(&[("survivors", 4), ("variance", 8)]);
                }
            }
        }
        self.fields(&[("task", 32), ("nonce", 32)]);
    }
}

/// The bytes of a message without its header; none if it has no whole one.
pub(super) fn body(message: &[u8]) -> &[u8] {
    message.get(HEADER..).unwrap_or_default()
}
