//! Section 9.6: the chains of seeds, rules for levels, and sessions in which superfluous noise is removed.

use secagg_tests::conform::scenario::{active, credentials, entropy};
use secagg_tests::conform::vectors::Level;
use serde_json::{Value, json};

use crate::book::{Book, Script};
use crate::derivations::derive;
use crate::messages::{advertise, decode};
use crate::noise::{ONE, noisy, texts};
use crate::rehearsal::{bytes, close, handle, receive};

pub(crate) fn write(book: &mut Book) {
    for (name, client, place, components) in [("first", 1u32, 0, 1), ("several", 0x0102_0304, 7, 5)] {
        let session = hex::encode([3u8; 32]);
        let request = json!({
            "session": session, "client": client, "place": place, "seed": hex::encode([client as u8; 32]),
            "components": components,
        });
        book.known(&format!("9.6/chain-{name}"), derive("removal", request));
    }
    parameters(book);
    for (name, is_active, law) in [
        ("curious-skellam", false, "skellam"),
        ("curious-gaussian", false, "discrete gaussian"),
        ("active", true, "skellam"),
    ] {
        let config = session_of(law, is_active);
        for dropouts in 0..=2 {
            sum(book, &format!("{name}-{dropouts}-dropped"), &config, dropouts, 0);
        }
        sum(book, &format!("{name}-1-dropped-and-1-late"), &config, 1, 1);
    }
    seeds(book);
}

/// A variance of so many squares.
fn variance(squares: u64) -> Value {
    (squares << 16).to_string().into()
}

fn levels(of: &[(u32, u64)]) -> Value {
    of.iter()
        .map(|&(survivors, squares)| json!({"survivors": survivors, "variance": variance(squares)}))
        .collect()
}

fn parameters(book: &mut Book) {
    let quarter = |quarters: u64| Value::from((quarters << 14).to_string());
    let at = |survivors: u32, variance: Value| json!({"survivors": survivors, "variance": variance});
    let least = 9 * 4 + 1;
    for law in ["discrete gaussian", "skellam"] {
        let name = law.replace(' ', "-");
        let greatest = if law == "skellam" { 1u64 << 40 } else { 1 << 60 };
        let many: Value = (0..255u32).map(|k| at(1000 - k, quarter(u64::from(least + k)))).collect();
        for (what, levels) in [
            ("one-level", json!([at(4, quarter(u64::from(least)))])),
            (
                "extreme-levels",
                json!([at(u32::MAX, quarter(u64::from(least))), at(0, greatest.to_string().into())]),
            ),
            ("most-levels", many),
        ] {
            let config = noisy(law, |vector| vector["noise"]["levels"] = levels);
            let message = advertise(book, &config, |_| ());
            book.known(&format!("9.1/{name}-{what}"), decode(&message));
        }
        for (what, levels) in [
            ("level-too-close", json!([at(4, ((9u64 << 16) + (1 << 14) - 1).to_string().into())])),
            ("level-of-less", json!([at(4, variance(8))])),
            ("level-too-great", json!([at(4, (greatest + 1).to_string().into())])),
            ("second-level-too-close", json!([at(4, variance(10)), at(3, variance(10))])),
            ("levels-of-equal-survivors", levels(&[(4, 10), (4, 11)])),
            ("levels-of-ascending-survivors", levels(&[(3, 10), (4, 11)])),
        ] {
            let config = noisy(law, |vector| vector["noise"]["levels"] = levels);
            let message = advertise(book, &config, |_| ());
            book.breaks(&format!("9.1-1/{name}-{what}"), decode(&message));
        }
    }
    // More levels announced than there are.
    let config = noisy("skellam", |_| ());
    let message = advertise(book, &config, |encoded| {
        let place = encoded.len() - 64 - 1;
        encoded[place] = 7;
    });
    book.breaks("4.1-1/levels-missing", decode(&message));
}

/// Two vectors with noise, of which the second has levels: needed if one client, and if more than one is missing.
fn session_of(law: &str, is_active: bool) -> Value {
    let clients = if is_active { 5 } else { 4 };
    let mut config =
        noisy(law, |vector| vector["noise"]["levels"] = levels(&[(clients, 11), (clients - 1, 14)]));
    let mut plain = config["vectors"][0].clone();
    plain["name"] = "w".into();
    plain["noise"].as_object_mut().expect("noise").remove("levels");
    config["vectors"].as_array_mut().expect("vectors").insert(0, plain);
    if is_active {
        (config["clients"], config["threshold"]) = (clients.into(), 3.into());
        return active(config, 0);
    }
    config
}

fn clients(config: &Value) -> u32 {
    config["clients"].as_u64().expect("a number") as u32
}

/// Goes on to the requests of `round`, counted from 0; who is `gone` does not answer in MaskedInputCollection.
fn begin(script: &mut Script<'_>, config: &Value, round: usize, gone: u32) -> Vec<(u32, Vec<u8>)> {
    let mut answer = script.step(json!({"command": "server.open", "config": config}));
    for client in 1..=clients(config) {
        let grid = texts((0..8).map(|at| (i64::from(client) * 7 + at * 3 - 15) * ONE / 4 + at));
        let mut new = json!({
            "command": "client.new", "client": client, "entropy": entropy(client),
            "input": {"v": {"grid": grid}, "w": {"grid": grid}},
        });
        if config["suite"] == "active" {
            new["credentials"] = credentials(client);
        }
        script.step(new);
    }
    for number in 0..round {
        for (client, request) in requests(&answer) {
            if number >= 2 && client <= gone {
                continue;
            }
            let response = script.step(handle(client, &request));
            script.step(receive(client, &bytes(&response["message"])));
        }
        answer = script.step(close());
    }
    requests(&answer)
}

fn requests(answer: &Value) -> Vec<(u32, Vec<u8>)> {
    let all = answer["messages"].as_array().expect("messages").iter();
    all.map(|one| (one["to"].as_u64().expect("a client") as u32, bytes(&one["message"]))).collect()
}

fn unmasking(config: &Value) -> usize {
    if config["suite"] == "active" { 4 } else { 3 }
}

/// A session of which so many clients drop out, and so many survivors do not answer Unmasking.
fn sum(book: &mut Book, name: &str, config: &Value, gone: u32, late: u32) {
    let mut script = book.script(&format!("9.6/{name}"), Level::Session);
    for (client, request) in begin(&mut script, config, unmasking(config), gone) {
        if client > gone + late {
            let response = script.ok(handle(client, &request));
            script.step(receive(client, &bytes(&response["message"])));
        }
    }
    script.ok(close());
    script.end();
}

/// Answers with too few or too many seeds.
fn seeds(book: &mut Book) {
    for (suite, is_active) in [("curious", false), ("active", true)] {
        let config = session_of("skellam", is_active);
        for (what, gone, fewer) in [("none", 0, true), ("one-more", 0, false), ("one-of-none", 2, false)] {
            let mut script = book.script(&format!("4.6-15/{suite}-{what}"), Level::Misbehaviour);
            let requests = begin(&mut script, &config, unmasking(&config), gone);
            let (client, request) = requests.last().expect("a survivor").clone();
            let mut response = bytes(&script.step(handle(client, &request))["message"]);
            if fewer {
                response.truncate(response.len() - 32)
            } else {
                response.extend([1; 32])
            }
            script.breaks(receive(client, &response));
            script.end();
        }
    }
}
