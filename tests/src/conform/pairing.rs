//! Whole sessions between a server and clients of which each may be another implementation.

use serde_json::{Value, json};

use super::compare::difference;
use super::replay::Outcome;
use super::scenario::{new_client_for, sums};
use super::sessions::{Change, End, Session};
use super::shim::{Answer, Shim};

/// A session stops here: a test's end, or an answer that was not the one expected.
type Stop = Outcome;

/// Plays the session: the server is `shims[server]`, client i is `shims[clients[i modulo their number]]`.
pub(super) fn play(session: &Session, shims: &mut [Shim], clients: &[usize], server: usize) -> Outcome {
    let mut play = Play { session, shims, clients, server };
    match play.rounds() {
        Ok(()) => Outcome::Passed,
        Err(stop) => stop,
    }
}

struct Play<'a> {
    session: &'a Session,
    shims: &'a mut [Shim],
    clients: &'a [usize],
    server: usize,
}

impl Play<'_> {
    fn rounds(&mut self) -> Result<(), Stop> {
        let config = self.session.config();
        let Session { clients, vectors, .. } = *self.session;
        for client in 1..=clients {
            self.client(client, &new_client_for(&config, client, vectors))?;
        }
        let mut requests = self.server(&json!({"command": "server.open", "config": config}))?;
        for round in 0..self.session.rounds() {
            self.answer(round, &requests)?;
            let close = json!({"command": "server.close_round"});
            if matches!(self.session.ends, End::TooFew(at) if at == round) {
                return self.server_error(&close, &json!({"abort": 128}));
            }
            requests = self.server(&close)?;
        }
        let mut quiet = self.shims.iter_mut().map(Shim::quiet);
        if let Some(Err(trouble)) = quiet.find(Result::is_err) {
            return Err(Outcome::Failed(trouble.to_string()));
        }
        self.check_sum(&requests)
    }

    /// The clients that are not lost answer their requests.
    fn answer(&mut self, round: usize, requests: &Value) -> Result<(), Stop> {
        let Some(messages) = requests.get("messages").and_then(Value::as_array) else {
            return Err(Outcome::Failed(format!("round {round}: the server has no messages")));
        };
        for request in messages {
            let client = request.get("to").and_then(Value::as_u64).unwrap_or_default() as u32;
            let mut message = text(request, "message")?;
            if self.session.lost.get(round).is_some_and(|lost| lost.contains(&client)) {
                continue;
            }
            if (round, client, self.session.change) == (2, 1, Change::Bundle) {
                spoil(&mut message, self.session.first_bundle());
            }
            let handle = json!({"command": "client.handle", "client": client, "message": message});
            let mut response = text(&self.client(client, &handle)?, "message")?;
            if (round + 1, client, self.session.change) == (self.session.rounds(), 2, Change::Share) {
                spoil(&mut response, 33 + 4 + 4);
            }
            self.deliver(client, &response)?;
        }
        Ok(())
    }

    /// The server takes a response, and what the session has come with it.
    fn deliver(&mut self, client: u32, response: &str) -> Result<(), Stop> {
        let receive =
            |message: &str| json!({"command": "server.receive", "from": client, "message": message});
        if self.session.change == Change::Stray {
            let mut stray = response.to_owned();
            spoil(&mut stray, 1);
            self.server_error(&receive(&stray), &json!({"must": "4.1-3"}))?;
        }
        self.server(&receive(response))?;
        if self.session.change == Change::Twice {
            self.server_error(&receive(response), &json!({"must": "4.1-4"}))?;
        }
        Ok(())
    }

    fn check_sum(&self, end: &Value) -> Result<(), Stop> {
        let End::Sum(faults) = self.session.ends else { return Ok(()) };
        let gone: Vec<u32> = self.session.lost.iter().take(3).copied().flatten().copied().collect();
        let survivors: Vec<u32> = (1..=self.session.clients).filter(|id| !gone.contains(id)).collect();
        let fault = |&(culprit, must, about): &(u32, &str, Option<u32>)| match about {
            Some(about) => json!({"culprit": culprit, "must": must, "about": about}),
            None => json!({"culprit": culprit, "must": must}),
        };
        let expected = json!({"aggregate": {
            "survivors": survivors,
            "vectors": sums(&survivors, self.session.vectors),
            "faults": faults.iter().map(fault).collect::<Value>(),
        }});
        match difference(&expected, end) {
            Some(difference) => Err(Outcome::Failed(difference)),
            None => Ok(()),
        }
    }

    fn client(&mut self, client: u32, request: &Value) -> Result<Value, Stop> {
        let which = self.clients[client as usize % self.clients.len()];
        ok(&mut self.shims[which], request)
    }

    fn server(&mut self, request: &Value) -> Result<Value, Stop> {
        ok(&mut self.shims[self.server], request)
    }

    /// The server answers with an error, and with this one.
    fn server_error(&mut self, request: &Value, expected: &Value) -> Result<(), Stop> {
        let failed = |found: String| Outcome::Failed(format!("expected {expected}, found {found}"));
        match ask(&mut self.shims[self.server], request)? {
            Answer::Error(error) => difference(expected, &error).map_or(Ok(()), |text| Err(failed(text))),
            _ => Err(failed("ok".to_owned())),
        }
    }
}

fn ok(shim: &mut Shim, request: &Value) -> Result<Value, Stop> {
    match ask(shim, request)? {
        Answer::Ok(value) => Ok(value),
        other => Err(Outcome::Failed(format!("{}: {}", request["command"], other.to_json()))),
    }
}

fn ask(shim: &mut Shim, request: &Value) -> Result<Answer, Stop> {
    match shim.ask(request) {
        Ok(Answer::Unsupported) => {
            Err(Outcome::Skipped(format!("{} of {} is unsupported", request["command"], shim.command())))
        }
        Ok(answer) => Ok(answer),
        Err(trouble) => {
            Err(Outcome::Failed(format!("{} of {}: {trouble}", request["command"], shim.command())))
        }
    }
}

fn text(value: &Value, field: &str) -> Result<String, Stop> {
    let text = value.get(field).and_then(Value::as_str);
    text.map(str::to_owned).ok_or_else(|| Outcome::Failed(format!("an answer has no {field}")))
}

/// Changes the lowest bit of the byte at `place` of a message in hexadecimal digits.
fn spoil(message: &mut String, place: usize) {
    let digit =
        message.get(2 * place + 1..2 * place + 2).and_then(|digit| u8::from_str_radix(digit, 16).ok());
    if let Some(digit) = digit {
        message.replace_range(2 * place + 1..2 * place + 2, &format!("{:x}", digit ^ 1));
    }
}
