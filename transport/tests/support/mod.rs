//! A server, honest clients that may vanish, and raw QUIC peers that keep to no rule.

// Each test file uses its own part of this.
#![allow(dead_code)]

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use quinn::crypto::rustls::QuicClientConfig;
use quinn::{Connection, Endpoint, RecvStream, SendStream};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, SignatureScheme};
use secagg::parameters::Fraction;
use secagg::{Aggregate, Authority, Credentials, Graph, Input, Policy, SafetyPolicy, Suite, VectorSpec};
use secagg_transport::{
    ALPN, Error, Identity, Limits, Participation, Pin, SecaggClient, SecaggServer, SessionPlan,
    SessionPolicy, Step, Threshold,
};
use tokio::task::JoinHandle;

/// Far longer than any test takes: what waits this long hangs.
pub(crate) const HANG: Duration = Duration::from_secs(60);

/// A free port of the loopback.
pub(crate) fn loopback() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

/// A server with its own fresh identity.
pub(crate) fn server(limits: Limits) -> SecaggServer {
    SecaggServer::bind(loopback(), &Identity::ephemeral().unwrap(), limits).unwrap()
}

/// A session for `clients` with two vectors and no deadline that an honest client would notice.
pub(crate) fn plan(clients: u32, graph: Graph) -> SessionPlan {
    SessionPlan {
        suite: Suite::Curious,
        graph,
        clients,
        threshold: Threshold::Default,
        minimum_survivors: None,
        vectors: vec![VectorSpec::new("weights", 1000, 20), VectorSpec::new("count", 1, 50)],
        task: Arc::from(&b"the task"[..]),
        nonce: None,
        policy: SessionPolicy::uniform(HANG, 2, HANG),
    }
}

/// The same in the active suite, which withstands one corrupt client.
pub(crate) fn active_plan(clients: u32) -> SessionPlan {
    let suite = Suite::Active { corrupt: 1, authority: authority().public() };
    SessionPlan { suite, ..plan(clients, Graph::Complete) }
}

/// The same in the pinned suite: each client draws five holders, of whom three open a secret.
pub(crate) fn pinned_plan(clients: u32) -> SessionPlan {
    let suite = Suite::Pinned { corrupt: 1, authority: authority().public() };
    SessionPlan { suite, threshold: Threshold::Fixed(3), ..plan(clients, Graph::KOut { degree: 5 }) }
}

/// What the clients insist on: nothing, but that the pinned suite has to be allowed.
fn policy(suite: Suite) -> Policy {
    let trusting = SafetyPolicy {
        security_bits: 0,
        correctness_bits: 0,
        minimum_honest: 1,
        roots: Some(1),
        ..SafetyPolicy::new(Fraction::ZERO, Fraction::ZERO)
    };
    let pinned = matches!(suite, Suite::Pinned { .. });
    Policy { safety: pinned.then_some(trusting), ..Policy::default() }
}

fn authority() -> Authority {
    Authority::new([0xa0; 32])
}

/// The credentials of the client with this index.
pub(crate) fn credentials(index: u32) -> Credentials {
    let secret = [index as u8; 32];
    let certificate = authority().certify(&Credentials::identity_of(&secret)).unwrap();
    Credentials::new(secret, certificate, authority().public()).unwrap()
}

/// The values that the client with this index hands in.
pub(crate) fn values(plan: &SessionPlan, index: u32) -> Vec<Vec<u64>> {
    let value = |spec: &VectorSpec, at: u64| (u64::from(index) + 1) * (at + 7) % (1 << (spec.bits - 6));
    plan.vectors.iter().map(|spec| (0..u64::from(spec.length)).map(|at| value(spec, at)).collect()).collect()
}

pub(crate) fn input(plan: &SessionPlan, index: u32) -> Input {
    let pairs = plan.vectors.iter().zip(values(plan, index));
    pairs.fold(Input::new(), |input, (spec, values)| input.with(&spec.name, values))
}

/// Names sort like indices, so the client with index i gets the id i + 1.
pub(crate) fn name(index: u32) -> String {
    format!("client-{index:04}")
}

pub(crate) type Observer = Box<dyn FnMut(Step) -> ControlFlow<()> + Send>;

/// Lets an honest client join and take part; the observer may make it vanish.
pub(crate) fn client(
    server: &SecaggServer,
    plan: &SessionPlan,
    index: u32,
    observer: Option<Observer>,
) -> JoinHandle<Result<Participation, Error>> {
    let (address, pin, plan) = (server.local_address(), server.pin(), plan.clone());
    tokio::spawn(async move {
        let client = SecaggClient::join(address, pin, &name(index), loopback(), HANG).await?;
        let client = match observer {
            Some(observer) => client.observe(observer),
            None => client,
        };
        let client = match plan.suite {
            Suite::Active { .. } | Suite::Pinned { .. } => client.identify(credentials(index)),
            _ => client,
        };
        let mut entropy = [0; 32];
        getrandom::fill(&mut entropy).unwrap();
        client
            .run_session(policy(plan.suite), entropy, |announcement| async move {
                assert_eq!(announcement.task[..], plan.task[..]);
                assert_eq!(announcement.id.get(), index + 1);
                Ok::<_, Error>(input(&plan, index))
            })
            .await
    })
}

/// Waits until this many clients stand in the server's lobby.
pub(crate) async fn until_waiting(server: &mut SecaggServer, plan: &SessionPlan, clients: usize) {
    let mut never = plan.clone();
    never.clients = u32::MAX;
    never.policy.minimum_clients = u32::MAX;
    never.policy.join_deadline = Duration::from_millis(50);
    loop {
        match server.run_session(&never).await {
            Err(Error::TooFewJoined { joined, .. }) if joined == clients => return,
            Err(Error::TooFewJoined { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
}

/// Checks the sum against the plain sum of the survivors' values.
pub(crate) fn assert_exact(plan: &SessionPlan, aggregate: &Aggregate) {
    let survivors: Vec<u32> = aggregate.survivors.iter().map(|id| id.get() - 1).collect();
    assert!(!survivors.is_empty());
    for (at, (spec, sum)) in aggregate.vectors.iter().enumerate() {
        let mut expected = vec![0u64; spec.length as usize];
        for index in &survivors {
            for (total, value) in expected.iter_mut().zip(&values(plan, *index)[at]) {
                *total = (*total + value) % (1 << spec.bits);
            }
        }
        assert!(sum.iter().eq(expected), "the sum of {} is wrong", spec.name);
    }
}

/// A QUIC connection that belongs to no [`SecaggClient`].
pub(crate) struct RawPeer {
    pub(crate) connection: Connection,
    _endpoint: Endpoint,
}

impl RawPeer {
    pub(crate) async fn connect(server: SocketAddr) -> RawPeer {
        RawPeer::connect_as(server, ALPN).await.unwrap()
    }

    pub(crate) async fn connect_as(
        server: SocketAddr,
        alpn: &[u8],
    ) -> Result<RawPeer, quinn::ConnectionError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate))
            .with_no_client_auth();
        tls.alpn_protocols = vec![alpn.to_vec()];
        let mut endpoint = Endpoint::client(loopback()).unwrap();
        let config = QuicClientConfig::try_from(tls).unwrap();
        endpoint.set_default_client_config(quinn::ClientConfig::new(Arc::new(config)));
        let connection = endpoint.connect(server, "secagg").unwrap().await?;
        Ok(RawPeer { connection, _endpoint: endpoint })
    }

    /// Joins under a name and returns the first request, once the session has begun.
    pub(crate) async fn join(&self, index: u32) -> Vec<u8> {
        let name = name(index);
        let message = [&[0, 1, name.len() as u8], name.as_bytes()].concat();
        let (mut send, mut receive) = self.connection.open_bi().await.unwrap();
        send.write_all(&frame(0, &message)).await.unwrap();
        send.finish().unwrap();
        receive.read_to_end(1 << 20).await.unwrap()
    }

    /// Opens a stream and writes bytes to it without ending it.
    pub(crate) async fn write(&self, bytes: &[u8]) -> (SendStream, RecvStream) {
        let (mut send, receive) = self.connection.open_bi().await.unwrap();
        send.write_all(bytes).await.unwrap();
        (send, receive)
    }

    /// Returns the status that the server ends the connection with.
    pub(crate) async fn ending(&self) -> u64 {
        match tokio::time::timeout(HANG, self.connection.closed()).await.expect("the server hangs") {
            quinn::ConnectionError::ApplicationClosed(close) => close.error_code.into_inner(),
            other => panic!("no status but {other}"),
        }
    }
}

/// A frame with an honest header.
pub(crate) fn frame(tag: u8, body: &[u8]) -> Vec<u8> {
    [&header(tag, body.len() as u64)[..], body].concat()
}

pub(crate) fn header(tag: u8, length: u64) -> Vec<u8> {
    [&[tag][..], &length.to_be_bytes()].concat()
}

pub(crate) fn wrong_pin() -> Pin {
    "5a".repeat(32).parse().unwrap()
}

#[derive(Debug)]
struct AnyCertificate;

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
