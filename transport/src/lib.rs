//! Secure aggregation over QUIC.
