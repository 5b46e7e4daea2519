use std::iter::Peekable;

use super::{Dialect, lexer::Lexer};

/// Returns whether Postgres executes a statement only outside a transaction block, as VACUUM and CREATE DATABASE (25001
/// otherwise), so that no batch can carry it.
///
/// As far as the text tells: a procedure that commits, and a partitioned table to be reindexed or clustered, look like others.
///
/// # Example
///
/// ```
/// use pgferry::sql::forbids_transaction_block;
///
/// assert!(forbids_transaction_block("create unique index concurrently i on t (a)"));
/// assert!(!forbids_transaction_block("create index concurrently_made on t (a)"));
/// ```
#[must_use]
pub fn forbids_transaction_block(text: &str) -> bool {
    Dialect::new().forbids_transaction_block(text)
}

pub(super) fn is_forbidden(dialect: Dialect, text: &str) -> bool {
    let mut tokens = dialect.tokens(text);
    while tokens.next_if(|token| token.is_symbol(";")).is_some() {}
    let Some(first) = tokens.next() else { return false };
    match first.text.to_ascii_lowercase().as_str() {
        "vacuum" => true,
        "alter" => alter(&mut tokens),
        "create" => match word(&mut tokens).as_str() {
            "database" | "tablespace" => true,
            // Unless it makes no slot, which needs its options understood.
            "subscription" => true,
            "unique" => word(&mut tokens) == "index" && word(&mut tokens) == "concurrently",
            "index" => word(&mut tokens) == "concurrently",
            _ => false,
        },
        "drop" => match word(&mut tokens).as_str() {
            "database" | "tablespace" | "subscription" => true,
            "index" => word(&mut tokens) == "concurrently",
            _ => false,
        },
        "reindex" => reindex(&mut tokens),
        "cluster" => cluster(&mut tokens),
        "discard" => word(&mut tokens) == "all",
        "commit" | "rollback" => word(&mut tokens) == "prepared",
        _ => false,
    }
}

type Tokens<'a> = Peekable<Lexer<'a>>;

/// The next token as a keyword, in lower case.
fn word(tokens: &mut Tokens<'_>) -> String {
    tokens.next().map(|token| token.text.to_ascii_lowercase()).unwrap_or_default()
}

fn alter(tokens: &mut Tokens<'_>) -> bool {
    match word(tokens).as_str() {
        "system" => true,
        "database" => {
            tokens.next();
            word(tokens) == "set" && word(tokens) == "tablespace"
        }
        // Refreshing is their default.
        "subscription" => {
            tokens.next();
            let verb = word(tokens);
            matches!(verb.as_str(), "refresh" | "add" | "drop") || verb == "set" && word(tokens) == "publication"
        }
        "table" => {
            // DETACH PARTITION name CONCURRENTLY, which ends there.
            let mut detaches = false;
            let mut last_is_concurrently = false;
            for token in tokens {
                detaches |= token.is("detach");
                last_is_concurrently = token.is("concurrently") || last_is_concurrently && token.is_symbol(";");
            }
            detaches && last_is_concurrently
        }
        _ => false,
    }
}

fn reindex(tokens: &mut Tokens<'_>) -> bool {
    let mut concurrently = false;
    if tokens.next_if(|token| token.is_symbol("(")).is_some() {
        while let Some(token) = tokens.next().filter(|token| !token.is_symbol(")")) {
            let off = |tokens: &mut Tokens<'_>| {
                tokens.peek().is_some_and(|token| token.is_any(&["off", "false"]) || token.text == "0")
            };
            concurrently |= token.is("concurrently") && !off(tokens);
        }
    }
    let kind = word(tokens);
    concurrently
        || matches!(kind.as_str(), "schema" | "database" | "system")
        || tokens.peek().is_some_and(|token| token.is("concurrently"))
}

/// Of one table it is allowed, of all it is not.
fn cluster(tokens: &mut Tokens<'_>) -> bool {
    if tokens.next_if(|token| token.is_symbol("(")).is_some() {
        tokens.find(|token| token.is_symbol(")"));
    }
    tokens.next_if(|token| token.is("verbose"));
    tokens.peek().is_none_or(|token| token.is_symbol(";"))
}

#[cfg(test)]
mod tests {
    use super::forbids_transaction_block;

    #[test]
    fn what_postgres_keeps_out_of_transactions_is_told() {
        for text in [
            "vacuum",
            "/* a */ ; VACUUM (full) t",
            "create database d",
            "drop database if exists d",
            "create unique index concurrently on t (a)",
            "drop index concurrently i",
            "reindex index concurrently i",
            "reindex (verbose, concurrently) table t",
            "reindex schema s",
            "cluster",
            "cluster verbose;",
            "alter system set a = 1",
            "alter database d set tablespace s",
            "alter subscription s refresh publication",
            "create tablespace s location '/s'",
            "discard all",
            "rollback prepared 'a'",
            "alter table t detach partition p concurrently;",
        ] {
            assert!(forbids_transaction_block(text), "{text}");
        }
    }

    #[test]
    fn what_merely_looks_like_it_is_allowed() {
        for text in [
            "",
            "analyze",
            "create index on concurrently (a)",
            "create index \"concurrently\" on t (a)",
            "create table vacuum (a int)",
            "drop index i",
            "reindex table t",
            "reindex (concurrently false) table t",
            "cluster t",
            "cluster verbose t using i",
            "commit",
            "discard plans",
            "alter database d set work_mem = 1",
            "alter table t detach partition p",
            "alter table detach add concurrently int",
        ] {
            assert!(!forbids_transaction_block(text), "{text}");
        }
    }
}
