//! Reading the values of the shim protocol (`tests/conform/README.md`) from JSON, and writing them.
//!
//! The readers panic if a value is not what the format says: they are for trusted files and for the shim.

use secagg::conformance::Item;
use secagg::parameters::Fraction;
use secagg::{
    Abort, Aggregate, Client, ClientId, Config, Input, Misbehaviour, Misuse, Policy, Requests, SafetyPolicy,
};
use serde_json::{Value, json};

use crate::transcript::{ConfigRecord, CredentialsRecord};

/// A string.
///
/// # Panics
/// If it is none; so do the functions below.
pub fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

/// A small number.
#[expect(clippy::missing_panics_doc, reason = "see text")]
pub fn number(value: &Value) -> u32 {
    value.as_u64().and_then(|number| number.try_into().ok()).expect("a number below 2^32")
}

/// The id of a client.
#[expect(clippy::missing_panics_doc, reason = "see text")]
pub fn id(value: &Value) -> ClientId {
    ClientId::new(number(value)).expect("an id")
}

/// Bytes.
#[expect(clippy::missing_panics_doc, reason = "see text")]
pub fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(text(value)).expect("hexadecimal digits")
}

/// Bytes of which the reader knows how many there are.
#[expect(clippy::missing_panics_doc, reason = "see text")]
pub fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().expect("as many bytes")
}

/// A large number.
#[expect(clippy::missing_panics_doc, reason = "see text")]
pub fn decimal<T: std::str::FromStr>(value: &Value) -> T {
    text(value).parse().ok().expect("a number in decimal digits")
}

/// The elements of a list.
#[expect(clippy::missing_panics_doc, reason = "see text")]
pub fn list<T>(value: &Value, element: impl Fn(&Value) -> T) -> Vec<T> {
    value.as_array().expect("a list").iter().map(element).collect()
}

/// A configuration.
#[expect(clippy::missing_panics_doc, reason = "see text")]
pub fn config(value: &Value) -> Config {
    serde_json::from_value::<ConfigRecord>(value.clone())
        .expect("a configuration")
        .config()
        .expect("a configuration")
}

/// A client's input.
#[expect(clippy::missing_panics_doc, reason = "see text")]
pub fn input(value: &Value) -> Input {
    let vectors = value.as_object().expect("vectors by name").iter();
    vectors.fold(Input::new(), |input, (name, coordinates)| match coordinates.get("grid") {
        Some(grid) => input.with_grid(name, list(grid, decimal)),
        None => input.with(name, list(coordinates, decimal::<u64>)),
    })
}

/// A client, without its input.
///
/// # Errors
/// Credentials of which the certificate is not the identity's.
#[expect(clippy::missing_panics_doc, reason = "see text")]
pub fn client(value: &Value) -> Result<Client, Misuse> {
    let (entropy, policy) = (array(&value["entropy"]), policy(&value["policy"]));
    match value.get("credentials") {
        None => Ok(Client::new(entropy, policy)),
        Some(given) => {
            let record = serde_json::from_value::<CredentialsRecord>(given.clone()).expect("credentials");
            Ok(Client::with_credentials(entropy, policy, record.credentials()?))
        }
    }
}

/// Allows the pinned suite and asks for nothing: no planner would accept so few clients.
pub fn trusting() -> SafetyPolicy {
    let trusting = SafetyPolicy::new(Fraction::ZERO, Fraction::ZERO);
    SafetyPolicy { security_bits: 0, correctness_bits: 0, minimum_honest: 1, roots: Some(1), ..trusting }
}

/// A client's policy; what it does not say is as in the default.
fn policy(value: &Value) -> Policy {
    let default = Policy::default();
    Policy {
        minimum_clients: value.get("clients").map_or(default.minimum_clients, number),
        minimum_threshold: value.get("threshold").map_or(default.minimum_threshold, number),
        minimum_corrupt: value.get("corrupt").map_or(default.minimum_corrupt, number),
        minimum_survivors: value.get("minimum_survivors").map_or(default.minimum_survivors, number),
        task: value.get("task").map(array),
        safety: value.get("pinned").and_then(Value::as_bool).filter(|pinned| *pinned).map(|_| trusting()),
        // The cases are about all laws of the specification.
        experimental_noise: true,
        ..default
    }
}

/// Bytes, written.
pub fn hex(bytes: impl AsRef<[u8]>) -> Value {
    hex::encode(bytes).into()
}

/// Fields of bytes, written.
pub fn hexes<const N: usize, B: AsRef<[u8]>>(names: [&str; N], values: [B; N]) -> Value {
    names.into_iter().zip(values).map(|(name, value)| (name.to_owned(), hex(value))).collect()
}

/// Large numbers, written.
pub fn decimals(numbers: impl IntoIterator<Item = impl ToString>) -> Value {
    numbers.into_iter().map(|number| number.to_string()).collect()
}

/// What a message says, written.
pub fn item(item: Item) -> Value {
    match item {
        Item::Number(number) => number.into(),
        Item::Bytes(bytes) => hex(bytes),
        Item::Coordinates(coordinates) => decimals(coordinates),
        Item::Config(config) => json!(ConfigRecord::of(&config)),
        Item::List(items) => items.into_iter().map(self::item).collect(),
        Item::Fields(fields) => fields.into_iter().map(|(name, value)| (name, self::item(value))).collect(),
    }
}

/// The requests of a round, written.
pub fn requests(requests: Requests) -> Value {
    let request = |(to, message): (ClientId, Vec<u8>)| json!({"to": to.get(), "message": hex(message)});
    json!({"messages": requests.into_iter().map(request).collect::<Value>()})
}

/// The sum and what comes with it, written.
pub fn aggregate(done: &Aggregate) -> Value {
    let sums = done.vectors.iter().map(|(spec, sum)| (spec.name.clone(), decimals(sum.iter())));
    let faults = done.faults.iter().map(|fault| {
        let mut written = json!({"culprit": fault.culprit.get(), "must": fault.what.id()});
        if let Some(about) = fault.about {
            written["about"] = about.get().into();
        }
        written
    });
    json!({"aggregate": {
        "session": hex(done.session),
        "survivors": done.survivors.iter().map(|id| id.get()).collect::<Value>(),
        "vectors": sums.collect::<Value>(),
        "faults": faults.collect::<Value>(),
    }})
}

/// A broken rule, written.
pub fn must(what: Misbehaviour) -> Value {
    json!({"must": what.id()})
}

/// The end of a session, written.
pub fn abort(why: Abort) -> Value {
    match why {
        Abort::Server(what) => must(what),
        Abort::Unrecoverable { ref suspects, .. } => {
            json!({"abort": why.code(), "suspects": suspects.iter().map(|id| id.get()).collect::<Value>()})
        }
        _ => json!({"abort": why.code()}),
    }
}

/// A mistake of the caller, written.
pub fn misuse(why: Misuse) -> Value {
    abort(why.into())
}
