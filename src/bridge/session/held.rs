use std::{io, sync::Arc};

use bytes::BytesMut;

use super::{end::End, exchange::Exchange, expected::Reply, from_server::unexpected, message};
use crate::{
    Oid,
    bridge::{
        frames::Frame,
        types::{Directory, Stranger},
    },
    error::Error,
    sql,
    wire::TransactionStatus,
};

/// How much of a result may be held back, in bytes.
const MOST_HELD: usize = 1024 * 1024;

/// A result with a type that the client has not heard of, held back until the server has told what that is.
pub(super) struct Held {
    /// What it is of, where that is known.
    text: Option<Arc<str>>,
    types: Vec<Oid>,
    /// The first of its types that the client has not heard of.
    stranger: Oid,
    pub(super) messages: BytesMut,
    was_in_transaction: bool,
}

impl Exchange {
    /// Keeps a result with a type that the client has not heard of from it: sqlx panics in its caller's task when it meets some of them. The
    /// server is asked behind the statement what it is.
    pub(super) fn check_columns(&mut self, text: Option<&Arc<str>>, frame: &Frame<'_>) -> Result<(), End> {
        let types = message::column_types(frame.body).ok_or_else(|| unexpected(frame))?;
        if let Some(held) = &mut self.held {
            held.types.extend(types);
            return Ok(());
        }
        let directory = self.types.known().unwrap_or_default();
        let Some(stranger) = self.told.stranger(&directory, types.iter().copied()) else { return Ok(()) };
        let (Stranger::New(oid) | Stranger::Untellable(oid)) = stranger;
        let held = Held {
            stranger: oid,
            text: text.cloned(),
            types,
            messages: BytesMut::new(),
            was_in_transaction: self.status == TransactionStatus::Transaction,
        };
        if !directory.has(oid) && self.may_ask_behind() {
            self.types.want(oid);
            self.ask_behind()?;
            self.held = Some(held);
            return Ok(());
        }
        Err(self.refuse(&held, oid))
    }

    /// Whether the client has sent all of the statement, so that a question can follow it.
    fn may_ask_behind(&self) -> bool {
        self.may_ask
            && self.question.is_none()
            && !self.is_open
            && !self.copying
            && self.rest_up == 0
            && self.behind.is_empty()
    }

    fn ask_behind(&mut self) -> io::Result<()> {
        let mut out = std::mem::take(&mut self.to_server);
        self.question(&mut out)?;
        self.to_server = out;
        self.starts(Reply::Question);
        Ok(())
    }

    /// Ends the session when more is held back than should be.
    pub(super) fn check_held(&self) -> Result<(), End> {
        match &self.held {
            Some(held) if held.messages.len() > MOST_HELD => Err(self.refuse(held, held.stranger)),
            _ => Ok(()),
        }
    }

    /// Passes on what was held back, if the client understands it by what is known now.
    pub(super) fn release_held(&mut self, directory: Arc<Directory>) -> Result<(), End> {
        let Some(held) = self.held.take() else { return Ok(()) };
        let Some(stranger) = self.told.stranger(&directory, held.types.iter().copied()) else {
            Self::append(&mut self.to_client, held.messages);
            return Ok(());
        };
        let (Stranger::New(oid) | Stranger::Untellable(oid)) = stranger;
        let end = self.refuse(&held, oid);
        // What is behind it of the same result is not the client's either.
        self.held = Some(held);
        Err(end)
    }

    fn refuse(&self, held: &Held, oid: Oid) -> End {
        if let Some(text) = &held.text {
            self.types.must_describe(text);
        }
        self.types.note_change();
        let is_in_transaction = held.was_in_transaction;
        let may_have_written = !is_in_transaction && held.text.as_ref().is_none_or(|text| sql::may_write(text));
        let what_of_it = if is_in_transaction { "the transaction is rolled back" } else { "the statement has run" };
        End::Refused(Error::refused_results(
            format!(
                "the result has the type with OID {oid}, which sqlx asked about before it was as it is now; {what_of_it}, and the connection \
                 ends: on another, the same statement is understood"
            ),
            may_have_written,
        ))
    }
}
