//! What is told on standard error while statements run, as psql tells it.

mod excerpt;

use std::io::{self, Write};

use console::style;
use pgferry::DbError;

use self::excerpt::excerpt;
use super::output::printable;
use crate::problem;

/// Writes a line.
pub(super) fn say(line: &str) {
    // Where standard error is closed there is nobody to tell.
    let _ = writeln!(io::stderr(), "{line}");
}

/// Says why a statement failed, and what to try where that is worth saying.
pub(super) fn tell(error: &pgferry::Error, place: &str, statement: Option<&str>, with_hint: bool) {
    let mut text = match error.as_db_error().filter(|fields| !fields.severity.is_empty()) {
        Some(fields) => describe(fields, statement),
        None => format!("{}: {}", style("pgferry").for_stderr().red(), chain(error)),
    };
    if let Some(hint) = problem::hint(error).filter(|_| with_hint) {
        text.push_str(&format!("\nhint: {hint}"));
    }
    say(&format!("{place}{text}"));
}

/// Says what the server noticed.
pub(super) fn notices(notices: Vec<DbError>) {
    for notice in notices {
        say(&describe(&notice, None));
    }
}

/// The error with its causes.
fn chain(error: &pgferry::Error) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    causes.fold(error.to_string(), |told, cause| format!("{told}: {cause}"))
}

/// The fields in the order and with the words of psql's `VERBOSITY verbose`.
fn describe(fields: &DbError, statement: Option<&str>) -> String {
    let severity = style(&fields.severity).for_stderr();
    let severity = match fields.severity.as_str() {
        "ERROR" | "FATAL" | "PANIC" => severity.red(),
        "WARNING" => severity.yellow(),
        _ => severity.bold(),
    };
    // That all went well is not worth saying.
    let code = fields.code().map(|code| code.as_str()).filter(|code| *code != "00000");
    let code = code.map(|code| format!("{code}: ")).unwrap_or_default();
    let mut text = format!("{severity}:  {code}{}", printable(&fields.message));
    let mut add = |line: String| {
        text.push('\n');
        text.push_str(&line);
    };
    let internal = fields.internal_query.as_deref().zip(fields.internal_position);
    let place = statement.zip(fields.position).or(internal);
    if let Some(excerpt) = place.and_then(|(text, position)| excerpt(text, position)) {
        add(excerpt);
    }
    let more = [("DETAIL", &fields.detail), ("HINT", &fields.hint), ("QUERY", &fields.internal_query)];
    for (name, value) in more {
        if let Some(value) = value {
            add(format!("{name}:  {}", printable(value)));
        }
    }
    if let Some(context) = &fields.where_ {
        add(format!("CONTEXT:  {}", printable(context)));
    }
    text
}
