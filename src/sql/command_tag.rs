use std::iter::{self, Peekable};

use super::{Dialect, lexer::Lexer};

type Tokens<'a> = Peekable<Lexer<'a>>;

/// Rebuilds the command tag that Postgres would have sent, from the statement's text and what SQL over HTTP keeps of the tag:
/// its first word and the number of rows.
///
/// Best effort: a statement that the text does not tell apart keeps the word alone.
///
/// # Example
///
/// ```
/// use pgferry::sql::command_tag;
///
/// assert_eq!(command_tag("insert into t values (1)", "INSERT", Some(1)), "INSERT 0 1");
/// assert_eq!(command_tag("create unlogged table t (a int)", "CREATE", None), "CREATE TABLE");
/// assert_eq!(command_tag("create table t as select 1", "SELECT", Some(1)), "SELECT 1");
/// ```
#[must_use]
pub fn command_tag(text: &str, command: &str, row_count: Option<u64>) -> String {
    Dialect::new().command_tag(text, command, row_count)
}

pub(super) fn rebuild(dialect: Dialect, text: &str, command: &str, row_count: Option<u64>) -> String {
    match (command, row_count) {
        ("INSERT", Some(count)) => return format!("INSERT 0 {count}"),
        ("SELECT" | "UPDATE" | "DELETE" | "MERGE" | "FETCH" | "MOVE" | "COPY", Some(count)) => {
            return format!("{command} {count}");
        }
        _ => {}
    }
    let mut rest = dialect.tokens(text);
    if !rest.any(|token| token.is(command)) {
        return command.to_owned();
    }
    let next = rest.peek().copied();
    let next_is = |keywords: &[&str]| next.is_some_and(|token| token.is_any(keywords));
    let tail: &str = match command {
        "CREATE" | "ALTER" | "DROP" => return object_tag(command, rest),
        "START" => "TRANSACTION",
        "TRUNCATE" | "LOCK" => "TABLE",
        "DECLARE" => "CURSOR",
        "CLOSE" if next_is(&["all"]) => "CURSOR ALL",
        "CLOSE" => "CURSOR",
        "REFRESH" => "MATERIALIZED VIEW",
        "IMPORT" => "FOREIGN SCHEMA",
        "SECURITY" => "LABEL",
        "REASSIGN" => "OWNED",
        "GRANT" | "REVOKE" if !rest.any(|token| token.is("on")) => "ROLE",
        "DEALLOCATE" if next_is(&["all"]) => "ALL",
        "DEALLOCATE" if next_is(&["prepare"]) && rest.nth(1).is_some_and(|token| token.is("all")) => "ALL",
        "DISCARD" if next_is(&["all"]) => "ALL",
        "DISCARD" if next_is(&["plans"]) => "PLANS",
        "DISCARD" if next_is(&["sequences"]) => "SEQUENCES",
        "DISCARD" if next_is(&["temp", "temporary"]) => "TEMP",
        "PREPARE" if next_is(&["transaction"]) => "TRANSACTION",
        "COMMIT" | "ROLLBACK" if next_is(&["prepared"]) => "PREPARED",
        "SET" if next_is(&["constraints"]) => "CONSTRAINTS",
        _ => return command.to_owned(),
    };
    format!("{command} {tail}")
}

/// The objects whose names are several words; of the others the first word is all.
const LONG_NAMES: &[&[&str]] = &[
    &["ACCESS", "METHOD"],
    &["DEFAULT", "PRIVILEGES"],
    &["EVENT", "TRIGGER"],
    &["FOREIGN", "DATA", "WRAPPER"],
    &["FOREIGN", "TABLE"],
    &["LARGE", "OBJECT"],
    &["MATERIALIZED", "VIEW"],
    &["OPERATOR", "CLASS"],
    &["OPERATOR", "FAMILY"],
    &["TEXT", "SEARCH", "CONFIGURATION"],
    &["TEXT", "SEARCH", "DICTIONARY"],
    &["TEXT", "SEARCH", "PARSER"],
    &["TEXT", "SEARCH", "TEMPLATE"],
    &["USER", "MAPPING"],
];

/// What can stand between CREATE and the object's kind without being part of the tag.
const MODIFIERS: &[&str] = &[
    "or",
    "replace",
    "global",
    "local",
    "temp",
    "temporary",
    "unlogged",
    "recursive",
    "unique",
    "constraint",
    "default",
    "trusted",
    "procedural",
];

/// `CREATE TABLE` and the like.
fn object_tag(command: &str, mut rest: Tokens<'_>) -> String {
    let mut first = rest.next();
    while first.is_some_and(|token| token.is_any(MODIFIERS)) && !rest.peek().is_some_and(|token| token.is("privileges"))
    {
        first = rest.next();
    }
    let Some(first) = first else { return command.to_owned() };
    let long = LONG_NAMES.iter().find(|name| {
        let words = iter::once(first).chain(rest.clone());
        name.len() == name.iter().zip(words).take_while(|(word, token)| token.is(word)).count()
    });
    if let Some(name) = long {
        return format!("{command} {}", name.join(" "));
    }
    match first.text.to_ascii_uppercase().as_str() {
        // Roles all the same.
        "USER" | "GROUP" => format!("{command} ROLE"),
        "TABLE" if command == "CREATE" && makes_table_as(rest.clone()) => "CREATE TABLE AS".to_owned(),
        // One that names no handler is an extension.
        "LANGUAGE" if command == "CREATE" && !rest.any(|token| token.is("handler")) => "CREATE EXTENSION".to_owned(),
        object => format!("{command} {object}"),
    }
}

/// Whether a CREATE TABLE has its AS outside all parentheses.
fn makes_table_as(tokens: Tokens<'_>) -> bool {
    let mut depth = 0_usize;
    for token in tokens {
        if token.is_symbol("(") {
            depth += 1;
        } else if token.is_symbol(")") {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && token.is("as") {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::command_tag;

    /// As psql 15 prints them.
    #[test]
    fn tags_are_those_of_postgres() {
        for (text, tag) in [
            ("create temp table t (a int generated always as identity)", "CREATE TABLE"),
            ("create table t as select 1 with no data", "CREATE TABLE AS"),
            ("create or replace view v as select 1", "CREATE VIEW"),
            ("create materialized view v as select 1 with no data", "CREATE MATERIALIZED VIEW"),
            ("create unique index on t (a)", "CREATE INDEX"),
            ("create user a", "CREATE ROLE"),
            ("create user mapping for a server s", "CREATE USER MAPPING"),
            ("create text search dictionary d (template = simple)", "CREATE TEXT SEARCH DICTIONARY"),
            ("create constraint trigger t after insert on a for each row execute function f()", "CREATE TRIGGER"),
            ("alter table t add b int", "ALTER TABLE"),
            ("alter default privileges grant select on tables to a", "ALTER DEFAULT PRIVILEGES"),
            ("drop table if exists t", "DROP TABLE"),
            ("/* x */ drop foreign data wrapper w", "DROP FOREIGN DATA WRAPPER"),
            ("truncate t", "TRUNCATE TABLE"),
            ("grant a to b", "GRANT ROLE"),
            ("grant select on t to b", "GRANT"),
            ("refresh materialized view v", "REFRESH MATERIALIZED VIEW"),
            ("start transaction", "START TRANSACTION"),
            ("discard all", "DISCARD ALL"),
            ("close c", "CLOSE CURSOR"),
            ("close all", "CLOSE CURSOR ALL"),
            ("set a = 1", "SET"),
            ("set constraints all deferred", "SET CONSTRAINTS"),
            ("vacuum", "VACUUM"),
            ("do $$ begin end $$", "DO"),
        ] {
            let command = tag.split(' ').next().unwrap();
            assert_eq!(command_tag(text, command, None), tag, "{text}");
        }
    }

    #[test]
    fn rows_are_counted() {
        assert_eq!(command_tag("select 1", "SELECT", Some(3)), "SELECT 3");
        assert_eq!(command_tag("with a as (select 1) insert into t select * from a", "INSERT", Some(3)), "INSERT 0 3");
        assert_eq!(command_tag("create table t as select 1", "SELECT", Some(1)), "SELECT 1");
        assert_eq!(command_tag("", "", None), "");
    }
}
