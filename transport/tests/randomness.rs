//! The source of randomness fails at each draw in turn: the party ends with that error, and nothing has left it.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use secagg::{Counts, Graph, Policy, Suite};
use secagg_transport::enrolment::{EnrolmentError, KeyKind};
use secagg_transport::{
    Error, HEADER_BYTES, Limits, Participation, Randomness, SecaggClient, SecaggServer, SessionPlan, Status,
};
use support::{HANG, active_plan, assert_exact, client, credentials, input, loopback, name, plan, server};
use tokio::task::JoinHandle;

/// More draws than anything here makes.
const MANY: u32 = 100;

/// Fails at this draw, counted from 0; the counter tells how many there were.
fn failing_at(draw: u32) -> (Randomness, Arc<AtomicU32>) {
    let drawn = Arc::new(AtomicU32::new(0));
    let count = drawn.clone();
    let source = move |bytes: &mut [u8]| {
        if count.fetch_add(1, Ordering::SeqCst) == draw {
            return Err(getrandom::Error::UNEXPECTED);
        }
        // Each draw another one.
        bytes.fill(count.load(Ordering::SeqCst) as u8);
        Ok(())
    };
    (Randomness::of(source), drawn)
}

fn plans() -> [SessionPlan; 2] {
    [plan(4, Graph::Complete), active_plan(4)]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_randomness_sends_no_request() {
    for plan in plans() {
        for draw in 0..MANY {
            let mut server = server(Limits::default());
            let (randomness, drawn) = failing_at(draw);
            server.draw_from(randomness);
            let clients: Vec<_> = (0..4).map(|index| client(&server, &plan, index, None)).collect();
            let outcome = tokio::time::timeout(HANG, server.run_session(&plan)).await.expect("hangs");
            if drawn.load(Ordering::SeqCst) <= draw {
                assert!(draw > 0, "a nonce is drawn");
                assert_exact(&plan, &outcome.unwrap().result.unwrap());
                break;
            }
            assert!(matches!(outcome, Err(Error::Entropy(_))), "draw {draw}");
            for client in clients {
                // Refused before it was asked anything: it has taken no step of the protocol.
                assert!(matches!(client.await.unwrap(), Err(Error::Refused(Status::Failed))));
            }
        }
    }
}

/// Client 0, with this source; its meter tells what it has sent.
async fn poor_client(
    server: &SecaggServer,
    plan: &SessionPlan,
    randomness: Randomness,
) -> (secagg_transport::Meter, JoinHandle<Result<Participation, Error>>) {
    let (address, pin) = (server.local_address(), server.pin());
    let client = SecaggClient::join(address, pin, &name(0), loopback(), HANG).await.unwrap();
    let client = match plan.suite {
        Suite::Active { .. } => client.identify(credentials(0)),
        _ => client,
    };
    let (client, plan) = (client.draw_from(randomness), plan.clone());
    let meter = client.meter();
    let input = move |_| async move { Ok::<_, Error>(input(&plan, 0)) };
    (meter, tokio::spawn(client.run_session(Policy::default(), input)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_without_randomness_sends_nothing_of_the_session() {
    for plan in plans() {
        for draw in 0..MANY {
            let mut server = server(Limits::default());
            let (randomness, drawn) = failing_at(draw);
            let (meter, poor) = poor_client(&server, &plan, randomness).await;
            let others: Vec<_> = (1..4).map(|index| client(&server, &plan, index, None)).collect();
            let outcome =
                tokio::time::timeout(HANG, server.run_session(&plan)).await.expect("hangs").unwrap();
            assert_exact(&plan, outcome.result.as_ref().unwrap());
            for other in others {
                other.await.unwrap().unwrap();
            }
            let survivors = outcome.result.unwrap().survivors.len();
            if drawn.load(Ordering::SeqCst) <= draw {
                assert!(draw > 0, "entropy is drawn");
                poor.await.unwrap().unwrap();
                assert_eq!(survivors, 4);
                break;
            }
            let error = poor.await.unwrap().unwrap_err();
            assert!(error.to_string().contains("the operating system gave no randomness"), "{error}");
            // A join is a version, the length of the name, and the name.
            assert_eq!(meter.traffic().up, HEADER_BYTES + 3 + name(0).len() as u64, "draw {draw}");
            assert_eq!(meter.counts(), Counts::default());
            assert_eq!(survivors, 3);
        }
    }
}

#[test]
fn a_key_without_randomness_leaves_no_file() {
    for kind in [KeyKind::Authority, KeyKind::Identity] {
        for draw in 0..MANY {
            let folder = tempfile::tempdir().unwrap();
            let (randomness, drawn) = failing_at(draw);
            let made = kind.create(&folder.path().join("key"), &randomness);
            if drawn.load(Ordering::SeqCst) <= draw {
                assert!(draw > 0 && made.is_ok());
                break;
            }
            assert!(matches!(made, Err(EnrolmentError::Entropy(_))));
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        }
    }
}
