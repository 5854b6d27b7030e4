//! A bound on the bytes that all clients together may have in flight to the server.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes per unit of credit; a semaphore's count has fewer bits than a length.
const UNIT: u64 = 1024;

/// The server's staging memory. A body is read only while it holds credit for its whole length,
/// and gives it back once the protocol core has taken the body in.
#[derive(Clone)]
pub(crate) struct Credits {
    semaphore: Arc<Semaphore>,
    units: u32,
}

impl Credits {
    /// Makes credit for `bytes` in flight.
    pub(crate) fn new(bytes: u64) -> Credits {
        let units = u32::try_from(bytes / UNIT).unwrap_or(u32::MAX).max(1);
        let units = units.min(u32::try_from(Semaphore::MAX_PERMITS).unwrap_or(u32::MAX));
        Credits { semaphore: Arc::new(Semaphore::new(units as usize)), units }
    }

    /// Waits, first come first served, for credit for `bytes`.
    ///
    /// A message above the whole credit takes all of it, so that it comes alone but comes.
    pub(crate) async fn take(&self, bytes: u64) -> OwnedSemaphorePermit {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).min(self.units);
        match self.semaphore.clone().acquire_many_owned(units).await {
            Ok(permit) => permit,
            // The semaphore is never closed; to wait for ever is what a missing credit means.
            Err(_) => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn credit_is_bounded_and_comes_back() {
        let credits = Credits::new(10 * UNIT);
        let first = credits.take(6 * UNIT).await;
        let second = credits.take(4 * UNIT).await;
        assert_eq!(credits.semaphore.available_permits(), 0);
        drop((first, second));
        assert_eq!(credits.semaphore.available_permits(), 10);
    }

    #[tokio::test]
    async fn a_message_above_the_whole_credit_still_comes() {
        let credits = Credits::new(10 * UNIT);
        let all = credits.take(u64::MAX).await;
        assert_eq!(credits.semaphore.available_permits(), 0);
        drop(all);
        drop(credits.take(1).await);
    }
}
