//! A client of a suite with identities that leaves out all checks of requests: it answers whatever it is asked.

use std::net::SocketAddr;

use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, ReadToEndError};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, SignatureScheme};
use secagg::{Abort, Client, Input};
use secagg_transport::enrolment::{KeyKind, credentials};

use super::*;

/// Takes part in one session, as the identity that the environment names.
pub(super) fn run(address: SocketAddr, name: &str) {
    let [identity, certificate, authority] =
        ["IDENTITY", "CERTIFICATE", "AUTHORITY"].map(|name| std::env::var(name).unwrap());
    let authority = KeyKind::Authority.public(&authority).unwrap();
    let credentials = credentials(identity.as_ref(), certificate.as_ref(), &authority).unwrap();
    let mut core = Client::with_credentials([9; 32], client::policy(), credentials);
    core.set_input(Input::new().with("conform", vec![1u64, 20, 300, 65535])).unwrap();
    Runtime::new().unwrap().block_on(async {
        let mut endpoint = Endpoint::client(loopback()).unwrap();
        endpoint.set_default_client_config(config());
        let connection = endpoint.connect(address, "secagg").unwrap().await.unwrap();
        let code = session(&connection, &mut core, name).await.unwrap_or(204);
        connection.close(VarInt::from_u32(code.into()), b"");
        endpoint.wait_idle().await;
    });
}

/// The code to leave with; nothing if the connection is lost.
async fn session(connection: &Connection, core: &mut Client, name: &str) -> Option<u8> {
    let join = [&[0, 1, name.len() as u8], name.as_bytes()].concat();
    let announcement = exchange(connection, 0, &join).await.ok()?;
    let task = u64::from_be_bytes(*announcement.get(9..)?.first_chunk()?) as usize;
    let mut request = announcement.get(17 + task..)?.to_vec();
    loop {
        let stage = request.first()?.div_ceil(2);
        let response = match core.handle(&request) {
            Ok(response) => response,
            Err(Abort::Server(_)) => vec![0; 100],
            Err(abort) => return Some(abort.code()),
        };
        let answer = exchange(connection, stage, &response).await.ok()?;
        match answer.first()? {
            0 => request = answer[9..].to_vec(),
            code => return Some(*code),
        }
    }
}

/// Sends a frame on a stream of its own; the frame that comes back.
async fn exchange(connection: &Connection, stage: u8, body: &[u8]) -> Result<Vec<u8>, ReadToEndError> {
    let (mut send, mut receive) = connection.open_bi().await.map_err(quinn::ReadError::from)?;
    let frame = [&[stage][..], &(body.len() as u64).to_be_bytes(), body].concat();
    send.write_all(&frame).await.ok();
    send.finish().ok();
    receive.read_to_end(1 << 20).await
}

fn config() -> ClientConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyServer))
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"secagg/1".to_vec()];
    ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).unwrap()))
}

/// Knows no server and takes every one.
#[derive(Debug)]
struct AnyServer;

impl ServerCertVerifier for AnyServer {
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
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        provider.signature_verification_algorithms.supported_schemes()
    }
}
