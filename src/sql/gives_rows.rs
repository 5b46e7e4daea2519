use super::{Dialect, token::Token};

/// Tells whether a statement can give rows, erring on the side of yes.
///
/// # Example
///
/// ```
/// use pgferry::sql::gives_rows;
///
/// assert!(gives_rows("(select 1)"));
/// assert!(gives_rows("insert into t values (1) returning a"));
/// assert!(!gives_rows("/* select */ insert into t values (1)"));
/// assert!(!gives_rows("create table t (a int)"));
/// ```
#[must_use]
pub fn gives_rows(text: &str) -> bool {
    let mut tokens = Dialect::new().tokens(text).skip_while(|token| token.is_symbol("("));
    let Some(first) = tokens.next() else { return false };
    let reads = ["select", "values", "table", "with", "show", "explain", "execute", "fetch", "call"];
    let changes = ["insert", "update", "delete", "merge"];
    first.is_any(&reads) || first.is_any(&changes) && tokens.any(|token: Token<'_>| token.is("returning"))
}
