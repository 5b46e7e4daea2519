use fallible_iterator::FallibleIterator;
use postgres_protocol::{
    authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256},
    message::{
        backend::{AuthenticationSaslBody, Message},
        frontend,
    },
};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    channel::{Channel, Incoming},
    log_in,
};
use crate::{
    config::Password,
    error::{Error, Result},
};

/// Returns which SASL mechanisms the server offers.
pub(super) fn mechanisms(body: &AuthenticationSaslBody) -> Result<Vec<String>> {
    body.mechanisms().map(|mechanism| Ok(mechanism.to_owned())).collect().map_err(|error| {
        Error::protocol("the server's list of SASL mechanisms is malformed", crate::Outcome::NotExecuted)
            .with_source(error)
    })
}

/// Proves the password and lets the server prove that it knows it too (manual, section 55.3; RFC 5802, RFC 7677).
pub(super) async fn run<S>(channel: &mut Channel<S>, password: &Password, offered: &[String]) -> Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    if !offered.iter().any(|mechanism| mechanism == SCRAM_SHA_256) {
        return Err(Error::auth(format!(
            "the server offers only {}, and channel binding cannot be done since TLS ends before the database: allow SCRAM-SHA-256 on the server",
            offered.join(", ")
        )));
    }
    // The protocol's word for "the client has none to offer"; claiming that the server offered none would be refused where it does.
    let mut scram = ScramSha256::new(password.reveal().as_bytes(), ChannelBinding::unsupported());
    frontend::sasl_initial_response(SCRAM_SHA_256, scram.message(), channel.out()).map_err(failed)?;
    match log_in::receive(channel).await? {
        Incoming::Message(Message::AuthenticationSaslContinue(body)) => scram.update(body.data()).map_err(failed)?,
        _ => return Err(log_in::unexpected()),
    }
    frontend::sasl_response(scram.message(), channel.out()).map_err(failed)?;
    match log_in::receive(channel).await? {
        Incoming::Message(Message::AuthenticationSaslFinal(body)) => scram.finish(body.data()).map_err(failed),
        _ => Err(log_in::unexpected()),
    }
}

fn failed(error: std::io::Error) -> Error {
    Error::auth("the SCRAM exchange failed: the server may not know the password itself").with_source(error)
}
