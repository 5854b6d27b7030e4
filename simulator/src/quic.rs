//! What QUIC, UDP and IP add to messages: bytes on the wire, and the time before a connection is up to speed.
//!
//! The numbers are those of quinn 0.11 (quinn-proto 0.11.19) as `secagg-transport` sets it up: IPv4, TLS 1.3 with
//! X25519MLKEM768, one self-signed certificate, no tickets, no early data, path MTU discovery up to 1452 bytes.
//!
//! - **Packets.** A full one has 1452 bytes of UDP payload, 1480 with the headers of UDP (8) and IPv4 (20). Of these the
//!   short header takes 1, the connection id 8, the packet number 2, the AEAD's tag 16 (RFC 9000 §17.3, RFC 9001
//!   §5.3), and the STREAM frame's type, stream id and offset 1 + 1 + 4 (§19.8): 1419 are left for the message.
//! - **Acknowledgements.** The receiver sends one for every second packet (§13.2.2), 62 to 64 bytes: headers as above,
//!   and an ACK frame of 6 or 7 bytes and sometimes a new flow-control limit. One for a single packet leaves with the
//!   answer if that comes within 25 ms, and alone otherwise.
//! - **A connection** costs the same whatever it carries: two padded packets with the client's hello, the server's
//!   flight, padded Initial acknowledgements, connection ids, four probes for the path's MTU each way with their
//!   acknowledgements, and the close. These are [`CONNECTION_UP`] and [`CONNECTION_DOWN`], measured.

/// Bytes of a full packet with its IP and UDP headers.
pub const PACKET: u64 = 1480;

/// Bytes of a message in a full packet.
pub const PAYLOAD: u64 = 1419;

/// Bytes of headers in a packet that carries a stream's data, IP and UDP included.
pub const OVERHEAD: u64 = PACKET - PAYLOAD;

/// Bytes of an acknowledgement alone in its packet.
pub const ACKNOWLEDGEMENT: u64 = 63;

/// Packets for which there is one acknowledgement.
pub const ACKNOWLEDGED: u64 = 2;

/// Bytes that a client sends for a connection without messages.
pub const CONNECTION_UP: u64 = 11_530;

/// Bytes that the server sends for a connection without messages.
pub const CONNECTION_DOWN: u64 = 9_060;

/// Bytes in flight before the first acknowledgement (RFC 9002 §7.2).
pub const INITIAL_WINDOW: u64 = 12_000;

/// Seconds by which a receiver may hold back an acknowledgement (RFC 9000 §18.2); quinn leaves it at the default.
const MAX_ACK_DELAY: f64 = 0.025;

/// Four times the variation of round trips, in round trips: it is 2 at the first sample and falls by a quarter with each
/// (RFC 9002 §5.3). Measured: see `VALIDATION.md`.
const VARIATION: f64 = 0.25;

/// Packets of a message, its framing included.
pub fn packets(bytes: u64) -> u64 {
    bytes.div_ceil(PAYLOAD).max(1)
}

/// Bytes on the wire of a message in one direction, its framing included, if nothing is lost.
pub fn message(bytes: u64) -> u64 {
    bytes + packets(bytes) * OVERHEAD
}

/// Bytes on the wire of the acknowledgements of a message that its receiver answers at once: one for every second
/// packet; what is left over goes with the answer.
pub fn acknowledgements_before_answer(bytes: u64) -> u64 {
    packets(bytes) / ACKNOWLEDGED * ACKNOWLEDGEMENT
}

/// Bytes on the wire of the acknowledgements of a message that its receiver does not answer soon.
pub fn acknowledgements(bytes: u64) -> u64 {
    packets(bytes).div_ceil(ACKNOWLEDGED) * ACKNOWLEDGEMENT
}

/// Seconds that a message takes longer because its last packet was `lost` so many times.
///
/// No later packet is acknowledged that would show the loss, so the sender waits for the probe timeout: the round trip, four
/// times its variation, and the receiver's delay (RFC 9002 §6.2.1). Probes of quinn 0.11 carry no data of streams, so the
/// packet is sent again only when one is acknowledged, a round trip later.
pub fn tail_loss(lost: u32, round_trip: f64) -> f64 {
    f64::from(lost) * (round_trip * (2.0 + VARIATION) + MAX_ACK_DELAY)
}

/// Seconds that a message takes longer than its bytes at `rate`, because the congestion window is still too small: see
/// [`SlowStart`].
#[inline]
pub fn slow_start(bytes: u64, first: u64, rate: f64, round_trip: f64) -> f64 {
    SlowStart::new(bytes, first, rate).map_or(0.0, |start| start.seconds(round_trip))
}

/// The beginning of a message that does not fit the first congestion window, for any round trip.
///
/// In slow start the sender has a window `w` in flight, which is on the link for w / rate, and must wait for the first
/// acknowledgement, a round trip and the time of two packets, before it sends on; by then the window has doubled.
/// A window that fills the round trip costs nothing, so the first n windows, of first · (2ⁿ − 1) bytes together, cost n
/// times the wait less the time in which they are on the link.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SlowStart {
    /// Bytes of the first window.
    first: u64,
    /// Windows after which something is left to send.
    whole: u32,
    /// Seconds of a byte, and of the packets that there is an acknowledgement for.
    byte: f64,
    packets: f64,
    /// First windows that the rate sends in a second.
    windows: f64,
}

impl SlowStart {
    /// Of so many `bytes` on the wire; `first` bytes are the window at the beginning and 0 for one without limit, `rate`
    /// is in bytes per second. None if the window never limits.
    #[inline]
    pub fn new(bytes: u64, first: u64, rate: f64) -> Option<Self> {
        if bytes <= first || first == 0 {
            return None;
        }
        let whole = ((bytes - 1) / first + 1).ilog2();
        let byte = 1.0 / rate;
        let packets = (ACKNOWLEDGED * PACKET) as f64 * byte;
        Some(Self { first, whole, byte, packets, windows: rate / first as i64 as f64 })
    }

    /// Seconds that the message takes longer with a round trip of so many seconds.
    #[inline]
    pub fn seconds(&self, round_trip: f64) -> f64 {
        let feedback = round_trip + self.packets;
        // Of these, the windows that are on the link for less than the wait.
        let windows = self.whole.min(doublings(self.windows * feedback));
        f64::from(windows) * feedback - (self.first * ((1 << windows) - 1)) as i64 as f64 * self.byte
    }
}

/// How many of 1, 2, 4, 8 … are less than a number.
#[inline]
fn doublings(number: f64) -> u32 {
    // NaN is a wait of no time at an infinite rate. The bits of a number from 1 up are its exponent, biased by 1023, and
    // 52 of its fraction.
    let bits = number.max(1.0).to_bits();
    (bits >> 52) as u32 - 1023 + u32::from(bits << 12 > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_as_many_packets_as_it_needs() {
        assert_eq!((packets(0), packets(1), packets(PAYLOAD), packets(PAYLOAD + 1)), (1, 1, 1, 2));
        assert_eq!(message(PAYLOAD), PACKET);
        assert_eq!(message(10 * PAYLOAD), 10 * PACKET);
        assert_eq!(acknowledgements(PAYLOAD), ACKNOWLEDGEMENT);
        assert_eq!(acknowledgements_before_answer(PAYLOAD), 0);
        assert_eq!(acknowledgements_before_answer(3 * PAYLOAD), ACKNOWLEDGEMENT);
    }

    #[test]
    fn a_lost_end_costs_a_timeout_and_a_round_trip_each_time() {
        assert_eq!(tail_loss(0, 0.1), 0.0);
        assert!((tail_loss(1, 0.1) - 0.25).abs() < 1e-12);
        assert!((tail_loss(3, 0.1) - 0.75).abs() < 1e-12);
        // The half of eighteen losses that were measured over round trips of a second was resent within this.
        assert!((tail_loss(1, 1.0) - 2.275).abs() < 0.01);
        // On no path at all it is the receiver's delay.
        assert_eq!(tail_loss(1, 0.0), MAX_ACK_DELAY);
    }

    #[test]
    fn slow_start_costs_only_where_the_window_is_too_small() {
        // One window fills 100 ms at 120 kB/s.
        assert_eq!(slow_start(1 << 20, INITIAL_WINDOW, 120e3, 0.05), 0.0);
        assert_eq!(slow_start(INITIAL_WINDOW, INITIAL_WINDOW, 1e9, 1.0), 0.0);
        // Too fast to matter: one round trip for each doubling.
        let stalls = slow_start(7 * INITIAL_WINDOW + 1, INITIAL_WINDOW, 1e12, 0.1);
        assert!((stalls - 0.3).abs() < 1e-3, "{stalls}");
        let far = |round_trip| slow_start(1 << 20, INITIAL_WINDOW, 1e6, round_trip);
        assert!(far(0.1) < far(0.2));
        assert_eq!(slow_start(1 << 20, 0, 1e6, 0.1), 0.0, "without a window there is nothing to wait for");
    }
}
