use std::{collections::HashMap, fmt};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use pgferry::Oid;

use crate::tcp::{Connection, Format, Question};

/// A statement with its parameters.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) text: String,
    /// Each as `type=literal`, or `type` alone for null; `declared:type=literal` declares another type or OID than the one whose
    /// bytes are sent.
    pub(crate) params: Vec<String>,
    /// How it is refused over HTTP, where that is by design.
    pub(crate) refused: Option<Refusal>,
}

/// How a statement is refused.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refusal {
    /// A part of the sentence.
    pub(crate) remedy: &'static str,
    /// It has run by then, and calls what may have written.
    pub(crate) may_have_written: bool,
}

impl Case {
    pub(crate) fn new(text: impl Into<String>, params: &[&str]) -> Self {
        Self { text: text.into(), params: params.iter().map(|&param| param.to_owned()).collect(), refused: None }
    }

    pub(crate) fn refused(text: &str, params: &[&str], remedy: &'static str) -> Self {
        Self { refused: Some(Refusal { remedy, may_have_written: false }), ..Self::new(text, params) }
    }

    pub(crate) fn refused_after(text: &str, params: &[&str], remedy: &'static str) -> Self {
        Self { refused: Some(Refusal { remedy, may_have_written: true }), ..Self::new(text, params) }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, params, refused: _ } = self;
        let shown: String = text.chars().take(400).collect();
        write!(formatter, "{shown} {:?}", params.iter().take(12).collect::<Vec<_>>())
    }
}

/// Makes cases of a list.
pub(crate) fn cases(list: &[(&str, &[&str])]) -> Vec<Case> {
    list.iter().map(|(text, params)| Case::new(*text, params)).collect()
}

/// A declared type and the binary form of a value.
pub(crate) type Param = (Oid, Option<Bytes>);

/// What parameters are in bytes, asked of the server once each.
#[derive(Debug, Default)]
pub(crate) struct Params(HashMap<String, Param>);

impl Params {
    pub(crate) fn resolve(&mut self, connection: &mut Connection, param: &str) -> Result<Param> {
        if let Some(known) = self.0.get(param) {
            return Ok(known.clone());
        }
        let resolved = resolve(connection, param).with_context(|| format!("the parameter {param}"))?;
        self.0.insert(param.to_owned(), resolved.clone());
        Ok(resolved)
    }
}

fn resolve(connection: &mut Connection, param: &str) -> Result<Param> {
    let (left, literal) = param.split_once('=').map_or((param, None), |(left, literal)| (left, Some(literal)));
    let (declared, name) = left.split_once(':').unwrap_or((left, left));
    let oid = oid_of(connection, name)?;
    let declared = oid_of(connection, declared)?;
    let Some(literal) = literal else { return Ok((declared, None)) };
    let answer = connection.ask(&Question {
        text: "values ($1)",
        types: &[oid],
        params: &[Some(Bytes::copy_from_slice(literal.as_bytes()))],
        param_format: Format::Text,
        results: &[Format::Binary],
    })??;
    let value = answer.rows.into_iter().flatten().next().flatten();
    if value.is_none() {
        bail!("the server gives no value");
    }
    Ok((declared, value))
}

/// A number stands for itself.
fn oid_of(connection: &mut Connection, name: &str) -> Result<Oid> {
    if let Ok(oid) = name.parse() {
        return Ok(oid);
    }
    let quoted = name.replace('\'', "''");
    let rows = connection.script(&format!("select '{quoted}'::regtype::oid"))?;
    Ok(rows.into_iter().flatten().flatten().next().context("no OID")?.parse()?)
}
