//! Where in a statement a WITH can stand that is analysed before everything else in it.

use super::lexer::{Lexer, Token};

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

/// Finds the place; the text is one statement.
pub(super) fn placement(text: &str) -> Placement {
    let mut tokens = Tokens { lexer: Lexer::new(text), peeked: None };
    while tokens.peek().is_some_and(|token| token.is_symbol(";")) {
        tokens.next();
    }
    let Some(first) = tokens.peek() else { return Placement::None };
    if first.is("explain") {
        tokens.next();
        tokens.skip_explain_options();
        // EXPLAIN takes parameters only for a statement that does.
        return statement(&mut tokens);
    }
    statement(&mut tokens)
}

fn statement(tokens: &mut Tokens<'_>) -> Placement {
    let Some(first) = tokens.peek() else { return Placement::None };
    if first.is("create") {
        return create(tokens);
    }
    if first.is_any(&["call", "declare"]) {
        return Placement::InPlace;
    }
    query(tokens)
}

/// SELECT and its kin, perhaps in parentheses, perhaps with a WITH of its own.
fn query(tokens: &mut Tokens<'_>) -> Placement {
    let Some(first) = tokens.peek() else { return Placement::None };
    let start = first.start;
    while tokens.peek().is_some_and(|token| token.is_symbol("(")) {
        tokens.next();
    }
    let Some(word) = tokens.peek() else { return Placement::None };
    if word.is("with") {
        // Of nested ones too: Postgres forbids a second WITH around a parenthesised one, and analyses the leftmost arm
        // of a UNION first.
        return with(tokens);
    }
    if word.is_any(&["select", "insert", "update", "delete", "merge", "values", "table"]) {
        return Placement::New(start);
    }
    if word.is("execute") { Placement::InPlace } else { Placement::None }
}

fn with(tokens: &mut Tokens<'_>) -> Placement {
    let Some(with) = tokens.next() else { return Placement::None };
    let Some(recursive) = tokens.next().filter(|token| token.is("recursive")) else {
        return Placement::Merge(with.end());
    };
    // RECURSIVE is not reserved, so a query can bear that name.
    let is_name = tokens.peek().is_some_and(|token| token.is("as") || token.is_symbol("("));
    Placement::Merge(if is_name { with.end() } else { recursive.end() })
}

/// CREATE TABLE … AS and CREATE MATERIALIZED VIEW … AS; no other CREATE takes parameters.
fn create(tokens: &mut Tokens<'_>) -> Placement {
    tokens.next();
    while tokens.peek().is_some_and(|token| token.is_any(&["global", "local", "temp", "temporary", "unlogged"])) {
        tokens.next();
    }
    let table = match tokens.next() {
        Some(word) if word.is("materialized") => tokens.next().is_some_and(|token| token.is("view")),
        Some(word) => word.is("table"),
        None => false,
    };
    if !table {
        return Placement::None;
    }
    let mut depth = 0_usize;
    while let Some(token) = tokens.next() {
        if token.is_symbol("(") {
            depth += 1;
        } else if token.is_symbol(")") {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && token.is("as") {
            return query(tokens);
        }
    }
    Placement::None
}

struct Tokens<'a> {
    lexer: Lexer<'a>,
    peeked: Option<Token<'a>>,
}

impl<'a> Tokens<'a> {
    fn peek(&mut self) -> Option<Token<'a>> {
        if self.peeked.is_none() {
            self.peeked = self.lexer.next();
        }
        self.peeked
    }

    fn next(&mut self) -> Option<Token<'a>> {
        self.peeked.take().or_else(|| self.lexer.next())
    }

    /// Skips `(…)`, or ANALYZE and VERBOSE. A parenthesis may also begin the statement itself, and is told by what stands
    /// behind it.
    fn skip_explain_options(&mut self) {
        while self.peek().is_some_and(|token| token.is_any(&["analyze", "analyse", "verbose"])) {
            self.next();
        }
        if !self.peek().is_some_and(|token| token.is_symbol("(")) {
            return;
        }
        let second = self.lexer.clone().next();
        if second.is_some_and(|token| token.is_symbol("(") || token.is_any(&["select", "with", "values", "table"])) {
            return;
        }
        while let Some(token) = self.next() {
            if token.is_symbol(")") {
                return;
            }
        }
    }
}
