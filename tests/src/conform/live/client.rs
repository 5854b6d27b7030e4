//! Plays an honest and an evil server to a client.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use quinn::{ConnectionError, Endpoint, TransportErrorCode};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::binding::ALPN;
use super::case::{self, of_section};
use super::client_cases::{ClientCase, Part, cases};
use super::host::{Guest, INPUT, Table, VECTOR};
use super::identities::{Population, Signed};
use super::limit::{Failure, within};
use super::quic::{Identity, Pin};
use super::spawn::{Process, fill};
use crate::conform::known::Known;
use crate::conform::replay::Outcome;
use crate::conform::report::Entry;

/// A client under test.
#[derive(Clone)]
pub struct UnderTest {
    /// Where it is waited for.
    pub listen: SocketAddr,
    /// Where the pin is written for it.
    pub pin_file: PathBuf,
    /// Where its input is written for it.
    pub input_file: PathBuf,
    /// The command that starts it, with `{addr}`, `{pin}`, `{pin_file}`, `{name}` and `{input}`, and with identities
    /// `{identity}`, `{certificate}` and `{authority}`; without one it is started by hand, once for each case.
    pub command: Option<String>,
    /// How long it may take for one step.
    pub step: Duration,
    /// How long it may take to come.
    pub wait: Duration,
    /// Who takes part in a suite with identities, the client first; without them suite 1 is played.
    pub identities: Option<Population>,
}

/// The ids of the cases for clients of a suite with identities or of the other, of one section or rule if one is given.
pub fn ids(signed: Option<Signed>, section: Option<&str>) -> Vec<&'static str> {
    of_section(cases(signed), section).iter().map(|case| case.id).collect()
}

/// Listens, says where and with which pin, plays all cases, or those of a section or rule, and tells of each as it
/// ends.
///
/// # Errors
/// The address cannot be used, a file cannot be written, or there are too few identities.
pub async fn run(
    client: &UnderTest,
    section: Option<&str>,
    known: &mut Known,
    listening: &mut dyn FnMut(SocketAddr, Pin),
    tell: &mut dyn FnMut(&Entry),
) -> Result<Vec<Entry>, String> {
    client.identities.as_ref().map_or(Ok(()), Population::fills_a_session)?;
    let stage = Stage::open(client)?;
    listening(stage.address, stage.identity.pin());
    let subject = client.command.as_deref().unwrap_or("client");
    let mut number = 0;
    let play = async |case: &ClientCase| {
        number += 1;
        stage.play(client, case, number).await
    };
    let signed = client.identities.as_ref().map(|population| population.suite);
    Ok(case::run(&of_section(cases(signed), section), subject, known, tell, play).await)
}

/// What stays from case to case.
struct Stage {
    endpoint: Endpoint,
    address: SocketAddr,
    identity: Identity,
    /// Of a server that is not the one of the pin.
    other: Identity,
}

impl Stage {
    fn open(client: &UnderTest) -> Result<Self, String> {
        let (identity, other) = (Identity::new()?, Identity::new()?);
        let unusable = |error: std::io::Error| format!("{}: {error}", client.listen);
        let endpoint = Endpoint::server(identity.server_config(ALPN)?, client.listen).map_err(unusable)?;
        let address = endpoint.local_addr().map_err(unusable)?;
        write(&client.pin_file, &format!("{}\n", identity.pin()))?;
        write(&client.input_file, &format!("{}\n", json!({VECTOR: INPUT})))?;
        Ok(Self { endpoint, address, identity, other })
    }

    async fn play(&self, client: &UnderTest, case: &ClientCase, number: u32) -> Result<Outcome, Failure> {
        let name = format!("conform-{number:03}");
        let mut process =
            client.command.as_ref().map(|command| self.start(client, command, &name)).transpose()?;
        let result = self.case(client, case, process.is_some().then_some(name.as_str())).await;
        let result = match (&mut process, result) {
            (Some(process), Ok(())) => process.ended(client.step).await,
            (_, result) => result,
        };
        match (result, process) {
            (Ok(()), _) => Ok(Outcome::Passed),
            (Err(failure), Some(process)) => Err(with_last_words(failure, &process.said().await)),
            (Err(failure), None) => Err(failure),
        }
    }

    fn start(&self, client: &UnderTest, command: &str, name: &str) -> Result<Process, String> {
        let (address, pin) = (self.address.to_string(), self.identity.pin().to_string());
        let (pin_file, input) = (client.pin_file.to_string_lossy(), client.input_file.to_string_lossy());
        let person = client.identities.as_ref().and_then(|population| {
            let first = population.people.first()?;
            Some([first.file.clone(), first.certificate_file(), population.authority_file()])
        });
        let person = person.unwrap_or_default();
        let [identity, certificate, authority] = person.each_ref().map(|path| path.to_string_lossy());
        let values = [
            ("addr", &*address),
            ("pin", &pin),
            ("pin_file", &pin_file),
            ("name", name),
            ("input", &input),
            ("identity", &identity),
            ("certificate", &certificate),
            ("authority", &authority),
        ];
        Process::start(&fill(command, &values)?)
    }

    async fn case(&self, client: &UnderTest, case: &ClientCase, name: Option<&str>) -> Result<(), Failure> {
        let identity = if matches!(case.part, Part::OtherServer) { &self.other } else { &self.identity };
        let protocol = if let Part::OtherProtocol(protocol) = case.part { protocol } else { ALPN };
        self.endpoint.set_server_config(Some(identity.server_config(protocol)?));
        let coming = within(client.wait, "no client came", self.endpoint.accept()).await?;
        let coming = coming.ok_or_else(|| "the endpoint is closed".to_owned())?;
        let connection = within(client.step, "no handshake", async { coming.accept()?.await }).await?;
        match (&case.part, connection) {
            (Part::OtherServer, Err(error)) => refused(error),
            (Part::OtherServer, Ok(_)) => {
                Err("it accepted a server with another certificate".to_owned().into())
            }
            (Part::OtherProtocol(_), Err(error)) => without_a_protocol(&error),
            (Part::OtherProtocol(protocol), Ok(_)) => {
                let protocol = String::from_utf8_lossy(protocol);
                Err(format!("it offered the application protocol {protocol:?} too").into())
            }
            (_, Err(error)) => Err(format!("the handshake failed: {error}").into()),
            (Part::Session(play), Ok(connection)) => {
                let input_is_known =
                    client.command.as_ref().is_some_and(|command| command.contains("{input}"));
                let identities = client.identities.as_ref();
                let table = Table { identities, input_is_known, nonce: Sha256::digest(case.id).into() };
                Guest::welcome(connection, name, client.step).await?.play(play, table).await
            }
        }
    }
}

/// The client has to break the handshake off by itself.
fn refused(error: ConnectionError) -> Result<(), Failure> {
    match error {
        ConnectionError::ConnectionClosed(_) | ConnectionError::ApplicationClosed(_) => Ok(()),
        other => Err(format!("it did not refuse another certificate, but: {other}").into()),
    }
}

/// There has to be no protocol that both know; the server's TLS notices it before the client could.
fn without_a_protocol(error: &ConnectionError) -> Result<(), Failure> {
    // The alert no_application_protocol, 120 (RFC 9001, section 8.1).
    match error {
        ConnectionError::TransportError(error) if error.code == TransportErrorCode::crypto(120) => Ok(()),
        other => Err(format!("the handshake failed, but by {other}").into()),
    }
}

fn with_last_words(failure: Failure, said: &str) -> Failure {
    if said.is_empty() {
        return failure;
    }
    Failure { why: format!("{}; it said: {said}", failure.why), ..failure }
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
