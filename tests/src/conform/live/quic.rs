//! QUIC and TLS as section 10.1 has them, at both ends.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{ClientConfig, Connection, Endpoint, ServerConfig, TransportConfig, VarInt};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use sha2::{Digest, Sha256};

use super::binding::{ALPN, LEFT, SERVER_NAME};
use super::limit::{Failure, within};

/// The SHA-256 of a server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pin([u8; 32]);

impl Pin {
    fn of(certificate: &CertificateDer<'_>) -> Self {
        Self(Sha256::digest(certificate).into())
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl FromStr for Pin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bytes = hex::decode(text.trim()).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| format!("not a pin, which is 64 hexadecimal digits: {text:?}"))
    }
}

/// Where the server under test is, and how it is known. Without a pin every certificate will do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    pub(super) address: SocketAddr,
    pub(super) pin: Option<Pin>,
    /// How long the server may keep a client waiting.
    pub(super) deadline: Duration,
}

/// A connection with the endpoint that it lives on.
pub(super) struct Link {
    pub(super) connection: Connection,
    endpoint: Endpoint,
}

impl Link {
    /// Connects with the ALPN of the binding.
    pub(super) async fn connect(target: &Target) -> Result<Self, Failure> {
        let unreachable = |why: String| Failure { why: format!("no connection: {why}"), silent: true };
        Self::with_alpn(target, ALPN).await?.map_err(unreachable)
    }

    /// Connects with any ALPN; the inner error is a handshake that failed.
    pub(super) async fn with_alpn(target: &Target, alpn: &[u8]) -> Result<Result<Self, String>, Failure> {
        let local: SocketAddr =
            if target.address.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0u16; 8], 0).into() };
        let mut endpoint = Endpoint::client(local).map_err(|error| format!("no UDP socket: {error}"))?;
        endpoint.set_default_client_config(client_config(target.pin, alpn).map_err(text)?);
        let connecting = endpoint.connect(target.address, SERVER_NAME).map_err(text)?;
        let connection = within(target.deadline, "no handshake", connecting).await?;
        Ok(connection.map(|connection| Self { connection, endpoint }).map_err(text))
    }

    /// Closes with a code and lets the packet leave.
    pub(super) async fn leave(self, code: u8) {
        self.close(code);
        // Whether the server has heard it makes no difference here.
        let _ = tokio::time::timeout(Duration::from_millis(50), self.endpoint.wait_idle()).await;
    }

    fn close(&self, code: u8) {
        self.connection.close(VarInt::from_u32(code.into()), b"");
    }
}

/// A case that has failed leaves nobody waiting; what was closed already stays as it was.
impl Drop for Link {
    fn drop(&mut self) {
        self.close(LEFT);
    }
}

/// A certificate with its key.
pub(super) struct Identity {
    certificate: CertificateDer<'static>,
    key: PrivatePkcs8KeyDer<'static>,
}

impl Identity {
    pub(super) fn new() -> Result<Self, String> {
        let made = rcgen::generate_simple_self_signed([SERVER_NAME.to_owned()]).map_err(text)?;
        Ok(Self { certificate: made.cert.der().clone(), key: made.signing_key.serialize_der().into() })
    }

    pub(super) fn pin(&self) -> Pin {
        Pin::of(&self.certificate)
    }

    /// A server that has this identity and speaks this application protocol.
    pub(super) fn server_config(&self, alpn: &[u8]) -> Result<ServerConfig, String> {
        let mut tls = rustls::ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(text)?
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate.clone()], self.key.clone_key().into())
            .map_err(text)?;
        tls.alpn_protocols = vec![alpn.to_vec()];
        tls.send_tls13_tickets = 0;
        let mut config = ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls).map_err(text)?));
        config.transport_config(Arc::new(transport(4)));
        Ok(config)
    }
}

fn client_config(pin: Option<Pin>, alpn: &[u8]) -> Result<ClientConfig, rustls::Error> {
    let provider = provider();
    let verifier = Pinned { pin, provider: provider.clone() };
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    tls.alpn_protocols = vec![alpn.to_vec()];
    tls.resumption = rustls::client::Resumption::disabled();
    let tls = QuicClientConfig::try_from(tls).map_err(|error| Error::General(error.to_string()))?;
    let mut config = ClientConfig::new(Arc::new(tls));
    // A server may open no stream, but one that does is to be seen doing it.
    config.transport_config(Arc::new(transport(1)));
    Ok(config)
}

/// `streams`: how many of each kind the other end may have open.
fn transport(streams: u32) -> TransportConfig {
    let mut config = TransportConfig::default();
    config
        .max_concurrent_bidi_streams(VarInt::from_u32(streams))
        .max_concurrent_uni_streams(VarInt::from_u32(1))
        .keep_alive_interval(Some(Duration::from_secs(5)))
        .stream_receive_window(VarInt::from_u32(1 << 20))
        .receive_window(VarInt::from_u32(4 << 20));
    config
}

/// Accepts the certificate of this pin.
#[derive(Debug)]
struct Pinned {
    pin: Option<Pin>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let shown = Pin::of(end_entity);
        match self.pin {
            Some(pin) if pin != shown => Err(CertificateError::ApplicationVerificationFailure.into()),
            _ => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("only TLS 1.3".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn text(error: impl fmt::Display) -> String {
    error.to_string()
}
