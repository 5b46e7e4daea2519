/// What carries the statements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transport {
    /// SQL over HTTP: one request a statement or batch, no session.
    Http,
    /// The Postgres protocol in a WebSocket: a session, as over TCP.
    #[default]
    WebSocket,
}
