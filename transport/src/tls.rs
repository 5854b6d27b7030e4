//! TLS for both ends: version 1.3 only, one application protocol, no early data, no resumption.

use std::sync::{Arc, Mutex, PoisonError};

use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, SignatureScheme};

use crate::identity::{Identity, Pin};

/// The application protocol that both ends must agree on.
pub const ALPN: &[u8] = b"secagg/1";

/// The name a client asks for. A server is known by its pin, so the name says nothing.
pub(crate) const SERVER_NAME: &str = "secagg";

/// Why TLS could not be set up; only an unusable key or certificate can cause it.
#[derive(Debug, thiserror::Error)]
#[error("the TLS set-up failed: {0}; remove the state directory's identity.pem to make a new one")]
pub struct TlsSetup(String);

/// Makes the server's TLS configuration around its identity.
pub(crate) fn server(identity: &Identity) -> Result<QuicServerConfig, TlsSetup> {
    let mut config = rustls::ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(set_up)?
        .with_no_client_auth()
        .with_single_cert(vec![identity.certificate().clone()], identity.key())
        .map_err(set_up)?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    // A stage's message must not be replayable, and each session proves the pin anew.
    config.max_early_data_size = 0;
    config.send_tls13_tickets = 0;
    QuicServerConfig::try_from(config).map_err(set_up)
}

/// Makes a client's TLS configuration, which accepts one certificate only.
///
/// The second value tells after a failed handshake which certificate the server showed.
pub(crate) fn client(pin: Pin) -> Result<(QuicClientConfig, SeenPin), TlsSetup> {
    let seen = SeenPin::default();
    let provider = provider();
    let verifier = Pinned { pin, seen: seen.clone(), provider: provider.clone() };
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(set_up)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.enable_early_data = false;
    config.resumption = Resumption::disabled();
    Ok((QuicClientConfig::try_from(config).map_err(set_up)?, seen))
}

/// The pin of the certificate that a server showed last.
#[derive(Clone, Debug, Default)]
pub(crate) struct SeenPin(Arc<Mutex<Option<Pin>>>);

impl SeenPin {
    /// Returns the pin, once a server has shown a certificate.
    pub(crate) fn pin(&self) -> Option<Pin> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self, pin: Pin) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(pin);
    }
}

/// Accepts exactly the certificate with the pinned hash.
///
/// The hash replaces the chain, the name and the dates. It does not replace the handshake's
/// signature, which proves that the server holds the certificate's key: anybody can show a copy
/// of a certificate.
#[derive(Debug)]
struct Pinned {
    pin: Pin,
    seen: SeenPin,
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
    ) -> Result<ServerCertVerified, rustls::Error> {
        let shown = Pin::of(end_entity);
        self.seen.record(shown);
        if shown == self.pin {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.2 is not spoken here".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
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

fn set_up(error: impl std::fmt::Display) -> TlsSetup {
    TlsSetup(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verifier(pin: Pin) -> Pinned {
        Pinned { pin, seen: SeenPin::default(), provider: provider() }
    }

    fn verify(verifier: &Pinned, shown: &Identity) -> Result<ServerCertVerified, rustls::Error> {
        let name = ServerName::try_from(SERVER_NAME).unwrap();
        verifier.verify_server_cert(shown.certificate(), &[], &name, &[], UnixTime::now())
    }

    #[test]
    fn only_the_pinned_certificate_is_accepted_and_the_shown_one_is_remembered() {
        let (ours, other) = (Identity::ephemeral().unwrap(), Identity::ephemeral().unwrap());
        let verifier = verifier(ours.pin());
        assert!(verify(&verifier, &ours).is_ok());
        assert!(verify(&verifier, &other).is_err());
        assert_eq!(verifier.seen.pin(), Some(other.pin()));
    }
}
