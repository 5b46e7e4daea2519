use bytes::Bytes;
use std::io;

use super::{BatchOptions, Statement, wire::RequestBody};
use crate::error::{Error, Outcome, Result};

/// How many parameters a statement can have over HTTP (PROTOCOL.md, section 2).
const MAX_PARAMS: usize = 32_767;

/// One request: a single statement, or a batch with its transaction's characteristics.
#[derive(Clone, Debug)]
pub enum Request<'a> {
    /// A statement in a transaction of its own.
    Single(Statement<'a>),
    /// Statements in one transaction, undone together where any fails.
    Batch {
        /// The statements; each is one, and none may end the transaction.
        statements: &'a [Statement<'a>],
        /// What the transaction is like.
        options: BatchOptions,
    },
}

impl Request<'_> {
    /// Returns the request's body, unless it would take more than `limit` bytes; no more than that is ever allocated.
    pub(super) fn encode(&self, limit: usize) -> Result<Bytes> {
        let (body, statements) = match self {
            Self::Single(statement) => (RequestBody::Single(statement), std::slice::from_ref(statement)),
            Self::Batch { statements, .. } => (RequestBody::Batch(statements), *statements),
        };
        if let Some(many) = statements.iter().map(|statement| statement.params.len()).find(|many| *many > MAX_PARAMS) {
            return Err(Error::limit(
                format!(
                    "a statement takes at most {MAX_PARAMS} parameters over HTTP, not {many}: send it in several, bind arrays, or use \
                     transport=websocket"
                ),
                Outcome::NotExecuted,
            ));
        }
        let least = statements.iter().fold(0_usize, |sum, statement| sum.saturating_add(min_size(statement)));
        if least > limit {
            return Err(too_large(limit));
        }
        let mut writer = Limited { bytes: Vec::with_capacity(least), limit };
        match serde_json::to_writer(&mut writer, &body) {
            Ok(()) => Ok(writer.bytes.into()),
            // Strings and nulls always serialise, so that only the limit can fail.
            Err(_) => Err(too_large(limit)),
        }
    }

    pub(super) fn batch_options(&self) -> Option<BatchOptions> {
        match self {
            Self::Single(_) => None,
            Self::Batch { options, .. } => Some(*options),
        }
    }
}

/// Returns the least number of bytes that a statement takes in a request.
fn min_size(statement: &Statement<'_>) -> usize {
    statement.params.iter().flatten().fold(statement.text.len(), |sum, value| sum.saturating_add(value.len()))
}

fn too_large(limit: usize) -> Error {
    Error::limit(
        format!("the request is larger than {limit} bytes: send less at a time, or raise max_request_size"),
        Outcome::NotExecuted,
    )
}

/// Refuses what goes beyond the limit: escaping makes a text up to six times as long.
struct Limited {
    bytes: Vec<u8>,
    limit: usize,
}

impl io::Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > self.limit - self.bytes.len() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_parameters_are_sent_than_a_service_takes() {
        let with = |count| Statement { text: "SELECT 1".into(), params: vec![None; count] };
        assert!(Request::Single(with(32_767)).encode(usize::MAX).is_ok());
        let statements = [with(1), with(32_768)];
        let batch = Request::Batch { statements: &statements, options: BatchOptions::new() };
        for request in [Request::Single(with(32_768)), batch] {
            let error = request.encode(usize::MAX).unwrap_err();
            assert!(error.is_limit() && error.outcome() == Outcome::NotExecuted, "{error}");
            assert!(
                error.message().contains("not 32768") && error.message().contains("transport=websocket"),
                "{error}"
            );
        }
    }

    #[test]
    fn the_limit_counts_the_bytes_that_are_sent() {
        let statement = Statement { text: "SELECT $1".into(), params: vec![Some("\u{1}".repeat(100).into()), None] };
        let request = Request::Single(statement);
        let body = request.encode(usize::MAX).unwrap();
        assert_eq!(&request.encode(body.len()).unwrap(), &body);
        for limit in [0, 108, 109, body.len() - 1] {
            let error = request.encode(limit).unwrap_err();
            assert!(error.is_limit() && error.outcome() == Outcome::NotExecuted, "{limit}");
        }
    }
}
