//! The shim of the Rust core: JSON lines in, JSON lines out, as `tests/conform/README.md` says.
//!
//! It trusts the runner: a request that is not in the format ends the program, which the runner reports.

use std::collections::BTreeMap;
use std::io::{BufRead, Write};

use secagg::conformance as core;
use secagg::{Client, Closed, Misbehaviour, Server};
use secagg_tests::derivations::derive;
use secagg_tests::json::{
    self, abort, aggregate, bytes, config, hex, id, input, item, misuse, must, number, requests, text,
};
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
                let mut client = json::client(r).map_err(misuse)?;
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
