use std::{borrow::Cow, sync::Arc};

use super::{Statement, catalogue::Loaded};
use crate::{
    Oid,
    codec::{self, RegNames, Type},
    error::{DbError, Error, Outcome, Result, SqlState},
    http,
    sql::{Dialect, Typed, is_undeclared},
    wire::Format,
};

/// A statement as it is sent: its parameters as text, their types fixed by its own text.
pub(super) struct Prepared<'s> {
    typed: Typed<'s>,
    params: Vec<Option<Cow<'s, str>>>,
}

/// What is needed to prepare a statement, but for the statement itself.
#[derive(Clone, Copy)]
pub(super) struct Means<'a> {
    pub(super) dialect: Dialect,
    /// Has the types that are not built in.
    pub(super) loaded: Option<&'a Loaded>,
    /// Whether parameters are cast where they stand, where that is the only way.
    pub(super) in_place: bool,
}

impl<'s> Prepared<'s> {
    /// Converts the parameters, whose types are these.
    pub(super) fn new(statement: &'s Statement, types: &[Oid], means: Means<'_>) -> Result<Self> {
        let params = params(statement, types, means.loaded)?;
        let name_of = |oid| cast_name(oid, means.loaded);
        let typed = match means.in_place {
            true => means.dialect.typed_in_place_with(&statement.text, types, name_of),
            false => means.dialect.typed_with(&statement.text, types, name_of),
        };
        let typed = typed.map_err(|error| missing(error.parameter(), error.type_oid()))?;
        let sent = params.into_iter().enumerate().filter(|(index, _)| typed.sends(*index));
        Ok(Self { params: sent.map(|(_, param)| param).collect(), typed })
    }

    pub(super) fn has_prologue(&self) -> bool {
        self.typed.has_prologue()
    }

    pub(super) fn text(&self) -> &str {
        &self.typed.text
    }

    pub(super) fn is_untouched(&self) -> bool {
        matches!(self.typed.text, Cow::Borrowed(_))
    }

    pub(super) fn to_sent(&self) -> http::Statement<'_> {
        http::Statement {
            text: Cow::Borrowed(&self.typed.text),
            params: self.params.iter().map(|param| param.as_deref().map(Cow::Borrowed)).collect(),
        }
    }

    /// Turns the place that an error names in what was sent into one in the user's text.
    pub(super) fn place(&self, error: Error) -> Error {
        error.map_position(|position| self.typed.position(position))
    }
}

/// As [`Prepared::place`] for a batch, whose errors do not say which statement they are of: a place is kept where it means the
/// same in whichever it is.
pub(super) fn place(batch: &[Prepared<'_>], error: Error) -> Error {
    match batch {
        [only] => only.place(error),
        _ if batch.iter().all(Prepared::is_untouched) => error,
        _ => error.map_position(|_| None),
    }
}

/// A type's name as a cast takes it.
pub(super) fn cast_name(oid: Oid, loaded: Option<&Loaded>) -> Option<Cow<'_, str>> {
    match loaded {
        Some(loaded) => loaded.catalogue.cast_name(oid),
        None => codec::builtin_name(oid).map(Cow::Borrowed),
    }
}

/// Whether the types of some parameters must be asked for: without one a value in binary means nothing.
pub(super) fn needs_description(statement: &Statement) -> bool {
    statement.param_format == Format::Binary
        && statement.params.iter().enumerate().any(|(index, param)| {
            param.is_some() && statement.param_types.get(index).is_none_or(|&oid| is_undeclared(oid))
        })
}

fn params<'s>(statement: &'s Statement, types: &[Oid], loaded: Option<&Loaded>) -> Result<Vec<Option<Cow<'s, str>>>> {
    let convert = |(index, value): (usize, &'s Option<bytes::Bytes>)| {
        let Some(value) = value else { return Ok(None) };
        let unusable =
            |reason: String| Error::value(format!("parameter ${}: {reason}", index + 1), Outcome::NotExecuted);
        if statement.param_format == Format::Text {
            return match std::str::from_utf8(value) {
                Ok(text) => Ok(Some(Cow::Borrowed(text))),
                Err(error) => Err(unusable(error.to_string())),
            };
        }
        let Some(&oid) = types.get(index) else { return Err(too_many(statement.params.len(), types.len())) };
        let conversion = conversion(index, oid, loaded)?;
        let mut text = String::new();
        conversion.binary_to_text(value, &mut text).map_err(|error| match error.is_nul() {
            true => nul(index),
            false => unusable(error.to_string()),
        })?;
        Ok(Some(Cow::Owned(text)))
    };
    statement.params.iter().enumerate().map(convert).collect()
}

fn conversion(index: usize, oid: Oid, loaded: Option<&Loaded>) -> Result<Type> {
    if let Some(builtin) = Type::builtin(oid) {
        return Ok(builtin);
    }
    let conversion = match loaded {
        Some(loaded) => loaded.conversion(oid),
        // A number stands for an object as well as its name does.
        None => codec::Catalogue::default().conversion(oid, Some(&Arc::new(RegNames::default()))),
    };
    conversion.map_err(|error| match error.is_unknown() {
        true => missing(index + 1, error.oid()),
        false => Error::refused(format!("parameter ${}: {error}", index + 1)),
    })
}

/// The error of a type that the database does not have, as far as its catalogue tells.
pub(super) fn missing(parameter: usize, oid: Oid) -> Error {
    Error::refused(format!(
        "parameter ${parameter} is of the type with the OID {oid}, which the database does not have: look the type up again if it was dropped \
         and created anew, or leave the type undeclared and send the value as text"
    ))
}

/// As the server would say it of the binary value.
fn nul(index: usize) -> Error {
    let message = "invalid byte sequence for encoding \"UTF8\": 0x00";
    let error = DbError {
        where_: Some(format!("unnamed portal parameter ${}", index + 1)),
        ..DbError::new("ERROR", Some(SqlState::CHARACTER_NOT_IN_REPERTOIRE), message)
    };
    Error::db(error).with_outcome(Outcome::NotExecuted)
}

/// As the server would say it.
fn too_many(given: usize, used: usize) -> Error {
    let message = format!("bind message supplies {given} parameters, but prepared statement \"\" requires {used}");
    Error::db(DbError::new("ERROR", Some(SqlState::PROTOCOL_VIOLATION), message)).with_outcome(Outcome::NotExecuted)
}

/// Whether the error can mean that a type was renamed, moved or dropped since its name was looked up.
pub(super) fn may_miss_a_type(error: &Error) -> bool {
    // undefined_object, invalid_schema_name
    error.code().is_some_and(|code| matches!(code.as_str(), "42704" | "3F000"))
}

/// Refuses what a statement would lose in silence, alone or among others.
pub(super) fn check(dialect: Dialect, statement: &Statement, is_only: bool) -> Result<()> {
    // What lasts until the transaction's end serves the statements behind it.
    let serves = !is_only && dialect.effect(&statement.text).ends_with_transaction();
    if serves { Ok(()) } else { http::check_single(dialect, &statement.text) }
}
