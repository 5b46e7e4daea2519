//! What a client says before its first statement, and what it is answered.

use std::{io, time::Duration};

use bytes::BytesMut;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    time::timeout,
};

use super::{handshake::Local, secret, shared::Shared};
use crate::{
    config::Config,
    error::{DbError, Error, Outcome, Result, SqlState},
    execute::{self, Opening},
    wire::{
        BackendKey,
        server::{self, Frontend, Opening as FirstMessage, StartupMessage},
    },
};

/// The largest message that a client may send before it has logged in, in bytes.
const MAX_LOGIN_MESSAGE: usize = 16 * 1024;

/// How long a client may take to log in: Postgres's own `authentication_timeout`.
const LIMIT: Duration = Duration::from_secs(60);

/// What begins a parameter of the protocol's own (manual, section 55.2).
const EXTENSION: &str = "_pq_.";

/// Asks a client who it is and lets it in; `None` when it wanted something else or may not come in, and was told so.
pub(super) async fn log_in<S>(local: &mut Local<S>, shared: &Shared) -> io::Result<Option<Opening>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let opening = async {
        let Some(startup) = negotiate(local, shared).await? else { return Ok(None) };
        if !authenticate(local, shared, &startup).await? {
            return Ok(None);
        }
        match opening(startup, shared.config()) {
            Ok(opening) => Ok(Some(opening)),
            Err(error) => local.send_fatal(&error).await.map(|()| None),
        }
    };
    match timeout(LIMIT, opening).await {
        Ok(opening) => opening,
        Err(_) => {
            let error = Error::timeout("password", LIMIT, Outcome::NotExecuted);
            local.send_fatal(&error).await.map(|()| None)
        }
    }
}

/// Reads the messages that come before a startup, and the startup itself; `None` when the client wanted nothing more.
async fn negotiate<S>(local: &mut Local<S>, shared: &Shared) -> io::Result<Option<StartupMessage>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        match server::read_opening(&mut local.read) {
            // Nothing leaves the machine: there is nothing to encrypt against.
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

async fn authenticate<S>(local: &mut Local<S>, shared: &Shared, startup: &StartupMessage) -> io::Result<bool>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut out = BytesMut::new();
    let unknown: Vec<_> =
        startup.parameters.iter().map(|(name, _)| name.as_str()).filter(|name| name.starts_with(EXTENSION)).collect();
    if startup.minor > 0 || !unknown.is_empty() {
        server::negotiate_protocol_version(&mut out, 0, &unknown);
    }
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
                let mut error = DbError::new(
                    "FATAL",
                    Some(SqlState::INVALID_PASSWORD),
                    "the bridge has a password of its own: connect with the URL or the options that it hands out",
                );
                error.hint =
                    Some("It is not the database's password, and is a new one at each start unless it is kept.".into());
                local.send_error(error).await?;
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
                let user = config.get_user()?;
                return Err(Error::auth(format!(
                    "the bridge logs in as \"{user}\", whose password it has: connect as \"{user}\", or start another bridge with the URL of \"{value}\""
                )));
            }
            "database" if value.is_empty() => {}
            "database" => opening.database = Some(value),
            "replication" if asks_for_replication(&value) => {
                return Err(Error::refused(
                    "replication connections are not carried: connect to Postgres itself over TCP",
                ));
            }
            "replication" => {}
            // Of two settings of the same name Postgres takes the later one.
            "options" => options.push(value),
            name if name.starts_with(EXTENSION) => {}
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

/// Whether the startup's `replication` is one of Postgres's spellings of true, or `database`.
fn asks_for_replication(value: &str) -> bool {
    // What Postgres takes for a boolean may be shortened, but for on and off.
    let value = value.to_ascii_lowercase();
    !(value.is_empty()
        || ["0", "of", "off"].contains(&&*value)
        || "false".starts_with(&value)
        || "no".starts_with(&value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(parameters: &[(&str, &str)]) -> Result<Opening> {
        let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let config = Config::new().host("db.example").user("app").dbname("shop");
        opening(StartupMessage { minor: 0, parameters }, &config.param("options", "-c work_mem=1MB")?)
    }

    #[test]
    fn a_clients_wishes_are_kept() {
        let opening = opened(&[
            ("user", "app"),
            ("database", "other"),
            ("options", "-c jit=off"),
            ("_pq_.x", "1"),
            ("TimeZone", "UTC"),
        ])
        .unwrap();
        assert_eq!(opening.database.as_deref(), Some("other"));
        let parameters: Vec<_> =
            opening.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(parameters, [("TimeZone", "UTC"), ("options", "-c work_mem=1MB -c jit=off")]);
    }

    #[test]
    fn another_role_is_told_which_one_to_take() {
        let error = opened(&[("user", "root")]).unwrap_err().to_string();
        assert!(error.contains("connect as \"app\"") && error.contains("the URL of \"root\""), "{error}");
    }

    #[test]
    fn replication_is_refused_and_its_lack_is_not() {
        for value in ["true", "on", "database", "1", "yes", "t"] {
            assert!(opened(&[("user", "app"), ("replication", value)]).unwrap_err().is_refused(), "{value}");
        }
        for value in ["false", "off", "0", "no", "f", ""] {
            assert!(opened(&[("user", "app"), ("replication", value)]).unwrap().parameters.len() == 1, "{value}");
        }
    }
}
