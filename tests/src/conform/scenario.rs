//! The parties of the tests: configurations, entropy and inputs that are the same everywhere.

use secagg::{Authority, Credentials};
use serde_json::{Value, json};

/// A vector of a configuration.
#[derive(Clone, Copy, Debug)]
pub struct Vector {
    /// Its name.
    pub name: &'static str,
    /// Its coordinates.
    pub length: u32,
    /// The bits of each.
    pub bits: u8,
}

/// One vector for each lane width, and each end of it.
pub const ALL_LANES: [Vector; 6] = [
    Vector { name: "one bit", length: 9, bits: 1 },
    Vector { name: "full 16", length: 3, bits: 16 },
    Vector { name: "least 32", length: 5, bits: 17 },
    Vector { name: "full 32", length: 2, bits: 32 },
    Vector { name: "least 64", length: 3, bits: 33 },
    Vector { name: "greatest", length: 2, bits: 62 },
];

/// A configuration: on the complete graph without a `degree`.
pub fn config(degree: Option<u32>, clients: u32, threshold: u32, vectors: &[Vector], nonce: u8) -> Value {
    let spec = |vector: &Vector| json!({"name": vector.name, "length": vector.length, "bits": vector.bits});
    let mut config = json!({
        "suite": "curious",
        "graph": if degree.is_some() { "regular" } else { "complete" },
        "clients": clients,
        "threshold": threshold,
        "minimum_survivors": 1,
        "vectors": vectors.iter().map(spec).collect::<Value>(),
        "task": hex::encode([0xa5; 32]),
        "nonce": hex::encode([nonce; 32]),
    });
    if let Some(degree) = degree {
        config["degree"] = degree.into();
    }
    config
}

/// The configuration in the active suite.
pub fn active(mut config: Value, corrupt: u32) -> Value {
    config["suite"] = "active".into();
    config["corrupt"] = corrupt.into();
    config["authority"] = hex::encode(authority().public()).into();
    config
}

/// The configuration in the pinned suite, if there is a degree.
pub fn pinned(config: Value, corrupt: u32) -> Value {
    let mut config = active(config, corrupt);
    config["suite"] = "pinned".into();
    config["graph"] = "k-out".into();
    config
}

/// The configuration in the suite that has corrupt clients, if there are any: the active one, or with a degree the
/// pinned one.
pub fn signed(config: Value, corrupt: Option<u32>) -> Value {
    match corrupt {
        None => config,
        Some(corrupt) if config.get("degree").is_some() => pinned(config, corrupt),
        Some(corrupt) => active(config, corrupt),
    }
}

/// The authority of all sessions with signatures.
fn authority() -> Authority {
    Authority::new([0xa7; 32])
}

/// The identity of a client, which the authority has certified.
///
/// # Panics
/// Never.
pub fn credentials(client: u32) -> Value {
    let secret = identity_secret(client);
    let certificate = authority().certify(&Credentials::identity_of(&secret)).expect("a good identity");
    json!({
        "secret": hex::encode(secret),
        "certificate": hex::encode(certificate),
        "authority": hex::encode(authority().public()),
    })
}

/// The secret of a client's identity.
pub fn identity_secret(client: u32) -> [u8; 32] {
    [0xc0 + client as u8; 32]
}

/// A client's entropy.
pub fn entropy(client: u32) -> String {
    hex::encode([0x10 + client as u8; 32])
}

/// A client's coordinate at `index` of a vector: among them the least and the greatest.
pub fn coordinate(client: u32, vector: &Vector, index: u32) -> u64 {
    let greatest = (1u64 << vector.bits) - 1;
    match (client + index) % 5 {
        0 => 0,
        1 => greatest,
        other => greatest / 7 * u64::from(other) + u64::from(client),
    }
    .min(greatest)
}

/// A client's whole input.
pub fn input(client: u32, vectors: &[Vector]) -> Value {
    let coordinates = |vector: &Vector| {
        (0..vector.length).map(|index| coordinate(client, vector, index).to_string()).collect::<Value>()
    };
    vectors.iter().map(|vector| (vector.name.to_owned(), coordinates(vector))).collect()
}

/// The sums of these clients' inputs.
pub fn sums(clients: &[u32], vectors: &[Vector]) -> Value {
    let sum = |vector: &Vector, index: u32| {
        let sum: u128 = clients.iter().map(|&client| u128::from(coordinate(client, vector, index))).sum();
        (sum % (1 << vector.bits)).to_string()
    };
    let of = |vector: &Vector| (0..vector.length).map(|index| sum(vector, index)).collect::<Value>();
    vectors.iter().map(|vector| (vector.name.to_owned(), of(vector))).collect()
}

/// The request that makes a client with its input.
pub fn new_client(client: u32, vectors: &[Vector]) -> Value {
    json!({
        "command": "client.new",
        "client": client,
        "entropy": entropy(client),
        "input": input(client, vectors),
    })
}

/// The same for a configuration: with credentials where clients sign, and with the policy that the pinned suite takes.
pub fn new_client_for(config: &Value, client: u32, vectors: &[Vector]) -> Value {
    let mut new = new_client(client, vectors);
    if config["suite"] != "curious" {
        new["credentials"] = credentials(client);
    }
    if config["suite"] == "pinned" {
        new["policy"] = json!({"pinned": true});
    }
    new
}
