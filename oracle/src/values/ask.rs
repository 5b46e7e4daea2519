use anyhow::{Result, ensure};
use bytes::Bytes;
use pgferry::Oid;

use crate::{
    tcp::{Answer, Connection, Failure, Format, Question},
    types::TypeEntry,
};

/// A value in both of the server's forms.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) binary: Bytes,
    pub(crate) text: Bytes,
}

/// Asks the server for both forms of what literals stand for; those that it refuses are left out.
pub(super) fn literals(connection: &mut Connection, entry: &TypeEntry, texts: &[String]) -> Result<Vec<Sample>> {
    if texts.is_empty() {
        return Ok(Vec::new());
    }
    let list: Vec<String> = (1..=texts.len()).map(|number| format!("(${number})")).collect();
    let text = format!("select v, v from (values {}) as list(v)", list.join(","));
    let params: Vec<_> = texts.iter().map(|text| Some(Bytes::copy_from_slice(text.as_bytes()))).collect();
    match both_forms(connection, &text, &vec![entry.oid; texts.len()], &params)? {
        Ok(answer) => samples(answer),
        // One bad literal fails them all.
        Err(_) if texts.len() > 1 => {
            let (first, second) = texts.split_at(texts.len() / 2);
            let mut samples = literals(connection, entry, first)?;
            samples.extend(literals(connection, entry, second)?);
            Ok(samples)
        }
        Err(_) => Ok(Vec::new()),
    }
}

/// Asks for both forms of a query's column `v`.
pub(super) fn query(connection: &mut Connection, query: &str) -> Result<Result<Vec<Sample>, Failure>> {
    let text = format!("select v, v from ({query}) as list");
    Ok(match both_forms(connection, &text, &[], &[])? {
        Ok(answer) => Ok(samples(answer)?),
        Err(failure) => Err(failure),
    })
}

/// Asks what the server takes a parameter for: the text that it prints of it, or why it refuses it.
pub(super) fn parameter(
    connection: &mut Connection,
    oid: Oid,
    param_format: Format,
    value: &[u8],
) -> Result<Result<Bytes, Failure>> {
    let params = [Some(Bytes::copy_from_slice(value))];
    let question =
        Question { text: "values ($1)", types: &[oid], params: &params, param_format, results: &[Format::Text] };
    Ok(match connection.ask(&question)? {
        Ok(answer) => Ok(answer.rows.into_iter().flatten().flatten().next().unwrap_or_default()),
        Err(failure) => Err(failure),
    })
}

fn both_forms(
    connection: &mut Connection,
    text: &str,
    types: &[Oid],
    params: &[Option<Bytes>],
) -> Result<Result<Answer, Failure>> {
    connection.ask(&Question {
        text,
        types,
        params,
        param_format: Format::Text,
        results: &[Format::Binary, Format::Text],
    })
}

fn samples(answer: Answer) -> Result<Vec<Sample>> {
    let mut samples = Vec::with_capacity(answer.rows.len());
    for row in answer.rows {
        ensure!(row.len() == 2, "a row of {} values for two columns", row.len());
        let mut values = row.into_iter();
        if let (Some(Some(binary)), Some(Some(text))) = (values.next(), values.next()) {
            samples.push(Sample { binary, text });
        }
    }
    Ok(samples)
}
