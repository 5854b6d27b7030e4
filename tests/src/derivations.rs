//! The derivations of the document by their names in `tests/conform/README.md`: what the shim is asked for.

use secagg::conformance as core;
use serde_json::{Value, json};

use crate::json::*;
use crate::transcript::law;

/// The fields of the answer; null if there is no such name.
///
/// # Errors
/// The rule that is broken.
///
/// # Panics
/// If a field is not of its format.
pub fn derive(r: &Value) -> Result<Value, Value> {
    let [session, secret, seed, key] =
        ["session", "secret", "self_mask_seed", "key"].map(|name| move || array(&r[name]));
    let config = || config(&r["config"]);
    let party = |name: &str| (id(&r[name]["id"]), array(&r[name]["key"]));
    let way = || (session(), party("owner"), party("holder"));
    let place = || (number(&r["place"]) as u8, number(&r["bits"]) as u8, number(&r["length"]));
    Ok(match text(&r["name"]) {
        "hash" => hexes(["hash"], [core::hash(suite(r), text(&r["label"]), &bytes(&r["parts"]))]),
        "key" => {
            let (ikm, parts) = (bytes(&r["ikm"]), bytes(&r["parts"]));
            hexes(["key"], [core::key(suite(r), text(&r["label"]), &array(&r["salt"]), &ikm, &parts)])
        }
        "encryption agreement" => {
            hexes(["agreement"], [core::encryption_agreement(&secret(), &key()).map_err(must)?])
        }
        "mask agreement" => hexes(["agreement"], [core::mask_agreement(&secret(), &key()).map_err(must)?]),
        "bundle" => hexes(
            ["key", "bundle"],
            core::bundle(&way(), &secret(), &array(&r["mask_key"]), &seed()).map_err(must)?,
        ),
        "opened bundle" => {
            let shares = core::opened_bundle(&way(), &secret(), &bytes(&r["bundle"])).map_err(must)?;
            hexes(["mask_key", "self_mask_seed"], shares)
        }
        "keystream" => hexes(["bytes"], [core::keystream(&array(&r["seed"]), number(&r["length"]) as usize)]),
        "uniform" => {
            let below = list(&r["below"], |bound| text(bound).parse().unwrap());
            json!({"numbers": decimals(core::uniform(&array(&r["seed"]), &below))})
        }
        "own mask" => {
            json!({"lanes": decimals(core::own_mask(&session(), id(&r["client"]), &seed(), place()))})
        }
        "pairwise mask" => {
            let lanes = core::pairwise_mask(&session(), &secret(), &party("mine"), &party("theirs"), place())
                .map_err(must)?;
            json!({"lanes": decimals(lanes)})
        }
        "commitment" => hexes(["commitment"], [core::commitment(&session(), id(&r["client"]), &seed())]),
        "shares" => {
            let holders = list(&r["holders"], id);
            let dealt = core::shares(&config(), id(&r["client"]), &array(&r["entropy"]), &holders).unwrap();
            let [mask_key, seed] = dealt.map(|shares| shares.iter().map(hex).collect::<Value>());
            json!({"mask_key": mask_key, "self_mask_seed": seed})
        }
        "secret" => {
            let shares = list(&r["shares"], |share| (id(&share["holder"]), array(&share["share"])));
            hexes(["secret"], [core::secret(&shares)])
        }
        "client" => {
            let names = ["mask_secret", "self_mask_seed", "encryption_key", "mask_key"];
            hexes(names, core::client(&config(), id(&r["client"]), &array(&r["entropy"])).unwrap())
        }
        "config id" => hexes(["encoded", "config_id"], [core::encoded(&config()), config().id().to_vec()]),
        "session id" => {
            let proof = |m: &Value| {
                m.get("identity").map(|one| (array(one), array(&m["certificate"]), array(&m["signature"])))
            };
            let member = |m: &Value| (id(&m["id"]), keys(m), commitment_of(m), proof(m));
            hexes(["session"], [core::session_id(&config(), &list(&r["members"], member))])
        }
        "identity" => hexes(["identity"], [core::identity(&secret())]),
        "signature" => hexes(["signature"], [core::signature(&secret(), &array(&r["statement"]))]),
        "checked signature" => {
            let (identity, statement) = (array(&r["identity"]), array(&r["statement"]));
            let valid = core::checked_signature(&identity, &statement, &array(&r["signature"]));
            json!({"valid": valid.map_err(must)?})
        }
        "certificate statement" => {
            hexes(["statement"], [core::certificate_statement(&array(&r["identity"]))])
        }
        "advertisement statement" => {
            let commitment = commitment_of(r);
            let statement =
                core::advertisement_statement(&config(), id(&r["client"]), keys(r), commitment.as_ref());
            hexes(["statement"], [statement])
        }
        "survivors statement" => {
            let (sharers, survivors) = (bytes(&r["sharers"]), bytes(&r["survivors"]));
            let suite = r.get("suite").map_or(2, number);
            hexes(["statement"], [core::survivors_statement(suite, &session(), &sharers, &survivors)])
        }
        "sharers statement" => {
            hexes(["statement"], [core::sharers_statement(&session(), &bytes(&r["sharers"]))])
        }
        "draw" => {
            hexes(["draw", "draw_commitment"], core::draw(&config(), id(&r["client"]), &array(&r["entropy"])))
        }
        "holders" => {
            let (roster, degree) = (list(&r["roster"], id), number(&r["degree"]));
            let holders = core::holders(&session(), id(&r["owner"]), &array(&r["draw"]), &roster, degree);
            json!({"holders": holders})
        }
        "graph" => {
            json!({"neighbours": core::graph(&config(), &session(), &list(&r["roster"], id))})
        }
        "packing" => {
            let coordinates = list(&r["coordinates"], |coordinate| text(coordinate).parse().unwrap());
            hexes(["packed"], [core::packing(number(&r["bits"]) as u8, &coordinates)])
        }
        "noise" => {
            let count = number(&r["count"]) as usize;
            let drawn = core::noise(law(text(&r["law"])), decimal(&r["variance"]), &seed_of(r), count);
            json!({"noise": decimals(drawn.unwrap())})
        }
        "rotation" => {
            let signs = core::signs(&seed_of(r), number(&r["count"]) as usize);
            json!({"negated": signs.into_iter().map(u8::from).collect::<Value>()})
        }
        "rounding" => {
            let grid: Vec<i64> = list(&r["grid"], decimal);
            match core::rounding(&grid, decimal(&r["norm_squared"]), &seed_of(r)) {
                Some(rounded) => json!({"rounded": decimals(rounded)}),
                None => return Err(json!({"abort": 131})),
            }
        }
        "wrapping" => {
            let (rounded, noise): (Vec<i64>, Vec<i64>) =
                (list(&r["rounded"], decimal), list(&r["noise"], decimal));
            json!({"elements": decimals(core::wrapping(number(&r["bits"]) as u8, &rounded, &noise))})
        }
        "centring" => {
            let elements: Vec<u64> = list(&r["elements"], decimal);
            json!({"integers": decimals(core::centring(number(&r["bits"]) as u8, &elements))})
        }
        _ => Value::Null,
    })
}

/// The suite of a hash: that of most cases, if the request does not say.
fn suite(r: &Value) -> u32 {
    r.get("suite").map_or(1, number)
}

/// The public keys: encryption and mask.
fn keys(r: &Value) -> [core::Bytes32; 2] {
    [array(&r["encryption_key"]), array(&r["mask_key"])]
}

/// The draw commitment, in the pinned suite.
fn commitment_of(r: &Value) -> Option<core::Bytes32> {
    r.get("draw_commitment").map(array)
}

fn seed_of(r: &Value) -> core::Bytes32 {
    array(&r["seed"])
}
