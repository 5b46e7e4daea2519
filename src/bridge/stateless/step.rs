use bytes::BytesMut;

use crate::execute::Statement;

/// What a client asked for since its last Sync.
///
/// Nothing is done until then, since all statements up to a Sync are one transaction (manual, section 55.2.3): a single one
/// is a request, several are a batch.
#[derive(Debug)]
pub(super) enum Step {
    /// Messages that need nothing of the server.
    Say(BytesMut),
    /// An execution.
    Run {
        statement: Statement,
        /// Whether the client asked what columns there are, and so waits for an answer where there are none.
        described: bool,
    },
}
