use std::io;

use bytes::BytesMut;

use super::{
    end::End,
    exchange::{Asking, Exchange, ROOM},
    expected::{Reply, Whose},
    message,
};
use crate::{
    Oid,
    bridge::frames::{self, Frame, WHOLE},
    error::{DbError, Error},
    execute::Output,
    wire::{self, DataRow, TransactionStatus},
};

impl Exchange {
    /// Takes of the server's messages what can be taken now.
    ///
    /// # Errors
    ///
    /// The end of the session, with all before it taken.
    pub(super) fn take_from_server(&mut self, buffer: &mut BytesMut) -> Result<(), End> {
        let mut passing = 0;
        let taken = self.pass_to_client(buffer, &mut passing);
        self.pass(buffer, passing);
        taken
    }

    fn pass_to_client(&mut self, buffer: &mut BytesMut, passing: &mut usize) -> Result<(), End> {
        while self.to_client.len() + *passing < ROOM {
            if self.rest_down > 0 {
                let part = self.rest_down.min(buffer.len() - *passing);
                if part == 0 {
                    return Ok(());
                }
                self.rest_down -= part;
                self.pass_or_drop(buffer, passing, part, self.rest_passes);
                continue;
            }
            let rest = buffer.get(*passing..).unwrap_or_default();
            let Some(frame) = frames::first(rest, WHOLE).map_err(|error| End::Remote(Some(error)))? else {
                return Ok(());
            };
            let part = frame.body.len() + 5;
            let (size, passes) = (frame.size, self.server_message(&frame)?);
            if let Some(change) = self.change.take() {
                self.pass(buffer, std::mem::take(passing));
                change.apply(&mut self.to_client, buffer.get_mut(5..part).unwrap_or_default());
            }
            (self.rest_down, self.rest_passes) = (size - part, passes);
            self.pass_or_drop(buffer, passing, part, passes);
        }
        Ok(())
    }

    fn pass_or_drop(&mut self, buffer: &mut BytesMut, passing: &mut usize, part: usize, passes: bool) {
        if passes {
            *passing += part;
        } else {
            self.pass(buffer, std::mem::take(passing));
            drop(buffer.split_to(part.min(buffer.len())));
        }
    }

    fn pass(&mut self, buffer: &mut BytesMut, bytes: usize) {
        if bytes > 0 {
            let to = self.held.as_mut().map_or(&mut self.to_client, |held| &mut held.messages);
            Self::append(to, buffer.split_to(bytes.min(buffer.len())));
            self.check_held();
        }
    }

    /// Counts a message against what is expected, and says whether the client sees it.
    fn server_message(&mut self, frame: &Frame<'_>) -> Result<bool, End> {
        match frame.tag {
            // What may come at any time (manual, section 55.2.7).
            b'N' | b'A' => return Ok(true),
            b'S' => {
                if let Some((name, rest)) = message::name(frame.body)
                    && let Some((value, _)) = message::name(rest)
                {
                    self.note_parameter(name, value);
                }
                return Ok(true);
            }
            _ => {}
        }
        match self.expected.first() {
            Some(Reply::Question) => return self.answer_to_question(frame).map(|()| false),
            Some(Reply::Settings) => return self.answer_to_settings(frame).map(|()| false),
            _ => {}
        }
        match frame.tag {
            b'1' => match self.expected.take_if(|reply| matches!(reply, Reply::Parse { .. })) {
                Some(Reply::Parse { name, whose, again }) => {
                    self.note_parsed(name, again);
                    return Ok(whose == Whose::Clients);
                }
                _ => return Err(unexpected(frame)),
            },
            b'2' => self.take(frame, |reply| *reply == Reply::Bind)?,
            b'3' => match self.expected.take_if(|reply| matches!(reply, Reply::Close(_))) {
                Some(reply) => return Ok(reply == Reply::Close(Whose::Clients)),
                None => return Err(unexpected(frame)),
            },
            b'T' | b'n' => return self.description(frame),
            b'D' => {
                if let Some(Reply::Query { is_lookup: true }) = self.expected.first() {
                    self.told.note_answer(first_oid(frame.body));
                }
            }
            b'C' | b'I' | b's' => {
                if matches!(frame.body, b"DISCARD ALL\0" | b"DEALLOCATE ALL\0") {
                    self.forget_statements();
                }
                self.copying = false;
                self.expected.take_if(|reply| *reply == Reply::Execute);
                self.expected.take_if(|reply| *reply == Reply::CopyEnd);
            }
            b'E' => self.note_error(frame),
            b'G' | b'W' => {
                self.copying = !self.expected.ends_copy();
                if self.expected.first() == Some(&Reply::Execute) {
                    self.expected.ignore_syncs_of_copy();
                    self.is_open = true;
                }
            }
            b'Z' => self.note_ready(frame)?,
            // ParameterDescription comes before what ends the description, the others within an execution.
            _ => {}
        }
        Ok(true)
    }

    fn take(&mut self, frame: &Frame<'_>, is_it: impl FnOnce(&Reply) -> bool) -> Result<(), End> {
        self.expected.take_if(is_it).map(drop).ok_or_else(|| unexpected(frame))
    }

    /// `RowDescription` or `NoData`.
    fn description(&mut self, frame: &Frame<'_>) -> Result<bool, End> {
        if frame.tag == b'T' && !matches!(self.expected.first(), Some(Reply::DescribeLate(_))) {
            self.note_asked_description();
        }
        if matches!(self.expected.first(), Some(Reply::Query { .. })) {
            return Ok(true);
        }
        let is_description = |reply: &Reply| {
            matches!(reply, Reply::DescribeStatement(_) | Reply::DescribePortal | Reply::DescribeLate(_))
        };
        match self.expected.take_if(is_description) {
            Some(Reply::DescribeLate(text)) => {
                if frame.tag == b'T' {
                    self.check_columns(text, frame)?;
                }
                Ok(frame.tag == b'T')
            }
            Some(Reply::DescribeStatement(name)) => {
                let columns = if frame.tag == b'T' { message::column_types(frame.body) } else { None };
                let columns: Vec<_> = columns.unwrap_or_default().into_iter().map(|(_, oid)| oid).collect();
                self.told.described(columns.iter().copied());
                if let Some(prepared) = self.statements.get_mut(&name) {
                    prepared.is_described = true;
                    self.types.note_described(&prepared.text, &columns);
                }
                Ok(true)
            }
            Some(_) => Ok(true),
            None => Err(unexpected(frame)),
        }
    }

    fn note_error(&mut self, frame: &Frame<'_>) {
        self.is_fatal |= is_fatal(frame.body);
        self.copying = false;
        self.skip();
        self.check_failed = self.expected.first() == Some(&Reply::Check);
        // What the client sends up to its Sync is skipped as well.
        self.skips = self.expected.flights() == 0;
    }

    /// Drops what is owed no more, up to the end of the flight.
    fn skip(&mut self) {
        for skipped in self.expected.skip() {
            if let Reply::Parse { name, whose, again } = skipped {
                self.note_unparsed(name, whose, again.as_ref());
            }
        }
    }

    fn note_ready(&mut self, frame: &Frame<'_>) -> Result<(), End> {
        if self.expected.first() == Some(&Reply::Check) && !std::mem::take(&mut self.check_failed) {
            self.answer_placeholder();
        }
        let status = frame.body.first().and_then(|status| TransactionStatus::from_byte(*status));
        self.status = status.ok_or_else(|| unexpected(frame))?;
        if std::mem::take(&mut self.skips) {
            self.skip();
        }
        // A Sync that a COPY might have overlooked was not counted.
        self.expected.take_if(Reply::ends_flight);
        self.expected.take_if(|reply| *reply == Reply::CopyEnd);
        self.copying = false;
        if self.expected.flights() == 0 {
            self.patience.rests();
        } else {
            self.patience.restarts();
        }
        self.note_end();
        Ok(())
    }

    /// Notes a setting that the server reports.
    pub(super) fn note_parameter(&mut self, name: &str, value: &str) {
        match name {
            "standard_conforming_strings" => self.reads_strings = value == "on",
            "client_encoding" => self.reads_encoding = value == "UTF8",
            _ => {}
        }
    }

    fn answer_to_question(&mut self, frame: &Frame<'_>) -> Result<(), End> {
        match (frame.tag, &mut self.question) {
            (b'D', Some(asking)) => match DataRow::parse(bytes::Bytes::copy_from_slice(frame.body)) {
                Ok(row) => asking.rows.push(row),
                // A row so large that it does not come whole.
                Err(_) => asking.error = Some(DbError::new("ERROR", None, "a type is too large to be told of")),
            },
            (b'E', Some(asking)) => asking.error = Some(wire::read_error(frame.body)),
            (b'Z', _) => {
                if let Some(Asking { question, rows, error }) = self.question.take() {
                    let answer = match error {
                        Some(error) => Err(Error::db(error)),
                        None => Ok(Output { rows, ..Output::default() }),
                    };
                    let learnt = self.types.learn(&question, answer);
                    if let Err(error) = &learnt {
                        tracing::debug!(%error, "the types could not be read: statements are described by the server");
                        // Behind a statement that failed in a transaction, the server answers nothing.
                        self.may_ask = self.status == TransactionStatus::Failed;
                    }
                    self.release_held(&learnt.unwrap_or_default());
                }
                self.note_ready(frame)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn answer_to_settings(&mut self, frame: &Frame<'_>) -> Result<(), End> {
        match frame.tag {
            b'E' => Err(End::Refused(Error::db(wire::read_error(frame.body)))),
            b'Z' => self.note_ready(frame),
            _ => Ok(()),
        }
    }
}

/// Whether an `ErrorResponse` is one after which the server closes the connection. The severity comes first, and in the field
/// V it is never translated.
fn is_fatal(body: &[u8]) -> bool {
    body.split(|byte| *byte == 0).any(|field| matches!(field, b"VFATAL" | b"VPANIC" | b"SFATAL" | b"SPANIC"))
}

/// The first value of a row in text, where that is an OID.
fn first_oid(body: &[u8]) -> Option<Oid> {
    let (length, rest) = body.get(2..)?.split_first_chunk()?;
    let length = usize::try_from(i32::from_be_bytes(*length)).ok()?;
    std::str::from_utf8(rest.get(..length)?).ok()?.parse().ok()
}

pub(super) fn unexpected(frame: &Frame<'_>) -> End {
    let message = format!("a message {:?} came where the server owes none", char::from(frame.tag));
    End::Remote(Some(io::Error::new(io::ErrorKind::InvalidData, message)))
}
