//! Known answers: every derivation of the document, one by one.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use secagg_tests::conform::scenario::{ALL_LANES, Vector, config, coordinate, entropy};
use serde_json::{Value, json};

use crate::book::Book;
use crate::rehearsal::bytes;
use crate::weak_keys::{BAD_ENCRYPTION_KEYS, BAD_MASK_KEYS};

const SESSION: [u8; 32] = [0x42; 32];

/// A derivation with these fields.
pub(crate) fn derive(name: &str, mut fields: Value) -> Value {
    fields["command"] = "derive".into();
    fields["name"] = name.into();
    fields
}

pub(crate) fn write(book: &mut Book) {
    hashes(book);
    agreements(book);
    bundles(book);
    keystreams(book);
    masks(book);
    sharing(book);
    ids(book);
    graphs(book);
    packing(book);
}

fn hashes(book: &mut Book) {
    for (name, label, parts) in
        [("empty", "config", ""), ("short", "session", "00"), ("long", "share challenge", &"5a".repeat(200))]
    {
        let request = json!({"label": label, "parts": parts});
        book.known(&format!("3.1/hash-{name}"), derive("hash", request));
    }
    for label in [
        "graph",
        "encryption key",
        "mask key",
        "self mask seed",
        "coefficients",
        "share key",
        "pairwise mask",
        "self mask",
        "mask keystream",
        "noise",
        "rotation",
    ] {
        let request = json!({"label": label, "salt": hex32(1), "ikm": hex32(2), "parts": "00000007"});
        book.known(&format!("3.1/key-of-{}", label.replace(' ', "-")), derive("key", request));
    }
    let request = json!({"label": "graph", "salt": hex32(9), "ikm": "", "parts": ""});
    book.known("3.1/key-without-ikm", derive("key", request));
}

fn agreements(book: &mut Book) {
    // RFC 7748, section 5.2; another; a number just below the prime.
    for (name, secret, key) in [
        (
            "rfc-7748-first",
            "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
            "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
        ),
        (
            "arbitrary",
            "77076d0a7318a57d3c16c17251b26645c6df4c9f0d1a3b0a9b6f7f2f0e4b9a2c",
            "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
        ),
        (
            "greatest-canonical",
            "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
            "ebffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        ),
    ] {
        let request = json!({"secret": secret, "key": key});
        book.known(&format!("3.2/encryption-agreement-{name}"), derive("encryption agreement", request));
    }
    // Multiples of the generator: RFC 9496, appendix A.1.
    for (name, key) in [
        ("generator", "e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76"),
        ("twice", "6a493210f7499cd17fecb510ae0cea23a110e8d5b901f8acadd3095c73a3b919"),
        ("thrice", "94741f5d5d52755ece4f23f044ee27d5d1ea1e2bd196b462166b16152a9d0259"),
    ] {
        let request = json!({"secret": format!("{}00", "07".repeat(31)), "key": key});
        book.known(&format!("3.2/mask-agreement-{name}"), derive("mask agreement", request));
    }
    for (name, key) in BAD_ENCRYPTION_KEYS {
        let request = json!({"secret": hex32(3), "key": key});
        book.breaks(&format!("3.2-1/agreement-{name}"), derive("encryption agreement", request));
    }
    for (name, key) in BAD_MASK_KEYS {
        let request = json!({"secret": format!("{}00", "07".repeat(31)), "key": key});
        book.breaks(&format!("3.2-2/agreement-{name}"), derive("mask agreement", request));
    }
}

/// A client's id with its keys and secrets.
struct Party {
    id: u32,
    secret: String,
    keys: Value,
}

fn party(book: &mut Book, id: u32) -> Party {
    let config = config(None, 5, 3, &ALL_LANES, 1);
    let config_id = book.ask(&derive("config id", json!({"config": config})))["config_id"].clone();
    let keys = book.ask(&derive("client", json!({"config": config, "client": id, "entropy": entropy(id)})));
    let request = json!({
        "label": "encryption key", "salt": config_id, "ikm": entropy(id), "parts": format!("{id:08x}"),
    });
    let secret = book.ask(&derive("key", request))["key"].as_str().expect("a key").to_owned();
    Party { id, secret, keys }
}

fn bundles(book: &mut Book) {
    let parties = [party(book, 1), party(book, 2), party(book, 5)];
    let end = |party: &Party| json!({"id": party.id, "key": party.keys["encryption_key"]});
    for (owner, holder) in [(0, 1), (1, 0), (2, 0), (1, 2)] {
        let (owner, holder) = (&parties[owner], &parties[holder]);
        let name = format!("from-{}-to-{}", owner.id, holder.id);
        let base = json!({"session": hex::encode(SESSION), "owner": end(owner), "holder": end(holder)});
        let mut seal = base.clone();
        seal["secret"] = owner.secret.clone().into();
        seal["mask_key"] = scalar(17).into();
        seal["self_mask_seed"] = scalar(owner.id as u8).into();
        let sealed = book.known(&format!("3.3/bundle-{name}"), derive("bundle", seal));
        let mut open = base;
        open["secret"] = holder.secret.clone().into();
        open["bundle"] = sealed["bundle"].clone();
        book.known(&format!("3.3/opened-{name}"), derive("opened bundle", open.clone()));
        if (owner.id, holder.id) == (1, 2) {
            bad_bundles(book, &open, &sealed["key"], &parties[2]);
        }
    }
}

/// Bundles that do not open: spoilt in each part, and sealed for another session, owner or holder.
fn bad_bundles(book: &mut Book, good: &Value, key: &Value, stranger: &Party) {
    let sealed = bytes(&good["bundle"]);
    for (name, place) in [("first-byte", 0), ("second-share", 32), ("tag", 64), ("last-byte", 79)] {
        let mut spoilt = sealed.clone();
        spoilt[place] ^= 0x80;
        let mut request = good.clone();
        request["bundle"] = hex::encode(spoilt).into();
        book.breaks(&format!("4.4-3/spoilt-{name}"), derive("opened bundle", request));
    }
    for (name, at) in [("first", 0), ("second", 32)] {
        let mut shares = [1; 64];
        shares[at..at + 32].fill(0xff);
        let mut request = good.clone();
        request["bundle"] = hex::encode(seal(good, key, &shares)).into();
        book.breaks(&format!("4.4-3/{name}-share-not-canonical"), derive("opened bundle", request));
    }
    let mut request = good.clone();
    request["session"] = hex32(0x43).into();
    book.breaks("4.4-3/of-another-session", derive("opened bundle", request));
    let mut request = good.clone();
    request["owner"]["id"] = 5.into();
    book.breaks("4.4-3/of-another-owner", derive("opened bundle", request));
    let mut request = good.clone();
    request["holder"]["id"] = 3.into();
    book.breaks("4.4-3/for-another-holder", derive("opened bundle", request));
    let mut request = good.clone();
    request["owner"]["key"] = stranger.keys["encryption_key"].clone();
    book.breaks("4.4-3/of-another-key", derive("opened bundle", request));
    let (owner, holder) = (good["owner"].clone(), good["holder"].clone());
    let mut request = good.clone();
    (request["owner"]["id"], request["holder"]["id"]) = (holder["id"].clone(), owner["id"].clone());
    book.breaks("4.4-3/the-other-way-round", derive("opened bundle", request));
}

/// A bundle of these bytes, whatever they are, that opens for the holder (spec §3.3): no honest owner makes it.
fn seal(way: &Value, key: &Value, shares: &[u8]) -> Vec<u8> {
    let id = |end: &Value| (end["id"].as_u64().expect("an id") as u32).to_be_bytes();
    let (owner, holder) = (id(&way["owner"]), id(&way["holder"]));
    let associated = [b"secagg/1\x01share bundle\0".as_slice(), &SESSION, &owner, &holder].concat();
    let key: [u8; 32] = bytes(key).try_into().expect("32 bytes");
    let text = Payload { msg: shares, aad: &associated };
    Aes256Gcm::new(&key.into()).encrypt(&Nonce::default(), text).expect("64 bytes can be sealed")
}

fn keystreams(book: &mut Book) {
    let wraps = format!("{}{}", "31".repeat(16), "ff".repeat(16));
    let carries = format!("{}{}ffffffff", "31".repeat(16), "00".repeat(12));
    for (name, seed, length) in [
        ("one-byte", hex32(7), 1),
        ("one-block", hex32(7), 16),
        ("part-of-a-block", hex32(8), 37),
        ("many-blocks", hex32(9), 300),
        ("counter-wraps", wraps, 48),
        ("counter-carries", carries, 48),
    ] {
        book.known(
            &format!("3.4/keystream-{name}"),
            derive("keystream", json!({"seed": seed, "length": length})),
        );
    }
    for (name, seed, below) in [
        ("small", 1, vec![1u32, 2, 3, 5, 10, 255]),
        ("powers", 2, vec![1 << 16, 1 << 31, 1 << 8]),
        ("half-are-rejected", 3, vec![(1 << 31) + 1; 8]),
        ("great", 4, vec![u32::MAX, u32::MAX - 1, 3_000_000_000]),
    ] {
        let below: Value = below.iter().map(u32::to_string).collect();
        book.known(
            &format!("3.4/uniform-{name}"),
            derive("uniform", json!({"seed": hex32(seed), "below": below})),
        );
    }
}

/// One case for each bit width that is at the end of a lane or in its middle.
const WIDTHS: [u8; 10] = [1, 8, 15, 16, 17, 24, 32, 33, 48, 62];

fn masks(book: &mut Book) {
    for (place, bits) in (0u8..).zip(WIDTHS) {
        let request = json!({
            "session": hex::encode(SESSION), "client": 1 + u32::from(place), "self_mask_seed": scalar(place),
            "place": place, "bits": bits, "length": 11,
        });
        book.known(&format!("3.4/own-mask-{bits}-bits"), derive("own mask", request));
    }
    let parties = [party(book, 1), party(book, 2)];
    let end = |party: &Party| json!({"id": party.id, "key": party.keys["mask_key"]});
    for (place, bits) in (0u8..).zip(WIDTHS) {
        for (mine, theirs) in [(0, 1), (1, 0)] {
            let (mine, theirs) = (&parties[mine], &parties[theirs]);
            let request = json!({
                "session": hex::encode(SESSION), "secret": mine.keys["mask_secret"], "mine": end(mine),
                "theirs": end(theirs), "place": place, "bits": bits, "length": 9,
            });
            let id = format!("3.4/pairwise-mask-{bits}-bits-of-{}", mine.id);
            book.known(&id, derive("pairwise mask", request));
        }
    }
    let far = json!({
        "session": hex::encode(SESSION), "client": 1, "self_mask_seed": scalar(1), "place": 254, "bits": 20,
        "length": 5,
    });
    book.known("3.4/own-mask-last-place", derive("own mask", far));
    for id in [1, 2, 1 << 30] {
        let request = json!({"session": hex::encode(SESSION), "client": id, "self_mask_seed": scalar(5)});
        book.known(&format!("3.4/commitment-of-{id}"), derive("commitment", request));
    }
}

fn sharing(book: &mut Book) {
    for threshold in [2, 3, 5] {
        let config = config(None, 5, threshold, &ALL_LANES, 2);
        let request = json!({
            "config": config, "client": 4, "entropy": entropy(4), "holders": [1, 2, 3, 5, 1 << 30, u32::MAX],
        });
        let dealt = book.known(&format!("3.5/shares-threshold-{threshold}"), derive("shares", request));
        for (kind, skip) in [("mask_key", 0), ("self_mask_seed", 1)] {
            let holders = [1u32, 2, 3, 5, 1 << 30, u32::MAX].into_iter();
            let all = holders.zip(dealt[kind].as_array().expect("shares"));
            let some = all.skip(skip).take(threshold as usize);
            let shares: Value =
                some.map(|(holder, share)| json!({"holder": holder, "share": share})).collect();
            let id = format!("3.5/{}-back-threshold-{threshold}", kind.replace('_', "-"));
            book.known(&id, derive("secret", json!({"shares": shares})));
        }
    }
    for (client, threshold, nonce) in [(1, 2, 3), (2, 2, 3), (5, 4, 3), (1, 2, 4)] {
        let config = config(None, 5, threshold, &ALL_LANES, nonce);
        let request = json!({"config": config, "client": client, "entropy": entropy(client)});
        let id = format!("3.6/client-{client}-threshold-{threshold}-nonce-{nonce}");
        book.known(&id, derive("client", request));
    }
}

fn ids(book: &mut Book) {
    let short = [Vector { name: "~ !", length: 1, bits: 1 }];
    let mut bounded = config(None, 100, 67, &ALL_LANES, 7);
    bounded["vectors"][2]["bound"] = "1310".into();
    bounded["vectors"][5]["bound"] = "0".into();
    for (name, config) in [
        ("least", config(None, 2, 2, &short, 5)),
        ("all-lanes", config(None, 3, 2, &ALL_LANES, 6)),
        ("bounds", bounded),
        ("regular", config(Some(2), 3, 2, &short, 8)),
        ("large-regular", config(Some(100), 1 << 30, 60, &short, 9)),
        ("large-complete", config(None, 1 << 30, 1 << 30, &short, 10)),
    ] {
        book.known(&format!("6.1/config-id-{name}"), derive("config id", json!({"config": config})));
    }
    for roster in [vec![1, 2], vec![1, 3], vec![2, 3, 5]] {
        let members: Value = roster.iter().map(|&id| member(book, id)).collect();
        let config = config(None, 5, 2, &ALL_LANES, 11);
        let ids: Vec<String> = roster.iter().map(u32::to_string).collect();
        let request = json!({"config": config, "members": members});
        book.known(&format!("6.1/session-id-of-{}", ids.join("-")), derive("session id", request));
    }
}

fn member(book: &mut Book, id: u32) -> Value {
    let keys = party(book, id).keys;
    json!({"id": id, "encryption_key": keys["encryption_key"], "mask_key": keys["mask_key"]})
}

fn graphs(book: &mut Book) {
    let vectors = &ALL_LANES[..1];
    for (members, degree) in [
        (3, 2),
        (4, 2),
        (5, 2),
        (5, 4),
        (6, 4),
        (7, 6),
        (9, 4),
        (10, 2),
        (17, 6),
        (40, 8),
        (64, 10),
        (100, 4),
    ] {
        let roster: Vec<u32> = (1..=members).collect();
        let config = config(Some(degree), members, 2, vectors, 12);
        let request = json!({"config": config, "session": hex32(degree as u8), "roster": roster});
        book.known(&format!("6.2/{members}-clients-degree-{degree}"), derive("graph", request));
    }
    for (name, degree) in [("regular", Some(4)), ("complete", None)] {
        let config = config(degree, 20, 2, vectors, 12);
        let request = json!({"config": config, "session": hex32(1), "roster": [2, 3, 5, 7, 11, 13, 17, 19]});
        book.known(&format!("6.2/roster-with-gaps-{name}"), derive("graph", request));
    }
}

/// Every bit width, with coordinates at both ends.
fn packing(book: &mut Book) {
    for bits in 1..=62 {
        let vector = Vector { name: "v", length: 7, bits };
        let coordinates =
            (0..vector.length).map(|index| coordinate(u32::from(bits), &vector, index).to_string());
        let request = json!({"bits": bits, "coordinates": coordinates.collect::<Value>()});
        book.known(&format!("7.2/packing-{bits}-bits"), derive("packing", request));
    }
    let request = json!({"bits": 3, "coordinates": ["5", "3", "7"]});
    book.known("7.2/packing-of-the-document", derive("packing", request));
}

fn hex32(byte: u8) -> String {
    hex::encode([byte; 32])
}

/// A scalar below ℓ.
fn scalar(byte: u8) -> String {
    format!("{}00", hex::encode([byte; 31]))
}
