//! The bytes of section 10: frames, joins, announcements, codes.

use std::fmt;

use quinn::{Connection, ConnectionError, ReadExactError, RecvStream};

/// The application protocol.
pub(super) const ALPN: &[u8] = b"secagg/1";

/// The server name that a client asks for.
pub(super) const SERVER_NAME: &str = "secagg";

/// The stage of a join.
pub(super) const JOIN: u8 = 0;

/// The version of the binding.
pub(super) const VERSION: u16 = 1;

/// Bytes of the longest join.
pub(super) const LONGEST_JOIN: u64 = 67;

/// The frame's body is the next request.
pub(super) const NEXT: u8 = 0;

/// The session is over and the sum was released.
pub(super) const RELEASED: u8 = 192;

/// The client left.
pub(super) const LEFT: u8 = 204;

/// The most bytes of a frame that is read here.
pub(super) const LIMIT: u64 = 16 << 20;

/// A frame: stage or status, and body.
pub(super) struct Frame {
    pub(super) tag: u8,
    pub(super) body: Vec<u8>,
}

/// The bytes of a frame.
pub(super) fn frame(tag: u8, body: &[u8]) -> Vec<u8> {
    [&header(tag, body.len() as u64)[..], body].concat()
}

/// The header of a frame with this announced length.
pub(super) fn header(tag: u8, length: u64) -> Vec<u8> {
    [&[tag][..], &length.to_be_bytes()].concat()
}

/// The body of a join.
pub(super) fn join(version: u16, name: &[u8]) -> Vec<u8> {
    [&version.to_be_bytes()[..], &[name.len() as u8], name].concat()
}

/// The name in the body of a join, if it keeps the rules.
pub(super) fn name_of(join: &[u8]) -> Result<String, String> {
    let [v1, v2, length, name @ ..] = join else {
        return Err(format!("the join has {} bytes", join.len()));
    };
    if u16::from_be_bytes([*v1, *v2]) != VERSION {
        return Err(format!("the join asks for version {}", u16::from_be_bytes([*v1, *v2])));
    }
    if usize::from(*length) != name.len() || !(1..=64).contains(length) {
        return Err(format!("the name announces {length} bytes and has {}", name.len()));
    }
    let name = std::str::from_utf8(name).map_err(|_| "the name is not UTF-8".to_owned())?;
    if name.chars().any(char::is_control) {
        return Err(format!("the name has control characters: {name:?}"));
    }
    Ok(name.to_owned())
}

/// The body of an announcement.
pub(super) fn announcement(task: &[u8], request: &[u8]) -> Vec<u8> {
    [&(task.len() as u64).to_be_bytes()[..], task, request].concat()
}

/// Task and request of an announcement.
pub(super) fn split_announcement(body: &[u8]) -> Result<(&[u8], &[u8]), String> {
    let cut = || "the announcement is shorter than it says".to_owned();
    let (length, rest) = body.split_first_chunk().ok_or_else(cut)?;
    let length = usize::try_from(u64::from_be_bytes(*length)).map_err(|_| cut())?;
    rest.split_at_checked(length).ok_or_else(cut)
}

/// The stage in which a request is answered: the rounds count from 1, and so do the types of the requests, by two.
pub(super) fn stage_of(request: &[u8]) -> u8 {
    request.first().map_or(0, |message_type| message_type.div_ceil(2))
}

/// Why no frame could be read.
pub(super) enum NoFrame {
    /// The stream or its connection is gone: the close may say why.
    Lost(String),
    /// What came is no frame.
    Bad(String),
}

impl fmt::Display for NoFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(why) | Self::Bad(why) => f.write_str(why),
        }
    }
}

/// Reads a frame of at most `limit` bytes and the end of its stream.
///
/// Memory grows with what has come, not with what is announced.
pub(super) async fn read_frame(stream: &mut RecvStream, limit: u64) -> Result<Frame, NoFrame> {
    let mut header = [0; 9];
    stream.read_exact(&mut header).await.map_err(|error| match error {
        ReadExactError::FinishedEarly(0) => NoFrame::Lost("the stream ended without a frame".to_owned()),
        ReadExactError::FinishedEarly(read) => NoFrame::Bad(format!("the stream ended after {read} bytes")),
        ReadExactError::ReadError(error) => NoFrame::Lost(error.to_string()),
    })?;
    let [tag, length @ ..] = header;
    let length = u64::from_be_bytes(length);
    if length > limit {
        return Err(NoFrame::Bad(format!("a frame announces {length} bytes, more than {limit}")));
    }
    let mut body = Vec::new();
    let lost = |error: quinn::ReadError| NoFrame::Lost(error.to_string());
    while let Some(chunk) = stream.read_chunk(64 << 10, true).await.map_err(lost)? {
        body.extend_from_slice(&chunk.bytes);
        if body.len() as u64 > length {
            return Err(NoFrame::Bad("a stream goes on behind its frame".to_owned()));
        }
    }
    if (body.len() as u64) < length {
        return Err(NoFrame::Bad(format!("a frame announces {length} bytes and has {}", body.len())));
    }
    Ok(Frame { tag, body })
}

/// The code with which the other end closed the connection.
pub(super) async fn closed(connection: &Connection) -> Result<u8, String> {
    match connection.closed().await {
        ConnectionError::ApplicationClosed(close) => u8::try_from(close.error_code.into_inner())
            .map_err(|_| format!("the connection was closed with {}", close.error_code)),
        other => Err(format!("the connection was lost: {other}")),
    }
}
