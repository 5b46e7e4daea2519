//! The types in a WITH of our own, which Postgres analyses before the rest.

use std::{borrow::Cow, collections::HashSet};

use super::{Dialect, Typed, placement::Placement, typed::Edit, typing::Cast};

/// A `SELECT` can have this many columns; so can the prologue's.
const MAX_COLUMNS: usize = 1664;

/// Puts it where `place` says. `untyped` is the number of a parameter that the prologue must name without giving it a type.
pub(super) fn prologue<'a>(
    dialect: Dialect,
    text: &'a str,
    place: Placement,
    casts: &[Cast<'_>],
    untyped: Option<usize>,
) -> Typed<'a> {
    let (at, before, after) = match place {
        Placement::New(at) => (at, "WITH ", " "),
        Placement::Merge(at) => (at, " ", ","),
        Placement::InPlace | Placement::None => return Typed::untouched(text),
    };
    let (head, tail) = text.split_at_checked(at).unwrap_or(("", text));
    let (mut lead, separator, test) = if casts.len() + usize::from(untyped.is_some()) <= MAX_COLUMNS {
        ("SELECT ", ", ", "")
    } else {
        ("SELECT WHERE ", " AND ", " IS NULL")
    };
    let mut entry = [before, &unused_name(dialect, text), " AS ("].concat();
    for (parameter, name) in casts {
        entry.extend([lead, "$", &parameter.to_string(), "::", name, test]);
        lead = separator;
    }
    if let Some(parameter) = untyped {
        entry.extend([lead, "$", &parameter.to_string(), " IS NULL"]);
    }
    entry.push(')');
    entry.push_str(after);
    let edit = Edit { at: head.chars().count(), length: entry.chars().count(), replaced: 0 };
    Typed::with_prologue([head, &entry, tail].concat(), edit)
}

const NAME: &str = "_pgferry";

/// A name, quoted, that the text does not use.
fn unused_name(dialect: Dialect, text: &str) -> Cow<'static, str> {
    // Identifiers with escapes (`U&"…"`) need not show the name that they stand for.
    let plain = memchr::memmem::find(text.as_bytes(), b"&\"").is_none();
    if plain && !contains_name(text) {
        return Cow::Borrowed("\"_pgferry\"");
    }
    let used: HashSet<Cow<'_, str>> =
        dialect.tokens(text).filter_map(|token| token.identifier()).filter(|name| name.starts_with(NAME)).collect();
    let candidates =
        (0..=used.len()).map(|number| if number == 0 { NAME.to_owned() } else { format!("{NAME}{number}") });
    let free = candidates.into_iter().find(|name| !used.contains(name.as_str()));
    Cow::Owned(format!("\"{}\"", free.as_deref().unwrap_or(NAME)))
}

/// Whether the name is in the text, in whatever case.
fn contains_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'_', bytes)
        .any(|at| bytes.get(at..at + NAME.len()).is_some_and(|part| part.eq_ignore_ascii_case(NAME.as_bytes())))
}
