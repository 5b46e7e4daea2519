use std::collections::VecDeque;

use bytes::BytesMut;
use fallible_iterator::FallibleIterator;
use postgres_protocol::{
    IsNull,
    message::{
        backend::{Message, RowDescriptionBody},
        frontend,
    },
};

use super::{Event, Parse, Statement, channel::Incoming, error_fields};
use crate::{
    error::{Error, Outcome, Result},
    wire::{Column, MAX_MESSAGE, TransactionStatus},
};

/// What was sent up to one `ReadyForQuery`.
pub(super) struct Flight {
    pub(super) kind: Kind,
    /// The statements' names, empty for the unnamed one, until the server has parsed them.
    pub(super) parsing: VecDeque<Box<str>>,
    /// What is told at the end; whatever else comes is dropped.
    error: Option<Error>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Extended,
    Simple,
    /// Nothing is executed.
    Describe,
    Ping,
}

/// What a message means to a flight.
pub(super) enum Step {
    Event(Event),
    /// The server has parsed the statement of this name.
    Parsed(Box<str>),
    /// The server begins to send a COPY, which is refused when all of it was read.
    CopyOut,
    /// The server is ready for the next flight; this one ended with an error or without.
    Answered(TransactionStatus, Option<Error>),
}

impl Flight {
    pub(super) fn new(kind: Kind) -> Self {
        Self { kind, parsing: VecDeque::new(), error: None }
    }

    /// Takes one message; what has to be answered to it is written to `out`.
    pub(super) fn step(&mut self, message: Incoming, out: &mut BytesMut) -> Result<Option<Step>> {
        let message = match message {
            Incoming::Row(_) if self.error.is_some() => return Ok(None),
            Incoming::Row(row) => return Ok(Some(Step::Event(Event::Row(row)))),
            Incoming::NegotiateProtocolVersion => return Err(unexpected()),
            Incoming::Message(message) => message,
        };
        let event = match message {
            Message::ReadyForQuery(body) => {
                let status = TransactionStatus::from_byte(body.status()).ok_or_else(unexpected)?;
                return Ok(Some(Step::Answered(status, self.error.take())));
            }
            Message::ErrorResponse(body) => {
                let error = Error::db(error_fields::read(body.fields()));
                self.error.get_or_insert(error);
                return Ok(None);
            }
            Message::ParseComplete => {
                return Ok(self.parsing.pop_front().filter(|name| !name.is_empty()).map(Step::Parsed));
            }
            Message::CopyInResponse(_) => {
                self.error.get_or_insert_with(|| copy(Outcome::Failed));
                refuse_copy(self.kind, out)?;
                return Ok(None);
            }
            // The server sends all of it whatever is said, and what is left unread is dropped.
            Message::CopyOutResponse(_) => {
                self.error.get_or_insert_with(copy_out);
                return Ok(Some(Step::CopyOut));
            }
            Message::BindComplete | Message::CloseComplete | Message::NoData | Message::ParameterDescription(_) => {
                return Ok(None);
            }
            _ if self.error.is_some() => return Ok(None),
            Message::RowDescription(body) => Event::Columns(columns(&body)?.into()),
            Message::CommandComplete(body) => {
                let tag = body.tag().map_err(|error| unexpected().with_source(error))?;
                Event::Complete(tag.to_owned())
            }
            Message::EmptyQueryResponse => Event::Empty,
            _ => return Err(unexpected()),
        };
        Ok(Some(Step::Event(event)))
    }
}

/// Appends a statement's messages up to its Execute; `replaced` is a name that the server knows already and has to forget first.
pub(super) fn encode(statement: &Statement<'_>, replaced: Option<&str>, out: &mut BytesMut) -> Result<()> {
    let (name, parse) = match statement.parse {
        Parse::Unnamed => ("", true),
        Parse::Named(name) => (name, true),
        Parse::AlreadyNamed(name) => (name, false),
    };
    no_nul(name, "name")?;
    let mut length = 0;
    if parse {
        no_nul(statement.text, "text")?;
        length += statement.text.len() + 6 * statement.param_types.len();
    }
    length += statement.params.values.iter().flatten().map(|value| value.len() + 4).sum::<usize>();
    if length >= MAX_MESSAGE {
        return Err(too_large());
    }
    if statement.params.values.len().max(statement.param_types.len()) > usize::from(u16::MAX) {
        return Err(Error::limit(
            format!("a statement takes at most 65535 parameters, not {}", statement.params.values.len()),
            Outcome::NotExecuted,
        ));
    }
    out.reserve(length + 64);
    let write = |value: &Option<std::borrow::Cow<'_, [u8]>>, out: &mut BytesMut| {
        Ok(match value {
            Some(value) => {
                out.extend_from_slice(value);
                IsNull::No
            }
            None => IsNull::Yes,
        })
    };
    if let Some(name) = replaced {
        frontend::close(b'S', name, out).map_err(unsendable)?;
    }
    if parse {
        let types = statement.param_types.iter().copied();
        frontend::parse(name, statement.text, types, out).map_err(unsendable)?;
    }
    let (format, results) = (statement.params.format.code(), statement.results.code());
    frontend::bind("", name, [format], statement.params.values, write, [results], out).map_err(
        |error| match error {
            frontend::BindError::Conversion(error) => too_large().with_source(error),
            frontend::BindError::Serialization(error) => unsendable(error),
        },
    )?;
    frontend::describe(b'P', "", out).map_err(unsendable)?;
    // The unnamed portal needs no Close: the next Bind or Query replaces it, the transaction's end drops it.
    frontend::execute("", 0, out).map_err(unsendable)
}

/// Appends what asks for the columns of a statement.
pub(super) fn encode_describe(text: &str, out: &mut BytesMut) -> Result<Kind> {
    no_nul(text, "text")?;
    if text.len() >= MAX_MESSAGE - 8 {
        return Err(too_large());
    }
    frontend::parse("", text, [], out).map_err(unsendable)?;
    frontend::describe(b'S', "", out).map_err(unsendable)?;
    frontend::sync(out);
    Ok(Kind::Describe)
}

/// Appends a simple query.
pub(super) fn encode_simple_query(sql: &str, out: &mut BytesMut) -> Result<Kind> {
    no_nul(sql, "text")?;
    if sql.len() >= MAX_MESSAGE - 8 {
        return Err(too_large());
    }
    frontend::query(sql, out).map_err(unsendable)?;
    Ok(Kind::Simple)
}

/// Tells a server that waits for a COPY's data that none comes.
fn refuse_copy(kind: Kind, out: &mut BytesMut) -> Result<()> {
    frontend::copy_fail("COPY is not supported here", out).map_err(unsendable)?;
    // The server took the flight's own Sync for a part of the data and ignored it (manual, section 55.2.6).
    if kind == Kind::Extended {
        frontend::sync(out);
    }
    Ok(())
}

fn columns(body: &RowDescriptionBody) -> Result<Vec<Column>> {
    let mut fields = body.fields();
    let mut columns = Vec::new();
    while let Some(field) = fields.next().map_err(|error| unexpected().with_source(error))? {
        columns.push(Column {
            name: field.name().to_owned(),
            table_oid: field.table_oid(),
            column_id: field.column_id(),
            type_oid: field.type_oid(),
            type_size: field.type_size(),
            type_modifier: field.type_modifier(),
        });
    }
    Ok(columns)
}

/// A message that makes no sense where it came; the session cannot go on.
pub(super) fn unexpected() -> Error {
    Error::protocol("the server sent a message that makes no sense where it came", Outcome::Unknown)
}

/// Refuses a COPY to the client, which goes on at the server.
pub(super) fn copy_out() -> Error {
    copy(Outcome::Unknown)
}

fn copy(outcome: Outcome) -> Error {
    Error::refused("COPY cannot be run here: use INSERT or SELECT, or connect with psql").with_outcome(outcome)
}

fn no_nul(text: &str, what: &str) -> Result<()> {
    if memchr::memchr(0, text.as_bytes()).is_none() {
        return Ok(());
    }
    Err(Error::value(
        format!("the statement's {what} holds a NUL character, which Postgres cannot take: remove it"),
        Outcome::NotExecuted,
    ))
}

fn too_large() -> Error {
    Error::limit(
        "the statement and its parameters are larger than Postgres's 1 GiB: send less at once",
        Outcome::NotExecuted,
    )
}

fn unsendable(error: std::io::Error) -> Error {
    too_large().with_source(error)
}
