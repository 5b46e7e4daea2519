use std::{
    io,
    sync::{Arc, Mutex},
};

use bytes::BytesMut;
use pgferry::{
    error::DbError,
    wire::{
        TransactionStatus,
        server::{self, Frontend, Opening, StartupMessage},
    },
};

use crate::{
    backend::{Backend, Failure},
    frame, message,
    session::{
        Cancelled, Identity, Kept,
        run::Client,
        startup,
        state::{self, State},
    },
    shared::Shared,
    turn,
};

/// The longest password that is read, in bytes.
const MAX_PASSWORD: usize = 10_000;

/// Opens a session; `None` where the connection was for something else, or is refused, which the client has been told.
///
/// # Errors
///
/// When the client goes away.
pub(crate) async fn log_in(client: &mut Client, shared: &Arc<Shared>) -> io::Result<Option<(Identity, Cancelled)>> {
    let startup = match opening(client, shared).await? {
        Ok(Some(startup)) => startup,
        Ok(None) => return Ok(None),
        Err(error) => return refuse(client, &error).await,
    };
    match admit(client, shared, &startup).await? {
        Ok(admitted) => Ok(Some(admitted)),
        Err(mut error) => {
            "FATAL".clone_into(&mut error.severity);
            refuse(client, &error).await
        }
    }
}

async fn opening(client: &mut Client, shared: &Shared) -> io::Result<Result<Option<StartupMessage>, Box<DbError>>> {
    loop {
        match server::read_opening(&mut client.received) {
            Ok(Some(Opening::Cancel(key))) => {
                shared.requests.cancel(&key);
                return Ok(Ok(None));
            }
            Ok(Some(Opening::Ssl | Opening::GssEnc)) => client.send(b"N").await?,
            Ok(Some(Opening::Startup(startup))) => return Ok(Ok(Some(startup))),
            Ok(None) => client.receive().await?,
            Err(error) => return Ok(Err(message::error("FATAL", "08P01", error.to_string(), ""))),
        }
    }
}

async fn admit(
    client: &mut Client,
    shared: &Arc<Shared>,
    startup: &StartupMessage,
) -> io::Result<Result<(Identity, Cancelled), Box<DbError>>> {
    let unknown: Vec<&str> =
        startup.parameters.iter().map(|(name, _)| name.as_str()).filter(|name| name.starts_with("_pq_.")).collect();
    let mut out = BytesMut::new();
    if startup.minor > 0 || !unknown.is_empty() {
        server::negotiate_protocol_version(&mut out, 0, &unknown);
    }
    server::authentication_cleartext_password(&mut out);
    client.send(&out).await?;
    let user = startup.parameter("user").unwrap_or_default().to_owned();
    if !is_same(&password(client).await?, shared.password.reveal().as_bytes()) {
        return Ok(Err(message::error(
            "FATAL",
            "28P01",
            format!("password authentication failed for user \"{user}\""),
            "The embedded PostgreSQL has one password, which is chosen or told when it starts.",
        )));
    }
    if startup.parameter("replication").is_some_and(|value| !matches!(value, "false" | "off" | "no" | "0")) {
        return Ok(Err(message::error(
            "FATAL",
            "0A000",
            "the embedded PostgreSQL has no replication",
            "Install PostgreSQL for that.",
        )));
    }
    let settings = match startup::settings(startup) {
        Ok(settings) => settings,
        Err(word) => {
            return Ok(Err(message::error(
                "FATAL",
                "42601",
                format!("invalid command-line argument for server process: {word}"),
                "Only settings can be in options, as -c name=value.",
            )));
        }
    };
    let state = State::of(settings.clone());
    let mut identity = Identity {
        number: shared.number(),
        database: startup.parameter("database").filter(|name| !name.is_empty()).unwrap_or(&user).to_owned(),
        user,
        settings,
        kept: Arc::new(Mutex::new(Kept { state, ..Kept::default() })),
        has_logged_in: false,
        timeout: None,
    };
    let mut cancelled = shared.requests.enter(identity.number).map_err(io::Error::other)?;
    let mut turn = match turn::take(shared, &identity, &mut cancelled).await {
        Ok(turn) => turn,
        Err(error) => return Ok(Err(error)),
    };
    let Some(backend) = turn.seat.backend.as_mut() else { return Err(io::ErrorKind::UnexpectedEof.into()) };
    let asked = match parameters(backend).await {
        Ok(parameters) => state::statement_timeout(backend).await.map(|timeout| (parameters, timeout)),
        Err(failure) => Err(failure),
    };
    let parameters = match asked {
        Ok((parameters, timeout)) => {
            identity.timeout = timeout;
            parameters
        }
        Err(Failure::Refused(error)) => return Ok(Err(error)),
        Err(Failure::Gone(error)) => return Err(error),
    };
    drop(turn);
    identity.has_logged_in = true;
    let mut out = BytesMut::new();
    server::authentication_ok(&mut out);
    for (name, value) in &parameters {
        server::parameter_status(&mut out, name, value);
    }
    server::backend_key_data(&mut out, cancelled.key);
    server::ready_for_query(&mut out, TransactionStatus::Idle);
    client.send(&out).await?;
    Ok(Ok((identity, cancelled)))
}

async fn password(client: &mut Client) -> io::Result<Vec<u8>> {
    loop {
        match server::read(&mut client.received, MAX_PASSWORD) {
            Ok(Some(Frontend::Password(password))) => {
                return Ok(password.strip_suffix(b"\0").unwrap_or(&password).to_vec());
            }
            Ok(None) => client.receive().await?,
            Ok(Some(_)) | Err(_) => return Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

/// Compares in a time that depends on the lengths alone.
fn is_same(given: &[u8], password: &[u8]) -> bool {
    given.len() == password.len() && given.iter().zip(password).fold(0, |differing, (a, b)| differing | (a ^ b)) == 0
}

/// Returns the settings that a server reports, as they are now.
async fn parameters(backend: &mut Backend) -> Result<Vec<(String, String)>, Failure> {
    let mut names = Vec::new();
    for bytes in &backend.parameters {
        let mut body = bytes.slice(5.min(bytes.len())..);
        names.push(message::literal(&String::from_utf8_lossy(&frame::text(&mut body))));
    }
    let question = format!(
        "select name, pg_catalog.current_setting(name, true) from pg_catalog.unnest(array[{}]::text[]) name",
        names.join(", ")
    );
    let rows = backend.ask(&question).await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| match <[Option<String>; 2]>::try_from(row) {
            Ok([Some(name), Some(value)]) => Some((name, value)),
            _ => None,
        })
        .collect())
}

async fn refuse(client: &mut Client, error: &DbError) -> io::Result<Option<(Identity, Cancelled)>> {
    client.send(&message::told(error)).await?;
    Ok(None)
}
