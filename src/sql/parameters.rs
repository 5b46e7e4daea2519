use super::{Dialect, token::Kind};

/// Returns the highest number of a parameter in a statement's text: 2 for `select $2 + $1`, 0 where there is none.
///
/// # Example
///
/// ```
/// use pgferry::sql::highest_parameter;
///
/// assert_eq!(highest_parameter("select $2 + $1 -- $9"), 2);
/// assert_eq!(highest_parameter("select '$1'"), 0);
/// ```
#[must_use]
pub fn highest_parameter(text: &str) -> usize {
    Dialect::new().highest_parameter(text)
}

pub(super) fn highest(dialect: Dialect, text: &str) -> usize {
    let numbers = dialect.tokens(text).filter_map(|token| match token.kind {
        Kind::Param(number) => number.map(usize::from),
        _ => None,
    });
    numbers.max().unwrap_or(0)
}
