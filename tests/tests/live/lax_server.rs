//! A server of the active suite that leaves out the checks of signatures of a round: it knows all secrets, and puts
//! every answer right by itself.

use quinn::SendStream;
use secagg::conformance;
use secagg::{ClientId, Closed};
use secagg_transport::enrolment::{Certificate, KeyKind};

use super::active::People;
use super::*;

/// The sessions are of three clients, all of whom are needed in no round but the first.
const CLIENTS: u32 = 3;
const HEADER: usize = 33;

/// Who has an id: its secret and its certificate.
#[derive(Clone)]
struct Person([u8; 32], Certificate);

/// Serves until the runtime ends; `lax` is the stage of the round.
pub(super) fn start(runtime: &Runtime, people: &People, lax: u8) -> String {
    let (endpoint, address) = raw_endpoint(runtime);
    let suite = Suite::Active { corrupt: 0, authority: people.authority() };
    let people: Vec<Person> = (1..=CLIENTS)
        .map(|number| {
            let key = people.path(&format!("conform-{number:03}"));
            let certificate = Certificate::read(format!("{key}.cert").as_ref()).unwrap();
            Person(*KeyKind::Identity.read_secret(key.as_ref()).unwrap(), certificate)
        })
        .collect();
    runtime.spawn(async move {
        for session in 0u8.. {
            let config = Config {
                suite,
                graph: Graph::Complete,
                clients: CLIENTS,
                threshold: 2,
                minimum_survivors: 2,
                vectors: vec![VectorSpec::new("v", 3, 9)],
                task: Sha256::digest(b"").into(),
                nonce: [session; 32],
            };
            // A session that breaks off is of no interest here.
            let _ = play(&endpoint, config, &people, lax).await;
        }
    });
    address
}

/// A client with the stream on which it is answered next.
struct Seat(Connection, SendStream);

async fn play(endpoint: &Endpoint, config: Config, people: &[Person], lax: u8) -> Option<()> {
    let mut seats = joined(endpoint).await?;
    let (mut server, mut requests) = Server::open(config.clone()).ok()?;
    let mut prefix = vec![0; 8];
    for stage in 1u8.. {
        let mut asked = Vec::new();
        for (id, request) in requests {
            let at = id.get() as usize - 1;
            let body = [&prefix[..], &request].concat();
            say(&mut seats[at], 0, &body).await?;
            asked.push((id, at));
        }
        prefix.clear();
        for (id, at) in asked {
            let (reply, mut receive) = seats[at].0.accept_bi().await.ok()?;
            let mut response = receive.read_to_end(1 << 16).await.ok()?.split_off(9);
            seats[at].1 = reply;
            if stage == lax {
                response = mended(stage, id, &response, &config, &people[at]);
            }
            if let Err(fault) = server.receive(id, &response) {
                say(&mut seats[at], fault.what.code(), &[]).await?;
                // The frame first, then the close.
                seats[at].1.stopped().await.ok();
                seats[at].0.close(VarInt::from_u32(fault.what.code().into()), b"");
            }
        }
        match server.close_round().ok()? {
            Closed::Next(next) => requests = next,
            Closed::Done(_) => break,
        }
    }
    for seat in &mut seats {
        say(seat, 192, &[]).await;
    }
    for seat in seats {
        seat.0.closed().await;
    }
    Some(())
}

/// The clients in the order of their names.
async fn joined(endpoint: &Endpoint) -> Option<Vec<Seat>> {
    let mut seats = Vec::new();
    for _ in 0..CLIENTS {
        let connection = endpoint.accept().await?.await.ok()?;
        let (reply, mut join) = connection.accept_bi().await.ok()?;
        seats.push((join.read_to_end(100).await.ok()?, Seat(connection, reply)));
    }
    seats.sort_by(|a, b| a.0.cmp(&b.0));
    Some(seats.into_iter().map(|(_, seat)| seat).collect())
}

async fn say(seat: &mut Seat, status: u8, body: &[u8]) -> Option<()> {
    let frame = [&[status][..], &(body.len() as u64).to_be_bytes(), body].concat();
    seat.1.write_all(&frame).await.ok()?;
    seat.1.finish().ok()
}

/// What the client would have answered if it had kept the rule.
fn mended(stage: u8, id: ClientId, response: &[u8], config: &Config, person: &Person) -> Vec<u8> {
    let Person(secret, certificate) = person;
    let part = |at: usize| response[HEADER + at..HEADER + at + 32].try_into().unwrap();
    if stage == 1 {
        let statement = conformance::advertisement_statement(config, id, [part(0), part(32)], None);
        let signature = conformance::signature(secret, &statement);
        let (keys, identity) = (&response[..HEADER + 64], &certificate.identity);
        return [keys, identity, &certificate.signature, &signature].concat();
    }
    // Everybody has shared and survived.
    let session = response[1..HEADER].try_into().unwrap();
    let statement = conformance::survivors_statement(2, &session, &[0b111], &[0b111]);
    [&response[..HEADER], &conformance::signature(secret, &statement)].concat()
}
