//! Bad messages, made of good ones.

use ed25519_dalek::{Signer, SigningKey};
use rand::rngs::ChaCha8Rng;
use rand::{Rng, RngExt};

use super::super::secrets::{hash, session_id};
use super::super::setting::bytes;
use super::super::twin::proof_at;
use super::super::wire::{self, HEADER};
use super::layout::{Layout, body, layout};
use super::scene::Scene;

/// A message and what was done to it.
pub(super) struct Bad {
    pub(super) how: String,
    pub(super) message: Vec<u8>,
}

/// A message of somebody else, or of another time.
pub(super) struct Donor {
    pub(super) whose: &'static str,
    pub(super) message: Vec<u8>,
}

/// Bad forms of a message, one in `every`; of all of them `random` are drawn.
pub(super) fn mutate(
    scene: &Scene,
    message: &[u8],
    donors: &[Donor],
    random: usize,
    every: usize,
    rng: &mut ChaCha8Rng,
) -> Vec<Bad> {
    let layout = layout(message, scene.suite());
    let mut out = Mutations { message, made: Vec::new() };
    out.wholes(donors);
    for (name, range) in &layout.fields {
        out.field(name, range.clone(), donors, rng);
    }
    out.exchanges(&layout);
    out.lists(&layout, donors);
    if message[0] == 9 && !scene.is_signed() {
        out.survivor_sets();
    }
    for _ in 0..random {
        out.random(&layout, rng);
    }
    let mut made: Vec<Bad> = out.made.into_iter().step_by(every).collect();
    match message[0] {
        1 => again(&mut made, "with its config id", |bad| with_config_id(scene, bad)),
        2 if scene.is_signed() => {
            for signer in [1, 2] {
                let how = format!("signed by {signer}");
                again(&mut made, &how, |bad| signed_anew(scene, bad, HEADER, 2, signer));
            }
        }
        3 => {
            let plain = made.len();
            again(&mut made, "with its session id", |bad| with_session_id(scene, bad));
            if scene.is_signed() {
                let signed: Vec<Bad> =
                    made[..plain].iter().filter_map(|bad| all_signed(scene, bad)).collect();
                made.extend(signed);
            }
        }
        _ => {}
    }
    made.retain(|bad| bad.message != message);
    made
}

/// A few forms of a long message: cut, lengthened, and changed here and there.
pub(super) fn few(message: &[u8]) -> Vec<Bad> {
    let mut out = Mutations { message, made: Vec::new() };
    out.push("as it should be", message.to_vec());
    for length in [HEADER, HEADER + 4, message.len() / 2, message.len() - 1] {
        out.push(format!("cut to {length} bytes"), message[..length.min(message.len())].to_vec());
    }
    out.push("twice", message.repeat(2));
    for part in 1..=8 {
        let place = HEADER.max(part * message.len() / 8) - 1;
        out.with(format!("byte {place} flipped"), place..place + 1, &[!message[place]]);
    }
    out.made
}

struct Mutations<'a> {
    message: &'a [u8],
    made: Vec<Bad>,
}

impl Mutations<'_> {
    fn push(&mut self, how: impl Into<String>, message: Vec<u8>) {
        self.made.push(Bad { how: how.into(), message });
    }

    /// The message with other bytes in this place.
    fn with(&mut self, how: impl Into<String>, place: std::ops::Range<usize>, bytes: &[u8]) {
        let message = [&self.message[..place.start], bytes, &self.message[place.end..]].concat();
        self.push(how, message);
    }

    fn wholes(&mut self, donors: &[Donor]) {
        for length in 0..self.message.len() {
            self.push(format!("cut to {length} bytes"), self.message[..length].to_vec());
        }
        for (byte, count) in [(0, 1), (0xff, 1), (0, 33), (0, 100_000)] {
            let more = vec![byte; count];
            self.push(format!("with {count} bytes of {byte} behind"), [self.message, &more].concat());
        }
        self.push("twice", self.message.repeat(2));
        for kind in 0..=u8::MAX {
            self.with(format!("of type {kind}"), 0..1, &[kind]);
        }
        for donor in donors {
            self.push(format!("in its place that of {}", donor.whose), donor.message.clone());
            if let (Some(head), Some(_)) = (donor.message.get(..HEADER), donor.message.get(HEADER)) {
                self.with(format!("with the header of {}", donor.whose), 0..HEADER, head);
            }
        }
    }

    fn field(&mut self, name: &str, at: std::ops::Range<usize>, donors: &[Donor], rng: &mut ChaCha8Rng) {
        let old = self.message[at.clone()].to_vec();
        let place = at.start;
        let mut put =
            |how: &str, bytes: &[u8]| self.with(format!("{name} at {place}: {how}"), at.clone(), bytes);
        put("zero", &vec![0; old.len()]);
        put("max", &vec![0xff; old.len()]);
        put("plus one", &step(&old, |byte| byte.overflowing_add(1), false));
        put("minus one", &step(&old, |byte| byte.overflowing_sub(1), false));
        put("plus one, little-endian", &step(&old, |byte| byte.overflowing_add(1), true));
        put("minus one, little-endian", &step(&old, |byte| byte.overflowing_sub(1), true));
        put("left out", &[]);
        put("duplicated", &old.repeat(2));
        put("reversed", &old.iter().rev().copied().collect::<Vec<_>>());
        if let [head @ .., last] = &old[..] {
            put("truncated", head);
            put("truncated in front", &old[1..]);
            put("extended", &[&old[..], &[*last]].concat());
            put("extended by zero", &[&old[..], &[0]].concat());
        }
        if old.len() == 1 {
            (0..=u8::MAX).for_each(|byte| put(&format!("{byte}"), &[byte]));
        }
        if old.len() <= 8 {
            for bit in 0..8 * old.len() {
                let mut flipped = old.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                put(&format!("bit {bit} flipped"), &flipped);
            }
        } else {
            for _ in 0..4 {
                let (byte, bit) = (rng.random_range(0..old.len()), rng.random_range(0..8));
                let mut flipped = old.clone();
                flipped[byte] ^= 1 << bit;
                put(&format!("bit {bit} of byte {byte} flipped"), &flipped);
            }
        }
        for donor in donors {
            if let Some(theirs) = donor.message.get(at.clone()) {
                put(&format!("that of {}", donor.whose), theirs);
            }
        }
    }

    /// Fields change places with the next ones, near and far.
    fn exchanges(&mut self, layout: &Layout) {
        for (at, (name, one)) in layout.fields.iter().enumerate() {
            let others = layout.fields[at + 1..].iter().filter(|(_, other)| other.len() == one.len());
            for (other_name, other) in others.take(12) {
                let mut message = self.message.to_vec();
                let (head, tail) = message.split_at_mut(other.start);
                head[one.clone()].swap_with_slice(&mut tail[..other.len()]);
                self.push(
                    format!("{name} at {} and {other_name} at {} exchanged", one.start, other.start),
                    message,
                );
                self.with(
                    format!("{name} at {} copied to {}", one.start, other.start),
                    other.clone(),
                    &self.message[one.clone()],
                );
            }
        }
    }

    fn lists(&mut self, layout: &Layout, donors: &[Donor]) {
        for list in &layout.lists {
            let start = list.prefix + 4;
            let end = start + list.size * list.count;
            let items: Vec<&[u8]> = self.message[start..end].chunks(list.size).collect();
            let mut put = |how: String, items: &[&[u8]]| {
                let how = format!("list at {}: {how}", list.prefix);
                self.with(how, list.prefix..end, &wire::list(&items.concat()));
            };
            put("empty".into(), &[]);
            put("reversed".into(), &items.iter().rev().copied().collect::<Vec<_>>());
            for keep in 0..items.len() {
                put(format!("the first {keep}"), &items[..keep]);
                put(format!("without the first {}", keep + 1), &items[keep + 1..]);
                let but: Vec<&[u8]> = [&items[..keep], &items[keep + 1..]].concat();
                put(format!("without item {keep}"), &but);
                put(format!("item {keep} twice"), &[&items[..=keep], &items[keep..]].concat());
                put(format!("item {keep} again at the end"), &[&items[..], &[items[keep]]].concat());
                put(format!("item {keep} 3000 times"), &vec![items[keep]; 3000]);
                for other in keep + 1..items.len() {
                    let mut swapped = items.clone();
                    swapped.swap(keep, other);
                    put(format!("items {keep} and {other} exchanged"), &swapped);
                }
            }
            let (zero, max) = (vec![0; list.size], vec![0xff; list.size]);
            let donated = donors.iter().filter_map(|donor| donor.message.get(start..start + list.size));
            for extra in donated.chain([&zero[..], &max]) {
                put("one more".into(), &[&items[..], &[extra]].concat());
                put("one more in front".into(), &[&[extra], &items[..]].concat());
                put("another last one".into(), &[&items[..items.len().saturating_sub(1)], &[extra]].concat());
            }
        }
    }

    /// Every survivor set of a byte, with numbers of survivors that go with it or nearly.
    fn survivor_sets(&mut self) {
        for bits in 0..=u8::MAX {
            for count in 0..=8u32 {
                let body = [&count.to_be_bytes()[..], &wire::list(&[bits])].concat();
                let end = self.message.len();
                self.with(format!("survivors {bits:08b} of {count}"), HEADER..end, &body);
            }
        }
    }

    /// Two or three fields changed at once.
    fn random(&mut self, layout: &Layout, rng: &mut ChaCha8Rng) {
        let mut message = self.message.to_vec();
        let mut how = String::from("drawn:");
        for _ in 0..rng.random_range(2..=3) {
            // Most draws leave the header, so that more than the header is looked at.
            let least = if rng.random_ratio(1, 10) { 0 } else { 2.min(layout.fields.len() - 1) };
            let (name, range) = &layout.fields[rng.random_range(least..layout.fields.len())];
            match rng.random_range(0..4) {
                0 => rng.fill_bytes(&mut message[range.clone()]),
                1 => message[range.clone()].fill(if rng.random() { 0 } else { 0xff }),
                2 if !range.is_empty() => {
                    let last = range.end - 1;
                    message[last] = message[last].wrapping_add(rng.random_range(1..=3));
                }
                _ if !range.is_empty() => {
                    message[rng.random_range(range.clone())] ^= 1 << rng.random_range(0..8);
                }
                _ => {}
            }
            how += &format!(" {name} at {}", range.start);
        }
        if rng.random_ratio(1, 8) {
            let length = rng.random_range(0..=message.len());
            message.truncate(length);
            how += &format!(", cut to {length}");
        }
        self.push(how, message);
    }
}

/// A number one off, big-endian or little-endian.
fn step(bytes: &[u8], step: impl Fn(u8) -> (u8, bool), little: bool) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let length = bytes.len();
    for at in 0..length {
        let at = if little { at } else { length - 1 - at };
        let (byte, carry) = step(bytes[at]);
        bytes[at] = byte;
        if !carry {
            break;
        }
    }
    bytes
}

/// Adds a second form of all of them, where there is one.
fn again(made: &mut Vec<Bad>, how: &str, change: impl Fn(&Bad) -> Option<Vec<u8>>) {
    let name = |bad: &Bad| format!("{}, {how}", bad.how);
    let more: Vec<Bad> =
        made.iter().filter_map(|bad| Some(Bad { how: name(bad), message: change(bad)? })).collect();
    made.extend(more);
}

fn with_config_id(scene: &Scene, bad: &Bad) -> Option<Vec<u8>> {
    let config = body(&bad.message).get(4..)?;
    let suite = config.get(2).copied().filter(|suite| (1..=3).contains(suite));
    let id = hash(suite.unwrap_or(scene.config.suite.number()), "config", &[config]);
    Some([&bad.message[..1], &id, &bad.message[HEADER..]].concat())
}

fn with_session_id(scene: &Scene, bad: &Bad) -> Option<Vec<u8>> {
    let (_, roster) = wire::roster(&bad.message, scene.advertisement(1)?.len())?;
    let session = session_id(&scene.config, &roster);
    Some([&bad.message[..1], &session, &bad.message[HEADER..]].concat())
}

/// The advertisement at `at`, of client `id`, signed by this identity whatever it says.
fn signed_anew(scene: &Scene, bad: &Bad, at: usize, id: u32, signer: u32) -> Option<Vec<u8>> {
    let one = bad.message.get(at..at + scene.advertisement(1)?.len())?;
    let (parts, suite) = (&one[..proof_at(one)], scene.suite());
    let statement = hash(suite, "advertisement", &[&scene.config.id(), &id.to_be_bytes(), parts]);
    let signature = SigningKey::from_bytes(&bytes("identity", signer)).sign(&statement).to_bytes();
    let end = at + one.len();
    let mut message = bad.message.clone();
    message[end - 64..end].copy_from_slice(&signature);
    Some(message)
}

/// A roster in which everybody has signed for the keys that it names.
fn all_signed(scene: &Scene, bad: &Bad) -> Option<Bad> {
    let length = scene.advertisement(1)?.len();
    let (_, roster) = wire::roster(&bad.message, length)?;
    let mut message = bad.message.clone();
    for (place, (id, _)) in roster.iter().enumerate() {
        let at = HEADER + 4 + (4 + length) * place + 4;
        let known = (1..=scene.config.clients).contains(id);
        let signed = Bad { how: String::new(), message };
        message = if known { signed_anew(scene, &signed, at, *id, *id)? } else { signed.message };
    }
    let signed = Bad { how: String::new(), message };
    let how = format!("{}, signed by all, with its session id", bad.how);
    Some(Bad { how, message: with_session_id(scene, &signed)? })
}
