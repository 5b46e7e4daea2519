use std::borrow::Cow;

use super::{Param, Statement};
use crate::{
    Oid,
    error::{Error, Outcome, Result, SqlState},
    sql::{self, Typed, typed, typed_in_place},
};

/// A statement with its parameters, to be sent in a [`batch`](super::Client::batch).
///
/// # Example
///
/// ```
/// use pgferry::http::Query;
///
/// let query = Query::new("INSERT INTO account (owner, balance) VALUES ($1, $2)").bind("ada").bind(100_i64);
/// # let _ = query;
/// ```
#[derive(Clone, Debug)]
pub struct Query<'a> {
    text: Cow<'a, str>,
    params: Vec<Param<'a>>,
}

impl<'a> Query<'a> {
    /// Makes a query without parameters.
    #[must_use]
    pub fn new(text: impl Into<Cow<'a, str>>) -> Self {
        Self { text: text.into(), params: Vec::new() }
    }

    /// Adds the value of the next parameter.
    #[must_use]
    pub fn bind(mut self, param: impl Into<Param<'a>>) -> Self {
        self.params.push(param.into());
        self
    }

    /// Returns the statement's text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn prepare(&self) -> Result<Prepared<'_>> {
        Prepared::new(&self.text, &self.params)
    }

    /// As it is sent where rules forbid a prologue to one of its batch's statements.
    pub(super) fn prepare_for_rules(&self) -> Result<Prepared<'_>> {
        if may_meet_rules(&self.text) { Prepared::in_place(&self.text, &self.params) } else { self.prepare() }
    }
}

impl<'a> From<&'a str> for Query<'a> {
    fn from(text: &'a str) -> Self {
        Self::new(text)
    }
}

/// A statement whose text fixes the types that its parameters declare.
pub(super) struct Prepared<'a> {
    pub(super) statement: Statement<'a>,
    typed: Typed<'a>,
}

impl<'a> Prepared<'a> {
    pub(super) fn new(text: &'a str, params: &'a [Param<'_>]) -> Result<Self> {
        Self::with(text, params, typed)
    }

    /// Does without a prologue, for the few statements that must.
    pub(super) fn in_place(text: &'a str, params: &'a [Param<'_>]) -> Result<Self> {
        Self::with(text, params, typed_in_place)
    }

    fn with(text: &'a str, params: &'a [Param<'_>], typed: Typing<'a>) -> Result<Self> {
        let types: Vec<Oid> = params.iter().map(Param::type_oid).collect();
        let typed = typed(text, &types).map_err(|error| Error::refused(error.to_string()))?;
        let sent = params.iter().enumerate().filter(|(index, _)| typed.sends(*index));
        let params = sent.map(|(_, param)| param.as_text().map(Cow::Borrowed)).collect();
        Ok(Self { statement: Statement { text: typed.text.clone(), params }, typed })
    }

    /// Returns whether Postgres found fault with the prologue.
    pub(super) fn is_refused_by(&self, error: &Error) -> bool {
        self.typed.has_prologue() && forbids_prologue(error)
    }

    /// Turns the place that an error names in what was sent into one in the user's text.
    pub(super) fn place(&self, error: Error) -> Error {
        error.map_position(|position| self.typed.position(position))
    }
}

/// Returns whether the error is that of Postgres's rewriter, which allows no WITH on a table with certain rules: those that make
/// several queries of one, or that have a WITH whose name is the same. It says so before
/// anything runs; a statement may raise the same SQLSTATE by itself, when it has run.
pub(crate) fn forbids_prologue(error: &Error) -> bool {
    error.code() == Some(&SqlState::FEATURE_NOT_SUPPORTED)
        && error
            .as_db_error()
            .is_some_and(|error| matches!(error.routine.as_deref(), Some("RewriteQuery" | "rewriteRuleAction")))
}

/// Returns whether a statement can be one that [`forbids_prologue`] is about: a cast where a parameter stands changes the names of
/// columns, so others keep their prologue.
pub(crate) fn may_meet_rules(text: &str) -> bool {
    let first = text.trim_start_matches(|character: char| character.is_ascii_whitespace() || character == '(');
    !["select", "values", "table"]
        .iter()
        .any(|word| first.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)))
}

type Typing<'a> = fn(&'a str, &[Oid]) -> Result<Typed<'a>, sql::Error>;

/// As [`Prepared::place`] for a batch, whose errors do not say which statement they are of: a place is kept where it means
/// the same in whichever it is.
pub(super) fn place_in_batch(batch: &[Prepared<'_>], error: Error) -> Error {
    match batch {
        [only] => only.place(error),
        _ if batch.iter().all(|prepared| matches!(prepared.typed.text, Cow::Borrowed(_))) => error,
        _ => error.map_position(|_| None),
    }
}

/// Returns the error of a statement that ran and gave another number of rows than was asked for.
pub(super) fn wrong_count(wanted: &str, got: usize) -> Error {
    Error::value(format!("the statement ran and gave {got} rows where {wanted} was expected"), Outcome::Unknown)
}
