use std::iter::Peekable;

use super::{Dialect, builtin_types, lexer::Lexer, token::Kind};

/// What a text names that brings types of the database's own with it, as far as its words tell.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Names {
    /// The types of casts, as `to_regtype` reads names.
    pub(crate) types: Vec<String>,
    /// The tables and views that rows are taken from or put into, as `to_regclass` reads names.
    pub(crate) relations: Vec<String>,
}

/// Finds the names of types and relations in a text, without those that PostgreSQL brings along.
pub(crate) fn names(text: &str) -> Names {
    let mut names = Names::default();
    let mut tokens = Dialect::new().tokens(text);
    let mut common_tables = Vec::new();
    // What each open parenthesis stands behind, where that is a word.
    let mut open: Vec<Option<String>> = Vec::new();
    let mut before: Option<String> = None;
    // What the parenthesis that was closed last stood behind.
    let mut closed: Option<String> = None;
    while let Some(token) = tokens.next() {
        let within = open.last().and_then(Option::as_deref);
        let word = if token.kind == Kind::Word { Some(token.text.to_ascii_lowercase()) } else { None };
        match word.as_deref() {
            _ if token.is_symbol("(") => open.push(before.clone()),
            _ if token.is_symbol(")") => closed = open.pop().flatten(),
            _ if token.is_symbol("::") => {
                names.types.extend(qualified(&mut tokens).filter(|name| !is_builtin_type(name)));
            }
            Some("as") if within == Some("cast") => {
                names.types.extend(qualified(&mut tokens).filter(|name| !is_builtin_type(name)));
            }
            // With a name before it, and its columns perhaps, it is a query's in a WITH.
            Some("as") => {
                while tokens.next_if(|next| next.is_any(&["not", "materialized"])).is_some() {}
                if tokens.peek().is_some_and(|next| next.is_symbol("(")) {
                    common_tables.extend(before.as_ref().or(closed.as_ref()).map(|name| quoted(name)));
                }
            }
            // FOR UPDATE, FOR NO KEY UPDATE and DO UPDATE SET.
            Some("update") if before.as_deref().is_some_and(|before| ["for", "key", "do"].contains(&before)) => {}
            Some("from") if before.as_deref() == Some("distinct") || within.is_some_and(has_from_of_its_own) => {}
            Some("from" | "join" | "into" | "update") => {
                while tokens.next_if(|next| next.is_any(&["only", "lateral", "table"])).is_some() {}
                let name = qualified(&mut tokens);
                // With a parenthesis behind it, it is a function, or the columns of an INSERT follow.
                let is_called = tokens.peek().is_some_and(|next| next.is_symbol("("));
                if word.as_deref() == Some("into") || !is_called {
                    names.relations.extend(name.filter(|name| !is_of_catalogue(name)));
                }
            }
            _ => {}
        }
        before = token.identifier().map(|name| name.into_owned());
    }
    names.relations.retain(|name| !common_tables.contains(name));
    names
}

/// Takes a name with or without its schema, and writes it as `quote_ident` does.
fn qualified(tokens: &mut Peekable<Lexer<'_>>) -> Option<String> {
    let mut name = quoted(&tokens.next_if(|token| token.identifier().is_some())?.identifier()?);
    while tokens.next_if(|token| token.is_symbol(".")).is_some() {
        let part = tokens.next_if(|token| token.identifier().is_some())?;
        name = format!("{name}.{}", quoted(&part.identifier()?));
    }
    Some(name)
}

fn quoted(name: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let begins_plain = name.bytes().next().is_some_and(|byte| is_plain(byte) && !byte.is_ascii_digit());
    if begins_plain && name.bytes().all(is_plain) {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// Functions whose arguments are separated by FROM.
fn has_from_of_its_own(function: &str) -> bool {
    ["extract", "overlay", "position", "substring", "trim"].contains(&function)
}

fn is_builtin_type(name: &str) -> bool {
    /// Those beside the ones that a column is certain to have; the catalogue tells of the others.
    const MORE: &[&str] = &[
        "box",
        "circle",
        "daterange",
        "int4range",
        "int8range",
        "line",
        "lseg",
        "macaddr8",
        "money",
        "national",
        "nchar",
        "numrange",
        "path",
        "point",
        "polygon",
        "record",
        "tsrange",
        "tstzrange",
        "void",
    ];
    is_of_catalogue(name) || MORE.contains(&name) || builtin_types::names_type(name)
}

fn is_of_catalogue(name: &str) -> bool {
    name.starts_with("pg_") || name.starts_with("information_schema.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_named_by_casts() {
        for (text, types) in [
            ("select 'a'::mood, $1::int8[], cast(b as app.\"Mood\") as c", &["mood", "app.\"Mood\""][..]),
            ("select '1'::double precision, a::timestamp with time zone, '{}'::pg_catalog.int4[]", &[]),
            ("select a as mood, '::mood'", &[]),
            ("select cast($1 as numeric(3, 1)), row(1)::Place[]", &["place"]),
        ] {
            assert_eq!(names(text).types, types, "{text}");
        }
    }

    #[test]
    fn relations_are_named_where_rows_come_from_and_go() {
        for (text, relations) in [
            ("select a from crews c join only app.boats on true, lateral f(1)", &["crews", "app.boats"][..]),
            ("insert into \"My Crews\" (a) select n from generate_series(1, 2) n", &["\"My Crews\""]),
            ("with new as (update crews set a = 1 returning *) select * from new", &["crews"]),
            ("select extract(year from b), trim(both from c), a is distinct from b from pg_class", &[]),
            ("select * from (select 1 from boats) as b", &["boats"]),
            ("delete from crews", &["crews"]),
            (
                "with recursive t(n) as (select 1 union select n from t), \"U\" as materialized (select 2) select * from t, \"U\"",
                &[],
            ),
            (
                "with \"U\" as not materialized (select 2) select * from \"U\" join crews c on true for update",
                &["crews"],
            ),
            ("insert into crews values (1) on conflict (a) do update set a = 2 returning a", &["crews"]),
        ] {
            assert_eq!(names(text).relations, relations, "{text}");
        }
    }
}
