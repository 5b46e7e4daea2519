use std::borrow::Cow;

use super::{Event, Statement};
use crate::wire;

/// A statement as the wire client takes it.
pub(super) struct Flight<'s> {
    statement: &'s Statement,
    name: Option<String>,
    values: Vec<Option<Cow<'s, [u8]>>>,
}

impl<'s> Flight<'s> {
    pub(super) fn new(statement: &'s Statement) -> Self {
        let values = statement.params.iter().map(|value| value.as_deref().map(Cow::Borrowed)).collect();
        Self { statement, name: statement.name.map(server_name), values }
    }

    /// The statement for a session, which may have it parsed already.
    pub(super) fn on<S>(&self, client: &wire::Client<S>) -> wire::Statement<'_> {
        wire::Statement {
            text: &self.statement.text,
            parse: match &self.name {
                None => wire::Parse::Unnamed,
                Some(name) if client.is_prepared(name) => wire::Parse::AlreadyNamed(name),
                Some(name) => wire::Parse::Named(name),
            },
            param_types: &self.statement.param_types,
            params: wire::Params { format: self.statement.param_format, values: &self.values },
            results: self.statement.results,
        }
    }
}

/// The name under which the server keeps a statement.
pub(super) fn server_name(number: u64) -> String {
    format!("pgferry{number}")
}

/// Shows a session's event as one that any transport gives.
pub(crate) fn event_of(event: wire::Event) -> Event {
    match event {
        wire::Event::Columns(columns) => Event::Columns(columns),
        wire::Event::Row(row) => Event::Row(row),
        wire::Event::Complete(tag) => Event::Complete(tag),
        wire::Event::Empty => Event::Empty,
    }
}
