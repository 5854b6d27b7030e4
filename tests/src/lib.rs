//! Black-box tests of the whole, and what the programs that judge it share.

pub mod oracle;
