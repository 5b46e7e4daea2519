use super::{Failure, admission, flight, outputs::Outputs, sender::over_http};
use crate::{
    error::Error,
    execute::{Carrier, Demands, Output, Session, Statement, WireClient},
    http::BatchOptions,
    sql::Dialect,
    wire::TransactionStatus,
};

/// Runs statements as one transaction in a session that is open, behind the statements that were handed to it: all take effect or none.
///
/// Over HTTP that is one request, over WebSocket one flight. Under [`Transport::Auto`](crate::Transport::Auto) it rides HTTP, unless the
/// session is on a WebSocket already or a statement needs that. Gives one output a statement, in their order.
///
/// Dropping the future leaves the batch to end by itself.
///
/// # Errors
///
/// Those of [`Sender::send`](super::Sender::send); and a refusal inside a transaction, which a batch cannot be a part of.
pub async fn send_on(
    session: &Session,
    statements: Vec<Statement>,
    options: BatchOptions,
) -> Result<Vec<Output>, Failure> {
    if statements.is_empty() {
        return Ok(Vec::new());
    }
    let demands = Demands {
        session: admission::needs_session(&statements),
        leaves_state: !admission::leaves_session_clean(&statements),
    };
    let outputs = Outputs::new(statements.len(), session.config().get_max_response_size());
    let result = session.exclusively(demands, move |carrier| {
        Box::pin(async move {
            match carrier {
                Carrier::Http(session) => over_http(session, &statements, options, outputs).await,
                Carrier::Session(client) => in_session(client, &statements, options, outputs).await,
            }
        })
    });
    result.await?
}

async fn in_session(
    client: &mut WireClient,
    statements: &[Statement],
    options: BatchOptions,
    outputs: Outputs,
) -> Result<Vec<Output>, Failure> {
    if client.transaction_status() != TransactionStatus::Idle {
        return Err(Error::refused(
            "a batch is a transaction of its own, and one is open: end that first, or run the statements in it",
        )
        .into());
    }
    let standard = client.parameter("standard_conforming_strings").is_none_or(|value| value == "on");
    admission::check(Dialect::new().standard_conforming_strings(standard), statements)?;
    flight::run(client, statements, options, outputs).await
}
