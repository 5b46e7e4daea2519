use std::time::Duration;

use crate::{
    bridge::{handshake::Local, statement::Statements, types},
    config::Describe,
    error::Error,
    execute::{HttpSession, Opening},
};

/// A logged-in client and what outlives the session that its statements go to.
pub(in crate::bridge) struct Client<S> {
    /// What was read of it and not consumed goes to the session.
    pub(in crate::bridge) local: Local<S>,
    pub(in crate::bridge) statements: Statements,
    /// What it has been told of types.
    pub(in crate::bridge) types: types::Client,
    /// It may be sqlx 0.9, which leaves the `ReadyForQuery` behind a refused COPY to the client unread, and then takes each answer
    /// for that of the statement before.
    pub(in crate::bridge) may_be_sqlx: bool,
    /// Its statements are described when it asks, as the server does: only sqlx is content with columns that come with the rows.
    pub(in crate::bridge) describes_always: bool,
}

impl<S> Client<S> {
    pub(in crate::bridge) fn new(local: Local<S>, opening: &Opening, describe: Describe) -> Self {
        let asks =
            |name: &str, value: &str| opening.parameters.iter().any(|(asked, wanted)| asked == name && wanted == value);
        let may_be_sqlx = asks("DateStyle", "ISO, MDY") && asks("TimeZone", "UTC");
        Self {
            local,
            statements: Statements::default(),
            types: types::Client::default(),
            may_be_sqlx,
            describes_always: !may_be_sqlx || describe == Describe::Always,
        }
    }
}

/// How a client is served over a WebSocket.
#[derive(Clone, Debug, Default)]
pub(in crate::bridge) struct How {
    /// The client has been told that its log-in is over.
    pub(in crate::bridge) is_welcomed: bool,
    /// After how long without a statement a session that nothing is kept in is closed.
    pub(in crate::bridge) leaves_after: Option<Duration>,
    /// What carries its statements when it is not served so, and must not count on types that are others by then.
    pub(in crate::bridge) http: Option<HttpSession>,
}

/// How serving a client over a WebSocket ended.
pub(in crate::bridge) enum Ended<S> {
    /// The client is gone, or was told why its connection ends.
    Gone,
    /// The session was closed; the client goes on without it.
    Idle(Client<S>),
    /// There is no session for a client that was welcomed already; it has heard nothing of it, and none of its messages was
    /// consumed.
    Unopened(Client<S>, Error),
}
