//! UDP sockets and QUIC settings of both ends.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{
    ClientConfig, Connection, Endpoint, EndpointConfig, IdleTimeout, ServerConfig, TokioRuntime,
    TransportConfig, VarInt,
};
use socket2::{Domain, Protocol, Socket, Type};

/// Kernel buffer asked for in each direction, in bytes. At the usual default of 208 KiB, a few
/// hundred simultaneous handshakes lose enough packets to take twenty times as long.
const SOCKET_BUFFER: usize = 8 << 20;

/// Kernel buffer below which a server warns, in bytes.
const SMALL_BUFFER: usize = 2 << 20;

/// Most bytes in flight on one stream, and on one connection, in either direction.
const WINDOW: u32 = 1 << 20;

/// Most unread bytes of a client that waits in the lobby, where it has nothing to send: so many may
/// wait that a full window for each would be gigabytes.
const LOBBY_WINDOW: u32 = 16 << 10;

/// Streams a client may have open at once: one stage, and slack for streams being closed.
const STREAMS: u32 = 4;

/// Silence after which a connection counts as lost.
const IDLE: Duration = Duration::from_secs(30);

/// Time between a client's signs of life while it waits for the server.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// Handshakes waiting for the server's attention; more are refused by QUIC itself.
const INCOMING: usize = 4096;

/// Bytes kept for a connection that is not accepted yet, and for all of them together.
const INCOMING_BUFFER: u64 = 64 << 10;
const INCOMING_BUFFER_TOTAL: u64 = 64 << 20;

/// Opens a server's endpoint.
///
/// # Errors
///
/// What the operating system says, an address in use above all.
pub(crate) fn server(address: SocketAddr, tls: QuicServerConfig) -> io::Result<Endpoint> {
    let mut transport = transport();
    transport
        .max_concurrent_bidi_streams(VarInt::from_u32(STREAMS))
        .receive_window(VarInt::from_u32(LOBBY_WINDOW));
    let mut config = ServerConfig::with_crypto(Arc::new(tls));
    config
        .transport_config(Arc::new(transport))
        .max_incoming(INCOMING)
        .incoming_buffer_size(INCOMING_BUFFER)
        .incoming_buffer_size_total(INCOMING_BUFFER_TOTAL);
    let socket = socket(address)?;
    warn_of_small_buffer(&socket);
    open(socket, Some(config))
}

/// Opens a client's endpoint, which no peer can connect to.
///
/// # Errors
///
/// What the operating system says.
pub(crate) fn client(address: SocketAddr, tls: QuicClientConfig) -> io::Result<Endpoint> {
    let mut transport = transport();
    // The server never opens a stream.
    transport.max_concurrent_bidi_streams(VarInt::from_u32(0)).keep_alive_interval(Some(KEEP_ALIVE));
    let mut config = ClientConfig::new(Arc::new(tls));
    config.transport_config(Arc::new(transport));
    let mut endpoint = open(socket(address)?, None)?;
    endpoint.set_default_client_config(config);
    Ok(endpoint)
}

/// Opens the window of a client that was in the lobby and now is in a session.
pub(crate) fn open_window(connection: &Connection) {
    connection.set_receive_window(VarInt::from_u32(WINDOW));
}

fn transport() -> TransportConfig {
    let mut config = TransportConfig::default();
    config
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .stream_receive_window(VarInt::from_u32(WINDOW))
        .receive_window(VarInt::from_u32(WINDOW))
        .send_window(u64::from(WINDOW))
        .datagram_receive_buffer_size(None)
        .max_idle_timeout(IdleTimeout::try_from(IDLE).ok());
    config
}

fn socket(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    // The kernel grants what its limits allow; less than asked for is no error.
    socket.set_recv_buffer_size(SOCKET_BUFFER)?;
    socket.set_send_buffer_size(SOCKET_BUFFER)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

fn warn_of_small_buffer(socket: &Socket) {
    if let Ok(granted) = socket.recv_buffer_size()
        && granted < SMALL_BUFFER
    {
        tracing::warn!(
            granted,
            wanted = SOCKET_BUFFER,
            "the kernel grants small UDP buffers, so many clients joining at once will be slow; \
             raise net.core.rmem_max and net.core.wmem_max"
        );
    }
}

fn open(socket: Socket, server: Option<ServerConfig>) -> io::Result<Endpoint> {
    Endpoint::new(EndpointConfig::default(), server, socket.into(), Arc::new(TokioRuntime))
}
