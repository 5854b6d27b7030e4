//! The shim of the Rust core: JSON lines in, JSON lines out, as `tests/conform/README.md` says.
//!
//! It trusts the runner: a request that is not in the format ends the program, which the runner reports.

use std::collections::BTreeMap;
use std::io::{BufRead, Write};

use secagg::conformance as core;
use secagg::{Client, Closed, Misbehaviour, Server};
use secagg_tests::json::*;
use secagg_tests::transcript::law;
use serde_json::{Value, json};

#[derive(Default)]
struct Parties {
    clients: BTreeMap<u64, Client>,
    server: Option<Server>,
}

fn main() -> std::io::Result<()> {
    let mut parties = Parties::default();
    for line in std::io::stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line?)?;
        let (key, value) = match parties.answer(&request) {
            Ok(Value::Null) => ("unsupported", true.into()),
            Ok(ok) => ("ok", ok),
            Err(error) => ("error", error),
        };
        println!("{}", json!({"id": request["id"], key: value}));
        std::io::stdout().flush()?;
    }
    Ok(())
}

impl Parties {
    /// What comes of a command; null if there is no such command.
    fn answer(&mut self, r: &Value) -> Result<Value, Value> {
        let client = self.clients.get_mut(&r["client"].as_u64().unwrap_or_default());
        match text(&r["command"]) {
            "hello" => Ok(json!({"name": "secagg (Rust)"})),
            "decode" => decode(r).map_err(must),
            "derive" => derive(r),
            "client.new" => {
                let mut client = Client::new(array(&r["entropy"]), policy(&r["policy"]));
                r.get("input").map_or(Ok(()), |given| client.set_input(input(given))).map_err(misuse)?;
                self.clients.insert(u64::from(number(&r["client"])), client);
                Ok(json!({}))
            }
            "client.input" => {
                client.unwrap().set_input(input(&r["input"])).map(|()| json!({})).map_err(misuse)
            }
            "client.handle" => client
                .unwrap()
                .handle(&bytes(&r["message"]))
                .map(|out| json!({"message": hex(out)}))
                .map_err(abort),
            "server.open" => {
                let (server, first) = Server::open(config(&r["config"])).map_err(misuse)?;
                self.server = Some(server);
                Ok(requests(first))
            }
            "server.receive" => {
                let received = self.server.as_mut().unwrap().receive(id(&r["from"]), &bytes(&r["message"]));
                received.map(|()| json!({})).map_err(|fault| must(fault.what))
            }
            "server.close_round" => match self.server.as_mut().unwrap().close_round() {
                Ok(Closed::Next(next)) => Ok(requests(next)),
                Ok(Closed::Done(done)) => Ok(aggregate(&done)),
                Err(why) => Err(abort(why)),
            },
            _ => Ok(Value::Null),
        }
    }
}

fn decode(r: &Value) -> Result<Value, Misbehaviour> {
    let message = bytes(&r["message"]);
    let (session, fields, again) = core::decode(&message, r.get("config").map(config).as_ref())?;
    let heading = json!({"type": message[0], "session": hex(session), "message": hex(again)});
    let mut all = item(core::Item::Fields(fields));
    all.as_object_mut().unwrap().extend(heading.as_object().unwrap().clone());
    Ok(all)
}

fn derive(r: &Value) -> Result<Value, Value> {
    let [session, secret, seed, key] =
        ["session", "secret", "self_mask_seed", "key"].map(|name| move || array(&r[name]));
    let config = || config(&r["config"]);
    let party = |name: &str| (id(&r[name]["id"]), array(&r[name]["key"]));
    let way = || (session(), party("owner"), party("holder"));
    let place = || (number(&r["place"]) as u8, number(&r["bits"]) as u8, number(&r["length"]));
    Ok(match text(&r["name"]) {
        "hash" => hexes(["hash"], [core::hash(text(&r["label"]), &bytes(&r["parts"]))]),
        "key" => {
            let (ikm, parts) = (bytes(&r["ikm"]), bytes(&r["parts"]));
            hexes(["key"], [core::key(text(&r["label"]), &array(&r["salt"]), &ikm, &parts)])
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
            let member = |m: &Value| (id(&m["id"]), array(&m["encryption_key"]), array(&m["mask_key"]));
            hexes(["session"], [core::session_id(&config(), &list(&r["members"], member))])
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

fn seed_of(r: &Value) -> core::Bytes32 {
    array(&r["seed"])
}
