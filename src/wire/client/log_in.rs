use postgres_protocol::{
    authentication::md5_hash,
    message::{backend::Message, frontend},
};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    Startup,
    channel::{Channel, Incoming},
    error_fields, scram,
    session::Session,
};
use crate::{
    config::Password,
    error::{DbError, Error, Outcome, Result, SqlState},
    wire::{BackendKey, TransactionStatus},
};

/// Sends the startup and does what the server asks for until it is ready for the first flight. Where the password goes ahead, the first
/// flight goes right behind it; otherwise it is left in the channel, to be sent next.
pub(super) async fn run<S>(channel: &mut Channel<S>, startup: &Startup, first_flight: &[u8]) -> Result<Session>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let sent_ahead = send_startup(channel, startup)?;
    if sent_ahead {
        channel.out().extend_from_slice(first_flight);
    }
    authenticate(channel, startup, sent_ahead).await?;
    let session = await_ready(channel).await?;
    if !sent_ahead {
        channel.out().extend_from_slice(first_flight);
    }
    Ok(session)
}

/// Returns whether the password went along.
fn send_startup<S>(channel: &mut Channel<S>, startup: &Startup) -> Result<bool> {
    let unsendable = |error| {
        Error::config("the startup's user, database, password or settings hold a NUL character: remove it")
            .with_source(error)
    };
    let own =
        [Some(("user", startup.user.as_str())), startup.database.as_deref().map(|database| ("database", database))];
    let others = startup.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    // An empty name would end the list early.
    let parameters = own.into_iter().flatten().chain(others).filter(|(name, _)| !name.is_empty());
    frontend::startup_message(parameters, channel.out()).map_err(unsendable)?;
    match &startup.password {
        Some(password) if startup.pipeline_password && startup.require_auth.allows_password() => {
            frontend::password_message(password.reveal().as_bytes(), channel.out()).map_err(unsendable)?;
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// Answers what the server asks for, if it may be answered, until it says that the log-in is over.
async fn authenticate<S>(channel: &mut Channel<S>, startup: &Startup, sent_ahead: bool) -> Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let allowed = &startup.require_auth;
    let asked = loop {
        match receive(channel).await? {
            Incoming::Message(asked) => break asked,
            // Only protocol options that nobody depends on can be unknown to the server, and 3.0 is spoken by all.
            Incoming::NegotiateProtocolVersion => {}
            Incoming::Row(_) => return Err(unexpected()),
        }
    };
    match asked {
        Message::AuthenticationOk => {
            if !allowed.allows_none() {
                return Err(refused(startup, "for no proof at all"));
            }
            if sent_ahead {
                return Err(sent_for_nothing("for no password"));
            }
            return Ok(());
        }
        Message::AuthenticationCleartextPassword => {
            if !allowed.allows_password() {
                return Err(refused(startup, "for the password in cleartext (password)"));
            }
            if !sent_ahead {
                send_password(channel, password(startup)?.reveal())?;
            }
        }
        Message::AuthenticationMd5Password(body) => {
            if !allowed.allows_md5() {
                return Err(refused(startup, "for an MD5 hash of the password (md5)"));
            }
            if sent_ahead {
                return Err(sent_for_nothing("for an MD5 hash"));
            }
            let password = password(startup)?.reveal();
            send_password(channel, &md5_hash(startup.user.as_bytes(), password.as_bytes(), body.salt()))?;
        }
        Message::AuthenticationSasl(body) => {
            let offered = scram::mechanisms(&body)?;
            if !allowed.allows_scram_sha_256() {
                return Err(refused(startup, &format!("for SASL ({})", offered.join(", "))));
            }
            if sent_ahead {
                return Err(sent_for_nothing("for SCRAM"));
            }
            scram::run(channel, password(startup)?, &offered).await?;
        }
        Message::AuthenticationGss | Message::AuthenticationSspi | Message::AuthenticationKerberosV5 => {
            return Err(refused(startup, "for Kerberos, GSSAPI or SSPI, which pgferry does not speak"));
        }
        _ => return Err(unexpected()),
    }
    match receive(channel).await? {
        Incoming::Message(Message::AuthenticationOk) => Ok(()),
        _ => Err(unexpected()),
    }
}

/// Takes what the server tells of the session until it is ready.
async fn await_ready<S>(channel: &mut Channel<S>) -> Result<Session>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut session = Session::new();
    loop {
        let message = match receive(channel).await? {
            Incoming::Message(message) => message,
            Incoming::NegotiateProtocolVersion => continue,
            Incoming::Row(_) => return Err(unexpected()),
        };
        match session.absorb(message) {
            Ok(()) => {}
            Err(Message::BackendKeyData(body)) => {
                session.key = Some(BackendKey { process_id: body.process_id(), secret_key: body.secret_key() });
            }
            Err(Message::ReadyForQuery(body)) => {
                session.status = TransactionStatus::from_byte(body.status()).ok_or_else(unexpected)?;
                return Ok(session);
            }
            Err(_) => return Err(unexpected()),
        }
    }
}

/// Waits for the next message; an error of the server is one.
pub(super) async fn receive<S>(channel: &mut Channel<S>) -> Result<Incoming>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match channel.receive().await? {
        Incoming::Message(Message::ErrorResponse(body)) => Err(rejected(error_fields::read(body.fields()))),
        message => Ok(message),
    }
}

/// What a server's error before it is ready means.
///
/// Postgres's own are FATAL. A proxy's have the severity ERROR and XX000 for a code, whatever happened (PROTOCOL.md, section 3).
fn rejected(mut error: DbError) -> Error {
    if error.severity == "ERROR" && error.code().is_some_and(|code| code.as_str() == "XX000") {
        error.code = None;
        if error.message.contains("password authentication failed") {
            error.severity = "FATAL".to_owned();
            error.code = Some(SqlState::INVALID_PASSWORD);
        }
    }
    Error::db(error)
}

fn password(startup: &Startup) -> Result<&Password> {
    startup
        .password
        .as_ref()
        .ok_or_else(|| Error::auth(format!("the server asks for the password of role \"{}\", and none is configured: put it in the URL (percent-encoded), or set it with \
             Config::password", startup.user)))
}

fn send_password<S>(channel: &mut Channel<S>, password: &str) -> Result<()> {
    frontend::password_message(password.as_bytes(), channel.out())
        .map_err(|error| Error::config("the password holds a NUL character: remove it").with_source(error))
}

fn refused(startup: &Startup, asked: &str) -> Error {
    Error::auth(format!(
        "the server asks {asked}, which is not answered: require_auth allows {}",
        startup.require_auth.describe()
    ))
}

/// A server that did not expect the password takes it for the answer to something else, so that the log-in is lost.
fn sent_for_nothing(asked: &str) -> Error {
    Error::auth(format!(
        "the server asks {asked}, but the password was sent ahead in cleartext as Neon asks for it: name the provider that it is \
         (provider=), so that the password waits until it is asked for"
    ))
}

pub(super) fn unexpected() -> Error {
    Error::protocol("the server sent a message that makes no sense during the log-in", Outcome::NotExecuted)
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use tokio::io::AsyncWriteExt;

    use super::*;
    use crate::wire::{Client, server};

    /// What comes of a log-in to a server that says this and goes.
    async fn answered(write: impl FnOnce(&mut BytesMut)) -> Error {
        let mut said = BytesMut::new();
        write(&mut said);
        let (ours, mut theirs) = tokio::io::duplex(4096);
        theirs.write_all(&said).await.unwrap();
        theirs.shutdown().await.unwrap();
        let startup = Startup::new("app", "scram-sha-256,password".parse().unwrap()).password("secret");
        Client::connect(ours, &startup).await.unwrap_err()
    }

    #[tokio::test]
    async fn a_proxys_error_has_no_code_and_a_wrong_password_is_known_by_its_words() {
        let proxy = |message: &str| DbError::new("ERROR", Some(SqlState::from_code("XX000")), message);
        let error = answered(|out| {
            server::error_response(out, &proxy("password authentication failed for user 'app'"));
        });
        let error = error.await;
        assert!(error.is_auth() && error.outcome() == Outcome::NotExecuted, "{error:?}");
        assert_eq!(error.code(), Some(&SqlState::INVALID_PASSWORD));

        let error = answered(|out| server::error_response(out, &proxy("Control plane request failed"))).await;
        assert!(!error.is_auth() && error.code().is_none() && error.outcome() == Outcome::NotExecuted, "{error:?}");

        // An error can also come after the log-in and before the server is ready.
        let error = answered(|out| {
            server::authentication_cleartext_password(out);
            server::authentication_ok(out);
            server::error_response(out, &DbError::new("FATAL", Some(SqlState::from_code("3D000")), "no such database"));
        });
        assert_eq!(error.await.code(), Some(&SqlState::from_code("3D000")));
    }

    #[tokio::test]
    async fn scram_with_channel_binding_alone_is_told_to_be_impossible() {
        let error = answered(|out| server::authentication_sasl(out, &["SCRAM-SHA-256-PLUS"])).await;
        assert!(error.is_auth() && error.to_string().contains("SCRAM-SHA-256-PLUS"), "{error}");
    }

    #[tokio::test]
    async fn a_server_that_skips_its_own_proof_is_not_believed() {
        let error = answered(|out| {
            server::authentication_sasl(out, &["SCRAM-SHA-256"]);
            server::authentication_ok(out);
        });
        let error = error.await;
        assert!(!error.is_closed() && error.outcome() == Outcome::NotExecuted, "{error:?}");
    }

    #[tokio::test]
    async fn every_truncation_of_a_log_in_is_an_error() {
        let mut said = BytesMut::new();
        server::negotiate_protocol_version(&mut said, 0, &["_pq_.x"]);
        server::authentication_cleartext_password(&mut said);
        server::authentication_ok(&mut said);
        server::parameter_status(&mut said, "server_version", "15.1");
        server::backend_key_data(&mut said, BackendKey { process_id: 1, secret_key: 2 });
        server::ready_for_query(&mut said, TransactionStatus::Idle);
        for length in 0..said.len() {
            let error = answered(|out| out.extend_from_slice(&said[..length])).await;
            assert!(error.is_closed() && error.outcome() == Outcome::NotExecuted, "{length}: {error:?}");
        }
    }
}
