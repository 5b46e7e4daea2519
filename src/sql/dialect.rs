use std::{borrow::Cow, iter::Peekable, ops::Range};

#[cfg(feature = "client")]
use super::calls;
use super::{
    Effect, Error, Typed, changes, command_tag, effect,
    lexer::Lexer,
    parameters, placement, session_state, split,
    token::{Kind, Token},
    transaction_block, typing,
};
use crate::Oid;

/// How a server reads a text: whether a backslash in an ordinary string constant is a character like any other.
///
/// It is unless `standard_conforming_strings` is off. The functions of this module take the default; the methods here are the
/// same for whatever the server has said.
///
/// # Example
///
/// ```
/// use pgferry::sql::{Dialect, split};
///
/// let script = r"select 'a\'; select 2; -- '";
/// assert_eq!(split(script).len(), 2);
/// assert_eq!(Dialect::new().standard_conforming_strings(false).split(script).len(), 1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Dialect {
    standard_strings: bool,
}

impl Dialect {
    /// Returns the dialect of a server with its defaults.
    #[must_use]
    pub const fn new() -> Self {
        Self { standard_strings: true }
    }

    /// Sets whether backslashes in `'…'` mean themselves, as `standard_conforming_strings` says. Defaults to true.
    #[must_use]
    pub const fn standard_conforming_strings(self, on: bool) -> Self {
        Self { standard_strings: on }
    }

    pub(super) const fn has_standard_strings(self) -> bool {
        self.standard_strings
    }

    pub(super) fn tokens<'a>(self, text: &'a str) -> Peekable<Lexer<'a>> {
        Lexer::new(text, self).peekable()
    }

    /// Returns the dialect that holds behind a statement, which may set `standard_conforming_strings`; what RESET brings back is
    /// taken for the default.
    ///
    /// # Example
    ///
    /// ```
    /// use pgferry::sql::Dialect;
    ///
    /// let off = Dialect::new().after("set local standard_conforming_strings = off");
    /// assert_eq!(off, Dialect::new().standard_conforming_strings(false));
    /// assert_eq!(off.after("reset all"), Dialect::new());
    /// ```
    #[must_use]
    pub fn after(self, statement: &str) -> Self {
        let mut setting = Setting::default();
        Lexer::new(statement, self).for_each(|token| setting.see(&token));
        setting.apply(self)
    }

    /// Does as [`typed`](super::typed()).
    ///
    /// # Errors
    ///
    /// As [`typed`](super::typed()).
    pub fn typed<'a>(self, text: &'a str, types: &[Oid]) -> Result<Typed<'a>, Error> {
        typing::fix(self, text, types, typing::builtin_name)
    }

    /// Does as [`typed_with`](super::typed_with).
    ///
    /// # Errors
    ///
    /// As [`typed_with`](super::typed_with).
    pub fn typed_with<'a, 'n>(
        self,
        text: &'a str,
        types: &[Oid],
        name_of: impl Fn(Oid) -> Option<Cow<'n, str>>,
    ) -> Result<Typed<'a>, Error> {
        typing::fix(self, text, types, name_of)
    }

    /// Does as [`typed_in_place`](super::typed_in_place).
    ///
    /// # Errors
    ///
    /// As [`typed_in_place`](super::typed_in_place).
    pub fn typed_in_place<'a>(self, text: &'a str, types: &[Oid]) -> Result<Typed<'a>, Error> {
        typing::fix_in_place(self, text, types, typing::builtin_name)
    }

    /// Does as [`typed_in_place_with`](super::typed_in_place_with).
    ///
    /// # Errors
    ///
    /// As [`typed_in_place_with`](super::typed_in_place_with).
    pub fn typed_in_place_with<'a, 'n>(
        self,
        text: &'a str,
        types: &[Oid],
        name_of: impl Fn(Oid) -> Option<Cow<'n, str>>,
    ) -> Result<Typed<'a>, Error> {
        typing::fix_in_place(self, text, types, name_of)
    }

    /// Does as [`split`](super::split()).
    #[must_use]
    pub fn split(self, script: &str) -> Vec<&str> {
        self.split_ranges(script).into_iter().filter_map(|range| script.get(range)).collect()
    }

    /// Does as [`split_ranges`](super::split_ranges).
    #[must_use]
    pub fn split_ranges(self, script: &str) -> Vec<Range<usize>> {
        split::ranges(self, script)
    }

    /// Does as [`effect`](super::effect()).
    #[must_use]
    pub fn effect(self, text: &str) -> Effect {
        effect::of_text(self, text)
    }

    /// Does as [`leaves_session_state`](super::leaves_session_state).
    #[must_use]
    pub fn leaves_session_state(self, text: &str) -> bool {
        session_state::of_text(self, text)
    }

    /// Does as [`forbids_transaction_block`](super::forbids_transaction_block).
    #[must_use]
    pub fn forbids_transaction_block(self, text: &str) -> bool {
        transaction_block::is_forbidden(self, text)
    }

    /// Returns whether the text is one that PREPARE takes: a query or a change of rows, perhaps in parentheses or with a WITH.
    ///
    /// # Example
    ///
    /// ```
    /// use pgferry::sql::Dialect;
    ///
    /// assert!(Dialect::new().is_preparable("(with a as (select $1) table a)"));
    /// assert!(!Dialect::new().is_preparable("explain select $1"));
    /// ```
    #[must_use]
    pub fn is_preparable(self, text: &str) -> bool {
        placement::is_preparable(self, text)
    }

    /// Does as [`changes_types`](super::changes_types).
    #[must_use]
    pub fn changes_types(self, text: &str) -> bool {
        changes::of_types(self, text)
    }

    /// Does as [`may_write`](super::may_write).
    #[must_use]
    pub fn may_write(self, text: &str) -> bool {
        changes::of_anything(self, text)
    }

    /// Returns whether a statement may have changed something when it has run, erring on the side of yes: it [may write](Self::may_write), or
    /// calls a function that is not known to change nothing.
    ///
    /// What views, operators and casts call is not seen.
    #[cfg(feature = "client")]
    pub(crate) fn may_have_effects(self, text: &str) -> bool {
        self.may_write(text) || calls::may_write(self, text)
    }

    /// Returns the names of the functions that a text calls by its words, and of what else may stand before a parenthesis.
    #[cfg(feature = "client")]
    pub(crate) fn called(self, text: &str) -> Vec<String> {
        calls::called(self, text)
    }

    /// Does as [`highest_parameter`](super::highest_parameter).
    #[must_use]
    pub fn highest_parameter(self, text: &str) -> usize {
        parameters::highest(self, text)
    }

    /// Does as [`command_tag`](super::command_tag()).
    #[must_use]
    pub fn command_tag(self, text: &str, command: &str, row_count: Option<u64>) -> String {
        command_tag::rebuild(self, text, command, row_count)
    }
}

impl Default for Dialect {
    fn default() -> Self {
        Self::new()
    }
}

/// What the statement that is being read sets `standard_conforming_strings` to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Setting {
    /// No token has come.
    #[default]
    Start,
    /// SET, perhaps with SESSION or LOCAL.
    Set,
    /// RESET.
    Reset,
    /// The name, and perhaps the sign behind it.
    Named,
    /// The value itself.
    To(bool),
    /// The statement does something else.
    Other,
}

impl Setting {
    pub(super) fn see(&mut self, token: &Token<'_>) {
        let named = token.names("standard_conforming_strings");
        *self = match *self {
            Self::Start if token.is("set") => Self::Set,
            Self::Start if token.is("reset") => Self::Reset,
            Self::Set if token.is_any(&["session", "local"]) => Self::Set,
            Self::Set if named => Self::Named,
            Self::Reset if named || token.is("all") => Self::To(true),
            Self::Named if token.is("to") || token.is_symbol("=") => Self::Named,
            Self::Named => value(token).map_or(Self::Other, Self::To),
            Self::To(on) => Self::To(on),
            _ => Self::Other,
        };
    }

    pub(super) fn apply(self, dialect: Dialect) -> Dialect {
        if let Self::To(on) = self { dialect.standard_conforming_strings(on) } else { dialect }
    }
}

/// A Boolean as a setting takes it: any prefix of a word that no other word has.
fn value(token: &Token<'_>) -> Option<bool> {
    let text = match token.kind {
        Kind::String => token.text.trim_matches('\''),
        Kind::Quoted => token.text.trim_matches('"'),
        _ => token.text,
    };
    let begins = |word: &str, least: usize| {
        text.len() >= least && word.get(..text.len()).is_some_and(|start| start.eq_ignore_ascii_case(text))
    };
    if begins("true", 1) || begins("yes", 1) || begins("on", 2) || text == "1" || token.is("default") {
        return Some(true);
    }
    (begins("false", 1) || begins("no", 1) || begins("off", 2) || text == "0").then_some(false)
}

#[cfg(test)]
mod tests {
    use super::Dialect;

    #[test]
    fn a_statement_can_change_the_dialect() {
        let on = Dialect::new();
        let off = on.standard_conforming_strings(false);
        for text in [
            "set standard_conforming_strings = off",
            "SET SESSION Standard_Conforming_Strings TO 'False'",
            "set local \"standard_conforming_strings\" to 0",
            "set standard_conforming_strings=no",
        ] {
            assert_eq!(on.after(text), off, "{text}");
        }
        for text in [
            "set standard_conforming_strings = on",
            "set standard_conforming_strings to default",
            "reset all",
            "reset standard_conforming_strings",
        ] {
            assert_eq!(off.after(text), on, "{text}");
        }
        for text in
            ["", "set a = off", "select standard_conforming_strings = off", "set standard_conforming_strings = o"]
        {
            assert_eq!((on.after(text), off.after(text)), (on, off), "{text}");
        }
    }
}
