use pgferry::{Error, execute};

/// Cancels what a connection is running.
///
/// Cheap to clone. It keeps the connection's I/O thread, but not its session.
#[derive(Clone, Debug)]
pub struct CancelToken(execute::CancelToken);

impl CancelToken {
    pub(crate) fn new(token: execute::CancelToken) -> Self {
        Self(token)
    }

    /// Asks for the statement that is running to be cancelled; where none is, nothing happens.
    ///
    /// Over WebSocket a second one carries the request, and the statement fails with SQLSTATE 57014 unless it ended just before. Over
    /// HTTP the request is dropped, which cancels it. Any executor can drive it.
    ///
    /// Cancel safe in that the request may or may not have been made.
    ///
    /// # Errors
    ///
    /// When no second WebSocket could be opened within the connect timeout.
    pub async fn cancel(&self) -> Result<(), Error> {
        self.0.cancel().await
    }

    /// Asks as [`cancel`](Self::cancel) does, and blocks the calling thread until the request was made: for programs without async.
    ///
    /// # Errors
    ///
    /// As [`cancel`](Self::cancel).
    pub fn cancel_blocking(&self) -> Result<(), Error> {
        self.0.cancel_blocking()
    }

    /// Does what [`cancel`](Self::cancel) does, for code that was written for the token of diesel-async's `AsyncPgConnection`.
    ///
    /// The argument, tokio-postgres's TLS connector there, is not used: the request travels as the connection itself does.
    ///
    /// # Errors
    ///
    /// As [`cancel`](Self::cancel).
    pub async fn cancel_query<T>(&self, _tls: T) -> Result<(), Error> {
        self.cancel().await
    }
}
