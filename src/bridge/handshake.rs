use std::io;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::{secret, session, shared::Shared, stateless};
use crate::{
    config::Config,
    error::{DbError, Error, Result, SqlState},
    execute::{self, Opening},
    wire::{
        BackendKey,
        server::{self, Frontend, Opening as FirstMessage, StartupMessage},
    },
};

/// The largest message that a client may send before it has logged in, in bytes.
const MAX_LOGIN_MESSAGE: usize = 16 * 1024;

/// A client's side of a connection: its stream and what was read of it and not yet used.
pub(super) struct Local<S> {
    pub(super) stream: S,
    pub(super) read: BytesMut,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Local<S> {
    /// Reads more, `false` at the end.
    pub(super) async fn fill(&mut self) -> io::Result<bool> {
        Ok(self.stream.read_buf(&mut self.read).await? > 0)
    }

    pub(super) async fn send(&mut self, message: &BytesMut) -> io::Result<()> {
        self.stream.write_all(message).await?;
        self.stream.flush().await
    }

    /// Tells the client an error after which the connection ends.
    pub(super) async fn send_fatal(&mut self, error: &Error) -> io::Result<()> {
        let mut out = BytesMut::new();
        fatal(&mut out, error.to_db_error());
        self.send(&out).await
    }
}

/// Serves one client from its first byte to its last.
pub(super) async fn serve<S>(stream: S, shared: &Shared) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let mut local = Local { stream, read: BytesMut::with_capacity(8 * 1024) };
    let Some(startup) = negotiate(&mut local, shared).await? else { return Ok(()) };
    if !authenticate(&mut local, shared).await? {
        return Ok(());
    }
    let opening = match opening(startup, shared.config()) {
        Ok(opening) => opening,
        Err(error) => return local.send_fatal(&error).await,
    };
    match shared.http() {
        Some(session) => stateless::serve(local, opening, session, shared).await,
        None => over_websocket(local, &opening, shared).await,
    }
}

async fn over_websocket<S>(mut local: Local<S>, opening: &Opening, shared: &Shared) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let registration = match shared.cancels().register() {
        Ok(registration) => registration,
        Err(error) => return local.send_fatal(&error).await,
    };
    let client = session::Client::new(local);
    session::serve(client, opening, shared, &registration, session::How::default()).await.map(drop)
}

/// Reads the messages that come before a startup, and the startup itself; `None` when the client wanted nothing more.
async fn negotiate<S>(local: &mut Local<S>, shared: &Shared) -> io::Result<Option<StartupMessage>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        match server::read_opening(&mut local.read) {
            // The socket is private: there is nothing to encrypt against.
            Ok(Some(FirstMessage::Ssl | FirstMessage::GssEnc)) => {
                local.stream.write_all(b"N").await?;
                local.stream.flush().await?;
            }
            Ok(Some(FirstMessage::Cancel(key))) => {
                cancel(key, shared).await;
                return Ok(None);
            }
            Ok(Some(FirstMessage::Startup(startup))) => return Ok(Some(startup)),
            Ok(None) => {
                if !local.fill().await? {
                    return Ok(None);
                }
            }
            Err(error) => {
                local.send_fatal(&error).await?;
                return Ok(None);
            }
        }
    }
}

/// Passes a cancel request on; the connection that it came on says nothing either way, as with Postgres.
async fn cancel(key: BackendKey, shared: &Shared) {
    if let Some(key) = shared.cancels().cancel(key)
        && let Err(error) = execute::cancel(shared.config(), key).await
    {
        tracing::debug!(%error, "a cancel request could not be passed on");
    }
}

async fn authenticate<S>(local: &mut Local<S>, shared: &Shared) -> io::Result<bool>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut out = BytesMut::new();
    server::authentication_cleartext_password(&mut out);
    local.send(&out).await?;
    loop {
        match server::read(&mut local.read, MAX_LOGIN_MESSAGE) {
            Ok(Some(Frontend::Password(given))) => {
                // The message's body is a C string.
                let given = given.strip_suffix(b"\0").unwrap_or(&given);
                if secret::matches(shared.password(), given) {
                    return Ok(true);
                }
                let mut out = BytesMut::new();
                let message = "the bridge has a password of its own: connect with the options that it hands out";
                fatal(&mut out, DbError::new("FATAL", Some(SqlState::INVALID_PASSWORD), message));
                local.send(&out).await?;
                return Ok(false);
            }
            Ok(Some(_)) | Err(_) => return Ok(false),
            Ok(None) => {
                if !local.fill().await? {
                    return Ok(false);
                }
            }
        }
    }
}

/// What the client's startup asks for, on top of what the configuration does.
fn opening(startup: StartupMessage, config: &Config) -> Result<Opening> {
    let mut opening = Opening::default();
    let mut options: Vec<_> = config.get_options().into_iter().map(str::to_owned).collect();
    for (name, value) in startup.parameters {
        match name.as_str() {
            "user" if value == config.get_user()? => {}
            "user" => {
                let message = format!(
                    "the bridge logs in as \"{}\", whose password it has: to log in as another role, open another with its URL",
                    config.get_user()?
                );
                return Err(Error::auth(message));
            }
            "database" => opening.database = Some(value),
            // Of two settings of the same name Postgres takes the later one.
            "options" => options.push(value),
            _ => opening.parameters.push((name, value)),
        }
    }
    if let Some(name) = config.get_application_name()
        && !opening.parameters.iter().any(|(given, _)| given == "application_name")
    {
        opening.parameters.push(("application_name".to_owned(), name.to_owned()));
    }
    if !options.is_empty() {
        opening.parameters.push(("options".to_owned(), options.join(" ")));
    }
    Ok(opening)
}

pub(super) fn fatal(out: &mut BytesMut, error: DbError) {
    let mut error = error;
    error.severity = "FATAL".to_owned();
    server::error_response(out, &error);
}
