use std::ops::Range;

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
    Statements::new(dialect, script).map(|(range, _)| range).collect()
}

/// Where the statements of a script stand, each with the dialect that it is read in.
pub(super) struct Statements<'a> {
    script: &'a str,
    tokens: Lexer<'a>,
    dialect: Dialect,
    start: usize,
}

impl<'a> Statements<'a> {
    pub(super) fn new(dialect: Dialect, script: &'a str) -> Self {
        Self { script, tokens: Lexer::new(script, dialect), dialect, start: 0 }
    }

    fn trimmed(&self, range: Range<usize>) -> Option<Range<usize>> {
        let text = self.script.get(range.clone())?;
        let start = range.start + text.bytes().take_while(|byte| is_space(*byte)).count();
        let end = range.end - text.bytes().rev().take_while(|byte| is_space(*byte)).count();
        Some(start..end)
    }
}

impl Iterator for Statements<'_> {
    type Item = (Range<usize>, Dialect);

    fn next(&mut self) -> Option<Self::Item> {
        let mut state = State::default();
        let mut setting = Setting::default();
        while let Some(token) = self.tokens.next() {
            if !token.is_symbol(";") || state.is_inside() {
                state.see(&token);
                setting.see(&token);
                continue;
            }
            let range = self.start..token.start;
            self.start = token.end();
            if state.is_empty {
                continue;
            }
            let dialect = self.dialect;
            self.dialect = setting.apply(dialect);
            self.tokens.switch(self.dialect);
            return Some((self.trimmed(range)?, dialect));
        }
        if state.is_empty {
            return None;
        }
        let range = self.start..self.script.len();
        self.start = self.script.len();
        Some((self.trimmed(range)?, self.dialect))
    }
}

/// What must be known of a statement's beginning to find its end.
struct State {
    is_empty: bool,
    parentheses: usize,
    object: Object,
    /// Whether it is inside BEGIN ATOMIC … END.
    atomic: bool,
    last: Last,
}

/// What a CREATE creates.
#[derive(PartialEq, Eq)]
enum Object {
    Unknown,
    Routine,
    Other,
}

/// The last token, as far as it matters.
#[derive(PartialEq, Eq)]
enum Last {
    Begin,
    /// A statement of the body can begin behind it, or the body can end.
    Semicolon,
    Other,
}

impl Default for State {
    fn default() -> Self {
        Self { is_empty: true, parentheses: 0, object: Object::Unknown, atomic: false, last: Last::Other }
    }
}

impl State {
    fn is_inside(&self) -> bool {
        self.parentheses > 0 || self.atomic
    }

    fn see(&mut self, token: &Token<'_>) {
        if token.is_symbol("(") {
            self.parentheses += 1;
        } else if token.is_symbol(")") {
            self.parentheses = self.parentheses.saturating_sub(1);
        }
        if self.object == Object::Unknown {
            self.object = if self.is_empty && !token.is("create") {
                Object::Other
            } else if self.is_empty || token.is_any(&["or", "replace"]) {
                Object::Unknown
            } else if token.is_any(&["function", "procedure"]) {
                Object::Routine
            } else {
                Object::Other
            };
        }
        self.is_empty = false;
        let mut last = if token.is_symbol(";") { Last::Semicolon } else { Last::Other };
        if self.object == Object::Routine && self.parentheses == 0 {
            if self.atomic && self.last == Last::Semicolon && token.is("end") {
                // Every other END is that of a CASE, or a name.
                self.atomic = false;
            } else if !self.atomic && self.last == Last::Begin && token.is("atomic") {
                self.atomic = true;
                last = Last::Semicolon;
            } else if token.is("begin") {
                last = Last::Begin;
            }
        }
        self.last = last;
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
        let labels =
            "create function f() returns int begin atomic select t.end, 1 as case, 2 end from t; select 3 case; end";
        assert_eq!(split(&format!("{labels}; select 4")), [labels, "select 4"]);
        for not_atomic in [
            "create function \"atomic\"() returns int language sql as 'select 1'",
            "create function f(begin int) returns atomic language sql return 1",
            "create procedure p() begin atomic end",
            "create table begin (atomic int)",
        ] {
            assert_eq!(split(&format!("{not_atomic}; end")), [not_atomic, "end"]);
        }
        let procedure = "create procedure p() begin atomic insert into t values (1); insert into t values (2); end";
        assert_eq!(split(&format!("{procedure};select 4")), [procedure, "select 4"]);
    }

    #[test]
    fn a_rule_is_kept_whole() {
        let rule = "create rule r as on insert to t do also (insert into a values (1); insert into b values (2))";
        assert_eq!(split(&format!("{rule}; select 1")), [rule, "select 1"]);
    }

    #[test]
    fn a_setting_changes_how_the_rest_is_read() {
        assert_eq!(
            split(r"select 'a\'; set standard_conforming_strings = off; select 'a\';'; reset all; select 'a\'; end"),
            [
                r"select 'a\'",
                "set standard_conforming_strings = off",
                r"select 'a\';'",
                "reset all",
                r"select 'a\'",
                "end"
            ]
        );
    }

    #[test]
    fn ranges_count_bytes() {
        assert_eq!(split_ranges(" select 'é' ; select 2"), [1..12, 15..23]);
    }
}
