//! A client's way to its server, and what it means when there is none.

use std::net::SocketAddr;
use std::time::Duration;

use quinn::{Connection, ConnectionError, Endpoint, TransportErrorCode};
use tokio::time::timeout;

use crate::endpoint;
use crate::error::Error;
use crate::identity::Pin;
use crate::status::Status;
use crate::tls::{self, SERVER_NAME, SeenPin};

/// TLS alert `no_application_protocol` (RFC 7301).
const NO_APPLICATION_PROTOCOL: u8 = 120;

/// Opens a UDP socket and connects to the server that has this pin.
pub(crate) async fn connect(
    server: SocketAddr,
    pin: Pin,
    local: SocketAddr,
    patience: Duration,
) -> Result<(Endpoint, Connection), Error> {
    let (tls, seen) = tls::client(pin)?;
    let endpoint = endpoint::client(local, tls).map_err(|source| Error::Bind { address: local, source })?;
    let unreachable = Error::Unreachable { server, seconds: patience.as_secs() };
    let connecting = endpoint
        .connect(server, SERVER_NAME)
        .map_err(|error| Error::Lost { server, why: error.to_string() })?;
    match timeout(patience, connecting).await {
        Ok(Ok(connection)) => Ok((endpoint, connection)),
        Ok(Err(ConnectionError::TimedOut)) | Err(_) => Err(unreachable),
        Ok(Err(error)) => Err(lost(server, pin, Some(&seen), error)),
    }
}

/// Explains a connection that never came to be.
pub(crate) fn lost(server: SocketAddr, pin: Pin, seen: Option<&SeenPin>, error: ConnectionError) -> Error {
    match seen.and_then(SeenPin::pin) {
        Some(shown) if shown != pin => Error::WrongPin { server, shown, expected: pin },
        _ => closed(server, error),
    }
}

/// Explains the end of a connection.
pub(crate) fn closed(server: SocketAddr, error: ConnectionError) -> Error {
    let code = match &error {
        ConnectionError::TransportError(error) => Some(error.code),
        ConnectionError::ConnectionClosed(close) => Some(close.error_code),
        _ => None,
    };
    match error {
        ConnectionError::VersionMismatch => Error::WrongProtocol { server },
        _ if code == Some(TransportErrorCode::crypto(NO_APPLICATION_PROTOCOL)) => {
            Error::WrongProtocol { server }
        }
        _ if code == Some(TransportErrorCode::CONNECTION_REFUSED) => Error::Refused(Status::Busy),
        // Code 0 is how QUIC closes for a program that has ended; as a status it would mean nothing.
        ConnectionError::ApplicationClosed(close) if close.error_code.into_inner() != 0 => {
            Error::Refused(Status::from_close_code(close.error_code))
        }
        error => Error::Lost { server, why: error.to_string() },
    }
}
