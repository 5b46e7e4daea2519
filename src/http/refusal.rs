use crate::{
    error::{Error, Result},
    sql::{Effect, effect},
};

/// Refuses a statement that a request of its own would lose in silence.
pub(crate) fn check_single(text: &str) -> Result<()> {
    let (what, remedy) = match effect(text) {
        Effect::TransactionControl => {
            ("a transaction ends with its request", "send its statements as one batch, or use transport=websocket")
        }
        Effect::Set => (
            "a setting ends with its request",
            "send it in a batch with the statements that need it, or use transport=websocket",
        ),
        Effect::Listen => ("notifications need a session", "use transport=websocket"),
        Effect::Copy => ("COPY needs a stream in each direction", "use transport=websocket"),
        Effect::Prepare => ("a prepared statement ends with its request", "send the statement itself each time"),
        Effect::Cursor => {
            ("a cursor ends with its request", "send its statements as one batch, or use transport=websocket")
        }
        Effect::Temporary => (
            "a temporary table ends with its request",
            "send it in a batch with the statements that use it, or use transport=websocket",
        ),
        Effect::AdvisoryLock => (
            "a session's advisory lock ends with its request",
            "take pg_advisory_xact_lock in a batch, or use transport=websocket",
        ),
        _ => return Ok(()),
    };
    Err(refused(what, remedy, text))
}

/// Refuses a statement that would end the batch's transaction, after which the rest would run outside it, or that needs
/// more than a batch has.
pub(super) fn check_in_batch(text: &str) -> Result<()> {
    let (what, remedy) = match effect(text) {
        Effect::TransactionControl => (
            "a batch is one transaction, which begins and ends with it",
            "leave the statement out, or use transport=websocket",
        ),
        Effect::Listen => ("notifications need a session", "use transport=websocket"),
        Effect::Copy => ("COPY needs a stream in each direction", "use transport=websocket"),
        _ => return Ok(()),
    };
    Err(refused(what, remedy, text))
}

fn refused(what: &str, remedy: &str, text: &str) -> Error {
    let mut start: String = text.trim_start().chars().take(40).collect();
    if start.len() < text.trim().len() {
        start.push('…');
    }
    Error::refused(format!("over HTTP {what}: {remedy} ({start:?} was not sent)"))
}
