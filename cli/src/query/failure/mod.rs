//! What is told on standard error while statements run, as psql tells it.

mod excerpt;

use std::io::{self, Write};

use console::style;
use pgferry::{DbError, SqlState};

use self::excerpt::excerpt;
use super::output::printable;
use crate::problem;

/// Writes a line.
pub(super) fn say(line: &str) {
    // Where standard error is closed there is nobody to tell.
    let _ = writeln!(io::stderr(), "{line}");
}

/// Says why a statement failed, and what to try where that is worth saying.
pub(super) fn tell(error: &pgferry::Error, place: &str, statement: Option<&str>, given: usize, with_hint: bool) {
    let mut text = match error.as_db_error().filter(|fields| !fields.severity.is_empty()) {
        Some(fields) => match parameters(fields, given) {
            Some(mistake) => format!("{}: {mistake}", style("pgferry").for_stderr().red()),
            None => describe(fields, statement),
        },
        None => format!("{}: {}", style("pgferry").for_stderr().red(), problem::told(error)),
    };
    if let Some(hint) = problem::hint(error).filter(|_| with_hint) {
        text.push_str(&format!("\nhint: {hint}"));
    }
    if statement.is_some_and(|statement| fails_at_a_backslash(error, statement)) {
        text.push_str(
            "\nhint: psql's own commands, such as \\d and \\dt, are not known here. The catalogue tells the same: \
             SELECT * FROM information_schema.tables, and .columns.",
        );
    }
    say(&format!("{place}{text}"));
}

/// What is wrong with the number of parameters, where that is what the server complains about: of the two numbers in its message,
/// in whatever language, it wants the second.
fn parameters(fields: &DbError, given: usize) -> Option<String> {
    let is_protocol = fields.code().is_some_and(|code| *code == SqlState::PROTOCOL_VIOLATION);
    let numbers = fields.message.split(|character: char| !character.is_ascii_digit()).filter(|part| !part.is_empty());
    let numbers: Vec<usize> = numbers.map(str::parse).collect::<Result<_, _>>().ok()?;
    let &[supplied, wanted] = &numbers[..] else { return None };
    if !is_protocol || supplied != given || wanted == given {
        return None;
    }
    let (parameters, remedy) = match wanted {
        0 => ("no parameters".to_owned(), "leave -p out"),
        1 => ("1 parameter".to_owned(), "give one -p"),
        _ => (format!("{wanted} parameters"), "give each a -p of its own"),
    };
    let was = if given == 1 { "was" } else { "were" };
    let given = if given == 0 { "none".to_owned() } else { given.to_string() };
    Some(format!("the statement has {parameters}, and {given} {was} given: {remedy}"))
}

/// Whether a statement fails for a backslash, with which psql's commands begin.
fn fails_at_a_backslash(error: &pgferry::Error, statement: &str) -> bool {
    let place = error.as_db_error().filter(|fields| fields.code().is_some_and(|code| *code == SqlState::SYNTAX_ERROR));
    let place = place.and_then(|fields| usize::try_from(fields.position?).ok()?.checked_sub(1));
    place.and_then(|place| statement.chars().nth(place)) == Some('\\')
}

/// Says what the server noticed.
pub(super) fn notices(notices: Vec<DbError>) {
    for notice in notices {
        say(&describe(&notice, None));
    }
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
