//! The specification of the protocol, as data.
