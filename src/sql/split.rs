use std::{mem::take, ops::Range};

use super::{
    Dialect,
    dialect::Setting,
    lexer::{Lexer, is_space},
    token::Token,
};

/// Splits a script into its statements, without their semicolons; empty ones are left out.
///
/// Semicolons in strings, comments, the body of a function written as `BEGIN ATOMIC … END`, and between the parentheses of a
/// rule's commands do not end a statement. The statements are parts of `script`; [`split_ranges`] says where they stand.
///
/// As in psql, which sends each statement by itself, a SET of `standard_conforming_strings` decides how those behind it are read.
///
/// # Example
///
/// ```
/// use pgferry::sql::split;
///
/// assert_eq!(split("create table a(); -- x;\n insert into b values (';');"), [
///     "create table a()",
///     "-- x;\n insert into b values (';')",
/// ]);
/// assert!(split(" ; /* nothing */ ;").is_empty());
/// ```
#[must_use]
pub fn split(script: &str) -> Vec<&str> {
    Dialect::new().split(script)
}

/// Returns where the statements of a script stand, in bytes, as [`split`] finds them.
#[must_use]
pub fn split_ranges(script: &str) -> Vec<Range<usize>> {
    Dialect::new().split_ranges(script)
}

pub(super) fn ranges(dialect: Dialect, script: &str) -> Vec<Range<usize>> {
    let mut statements = Vec::new();
    let mut start = 0;
    let mut state = State::default();
    let mut dialect = dialect;
    let mut setting = Setting::default();
    let mut tokens = Lexer::new(script, dialect);
    while let Some(token) = tokens.next() {
        if token.is_symbol(";") && state.ends_here() {
            statements.extend(trimmed(script, start..token.start, &state));
            start = token.end();
            state = State::default();
            dialect = take(&mut setting).apply(dialect);
            tokens.switch(dialect);
        } else {
            state.see(&token);
            setting.see(&token);
        }
    }
    statements.extend(trimmed(script, start..script.len(), &state));
    statements
}

fn trimmed(script: &str, range: Range<usize>, state: &State) -> Option<Range<usize>> {
    if state.tokens == 0 {
        return None;
    }
    let text = script.get(range.clone())?;
    let start = range.start + text.bytes().take_while(|byte| is_space(*byte)).count();
    let end = range.end - text.bytes().rev().take_while(|byte| is_space(*byte)).count();
    Some(start..end)
}

/// What must be known of a statement's beginning to find its end.
#[derive(Default)]
struct State {
    tokens: usize,
    parentheses: usize,
    /// Whether it is CREATE [OR REPLACE] FUNCTION or PROCEDURE: `None` until known.
    routine: Option<bool>,
    after_begin: bool,
    /// BEGIN ATOMIC and CASE that are open.
    blocks: usize,
}

impl State {
    fn ends_here(&self) -> bool {
        self.parentheses == 0 && self.blocks == 0
    }

    fn see(&mut self, token: &Token<'_>) {
        if token.is_symbol("(") {
            self.parentheses += 1;
        } else if token.is_symbol(")") {
            self.parentheses = self.parentheses.saturating_sub(1);
        }
        if self.routine.is_none() {
            self.routine = match self.tokens {
                0 if token.is("create") => None,
                1.. if token.is_any(&["or", "replace"]) => None,
                0 => Some(false),
                _ => Some(token.is_any(&["function", "procedure"])),
            };
        } else if self.routine == Some(true) {
            if self.after_begin && token.is("atomic") || self.blocks > 0 && token.is("case") {
                self.blocks += 1;
            } else if token.is("end") {
                self.blocks = self.blocks.saturating_sub(1);
            }
        }
        self.after_begin = token.is("begin");
        self.tokens += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::{split, split_ranges};

    #[test]
    fn statements_are_told_apart() {
        assert_eq!(split("select 1; select 2"), ["select 1", "select 2"]);
        assert_eq!(split("select ';' ; select $$;$$;"), ["select ';'", "select $$;$$"]);
        assert_eq!(split("/* a; */ select 1 -- ;\n;\n"), ["/* a; */ select 1 -- ;"]);
        assert!(split("").is_empty());
        assert!(split("; ;; -- nothing").is_empty());
        assert_eq!(split("begin; select 1; end; commit"), ["begin", "select 1", "end", "commit"]);
    }

    #[test]
    fn a_body_is_kept_whole() {
        let function = "create or replace function f(a int) returns int language sql begin atomic \
                        select case when a > 0 then 1 else 2 end; select 3; end";
        assert_eq!(split(&format!("{function}; select 4")), [function, "select 4"]);
        let procedure = "create procedure p() begin atomic insert into t values (1); insert into t values (2); end";
        assert_eq!(split(&format!("{procedure};select 4")), [procedure, "select 4"]);
    }

    #[test]
    fn a_rule_is_kept_whole() {
        let rule = "create rule r as on insert to t do also (insert into a values (1); insert into b values (2))";
        assert_eq!(split(&format!("{rule}; select 1")), [rule, "select 1"]);
    }

    #[test]
    fn ranges_count_bytes() {
        assert_eq!(split_ranges(" select 'é' ; select 2"), [1..12, 15..23]);
    }
}
