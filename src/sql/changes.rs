//! What a statement may change, by its words.

use std::iter::Peekable;

use super::{
    Dialect,
    lexer::Lexer,
    split::Statements,
    token::{Kind, Token},
};

/// Tells whether a statement may make, alter, move or drop types, those of tables' and views' rows among them.
///
/// It is the text that tells: what functions, procedures and DO blocks do inside is not seen. Of several statements in one text,
/// any counts.
///
/// # Example
///
/// ```
/// use pgferry::sql::changes_types;
///
/// assert!(changes_types("create type mood as enum ('sad')"));
/// assert!(changes_types("select 1 as a into t"));
/// assert!(!changes_types("create index on t (a)"));
/// assert!(!changes_types("insert into t select 'create type'"));
/// ```
#[must_use]
pub fn changes_types(text: &str) -> bool {
    Dialect::new().changes_types(text)
}

/// Tells whether a statement may write, erring on the side of yes: where any of its words is one that a statement writes with.
///
/// What the functions do that it calls is not seen.
///
/// # Example
///
/// ```
/// use pgferry::sql::may_write;
///
/// assert!(!may_write("select 'insert' from t"));
/// assert!(may_write("with a as (delete from t returning a) select a from a"));
/// assert!(may_write("call p()"));
/// ```
#[must_use]
pub fn may_write(text: &str) -> bool {
    Dialect::new().may_write(text)
}

type Tokens<'a> = Peekable<Lexer<'a>>;

pub(super) fn of_types(dialect: Dialect, text: &str) -> bool {
    Statements::new(dialect, text)
        .any(|(range, dialect)| text.get(range).is_some_and(|one| statement_changes_types(dialect.tokens(one))))
}

pub(super) fn of_anything(dialect: Dialect, text: &str) -> bool {
    Statements::new(dialect, text)
        .any(|(range, dialect)| text.get(range).is_some_and(|one| statement_may_write(dialect.tokens(one))))
}

fn statement_changes_types(mut tokens: Tokens<'_>) -> bool {
    // With ANALYZE it runs what it explains; skipped are its options and a query's parentheses alike.
    if tokens.next_if(|token| token.is("explain")).is_some() {
        while tokens.next_if(|token| !token.is_any(&["create", "select", "with"])).is_some() {}
    }
    while tokens.next_if(|token| token.is_symbol("(")).is_some() {}
    let Some(first) = tokens.next() else { return false };
    match first.text.to_ascii_lowercase().as_str() {
        _ if first.kind != Kind::Word => false,
        "create" | "alter" | "drop" => is_of_types(&mut tokens),
        "import" | "reassign" => true,
        "select" | "with" => makes_table(tokens),
        _ => false,
    }
}

/// Whether the object that is made, altered or dropped is a type, is one of those that bring a type with them, or holds types.
fn is_of_types(tokens: &mut Tokens<'_>) -> bool {
    const BEFORE: [&str; 9] =
        ["or", "replace", "global", "local", "temp", "temporary", "unlogged", "recursive", "materialized"];
    const KINDS: [&str; 6] = ["type", "domain", "table", "view", "schema", "extension"];
    while tokens.next_if(|token| token.is_any(&BEFORE)).is_some() {}
    let Some(kind) = tokens.next() else { return false };
    let next_is = |tokens: &mut Tokens<'_>, keyword| tokens.peek().is_some_and(|token| token.is(keyword));
    kind.is_any(&KINDS) || kind.is("foreign") && next_is(tokens, "table") || kind.is("owned") && next_is(tokens, "by")
}

/// Whether a query has an INTO of its own: those of INSERT and MERGE in a WITH name tables that are there.
fn makes_table(tokens: Tokens<'_>) -> bool {
    let mut last = None::<Token<'_>>;
    for token in tokens {
        if token.is("into") && !last.is_some_and(|last| last.is_any(&["insert", "merge"])) {
            return true;
        }
        last = Some(token);
    }
    false
}

fn statement_may_write(tokens: Tokens<'_>) -> bool {
    const READS: [&str; 6] = ["select", "values", "table", "with", "show", "explain"];
    const WRITES: [&str; 12] =
        ["insert", "update", "delete", "merge", "into", "call", "do", "execute", "create", "alter", "drop", "refresh"];
    let mut tokens = tokens.skip_while(|token| token.is_symbol("("));
    let Some(first) = tokens.next() else { return false };
    !first.is_any(&READS) || tokens.any(|token| token.is_any(&WRITES))
}

#[cfg(test)]
mod tests {
    use super::{changes_types, may_write};

    #[test]
    fn what_changes_types_is_told_by_the_text() {
        for text in [
            "create type t as enum ()",
            "ALTER TYPE t ADD VALUE 'x'",
            "drop domain if exists d",
            "/* a */ ; create unlogged table t (a int)",
            "create table t as select 1",
            "create or replace recursive view v (a) as select 1",
            "create materialized view v as select 1",
            "alter foreign table t add a int",
            "import foreign schema s from server r into t",
            "drop schema s cascade",
            "create extension citext",
            "alter extension citext set schema s",
            "select 1 as a into t",
            "(select 1 as a into t)",
            "with x as (insert into t values (1) returning a) select a into unlogged u from x",
            "explain (analyze, costs off) create table t as select 1",
            "explain analyze select a into t from u",
            "reassign owned by a to b",
            "drop owned by a",
            "select 1; drop table t",
        ] {
            assert!(changes_types(text), "{text}");
        }
        for text in [
            "",
            ";",
            "select 'create table t' as \"into\"",
            "insert into t select 1",
            "with x as (insert into t values (1) returning a) select a from x",
            "create unique index on type (a)",
            "create function f() returns table (a int) language sql as 'select 1'",
            "create sequence s",
            "create foreign data wrapper w",
            "alter function f() set schema s",
            "drop index view",
            "call p()",
            "do $$ begin create table t (); end $$",
            "refresh materialized view v",
            "comment on type t is 'x'",
            "explain select 1",
        ] {
            assert!(!changes_types(text), "{text}");
        }
    }

    #[test]
    fn what_only_reads_is_told_by_the_text() {
        for text in ["", "select row(1, 2)", "((values (1)))", "table t", "show all", "select '; insert' -- update"] {
            assert!(!may_write(text), "{text}");
        }
        for text in [
            "insert into t values (1) returning row(a, a)",
            "(with x as (update t set a = 1 returning a) select a from x)",
            "call p()",
            "do 'x'",
            "select a into t",
            "explain analyze delete from t",
            "select 1; truncate t",
            "execute p",
        ] {
            assert!(may_write(text), "{text}");
        }
    }
}
