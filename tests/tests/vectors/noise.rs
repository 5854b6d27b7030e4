//! Section 9: every integer step of vectors with noise, and the rules for their parameters.

use secagg_tests::conform::scenario::{Vector, config, entropy};
use secagg_tests::conform::vectors::Level;
use serde_json::{Value, json};

use crate::book::Book;
use crate::derivations::derive;
use crate::messages::{advertise, decode};
use crate::rehearsal::{bytes, close, handle, receive};

pub(crate) fn write(book: &mut Book) {
    draws(book);
    centred_draws(book);
    rotations(book);
    roundings(book);
    ring(book);
    parameters(book);
    for law in LAWS {
        session(book, law);
    }
    too_long(book);
}

const LAWS: [&str; 3] = ["discrete gaussian", "skellam", CENTRED];

const CENTRED: &str = "centred discrete gaussian";

fn seed(byte: u8) -> String {
    hex::encode([byte; 32])
}

pub(crate) fn texts(numbers: impl IntoIterator<Item = i64>) -> Value {
    numbers.into_iter().map(|number| number.to_string()).collect()
}

fn draws(book: &mut Book) {
    // σ² in 2^-16: ¼, 1, 1.7, 4 (tables that are read from end to end, with counts about the block), 9 and 100 (longer
    // ones), just below and at σ = 256, and far above (two levels).
    let gaussian: [(&str, u64, u32); 11] = [
        ("least", 1 << 14, 40),
        ("one", 1 << 16, 16),
        ("one-and-a-part-of-a-block", 1 << 16, 17),
        ("a-fraction", 111_411, 70),
        ("two-squared", 4 << 16, 37),
        ("four-squared", 16 << 16, 30),
        ("seven-squared", 49 << 16, 30),
        ("hundred-squared", 10_000 << 16, 12),
        ("last-of-one-level", (65_536 << 16) - 1, 8),
        ("first-of-two-levels", 65_536 << 16, 40),
        ("two-levels", 1_000_000_000_003, 40),
    ];
    for (at, (name, variance, count)) in (0..).zip(gaussian) {
        noise(book, &format!("9.3/gaussian-{name}"), "discrete gaussian", variance, at, count);
    }
    noise(book, "9.3/gaussian-greatest", "discrete gaussian", 1 << 60, 60, 20);
    for (at, (name, variance, count)) in (100..).zip([
        ("least", 1 << 14, 40),
        ("one", 1 << 16, 40),
        ("a-fraction", 111_411, 40),
        ("hundred", 100 << 16, 30),
        ("five-hundred", 500 << 16, 12),
    ]) {
        noise(book, &format!("9.3/skellam-{name}"), "skellam", variance, at, count);
    }
}

fn noise(book: &mut Book, id: &str, law: &str, variance: u64, byte: u8, count: u32) {
    let variance = variance.to_string();
    let request = json!({"law": law, "variance": variance, "seed": seed(byte), "count": count});
    book.known(id, derive("noise", request));
}

fn centred_draws(book: &mut Book) {
    // Centres on integers, near to them, on either side of and at the middle between two, of both signs, and far away.
    for (byte, name, variance, bits) in [
        (150, "least", 72_254, 3),
        (151, "greatest", 1 << 22, 1),
        (152, "on-integers", 110_756, 0),
        (153, "of-one-bit", 110_756, 1),
        (154, "on-the-finest-grid", 111_411, 12),
    ] {
        let one = 1i64 << bits;
        let centres = [0, 1, -1, one / 2, -one / 2, one / 2 - 1, one / 2 + 1, 1 - one / 2, -1 - one / 2]
            .into_iter()
            .chain([one, -one, 7 * one + 3, -7 * one - 3, (1 << 40) + one / 2, -(1 << 40) - one / 2])
            .cycle()
            .take(60);
        let request = json!({
            "variance": variance.to_string(), "fraction_bits": bits, "centres": texts(centres),
            "seed": seed(byte),
        });
        book.known(&format!("9.3/centred-{name}"), derive("centred noise", request));
    }
    // At and just below the bounds, of one coordinate, of many, and beyond the finest.
    for (name, norm_squared, length) in [
        ("none", 1u64 << 41, 1 << 10),
        ("one", (1 << 41) - 1, 1 << 10),
        ("some", 169 << 24, 1 << 20),
        ("all-but-one", 512, 1),
        ("all", 511, 1),
        ("too-few", 1, 1 << 28),
        ("greatest-norm", u64::MAX, 1 << 28),
    ] {
        let request = json!({"norm_squared": norm_squared.to_string(), "length": length});
        book.known(&format!("9.1/fraction-bits-{name}"), derive("fraction bits", request));
    }
}

fn rotations(book: &mut Book) {
    for (name, byte, count) in [("one", 1, 1), ("a-word", 2, 64), ("words", 3, 150)] {
        let request = json!({"seed": seed(byte), "count": count});
        book.known(&format!("9.2/rotation-signs-{name}"), derive("rotation", request));
    }
}

pub(crate) const ONE: i64 = 1 << 24;

fn roundings(book: &mut Book) {
    let halves = vec![ONE / 2; 16];
    let mixed = vec![0, 1, -1, ONE - 1, ONE, -ONE, ONE / 3, -ONE / 3, 5 * ONE + 77, -9 * ONE - 1, 123];
    for (name, byte, grid, greatest) in [
        ("whole", 1, vec![0, ONE, -ONE, 7 * ONE], 51),
        ("halves", 2, halves.clone(), 16),
        ("halves-drawn-again", 3, halves.clone(), 5),
        ("mixed", 4, mixed, u64::MAX),
        ("large", 5, vec![(1 << 31) * ONE + 1, -(1 << 31) * ONE + 1], u64::MAX),
    ] {
        let request = json!({"grid": texts(grid), "norm_squared": greatest.to_string(), "seed": seed(byte)});
        book.known(&format!("9.2/rounding-{name}"), derive("rounding", request));
    }
    for (name, grid, greatest) in
        [("too-long", vec![4 * ONE, 0], 15), ("overlong-square", vec![i64::MAX, i64::MIN], u64::MAX)]
    {
        let request = json!({"grid": texts(grid), "norm_squared": greatest.to_string(), "seed": seed(1)});
        let mut script = book.script(&format!("9.2/rounding-{name}"), Level::Misbehaviour);
        script.error(derive("rounding", request), json!({"abort": 131}));
        script.end();
    }
}

fn ring(book: &mut Book) {
    for bits in [1u8, 2, 8, 16, 17, 33, 62] {
        let (least, greatest) = (-1i64 << (bits - 1), (1i64 << (bits - 1)) - 1);
        let rounded = texts([0, -1, least, greatest, greatest, least, 5, -5]);
        let noise = texts([0, 0, 0, 0, 1, -1, 1 << 40, -(1 << 40)]);
        let request = json!({"bits": bits, "rounded": rounded, "noise": noise});
        let wrapped = book.known(&format!("9.2/wrapping-{bits}-bits"), derive("wrapping", request));
        let request = json!({"bits": bits, "elements": wrapped["elements"]});
        book.known(&format!("9.2/centring-{bits}-bits"), derive("centring", request));
    }
}

/// A configuration whose one vector has noise, with one field replaced.
pub(crate) fn noisy(law: &str, change: impl FnOnce(&mut Value)) -> Value {
    let mut config = config(None, 4, 2, &[Vector { name: "v", length: 8, bits: 12 }], 9);
    config["vectors"][0]["noise"] = json!({
        "law": law,
        "dimension": 5,
        "clip": format!("{:016x}", 1.5f64.to_bits()),
        "scale": format!("{:016x}", 20f64.to_bits()),
        "norm_squared": "1000",
        "variance": (9u64 << 16).to_string(),
    });
    if law == CENTRED {
        // Coordinates with three bits of fraction.
        config["vectors"][0]["noise"]["scale"] = format!("{:016x}", 2f64.to_bits()).into();
        config["vectors"][0]["noise"]["norm_squared"] = (20u64 << 24).to_string().into();
    }
    change(&mut config["vectors"][0]);
    config
}

fn parameters(book: &mut Book) {
    for (law, least, greatest) in [
        ("discrete gaussian", 1u64 << 14, 1 << 60),
        ("skellam", 1 << 14, 1u64 << 40),
        (CENTRED, 72_254, 1 << 22),
    ] {
        let name = law.replace(' ', "-");
        let real = |number: f64| Value::from(format!("{:016x}", number.to_bits()));
        for (what, field, value) in [
            ("usual", "dimension", 5.into()),
            ("whole-dimension", "dimension", 8.into()),
            ("least-clip", "clip", real(f64::MIN_POSITIVE)),
            ("greatest-scale", "scale", real(f64::MAX)),
            ("least-norm", "norm_squared", "1".into()),
            ("greatest-norm", "norm_squared", u64::MAX.to_string().into()),
            ("least-variance", "variance", least.to_string().into()),
            ("greatest-variance", "variance", greatest.to_string().into()),
        ] {
            let config = noisy(law, |vector| vector["noise"][field] = value);
            let message = advertise(book, &config, |_| ());
            book.known(&format!("9.1/{name}-{what}"), decode(&message));
        }
        for (what, field, value) in [
            ("no-dimension", "dimension", 0.into()),
            ("dimension-of-half", "dimension", 4.into()),
            ("dimension-above-length", "dimension", 9.into()),
            ("greatest-dimension", "dimension", u32::MAX.into()),
            ("clip-zero", "clip", real(0.0)),
            ("clip-negative", "clip", real(-1.0)),
            ("clip-infinite", "clip", real(f64::INFINITY)),
            ("clip-no-number", "clip", real(f64::NAN)),
            ("clip-subnormal", "clip", real(f64::MIN_POSITIVE / 2.0)),
            ("scale-zero", "scale", real(0.0)),
            ("scale-negative", "scale", real(-20.0)),
            ("scale-infinite", "scale", real(f64::INFINITY)),
            ("scale-subnormal", "scale", real(5e-324)),
            ("no-norm", "norm_squared", "0".into()),
            ("variance-too-small", "variance", (least - 1).to_string().into()),
            ("variance-too-great", "variance", (greatest + 1).to_string().into()),
        ] {
            let config = noisy(law, |vector| vector["noise"][field] = value);
            let message = advertise(book, &config, |_| ());
            book.breaks(&format!("9.1-1/{name}-{what}"), decode(&message));
        }
    }
    let bound = noisy("skellam", |vector| vector["bound"] = "3".into());
    let message = advertise(book, &bound, |_| ());
    book.breaks("9.1-1/bound-declared", decode(&message));
    let good = noisy("skellam", |_| ());
    // In front of the noise of the only vector, behind which are task and nonce.
    for law in [4, 255] {
        let message = advertise(book, &good, |encoded| {
            let place = encoded.len() - 64 - 38;
            encoded[place] = law;
        });
        book.breaks(&format!("9.1-1/law-{law}"), decode(&message));
    }
    let mut script = book.script("9.1-1/client-refuses", Level::Misbehaviour);
    script.step(json!({"command": "client.new", "client": 1, "entropy": entropy(1)}));
    script.breaks(handle(1, &message));
    script.end();
    let mut script = book.script("9.1/server-refuses", Level::Misbehaviour);
    script.error(json!({"command": "server.open", "config": bound}), json!({"abort": 131}));
    script.end();
}

/// A vector beyond the norm bound, which law 3 has in finer units than the vector.
fn too_long(book: &mut Book) {
    let mut script = book.script("9.2/centred-too-long", Level::Misbehaviour);
    let mut answer = script.ok(json!({"command": "server.open", "config": noisy(CENTRED, |_| ())}));
    for client in 1..=4 {
        // 20 units are 20·8 eighths squared, 1280 squares of eighths.
        let long = if client == 2 { 13 } else { 12 };
        let grid = texts([long * ONE; 8]);
        script.step(json!({
            "command": "client.new", "client": client, "entropy": entropy(client), "input": {"v": {"grid": grid}},
        }));
    }
    for _ in 0..2 {
        for request in answer["messages"].as_array().expect("messages").clone() {
            let client = request["to"].as_u64().expect("a client") as u32;
            let response = script.ok(handle(client, &bytes(&request["message"])));
            script.step(receive(client, &bytes(&response["message"])));
        }
        answer = script.ok(close());
    }
    for (client, request) in (1..).zip(answer["messages"].as_array().expect("messages").clone()) {
        let handled = handle(client, &bytes(&request["message"]));
        if client == 2 {
            script.error(handled, json!({"abort": 131}));
        } else {
            script.ok(handled);
        }
    }
    script.end();
}

/// A whole session with noise: what two clients send is masked, so it is the sum that shows the noise.
fn session(book: &mut Book, law: &str) {
    let config = noisy(law, |_| ());
    let grid = |client: i64| texts((0..8).map(|at| (client * 7 + at * 3 - 15) * ONE / 4 + at));
    let mut script = book.script(&format!("9/session-{}", law.replace(' ', "-")), Level::Session);
    let mut answer = script.ok(json!({"command": "server.open", "config": config}));
    for client in 1..=4 {
        script.step(json!({
            "command": "client.new", "client": client, "entropy": entropy(client),
            "input": {"v": {"grid": grid(client.into())}},
        }));
    }
    for _ in 0..4 {
        for request in answer["messages"].as_array().expect("messages").clone() {
            let client = request["to"].as_u64().expect("a client") as u32;
            let response = script.ok(handle(client, &bytes(&request["message"])));
            script.step(receive(client, &bytes(&response["message"])));
        }
        answer = script.ok(close());
    }
    script.end();
}
