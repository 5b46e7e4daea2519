//! Where in a statement a WITH can stand that is analysed before everything else in it.

use std::iter::Peekable;

use super::{Dialect, lexer::Lexer};

/// What can be done to fix the types of a statement's parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Placement {
    /// A WITH clause of one's own, at this byte.
    New(usize),
    /// One more entry, the first, of the WITH clause that is there; at this byte, behind WITH [RECURSIVE].
    Merge(usize),
    /// No WITH can stand there: the parameters themselves must be cast.
    InPlace,
    /// A statement that takes no parameters.
    None,
}

type Tokens<'a> = Peekable<Lexer<'a>>;

/// Finds the place; the text is one statement.
pub(super) fn placement(dialect: Dialect, text: &str) -> Placement {
    let mut tokens = dialect.tokens(text);
    while tokens.next_if(|token| token.is_symbol(";")).is_some() {}
    if tokens.next_if(|token| token.is("explain")).is_some() {
        // It takes parameters only for a statement that does.
        skip_explain_options(&mut tokens);
    }
    let Some(first) = tokens.peek() else { return Placement::None };
    if first.is("create") {
        return create(&mut tokens);
    }
    if first.is("declare") {
        return if skip_behind(&mut tokens, "for") { query(&mut tokens) } else { Placement::None };
    }
    if first.is("call") { Placement::InPlace } else { query(&mut tokens) }
}

/// Whether PREPARE takes the text, which is one statement.
pub(super) fn is_preparable(dialect: Dialect, text: &str) -> bool {
    let mut tokens = dialect.tokens(text);
    while tokens.next_if(|token| token.is_symbol(";")).is_some() {}
    matches!(query(&mut tokens), Placement::New(_) | Placement::Merge(_))
}

/// SELECT and its kin, perhaps in parentheses, perhaps with a WITH of its own.
fn query(tokens: &mut Tokens<'_>) -> Placement {
    let Some(start) = tokens.peek().map(|token| token.start) else { return Placement::None };
    while tokens.next_if(|token| token.is_symbol("(")).is_some() {}
    let Some(word) = tokens.peek() else { return Placement::None };
    if word.is("with") {
        // Of nested ones too: Postgres forbids a second WITH around a parenthesised one, and analyses the leftmost arm
        // of a UNION first.
        return with(tokens);
    }
    if word.is_any(&["select", "insert", "update", "delete", "merge", "values", "table"]) {
        return Placement::New(start);
    }
    // EXECUTE takes none either: its arguments are evaluated as if they stood alone.
    Placement::None
}

fn with(tokens: &mut Tokens<'_>) -> Placement {
    let Some(with) = tokens.next() else { return Placement::None };
    let Some(recursive) = tokens.next_if(|token| token.is("recursive")) else {
        return Placement::Merge(with.end());
    };
    // RECURSIVE is not reserved, so a query can bear that name.
    let is_name = tokens.peek().is_some_and(|token| token.is("as") || token.is_symbol("("));
    Placement::Merge(if is_name { with.end() } else { recursive.end() })
}

/// CREATE TABLE … AS and CREATE MATERIALIZED VIEW … AS; no other CREATE takes parameters.
fn create(tokens: &mut Tokens<'_>) -> Placement {
    tokens.next();
    let modifiers = ["global", "local", "temp", "temporary", "unlogged"];
    while tokens.next_if(|token| token.is_any(&modifiers)).is_some() {}
    match tokens.next() {
        // Postgres refuses one that uses parameters, and so would it one with a prologue.
        Some(word) if word.is("materialized") => Placement::InPlace,
        Some(word) if word.is("table") && skip_behind(tokens, "as") => query(tokens),
        _ => Placement::None,
    }
}

/// Skips what stands before a keyword outside parentheses, and the keyword; returns whether it is there.
fn skip_behind(tokens: &mut Tokens<'_>, keyword: &str) -> bool {
    let mut depth = 0_usize;
    for token in tokens {
        if token.is_symbol("(") {
            depth += 1;
        } else if token.is_symbol(")") {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && token.is(keyword) {
            return true;
        }
    }
    false
}

/// Skips `(…)`, or ANALYZE and VERBOSE. A parenthesis may also begin the statement itself, and is told by what stands
/// behind it.
fn skip_explain_options(tokens: &mut Tokens<'_>) {
    while tokens.next_if(|token| token.is_any(&["analyze", "analyse", "verbose"])).is_some() {}
    let mut ahead = tokens.clone();
    if !ahead.next().is_some_and(|token| token.is_symbol("(")) {
        return;
    }
    if ahead.next().is_some_and(|token| token.is_symbol("(") || token.is_any(&["select", "with", "values", "table"])) {
        return;
    }
    tokens.find(|token| token.is_symbol(")"));
}
