//! A server of a suite with identities that leaves out the checks of signatures and draws of a round: it knows all
//! secrets, and puts every answer right by itself.

use quinn::SendStream;
use secagg::conformance;
use secagg::{ClientId, Closed};
use secagg_transport::enrolment::{Certificate, KeyKind};

use super::active::People;
use super::*;

const HEADER: usize = 33;

/// Who has an id: its secret and its certificate.
#[derive(Clone)]
struct Person([u8; 32], Certificate);

/// The sessions of the suite active: all clients are needed in no round but the first.
pub(super) fn active(people: &People) -> Config {
    let suite = Suite::Active { corrupt: 0, authority: people.authority() };
    Config {
        suite,
        graph: Graph::Complete,
        clients: 3,
        threshold: 2,
        minimum_survivors: 2,
        vectors: vec![VectorSpec::new("v", 3, 9)],
        task: Sha256::digest(b"").into(),
        nonce: [0; 32],
    }
}

/// Those of the suite pinned, the same.
pub(super) fn pinned(people: &People) -> Config {
    let suite = Suite::Pinned { corrupt: 1, authority: people.authority() };
    Config { suite, graph: Graph::KOut { degree: 4 }, clients: 5, threshold: 3, ..active(people) }
}

/// Serves such sessions until the runtime ends; `lax` is the stage of the round.
pub(super) fn start(runtime: &Runtime, people: &People, config: Config, lax: u8) -> String {
    let (endpoint, address) = raw_endpoint(runtime);
    let people: Vec<Person> = (1..=config.clients)
        .map(|number| {
            let key = people.path(&format!("conform-{number:03}"));
            let certificate = Certificate::read(format!("{key}.cert").as_ref()).unwrap();
            Person(*KeyKind::Identity.read_secret(key.as_ref()).unwrap(), certificate)
        })
        .collect();
    runtime.spawn(async move {
        for session in 0u8.. {
            let config = Config { nonce: [session; 32], ..config.clone() };
            // A session that breaks off is of no interest here.
            let _ = play(&endpoint, config, &people, lax).await;
        }
    });
    address
}

/// A client: its join, its connection, and the stream on which it is answered next.
struct Seat(Vec<u8>, Connection, SendStream);

async fn play(endpoint: &Endpoint, config: Config, people: &[Person], lax: u8) -> Option<()> {
    let mut seats = joined(endpoint, config.clients).await?;
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
            let (reply, mut receive) = seats[at].1.accept_bi().await.ok()?;
            let mut response = receive.read_to_end(1 << 16).await.ok()?.split_off(9);
            seats[at].2 = reply;
            if stage == lax {
                response = mended(stage, id, &response, &config, (&people[at], &seats[at].0));
            }
            if let Err(fault) = server.receive(id, &response) {
                say(&mut seats[at], fault.what.code(), &[]).await?;
                // The frame first, then the close.
                seats[at].2.stopped().await.ok();
                seats[at].1.close(VarInt::from_u32(fault.what.code().into()), b"");
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
        seat.1.closed().await;
    }
    Some(())
}

/// The clients in the order of their names.
async fn joined(endpoint: &Endpoint, clients: u32) -> Option<Vec<Seat>> {
    let mut seats = Vec::new();
    for _ in 0..clients {
        let connection = endpoint.accept().await?.await.ok()?;
        let (reply, mut join) = connection.accept_bi().await.ok()?;
        seats.push(Seat(join.read_to_end(100).await.ok()?, connection, reply));
    }
    seats.sort_by(|a, b| a.0.cmp(&b.0));
    Some(seats)
}

async fn say(seat: &mut Seat, status: u8, body: &[u8]) -> Option<()> {
    let frame = [&[status][..], &(body.len() as u64).to_be_bytes(), body].concat();
    seat.2.write_all(&frame).await.ok()?;
    seat.2.finish().ok()
}

/// What the client would have answered if it had kept the rule.
fn mended(
    stage: u8,
    id: ClientId,
    response: &[u8],
    config: &Config,
    (person, join): (&Person, &[u8]),
) -> Vec<u8> {
    let Person(secret, certificate) = person;
    let part = |at: usize| response[HEADER + at..HEADER + at + 32].try_into().unwrap();
    // The tool derives all entropy from the name, which is behind the header and three bytes of the join.
    let [draw, commitment] = conformance::draw(config, id, &Sha256::digest(&join[12..]).into());
    let pinned = matches!(config.suite, Suite::Pinned { .. });
    let session = response[1..HEADER].try_into().unwrap();
    // Everybody has shared and survived.
    let all = [(1 << config.clients) - 1];
    match stage {
        1 => {
            let commitment = pinned.then_some(commitment);
            let keys = [part(0), part(32)];
            let statement = conformance::advertisement_statement(config, id, keys, commitment.as_ref());
            let signature = conformance::signature(secret, &statement);
            let (keys, commitment) = (&response[..HEADER + 64], commitment.as_ref().map_or(&[][..], |c| c));
            [keys, commitment, &certificate.identity, &certificate.signature, &signature].concat()
        }
        2 => [&response[..HEADER + 32], &draw, &response[HEADER + 64..]].concat(),
        3 => {
            let signature = conformance::signature(secret, &conformance::sharers_statement(&session, &all));
            [&response[..HEADER], &signature, &response[HEADER + 64..]].concat()
        }
        _ => {
            let number = config.suite.number().into();
            let statement = conformance::survivors_statement(number, &session, &all, &all);
            [&response[..HEADER], &conformance::signature(secret, &statement)].concat()
        }
    }
}
