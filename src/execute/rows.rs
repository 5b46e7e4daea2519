use std::sync::Arc;

use super::{
    Conversion, Event, Statement,
    lookup::{Freshness, Lookup},
};
use crate::{
    Oid,
    codec::{self, Unconvertible},
    error::{Error, Outcome, Result},
    http, sql,
    wire::{Column, Format},
};

/// The results of statements sent over HTTP, converted while they arrive.
#[derive(Debug)]
pub struct Rows {
    stream: http::ResultStream,
    statements: Vec<Awaited>,
    /// How many of them have ended.
    ended: usize,
    /// That of the result under way, once it is known to have rows.
    conversion: Option<Conversion>,
    /// An event found out about together with the one before it.
    held: Option<Event>,
    lookup: Lookup,
    /// What came and waits for a look-up, so that a dropped future loses nothing.
    waiting: Option<http::Event>,
    /// The columns whose types were looked up, and can be once more.
    looked_up: Option<Arc<[http::Field]>>,
    /// A statement that may change types is among those that ran.
    changes_types: bool,
}

/// What must be known of a statement to understand its results.
#[derive(Debug)]
pub(super) struct Awaited {
    text: Arc<str>,
    results: Format,
    dialect: sql::Dialect,
}

impl Awaited {
    pub(super) fn of(statement: &Statement, dialect: sql::Dialect) -> Self {
        Self { text: Arc::clone(&statement.text), results: statement.results, dialect }
    }
}

impl Rows {
    pub(super) fn new(
        stream: http::ResultStream,
        lookup: Lookup,
        statements: impl IntoIterator<Item = Awaited>,
    ) -> Self {
        Self {
            stream,
            statements: statements.into_iter().collect(),
            ended: 0,
            conversion: None,
            held: None,
            lookup,
            waiting: None,
            looked_up: None,
            changes_types: false,
        }
    }

    /// Gives the next event, `None` once every statement's result has ended.
    ///
    /// Cancel safe. Dropping `Rows` drops the request, which cancels it on the server.
    ///
    /// # Errors
    ///
    /// Those of [`http::Client`], and a value or a type that has no binary form here: the statement has then run.
    pub async fn next(&mut self) -> Result<Option<Event>> {
        if let Some(event) = self.held.take() {
            return Ok(Some(event));
        }
        loop {
            let event = match self.waiting.clone() {
                Some(event) => event,
                None => match self.stream.next().await? {
                    Some(event) => event,
                    None => {
                        self.note_end();
                        return Ok(None);
                    }
                },
            };
            match event {
                http::Event::Fields(fields) => {
                    if let Some(event) = self.describe(fields).await? {
                        return Ok(Some(event));
                    }
                }
                http::Event::Row(row) => {
                    let event = match self.convert(&row) {
                        // What its type is made of may have changed since it was looked up, or an object have been named anew.
                        Err(error) if error.is_value() && self.looked_up.is_some() => self.convert_anew(&row).await?,
                        converted => converted?,
                    };
                    self.stream.recycle(row);
                    return Ok(Some(event));
                }
                http::Event::Complete { command, row_count } => return self.complete(&command, row_count).map(Some),
            }
        }
    }

    async fn describe(&mut self, fields: Arc<[http::Field]>) -> Result<Option<Event>> {
        self.looked_up = None;
        // No fields means no rows, but for a SELECT of no columns; its first row tells.
        if fields.is_empty() {
            self.conversion = None;
            return Ok(None);
        }
        self.conversion = Some(match self.awaited()?.results {
            Format::Text => Conversion::text(fields.len())?,
            Format::Binary => {
                let builtin: Option<Vec<_>> = fields.iter().map(|field| codec::Type::builtin(field.type_oid)).collect();
                match builtin {
                    Some(types) => Conversion::binary(types)?,
                    None => {
                        self.waiting = Some(http::Event::Fields(Arc::clone(&fields)));
                        let conversion = self.look_up(&fields, Freshness::Known).await;
                        self.waiting = None;
                        self.looked_up = Some(Arc::clone(&fields));
                        conversion?
                    }
                }
            }
        });
        Ok(Some(Event::Columns(fields.iter().map(column).collect())))
    }

    /// Makes the conversion of columns whose types are not all built in.
    async fn look_up(&self, fields: &[http::Field], freshness: Freshness) -> Result<Conversion> {
        let oids: Vec<Oid> = fields.iter().map(|field| field.type_oid).collect();
        let types = self.lookup.columns(&oids, freshness).await.map_err(|error| {
            Error::value("the statement has run, but what its results mean could not be looked up", Outcome::Unknown)
                .with_source(error)
        })?;
        let types = types.into_iter().zip(fields);
        let types = types.map(|(type_, field)| type_.map_err(|error| self.unconvertible(field, &error)));
        Conversion::binary(types.collect::<Result<Vec<_>>>()?)
    }

    /// Converts a row once more, after another look-up; that there is one look-up more a result at most bounds it.
    async fn convert_anew(&mut self, row: &http::RawRow) -> Result<Event> {
        let Some(fields) = self.looked_up.clone() else { return self.convert(row) };
        self.waiting = Some(http::Event::Row(row.clone()));
        let conversion = self.look_up(&fields, Freshness::New).await;
        self.waiting = None;
        self.looked_up = None;
        self.conversion = Some(conversion?);
        self.convert(row)
    }

    fn convert(&mut self, row: &http::RawRow) -> Result<Event> {
        if let Some(conversion) = &mut self.conversion {
            return conversion.convert(row).map(Event::Row);
        }
        // The announcement that `describe` could not make.
        let mut conversion = Conversion::text(0)?;
        self.held = Some(Event::Row(conversion.convert(row)?));
        self.conversion = Some(conversion);
        Ok(Event::Columns(Arc::from([])))
    }

    fn complete(&mut self, command: &str, row_count: Option<u64>) -> Result<Event> {
        let has_columns = self.conversion.take().is_some();
        self.looked_up = None;
        let awaited = self.statements.get(self.ended).ok_or_else(too_many)?;
        self.ended += 1;
        if command.is_empty() {
            return Ok(Event::Empty);
        }
        // The text need not be read of what is a query by its columns, and of changes of rows.
        let may_change_types = match command {
            "SELECT" => !has_columns,
            "INSERT" | "UPDATE" | "DELETE" | "MERGE" => false,
            _ => true,
        };
        if may_change_types && awaited.dialect.changes_types(&awaited.text) {
            self.changes_types = true;
            self.lookup.shared().note_change();
        }
        Ok(Event::Complete(awaited.dialect.command_tag(&awaited.text, command, row_count)))
    }

    /// A batch takes effect at its end only: what was looked up meanwhile may be wrong.
    fn note_end(&mut self) {
        if std::mem::take(&mut self.changes_types) {
            self.lookup.shared().note_change();
        }
    }

    fn awaited(&self) -> Result<&Awaited> {
        self.statements.get(self.ended).ok_or_else(too_many)
    }

    /// The refusal comes with the results, when all statements of the request have run or are about to.
    fn unconvertible(&self, field: &http::Field, error: &Unconvertible) -> Error {
        let may_have_written =
            self.statements.iter().any(|statement| statement.dialect.may_have_effects(&statement.text));
        let name = &field.name;
        Error::refused_results(
            format!("column \"{name}\" has no binary form over HTTP, though the statement has run: {error}"),
            may_have_written,
        )
    }
}

fn column(field: &http::Field) -> Column {
    let http::Field { name, type_oid, table_oid, column_id, type_size, type_modifier } = field.clone();
    Column { name, type_oid, table_oid, column_id, type_size, type_modifier }
}

fn too_many() -> Error {
    broken("more results came than statements were sent".into())
}

fn broken(message: String) -> Error {
    Error::protocol(format!("the response over HTTP makes no sense: {message}"), Outcome::Unknown)
}
