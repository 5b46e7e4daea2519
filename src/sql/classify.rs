//! What one statement does to its session.

use std::iter::Peekable;

use super::{
    Effect,
    lexer::Lexer,
    session_calls::SessionCalls,
    token::{Kind, Token},
};

type Tokens<'a> = Peekable<Lexer<'a>>;

pub(super) fn statement(mut tokens: Tokens<'_>) -> Effect {
    while tokens.next_if(|token| token.is_symbol(";")).is_some() {}
    if tokens.next_if(|token| token.is("explain")).is_some() {
        let executes = explain_executes(&mut tokens);
        let (prepared, cursor) = match tokens.peek() {
            Some(first) => (first.is("execute"), first.is("declare")),
            None => (false, false),
        };
        return match (executes, prepared, cursor) {
            // It runs the query, but opens no cursor.
            (true, _, true) => expressions(tokens, true),
            (true, ..) | (_, true, _) => plain(tokens),
            (false, ..) => Effect::None,
        };
    }
    plain(tokens)
}

fn plain(mut tokens: Tokens<'_>) -> Effect {
    let Some(first) = tokens.peek().copied().filter(|token| token.kind == Kind::Word) else {
        return expressions(tokens, true);
    };
    let mut behind = tokens.clone();
    behind.next();
    let next = behind.peek().copied();
    let second = |keywords: &[&str]| next.is_some_and(|token| token.is_any(keywords));
    match first.text.to_ascii_lowercase().as_str() {
        "begin" | "start" | "end" | "abort" | "savepoint" | "release" => Effect::TransactionControl,
        "commit" | "rollback" if !second(&["prepared"]) => Effect::TransactionControl,
        "prepare" if second(&["transaction"]) => Effect::TransactionControl,
        "prepare" | "execute" | "deallocate" => Effect::Prepare,
        "set" if second(&["local", "transaction", "constraints"]) => Effect::SetLocal,
        "set" | "reset" | "discard" | "load" => Effect::Set,
        "listen" | "unlisten" => Effect::Listen,
        "declare" | "fetch" | "move" | "close" => Effect::Cursor,
        "lock" => Effect::Lock,
        "copy" if copies_to_client(behind) => Effect::Copy,
        "create" => create(tokens),
        "do" | "call" => match expressions(tokens, true) {
            argument if argument.needs_session() => argument,
            _ => Effect::RunsCode,
        },
        // What they name is not called now.
        "grant" | "revoke" | "comment" | "drop" | "analyze" | "analyse" | "vacuum" | "security" => {
            expressions(tokens, false)
        }
        _ => expressions(tokens, true),
    }
}

/// Skips EXPLAIN's options and returns whether they have the statement executed.
fn explain_executes(tokens: &mut Tokens<'_>) -> bool {
    let mut executes = false;
    while let Some(word) = tokens.next_if(|token| token.is_any(&["analyze", "analyse", "verbose"])) {
        executes |= !word.is("verbose");
    }
    let mut ahead = tokens.clone();
    let is_list = ahead.next().is_some_and(|token| token.is_symbol("("))
        && ahead
            .next()
            .is_some_and(|token| !token.is_symbol("(") && !token.is_any(&["select", "with", "values", "table"]));
    if !is_list {
        return executes;
    }
    while let Some(token) = tokens.next().filter(|token| !token.is_symbol(")")) {
        let off = tokens.peek().is_some_and(|value| value.is_any(&["off", "false"]) || value.text == "0");
        executes |= token.is_any(&["analyze", "analyse"]) && !off;
    }
    executes
}

/// Postgres takes either name in either direction.
fn copies_to_client(mut tokens: Tokens<'_>) -> bool {
    let mut depth = 0_usize;
    while let Some(token) = tokens.next() {
        if token.is_symbol("(") {
            depth += 1;
        } else if token.is_symbol(")") {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && token.is_any(&["from", "to"]) {
            return tokens.peek().is_some_and(|token| token.is_any(&["stdin", "stdout"]));
        }
    }
    false
}

fn create(mut tokens: Tokens<'_>) -> Effect {
    tokens.next();
    while tokens.next_if(|token| token.is_any(&["or", "replace", "global", "local", "unlogged"])).is_some() {}
    match tokens.peek() {
        Some(token) if token.is_any(&["temp", "temporary"]) => return Effect::Temporary,
        Some(token) if token.is_any(&["table", "materialized"]) => {}
        // Calls in what it defines are not made now.
        _ => return expressions(tokens, false),
    }
    let mut behind_as = tokens.clone();
    let mut depth = 0_usize;
    let makes_query = behind_as.any(|token| {
        if token.is_symbol("(") {
            depth += 1;
        } else if token.is_symbol(")") {
            depth = depth.saturating_sub(1);
        }
        depth == 0 && token.is("as")
    });
    if makes_query && behind_as.peek().is_some_and(|token| token.is("execute")) {
        return Effect::Prepare;
    }
    expressions(tokens, makes_query)
}

/// What names and, if they are made, calls in a statement mean.
fn expressions(mut tokens: Tokens<'_>, calls: bool) -> Effect {
    let mut found = SessionCalls::default();
    let mut before: [Option<Token<'_>>; 3] = [None; 3];
    while let Some(token) = tokens.next() {
        let [_, _, last] = before;
        let next = tokens.peek().copied();
        let qualifies = next.is_some_and(|next| next.is_symbol("."));
        let qualified = last.is_some_and(|last| last.is_symbol("."));
        if qualifies && !qualified && token.names("pg_temp") {
            return Effect::Temporary;
        }
        // Behind INSERT and MERGE it is a table of that name.
        if token.is("into") && !last.is_some_and(|last| last.is_any(&["insert", "merge"])) && makes_temporary(&tokens) {
            return Effect::Temporary;
        }
        if calls && let Some(effect) = found.see(before, token, next.as_ref()) {
            return effect;
        }
        let [_, second, third] = before;
        before = [second, third, Some(token)];
    }
    found.effect()
}

/// Whether `[LOCAL | GLOBAL] TEMP` and a name are next; without a name behind it, TEMP is one.
fn makes_temporary(tokens: &Tokens<'_>) -> bool {
    let mut ahead = tokens.clone();
    ahead.next_if(|token| token.is_any(&["local", "global"]));
    let temporary = ahead.next_if(|token| token.is_any(&["temp", "temporary"])).is_some();
    let clauses =
        ["from", "where", "group", "having", "window", "union", "intersect", "except", "order", "limit", "offset"];
    let names = |token: &Token<'_>| {
        token.kind == Kind::Quoted
            || token.kind == Kind::Word && !token.is_any(&clauses) && !token.is_any(&["fetch", "for"])
    };
    temporary && ahead.peek().is_some_and(names)
}
