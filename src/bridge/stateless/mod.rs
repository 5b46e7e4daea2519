//! A client over HTTP: the bridge answers the protocol's steps itself, and each execution is one request.

mod connection;
mod describe;
mod extended;
mod failing;
mod group;
mod hand_over;
mod portal;
mod requests;
mod step;

use std::io;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{attend::attend, cancels::Registration, session::Client, shared::Shared};
use crate::{
    error::Result,
    execute::{HttpSession, Opening},
    sql::Dialect,
    wire::{BackendKey, TransactionStatus, server},
};
pub(super) use connection::Connection;

/// Serves a client until it goes.
pub(super) async fn serve<S>(
    client: Client<S>,
    opening: &Opening,
    http: &HttpSession,
    shared: &Shared,
    registration: &Registration<'_>,
) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    match open(client, opening, http, shared, registration).await? {
        Some(connection) => connection.serve().await,
        None => Ok(()),
    }
}

/// Ends a client's log-in; `None` where it was told that there is nothing for it.
pub(super) async fn open<'a, S>(
    mut client: Client<S>,
    opening: &Opening,
    http: &HttpSession,
    shared: &Shared,
    registration: &'a Registration<'a>,
) -> io::Result<Option<Connection<'a, S>>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let types = shared.types().of(opening);
    let opened = async {
        let session = session_for(opening, http, shared)?;
        if shared.verifies() && session.known_server().is_none() {
            // The first statement will ask for types: the request that proves that the server is there brings them.
            match types.directory(&session).await {
                Err(error) if session.known_server().is_none() => return Err(error),
                _ => session.server().await.map(drop)?,
            }
        }
        Ok(session)
    };
    let session = match attend(&mut client.local, registration, opened).await? {
        Ok(session) => session,
        Err(error) => return client.local.send_fatal(&error).await.map(|()| None),
    };
    client.local.send(&welcome(opening, &session, registration.key())).await?;
    Ok(Some(Connection::new(client, session, registration, types)))
}

/// The session for what a client asked of its own: the bridge's where it asked for the configuration's database.
fn session_for(opening: &Opening, session: &HttpSession, shared: &Shared) -> Result<HttpSession> {
    match &opening.database {
        Some(database) if database != shared.config().get_dbname()? => {
            HttpSession::new(&shared.http_config().dbname(database), shared.runtime())?.reopened(opening)
        }
        _ => session.reopened(opening),
    }
}

/// The messages that end a log-in: what every connection over HTTP may count on, and what is known of the server.
fn welcome(opening: &Opening, session: &HttpSession, key: BackendKey) -> BytesMut {
    let mut out = BytesMut::new();
    server::authentication_ok(&mut out);
    let standard_strings = if session.dialect() == Dialect::new() { "on" } else { "off" };
    let fixed = [
        ("client_encoding", "UTF8"),
        ("server_encoding", "UTF8"),
        ("DateStyle", "ISO, MDY"),
        ("IntervalStyle", "postgres"),
        ("integer_datetimes", "on"),
        ("standard_conforming_strings", standard_strings),
    ];
    let known = session.known_server().map(|server| ("server_version", server.version.as_str()));
    let application = opening.parameters.iter().find(|(name, _)| name == "application_name");
    let application = application.map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in fixed.into_iter().chain(known).chain(application) {
        server::parameter_status(&mut out, name, value);
    }
    server::backend_key_data(&mut out, key);
    server::ready_for_query(&mut out, TransactionStatus::Idle);
    out
}
