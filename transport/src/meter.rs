//! What a client has done so far, for those who watch it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use secagg::Counts;

use crate::outcome::Traffic;

/// A client's bytes and operations so far; it outlives the client, so it tells of one that vanished too.
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<Mutex<Reading>>);

#[derive(Debug, Default)]
struct Reading {
    traffic: Traffic,
    counts: Counts,
}

impl Meter {
    /// Application bytes, headers included.
    pub fn traffic(&self) -> Traffic {
        self.reading().traffic
    }

    /// What the client did, in operations.
    pub fn counts(&self) -> Counts {
        self.reading().counts
    }

    pub(crate) fn sent(&self, bytes: u64) {
        self.reading().traffic.up += bytes;
    }

    pub(crate) fn received(&self, bytes: u64) {
        self.reading().traffic.down += bytes;
    }

    pub(crate) fn computed(&self, counts: Counts) {
        self.reading().counts = counts;
    }

    fn reading(&self) -> MutexGuard<'_, Reading> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
