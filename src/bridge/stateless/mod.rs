//! A client over HTTP: the bridge answers the protocol's steps itself, and each execution is one request.

mod attend;
mod connection;
mod describe;
mod portal;
mod step;

use std::{io, sync::Arc};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite};

use self::{attend::attend, connection::Connection};
use super::{handshake::Local, shared::Shared};
use crate::{
    error::Result,
    execute::{HttpSession, Opening},
    sql::Dialect,
    wire::{BackendKey, TransactionStatus, server},
};

pub(super) async fn serve<S>(
    mut local: Local<S>,
    opening: Opening,
    session: &HttpSession,
    shared: &Shared,
) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let registration = match shared.cancels().register() {
        Ok(registration) => registration,
        Err(error) => return local.send_fatal(&error).await,
    };
    let opened = async {
        let session = session_for(&opening, session, shared)?;
        shared.verify(&session).await?;
        Ok(session)
    };
    let session = match attend(&mut local, &registration, opened).await? {
        Ok(session) => session,
        Err(error) => return local.send_fatal(&error).await,
    };
    local.send(&welcome(&opening, &session, registration.key())).await?;
    let types = shared.types().of(&opening);
    if shared.verifies() {
        // The first statement will ask for them: by then they may be here.
        let (types, session) = (Arc::clone(&types), session.clone());
        shared.runtime().spawn(async move { drop(types.directory(&session).await) });
    }
    Connection::new(local, session, registration, types).serve().await
}

/// The session for what a client asked of its own: the bridge's where it asked for the configuration's database.
fn session_for(opening: &Opening, session: &HttpSession, shared: &Shared) -> Result<HttpSession> {
    match &opening.database {
        Some(database) if database != shared.config().get_dbname()? => {
            HttpSession::new(&shared.config().clone().dbname(database), shared.runtime())?.reopened(opening)
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
