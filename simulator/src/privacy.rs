//! Privacy in a run: which noise the clients add, and what has been given away.

mod account;
mod design;

pub(crate) use account::Account;
pub(crate) use design::{Design, Figure, figure};
