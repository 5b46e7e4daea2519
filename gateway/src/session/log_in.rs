use std::time::Duration;

use bytes::{Bytes, BytesMut};
use pgferry::{
    Error, Outcome, Result,
    config::{Password, RequireAuth},
    wire::{
        Client, Startup, TransactionStatus,
        server::{self, Frontend, StartupMessage},
    },
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::timeout,
};

use super::opening::lost;
use crate::upstream::{SharedUpstream, UpstreamStream};

/// How long a client may take to say who it is, as Postgres's own `authentication_timeout`.
pub(super) const AUTHENTICATION_TIMEOUT: Duration = Duration::from_secs(60);

/// The longest password message, in bytes; tokens are passwords to some.
const MAX_PASSWORD: usize = 64 * 1024;

/// A session that is logged in.
pub(super) struct Session {
    pub(super) upstream: UpstreamStream,
    /// What the client has to be told before anything else.
    pub(super) greeting: Bytes,
}

/// Who wants a session, and what it has to be told before anything else.
pub(super) struct Caller {
    pub(super) startup: Startup,
    pub(super) greeting: BytesMut,
}

/// Asks the client for its password. Gives `None` when the client left.
pub(super) async fn ask<S>(stream: &mut S, unread: &mut BytesMut, message: StartupMessage) -> Result<Option<Caller>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut greeting = BytesMut::new();
    let mut user = None;
    let mut database = None;
    let mut parameters = Vec::new();
    let mut unknown = Vec::new();
    for (name, value) in message.parameters {
        match name.as_str() {
            "user" => user = Some(value),
            "database" => database = Some(value).filter(|database| !database.is_empty()),
            extension if extension.starts_with("_pq_.") => unknown.push(name),
            _ => parameters.push((name, value)),
        }
    }
    let user = user
        .filter(|user| !user.is_empty())
        .ok_or_else(|| Error::auth("no PostgreSQL user name specified in startup packet"))?;
    if message.minor > 0 || !unknown.is_empty() {
        let unknown: Vec<_> = unknown.iter().map(String::as_str).collect();
        server::negotiate_protocol_version(&mut greeting, 0, &unknown);
    }
    server::authentication_cleartext_password(&mut greeting);
    stream.write_all(&greeting.split()).await.map_err(lost)?;
    stream.flush().await.map_err(lost)?;

    let password = timeout(AUTHENTICATION_TIMEOUT, password(stream, unread))
        .await
        .unwrap_or_else(|_| Err(Error::timeout("password", AUTHENTICATION_TIMEOUT, Outcome::NotExecuted)))?;
    Ok(password.map(|password| Caller {
        startup: Startup { database, parameters, ..Startup::new(user, RequireAuth::ANY).password(password) },
        greeting,
    }))
}

/// Logs in upstream for the caller.
pub(super) async fn log_in(upstream: &SharedUpstream, startup: &Startup, mut greeting: BytesMut) -> Result<Session> {
    let mut session = upstream.log_in(startup).await?;
    greet(&mut greeting, &mut session);
    let (upstream, rest) = session.into_parts();
    greeting.extend_from_slice(&rest);
    Ok(Session { upstream, greeting: greeting.freeze() })
}

/// Reads the password message (manual, section 55.7): the password and a NUL.
async fn password<S>(stream: &mut S, unread: &mut BytesMut) -> Result<Option<Password>>
where
    S: AsyncRead + Unpin,
{
    loop {
        match server::read(unread, MAX_PASSWORD)? {
            Some(Frontend::Password(body)) => {
                let text = body.strip_suffix(b"\0").unwrap_or(&body);
                return match str::from_utf8(text) {
                    Ok(text) => Ok(Some(text.into())),
                    Err(_) => Err(Error::auth("the password is not UTF-8")),
                };
            }
            Some(_) => return Err(Error::protocol("a password was expected", Outcome::NotExecuted)),
            None => {
                if stream.read_buf(unread).await.map_err(lost)? == 0 {
                    return Ok(None);
                }
            }
        }
    }
}

/// Writes what Postgres says after a log-in. The key is the upstream's own, so that cancel requests are passed on as they
/// are.
fn greet<S>(out: &mut BytesMut, session: &mut Client<S>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    server::authentication_ok(out);
    for (name, value) in session.parameters() {
        server::parameter_status(out, name, value);
    }
    if let Some(key) = session.backend_key() {
        server::backend_key_data(out, key);
    }
    for notice in session.take_notices() {
        server::notice_response(out, &notice);
    }
    server::ready_for_query(out, TransactionStatus::Idle);
}
