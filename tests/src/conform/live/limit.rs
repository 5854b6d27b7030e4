//! Waiting, with an end.

use std::time::Duration;

/// Why a case could not be brought to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// For people.
    pub(super) why: String,
    /// Whether nothing came from the other end for the whole limit.
    pub(super) silent: bool,
}

impl From<String> for Failure {
    fn from(why: String) -> Self {
        Self { why, silent: false }
    }
}

/// The result of a future, or a failure when the limit is over: `what` says what did not come.
pub(super) async fn within<T>(
    limit: Duration,
    what: &str,
    future: impl Future<Output = T>,
) -> Result<T, Failure> {
    tokio::time::timeout(limit, future)
        .await
        .map_err(|_| Failure { why: format!("{what} within {limit:?}"), silent: true })
}
