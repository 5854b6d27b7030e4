//! Secure aggregation in virtual time.
