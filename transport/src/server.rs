//! The server: one endpoint, a lobby, and sessions one after another.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use quinn::{Connection, Endpoint, Incoming, RecvStream, SendStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::credit::Credits;
use crate::endpoint;
use crate::error::Error;
use crate::frame::{FrameError, HEADER_BYTES, Header, Stage, read_body};
use crate::identity::{Identity, Pin};
use crate::lobby::{JOIN_BYTES, Join, Lobby, Member};
use crate::outcome::Outcome;
use crate::peer::Pace;
use crate::plan::SessionPlan;
use crate::randomness::Randomness;
use crate::session;
use crate::status::Status;
use crate::tls;

/// Longest wait for the last packets when the server shuts down.
const SHUTDOWN: Duration = Duration::from_secs(3);

/// What peers may cost a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections held at once, waiting or in a session. More are refused.
    pub connections: usize,
    /// Handshakes under way at once; more wait. From half of them on, a peer must prove its address
    /// first.
    pub handshakes: usize,
    /// Bytes of answers in flight at once, over all clients.
    pub staging_bytes: u64,
    /// Longest time from the first packet to the whole join message.
    pub join_patience: Duration,
    /// How often the server looks whether an answer that may come is coming.
    pub upload_patience: Duration,
    /// Slowest upload accepted between two looks, in bytes per second. A long answer has to come faster: half as
    /// fast as it takes to be over by the round's deadline.
    pub minimum_rate: u32,
}

/// 4,096 connections, 256 handshakes, 512 MiB in flight, 10 s to join, 4 KiB/s over 10 s.
impl Default for Limits {
    fn default() -> Self {
        Limits {
            connections: 4096,
            handshakes: 256,
            staging_bytes: 512 << 20,
            join_patience: Duration::from_secs(10),
            upload_patience: Duration::from_secs(10),
            minimum_rate: 4096,
        }
    }
}

/// A secure-aggregation server on one UDP address.
///
/// Clients may join at any time; they wait in the lobby for the next session.
pub struct SecaggServer {
    endpoint: Endpoint,
    address: SocketAddr,
    pin: Pin,
    lobby: Lobby,
    credits: Credits,
    limits: Limits,
    randomness: Randomness,
    accepting: JoinHandle<()>,
}

impl SecaggServer {
    /// Opens the server and begins to let clients join. Port 0 takes any free port. Needs a
    /// Tokio runtime around it.
    ///
    /// # Errors
    ///
    /// [`Error::Bind`] if the address cannot be used, [`Error::Tls`] if the identity cannot.
    pub fn bind(address: SocketAddr, identity: &Identity, limits: Limits) -> Result<SecaggServer, Error> {
        let tls = tls::server(identity)?;
        let bind = |source| Error::Bind { address, source };
        let endpoint = endpoint::server(address, tls).map_err(bind)?;
        let address = endpoint.local_addr().map_err(bind)?;
        let lobby = Lobby::default();
        let door = Door {
            lobby: lobby.clone(),
            places: Arc::new(Semaphore::new(limits.connections)),
            handshakes: Arc::new(Semaphore::new(limits.handshakes)),
            limits,
        };
        let accepting = tokio::spawn(accept(endpoint.clone(), door));
        let credits = Credits::new(limits.staging_bytes);
        let (pin, randomness) = (identity.pin(), Randomness::default());
        Ok(SecaggServer { endpoint, address, pin, lobby, credits, limits, randomness, accepting })
    }

    /// Draws nonces from `randomness` instead of the operating system.
    pub fn draw_from(&mut self, randomness: Randomness) {
        self.randomness = randomness;
    }

    /// Returns the address the server listens on, with the port it was given.
    pub fn local_address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the pin that clients must be given.
    pub fn pin(&self) -> Pin {
        self.pin
    }

    /// Waits for clients, then runs one session with them to its end.
    ///
    /// The session starts once the plan's number of clients is there, or at the join deadline if
    /// its minimum is. A client that is lost, slow or faulty costs itself its place and nobody
    /// else anything, but for one thing: uploads that come just fast enough hold staging memory, and
    /// if they hold all of it others wait until the deadline. That costs at least half of the bytes
    /// that are held, see [`Limits::minimum_rate`]. An abort of the protocol is an [`Outcome`], not
    /// an error.
    ///
    /// # Errors
    ///
    /// [`Error::TooFewJoined`] at the join deadline, after which the clients that are there go on
    /// waiting; [`Error::Misuse`] if the plan does not fit the clients who joined; [`Error::Entropy`] if no nonce could be
    /// drawn, before a request was sent.
    pub async fn run_session(&mut self, plan: &SessionPlan) -> Result<Outcome, Error> {
        let (wanted, minimum) = (plan.clients as usize, plan.policy.minimum_clients as usize);
        let members = self
            .lobby
            .gather(wanted.max(1), minimum, plan.policy.join_deadline)
            .await
            .map_err(|joined| Error::TooFewJoined { joined, minimum })?;
        tracing::info!(clients = members.len(), "session opens");
        let pace = Pace { patience: self.limits.upload_patience, rate: self.limits.minimum_rate };
        session::run(plan, &self.randomness, members, &self.credits, pace).await
    }

    /// Turns away the clients that wait, closes every connection and gives the last packets a
    /// moment to leave.
    pub async fn shutdown(self) {
        self.lobby.dismiss(Status::ShuttingDown);
        self.endpoint.close(Status::ShuttingDown.close_code(), b"");
        // A peer that is gone cannot hold the server up.
        let _ = timeout(SHUTDOWN, self.endpoint.wait_idle()).await;
    }
}

impl Drop for SecaggServer {
    fn drop(&mut self) {
        self.accepting.abort();
        self.endpoint.close(Status::ShuttingDown.close_code(), b"");
    }
}

/// Lets peers in, within the limits.
#[derive(Clone)]
struct Door {
    lobby: Lobby,
    places: Arc<Semaphore>,
    handshakes: Arc<Semaphore>,
    limits: Limits,
}

async fn accept(endpoint: Endpoint, door: Door) {
    // While all handshakes are taken, peers wait in the endpoint's own bounded queue.
    while let Ok(handshake) = door.handshakes.clone().acquire_owned().await {
        match endpoint.accept().await {
            Some(incoming) => door.receive(incoming, handshake),
            None => break,
        }
    }
}

impl Door {
    fn receive(&self, incoming: Incoming, handshake: OwnedSemaphorePermit) {
        let crowded = self.handshakes.available_permits() * 2 < self.limits.handshakes;
        if crowded && incoming.may_retry() && !incoming.remote_address_validated() {
            // Forged addresses never come back from this.
            let _ = incoming.retry();
            return;
        }
        let place = || self.places.clone().try_acquire_owned();
        let Ok(place) = place().or_else(|_| {
            self.lobby.purge();
            place()
        }) else {
            tracing::warn!("too many connections, one refused");
            return incoming.refuse();
        };
        let door = self.clone();
        tokio::spawn(async move { door.admit(incoming, handshake, place).await });
    }

    async fn admit(&self, incoming: Incoming, handshake: OwnedSemaphorePermit, place: OwnedSemaphorePermit) {
        let patience = self.limits.join_patience;
        let connection = match timeout(patience, shake_hands(incoming)).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(error)) => return tracing::debug!(%error, "handshake failed"),
            Err(_) => return tracing::debug!("handshake took too long"),
        };
        drop(handshake);
        // The stream outlives the close. If it went first QUIC would say so, and what the client answers may come when
        // its connection is forgotten here: the reset that it then gets can hide the code from it.
        let mut stream = None;
        match timeout(patience, join(&connection, &mut stream)).await {
            Ok(Ok((name, joined_with))) => {
                let Some((reply, _)) = stream.take() else { return };
                tracing::debug!(name, "joined");
                self.lobby.enter(Member { name, connection, reply, joined_with, place });
            }
            Ok(Err(status)) => {
                tracing::debug!(?status, "join refused");
                connection.close(status.close_code(), b"");
            }
            Err(_) => connection.close(Status::TooSlow.close_code(), b""),
        }
    }
}

async fn shake_hands(incoming: Incoming) -> Result<Connection, quinn::ConnectionError> {
    incoming.accept()?.await
}

/// Reads the join message: the name, and the bytes that it took. Its stream waits for the session's first request.
async fn join(
    connection: &Connection,
    stream: &mut Option<(SendStream, RecvStream)>,
) -> Result<(String, u64), Status> {
    let (_, receive) = stream.insert(connection.accept_bi().await.map_err(|_| Status::Malformed)?);
    let header = Header::read(receive).await.map_err(refusal)?;
    if header.tag != Stage::Join.byte() {
        return Err(Status::WrongStage);
    }
    let header = header.at_most(JOIN_BYTES).map_err(refusal)?;
    let body = read_body(receive, header.length, &AtomicU64::new(0)).await.map_err(refusal)?;
    let Join { name } = Join::decode(&body)?;
    Ok((name, HEADER_BYTES + body.len() as u64))
}

fn refusal(error: FrameError) -> Status {
    match error {
        FrameError::TooLong { .. } => Status::TooLong,
        FrameError::Cut | FrameError::Trailing | FrameError::Lost(_) => Status::Malformed,
    }
}
