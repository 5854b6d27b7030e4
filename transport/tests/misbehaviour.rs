//! Peers that keep to no rule: each costs itself its place, and nobody else anything.

mod support;

use std::sync::Arc;
use std::time::Duration;

use quinn::crypto::rustls::QuicServerConfig;
use quinn::{ConnectionError, StoppedError, VarInt};
use rand::rngs::SmallRng;
use rand::{Rng, RngExt, SeedableRng};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use secagg::{Graph, Input, Policy, Round};
use secagg_transport::{
    ALPN, Error, Limits, Outcome, Pin, SecaggClient, SessionPlan, StagePolicy, Status, Threshold,
};
use support::{HANG, RawPeer, assert_exact, client, frame, header, loopback, name, plan, server, wrong_pin};

/// The bad peer's index; four honest clients have the others.
const BAD: u32 = 4;

/// Runs a session of four honest clients and one bad peer, which must not be in the sum. The
/// deadline is what ends the wait for a peer that never finishes.
async fn session_with<F>(adjust: impl FnOnce(&mut SessionPlan), bad: impl FnOnce(RawPeer) -> F) -> Outcome
where
    F: Future<Output = ()>,
{
    session_within(Limits::default(), adjust, bad).await
}

async fn session_within<F>(
    limits: Limits,
    adjust: impl FnOnce(&mut SessionPlan),
    bad: impl FnOnce(RawPeer) -> F,
) -> Outcome
where
    F: Future<Output = ()>,
{
    let (mut server, mut plan) = (server(limits), plan(5, Graph::Complete));
    adjust(&mut plan);
    let honest: Vec<_> = (0..BAD).map(|index| client(&server, &plan, index, None)).collect();
    let peer = RawPeer::connect(server.local_address()).await;
    let session = tokio::time::timeout(HANG, server.run_session(&plan));
    let (outcome, ()) = tokio::join!(session, bad(peer));
    let outcome = outcome.expect("the session hangs").unwrap();
    assert_exact(&plan, outcome.result.as_ref().unwrap());
    assert_eq!(outcome.result.as_ref().unwrap().survivors.len(), 4);
    for client in honest {
        client.await.unwrap().unwrap();
    }
    outcome
}

fn as_it_is(_: &mut SessionPlan) {}

fn short_first_stage(plan: &mut SessionPlan) {
    plan.policy.advertise_keys = StagePolicy::wait_for_all(Duration::from_secs(4));
}

/// Lets a peer join and send these bytes in answer to AdvertiseKeys, then end its stream; checks
/// what it is told.
async fn check_answer(bytes: Vec<u8>, told: Status) {
    let outcome = session_with(as_it_is, |peer| async move {
        peer.join(BAD).await;
        let (mut send, _receive) = peer.write(&bytes).await;
        send.finish().unwrap();
        assert_eq!(peer.ending().await, u64::from(told.code()));
    })
    .await;
    assert_eq!(outcome.dropped[&Round::AdvertiseKeys].len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oversized_length_is_refused_from_the_header() {
    for length in [1 << 20, u64::MAX] {
        check_answer(header(1, length), Status::TooLong).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stage_that_is_not_open_is_refused() {
    for stage in [0, 2, 5, 77, 255] {
        check_answer(frame(stage, b"?"), Status::WrongStage).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_that_ends_early_or_late_is_void() {
    check_answer(vec![1], Status::Malformed).await;
    check_answer([&header(1, 10)[..], b"short"].concat(), Status::Malformed).await;
    check_answer([&frame(1, b"body")[..], b"more"].concat(), Status::Malformed).await;
    check_answer(vec![], Status::Malformed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_is_refused_by_the_core_with_its_code() {
    let malformed = Status::Protocol(secagg::Misbehaviour::Malformed.code());
    check_answer(frame(1, b"garbage"), malformed).await;
    check_answer(frame(1, b""), malformed).await;
}

/// Random bytes, in frames with honest and with random headers.
fn garbage(rng: &mut impl Rng) -> Vec<u8> {
    let mut body = vec![0; rng.random_range(0..300)];
    rng.fill_bytes(&mut body);
    match rng.random_range(0..3) {
        0 => frame(1, &body),
        1 => [header(1, rng.random_range(0..400)), body].concat(),
        _ => body,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_of_peers_with_garbage_does_not_disturb_a_few_honest_clients() {
    const HONEST: u32 = 4;
    const CROWD: u32 = 30;
    let (mut server, mut plan) = (server(Limits::default()), plan(HONEST + CROWD, Graph::Complete));
    plan.threshold = Threshold::Fixed(3);
    let honest: Vec<_> = (0..HONEST).map(|index| client(&server, &plan, index, None)).collect();
    let address = server.local_address();
    let crowd = (HONEST..HONEST + CROWD).map(|index| async move {
        let mut rng = SmallRng::seed_from_u64(index.into());
        let peer = RawPeer::connect(address).await;
        peer.join(index).await;
        // The connection may be gone before all is written.
        for _ in 0..3 {
            let Ok((mut send, _receive)) = peer.connection.open_bi().await else { break };
            let _ = send.write_all(&garbage(&mut rng)).await;
            let _ = send.finish();
        }
        peer.ending().await
    });
    let crowd: Vec<_> = crowd.map(tokio::spawn).collect();
    let outcome = tokio::time::timeout(HANG, server.run_session(&plan)).await.unwrap().unwrap();
    assert_exact(&plan, outcome.result.as_ref().unwrap());
    assert_eq!(outcome.result.unwrap().survivors.len(), 4);
    for peer in crowd {
        assert_ne!(peer.await.unwrap(), u64::from(Status::Released.code()));
    }
    for client in honest {
        client.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_stream_makes_the_message_void() {
    session_with(as_it_is, |peer| async move {
        peer.join(BAD).await;
        let (mut send, _receive) = peer.write(&header(1, 10)).await;
        send.reset(VarInt::from_u32(1)).unwrap();
        assert_eq!(peer.ending().await, u64::from(Status::Malformed.code()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_never_ends_is_closed_by_the_deadline() {
    session_with(short_first_stage, |peer| async move {
        peer.join(BAD).await;
        let (_send, _receive) = peer.write(&header(1, 10)).await;
        assert_eq!(peer.ending().await, u64::from(Status::Late.code()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_stalls_does_not_last_until_the_deadline() {
    let limits = Limits { upload_patience: Duration::from_millis(1500), ..Limits::default() };
    session_within(limits, as_it_is, |peer| async move {
        peer.join(BAD).await;
        let (_send, _receive) = peer.write(&header(1, 10)).await;
        assert_eq!(peer.ending().await, u64::from(Status::TooSlow.code()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_says_nothing_is_closed_by_the_deadline() {
    session_with(short_first_stage, |peer| async move {
        peer.join(BAD).await;
        assert_eq!(peer.ending().await, u64::from(Status::Late.code()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quorum_does_not_wait_for_the_deadline() {
    // The deadline is longer than the test may take, so only the quorum can close the round.
    let quorum = |plan: &mut SessionPlan| {
        let grace = Duration::from_millis(500);
        plan.policy.advertise_keys = StagePolicy { deadline: HANG * 10, quorum: 0.8, grace };
    };
    session_with(quorum, |peer| async move {
        peer.join(BAD).await;
        assert_eq!(peer.ending().await, u64::from(Status::Late.code()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_replays_its_first_answer_is_refused() {
    session_with(as_it_is, |peer| async move {
        let announcement = peer.join(BAD).await;
        let task = u64::from_be_bytes(announcement[9..17].try_into().unwrap()) as usize;
        let mut core = secagg::Client::new([5; 32], Policy::default());
        let answer = core.handle(&announcement[17 + task..]).unwrap();
        let (mut send, mut receive) = peer.write(&frame(1, &answer)).await;
        send.finish().unwrap();
        assert_eq!(receive.read_to_end(1 << 20).await.unwrap()[0], 0, "the first answer is accepted");
        let (mut send, mut receive) = peer.write(&frame(1, &answer)).await;
        send.finish().unwrap();
        let told = receive.read_to_end(1 << 20).await.unwrap();
        assert_eq!(told, header(Status::WrongStage.code(), 0));
        assert_eq!(peer.ending().await, u64::from(Status::WrongStage.code()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_cannot_even_join_is_told_why() {
    let server = server(Limits { join_patience: Duration::from_secs(2), ..Limits::default() });
    let join = |version: u8, name: &[u8]| [&[0, version, name.len() as u8], name].concat();
    let cases = [
        (header(0, 1 << 40), Status::TooLong),
        (header(0, 68), Status::TooLong),
        (frame(1, b"?"), Status::WrongStage),
        (frame(0, b"?"), Status::Malformed),
        (frame(0, &join(2, b"name")), Status::Version),
        (frame(0, &join(1, b"")), Status::BadName),
        (frame(0, &join(1, b"a\nb")), Status::BadName),
        (frame(0, &join(1, b"\xff\xfe")), Status::BadName),
        ([&frame(0, &join(1, b"name"))[..], b"more"].concat(), Status::Malformed),
        (vec![], Status::Malformed),
    ];
    for (bytes, told) in cases {
        let peer = RawPeer::connect(server.local_address()).await;
        let (mut send, _receive) = peer.write(&bytes).await;
        send.finish().unwrap();
        assert_eq!(peer.ending().await, u64::from(told.code()), "{bytes:?}");
    }
    let silent = RawPeer::connect(server.local_address()).await;
    assert_eq!(silent.ending().await, u64::from(Status::TooSlow.code()));
}

/// Had the server let go of the stream before it closed, the client would hear of that, and answer.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_cannot_join_hears_of_nothing_but_the_close() {
    let server = server(Limits { join_patience: Duration::from_millis(500), ..Limits::default() });
    for (bytes, told) in [(header(0, 10), Status::TooSlow), (header(0, 68), Status::TooLong)] {
        for _ in 0..4 {
            let peer = RawPeer::connect(server.local_address()).await;
            let (send, _receive) = peer.write(&bytes).await;
            let stopped = send.stopped().await;
            assert!(matches!(stopped, Err(StoppedError::ConnectionLost(_))), "{stopped:?}");
            assert_eq!(peer.ending().await, u64::from(told.code()));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_above_the_limit_are_refused() {
    let server = server(Limits { connections: 1, ..Limits::default() });
    let _first = RawPeer::connect(server.local_address()).await;
    let joining = SecaggClient::join(server.local_address(), server.pin(), "second", loopback(), HANG).await;
    assert!(matches!(joining.err(), Some(Error::Refused(Status::Busy))));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_protocol_is_refused_in_the_handshake() {
    let server = server(Limits::default());
    assert!(RawPeer::connect_as(server.local_address(), b"h3").await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_with_the_wrong_pin_does_not_join() {
    let server = server(Limits::default());
    let (address, expected) = (server.local_address(), wrong_pin());
    match SecaggClient::join(address, expected, "client", loopback(), HANG).await.err() {
        Some(Error::WrongPin { shown, expected: told, .. }) => {
            assert_eq!((shown, told), (server.pin(), expected));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_cannot_be_used_is_refused_at_home() {
    for bad in ["", "two\nlines", &"x".repeat(65)] {
        let joining = SecaggClient::join(loopback(), wrong_pin(), bad, loopback(), HANG).await;
        assert!(matches!(joining.err(), Some(Error::BadName)), "{bad:?}");
    }
}

/// What a lying server says to a client that joins, and how it ends.
enum Lie {
    /// These bytes on the join's stream, then its end.
    Says(Vec<u8>),
    /// The join's stream reset.
    Resets,
    /// The connection closed with this code.
    Closes(u32),
}

/// Joins a server that lies, and returns the error that the client ends with and the code that it tells the server.
async fn deceived_by(lie: Lie) -> (Error, Option<u64>) {
    let (endpoint, pin) = raw_server(ALPN);
    let address = endpoint.local_addr().unwrap();
    let lying = tokio::spawn(async move {
        let connection = endpoint.accept().await.unwrap().await.unwrap();
        let (mut send, mut receive) = connection.accept_bi().await.unwrap();
        receive.read_to_end(100).await.unwrap();
        match lie {
            Lie::Says(bytes) => {
                send.write_all(&bytes).await.unwrap();
                send.finish().unwrap();
            }
            Lie::Resets => send.reset(VarInt::from_u32(7)).unwrap(),
            Lie::Closes(code) => connection.close(VarInt::from_u32(code), b"text that nobody may read"),
        }
        match connection.closed().await {
            ConnectionError::ApplicationClosed(close) => Some(close.error_code.into_inner()),
            _ => None,
        }
    });
    let client = SecaggClient::join(address, pin, &name(0), loopback(), HANG).await.unwrap();
    let session = client.run_session(Policy::default(), |_| async { Ok::<_, Error>(Input::new()) });
    let error = tokio::time::timeout(HANG, session).await.expect("the client hangs").unwrap_err();
    (error, lying.await.unwrap())
}

fn raw_server(alpn: &[u8]) -> (quinn::Endpoint, Pin) {
    let made = rcgen::generate_simple_self_signed(["secagg".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    tls.alpn_protocols = vec![alpn.to_vec()];
    let config = quinn::ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls).unwrap()));
    let pin = Pin::of(made.cert.der());
    (quinn::Endpoint::server(config, loopback()).unwrap(), pin)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lying_server_gets_nothing_out_of_a_client() {
    let malformed = [
        Lie::Says(vec![]),
        Lie::Says(header(0, 10)),
        Lie::Says(frame(0, b"short")),
        Lie::Says(frame(0, &u64::MAX.to_be_bytes())),
        Lie::Says([&frame(0, b"")[..], b"more"].concat()),
        Lie::Says(frame(Status::Released.code(), b"")),
        Lie::Resets,
    ];
    for lie in malformed {
        let (error, told) = deceived_by(lie).await;
        assert!(matches!(error, Error::Malformed(_)), "{error:?}");
        assert_eq!(told, Some(u64::from(Status::Malformed.code())), "{error:?}");
    }
    let (error, told) = deceived_by(Lie::Says(header(0, u64::MAX))).await;
    assert!(matches!(error, Error::TooLong { length: u64::MAX, .. }), "{error:?}");
    assert_eq!(told, Some(u64::from(Status::TooLong.code())));
    let empty_task = [&0u64.to_be_bytes()[..], b"no request"].concat();
    let (error, told) = deceived_by(Lie::Says(frame(0, &empty_task))).await;
    assert!(matches!(error, Error::Abort(_)), "{error:?}");
    assert_eq!(told, Some(u64::from(secagg::Misbehaviour::Malformed.code())));
    let (error, _) = deceived_by(Lie::Says(frame(250, b""))).await;
    assert!(matches!(error, Error::Refused(Status::Unknown(250))), "{error:?}");
    let (error, _) = deceived_by(Lie::Closes(100_000)).await;
    assert!(matches!(error, Error::Refused(Status::Unknown(255))), "{error:?}");
    let (error, _) = deceived_by(Lie::Closes(0)).await;
    assert!(matches!(error, Error::Lost { .. }), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_is_not_the_sessions_is_refused() {
    let config = plan(3, Graph::Complete).config(3, [7; 32]);
    let (_, requests) = secagg::Server::open(config).unwrap();
    let other = b"another task";
    let announcement = [&(other.len() as u64).to_be_bytes()[..], other, &requests[0].1].concat();
    let (error, told) = deceived_by(Lie::Says(frame(0, &announcement))).await;
    assert!(matches!(error, Error::WrongTask), "{error:?}");
    assert_eq!(told, Some(130), "the code of a policy that refuses");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_another_protocol_is_recognised() {
    let (endpoint, pin) = raw_server(b"h3");
    let address = endpoint.local_addr().unwrap();
    let other = tokio::spawn(async move { endpoint.accept().await.unwrap().await.is_err() });
    let joining = SecaggClient::join(address, pin, "client", loopback(), HANG).await;
    assert!(matches!(joining.err(), Some(Error::WrongProtocol { .. })));
    assert!(other.await.unwrap());
}
