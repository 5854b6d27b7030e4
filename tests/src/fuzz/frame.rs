//! The frame of the transport (spec §10.2).

use std::pin::pin;
use std::sync::atomic::AtomicU64;
use std::task::{Context, Poll, Waker};

use arbitrary::Unstructured;

/// The transport's own file, so that this crate need not link QUIC.
#[path = "../../../transport/src/frame.rs"]
#[expect(dead_code, unreachable_pub, reason = "the transport uses the rest")]
mod transport;
use transport::{FrameError, Header, read_body, write_frame};

pub(super) fn frame(data: &[u8]) {
    let mut from = Unstructured::new(data);
    let Ok(limit) = from.arbitrary::<u16>() else { return };
    let stream = from.take_rest();
    let announced =
        stream.get(1..9).map(|length| u64::from_be_bytes(length.try_into().expect("eight bytes")));
    match read(stream, limit.into()) {
        Ok((tag, body)) => {
            let mut again = Vec::new();
            now(write_frame(&mut again, tag, &body)).expect("memory takes all");
            assert_eq!(again, stream);
        }
        Err(FrameError::TooLong { length, .. }) => {
            assert!(announced == Some(length) && length > limit.into());
        }
        Err(FrameError::Cut) => assert!(announced.is_none_or(|length| stream.len() as u64 - 9 < length)),
        Err(FrameError::Trailing) => {
            assert!(announced.is_some_and(|length| stream.len() as u64 - 9 > length))
        }
        Err(FrameError::Lost(error)) => panic!("memory does not break off: {error}"),
    }
}

fn read(mut stream: &[u8], limit: u64) -> Result<(u8, Vec<u8>), FrameError> {
    let header = now(Header::read(&mut stream))?.at_most(limit)?;
    let body = now(read_body(&mut stream, header.length, &AtomicU64::new(0)))?;
    Ok((header.tag, body))
}

/// The output of a future that has all it needs.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("memory is always ready"),
    }
}
