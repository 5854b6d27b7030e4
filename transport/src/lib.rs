//! Secure aggregation over QUIC.

#[doc(hidden)]
pub mod demo;
