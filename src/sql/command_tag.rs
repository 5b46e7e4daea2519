use super::{Dialect, token::Token};

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
    let words: Vec<Token<'_>> = dialect.tokens(text).collect();
    let mut rest = words.iter().skip_while(|token| !token.is(command)).skip(1);
    let has = |keyword: &str| words.iter().any(|token| token.is(keyword));
    let word = |token: Option<&Token<'_>>| token.map_or("", |token| token.text).to_ascii_uppercase();
    let tail: &str = match command {
        "CREATE" | "ALTER" | "DROP" => return object_tag(command, &words),
        "START" => "TRANSACTION",
        "TRUNCATE" | "LOCK" => "TABLE",
        "DECLARE" => "CURSOR",
        "CLOSE" if rest.next().is_some_and(|token| token.is("all")) => "CURSOR ALL",
        "CLOSE" => "CURSOR",
        "REFRESH" => "MATERIALIZED VIEW",
        "IMPORT" => "FOREIGN SCHEMA",
        "SECURITY" => "LABEL",
        "REASSIGN" => "OWNED",
        "GRANT" | "REVOKE" if !has("on") => "ROLE",
        "DEALLOCATE" if rest.any(|token| token.is("all")) => "ALL",
        "DISCARD" => match word(rest.next()).as_str() {
            "ALL" => "ALL",
            "PLANS" => "PLANS",
            "SEQUENCES" => "SEQUENCES",
            "TEMP" | "TEMPORARY" => "TEMP",
            _ => "",
        },
        "PREPARE" if rest.next().is_some_and(|token| token.is("transaction")) => "TRANSACTION",
        "COMMIT" | "ROLLBACK" if rest.next().is_some_and(|token| token.is("prepared")) => "PREPARED",
        "SET" if rest.next().is_some_and(|token| token.is("constraints")) => "CONSTRAINTS",
        _ => "",
    };
    if tail.is_empty() { command.to_owned() } else { format!("{command} {tail}") }
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
    "OR",
    "REPLACE",
    "GLOBAL",
    "LOCAL",
    "TEMP",
    "TEMPORARY",
    "UNLOGGED",
    "RECURSIVE",
    "UNIQUE",
    "CONSTRAINT",
    "DEFAULT",
    "TRUSTED",
    "PROCEDURAL",
];

/// `CREATE TABLE` and the like.
fn object_tag(command: &str, tokens: &[Token<'_>]) -> String {
    let words: Vec<String> = tokens.iter().map(|token| token.text.to_ascii_uppercase()).collect();
    let after = words.iter().position(|word| word == command).map_or(0, |at| at + 1);
    let mut rest = words.get(after..).unwrap_or_default();
    while let Some((first, others)) = rest.split_first() {
        let privileges = others.first().is_some_and(|word| word == "PRIVILEGES");
        if !MODIFIERS.contains(&first.as_str()) || privileges {
            break;
        }
        rest = others;
    }
    let long = LONG_NAMES.iter().find(|name| name.iter().eq(rest.iter().take(name.len())));
    if let Some(name) = long {
        return format!("{command} {}", name.join(" "));
    }
    match rest.first().map(String::as_str) {
        None => command.to_owned(),
        // Roles all the same.
        Some("USER" | "GROUP") => format!("{command} ROLE"),
        Some("TABLE") if command == "CREATE" && makes_table_as(tokens) => "CREATE TABLE AS".to_owned(),
        Some(object) => format!("{command} {object}"),
    }
}

/// Whether a CREATE TABLE has its AS outside all parentheses.
fn makes_table_as(tokens: &[Token<'_>]) -> bool {
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
