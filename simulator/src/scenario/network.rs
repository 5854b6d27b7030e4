//! Rates, delays and losses.

use serde::{Deserialize, Serialize};

use super::not_negative;
use crate::distribution::Distribution;
use crate::quic;

/// The network between the clients and their server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Network {
    /// What a client can send, in bits per second.
    pub up: Distribution,
    /// What a client can receive, in bits per second.
    pub down: Distribution,
    /// From a client to the server or back, one way, in seconds.
    pub latency: Distribution,
    /// Share of packets lost, 0 to 0.5; each lost packet is sent again.
    pub loss: Distribution,
    /// What the server can send, in bits per second, shared max-min among its clients; none for no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_up: Option<f64>,
    /// What the server can receive, in bits per second, shared max-min among its clients; none for no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_down: Option<f64>,
    /// Seconds to which the beginning of a client's message is rounded up.
    pub tick: f64,
    /// Seconds after which the server notices that a client is gone.
    pub silence: f64,
    /// Bytes of framing for each message.
    pub frame: u32,
    /// Bytes of messages in a packet.
    pub payload: u32,
    /// Bytes of headers of each packet.
    pub overhead: u32,
    /// Bytes that a client's connection may have in flight before the first acknowledgement; from there on the window
    /// doubles with each round trip. 0 for no such limit.
    pub window: u32,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            up: Distribution::Constant(10e6),
            down: Distribution::Constant(50e6),
            latency: Distribution::Constant(0.025),
            loss: Distribution::Constant(0.0),
            server_up: None,
            server_down: None,
            tick: 0.001,
            silence: 30.0,
            frame: 9,
            payload: quic::PAYLOAD as u32,
            overhead: quic::OVERHEAD as u32,
            window: quic::INITIAL_WINDOW as u32,
        }
    }
}

impl Network {
    pub(super) fn check(&self) -> Result<(), String> {
        self.up.check("network.up", 1.0)?;
        self.down.check("network.down", 1.0)?;
        self.latency.check("network.latency", 0.0)?;
        self.loss.check("network.loss", 0.0)?;
        if let Some(loss) = self.loss.levels().values().iter().find(|loss| **loss > 0.5) {
            return Err(format!("network.loss reaches {loss}: it must be 0 to 0.5"));
        }
        for (field, rate) in [("server_up", self.server_up), ("server_down", self.server_down)] {
            if let Some(rate) = rate
                && !(rate.is_finite() && rate >= 1.0)
            {
                return Err(format!("network.{field} = {rate}: it must be a number of at least 1"));
            }
        }
        if !(1e-6..=60.0).contains(&self.tick) {
            return Err(format!("network.tick = {}: it must be 0.000001 to 60 seconds", self.tick));
        }
        if self.overhead > u32::from(u16::MAX) {
            return Err(format!(
                "network.overhead = {}: a packet has at most {} bytes",
                self.overhead,
                u16::MAX
            ));
        }
        if self.payload == 0 {
            return Err("network.payload = 0: a packet carries at least 1 byte".to_owned());
        }
        not_negative("network.silence", self.silence)
    }
}
