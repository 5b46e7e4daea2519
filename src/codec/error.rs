use std::fmt;

use super::{reader::HOLDS_NUL, reg_names::UNKNOWN_NAME};

/// A value that is not of its type's form.
///
/// It names the type and the reason, and shows how the value begins, never all of a long one.
///
/// # Example
///
/// ```
/// let int4 = pgferry::codec::Type::builtin(23).unwrap();
/// let error = int4.text_to_binary("many", &mut Vec::new()).unwrap_err();
/// assert_eq!(error.to_string(), r#"a value is not of the type pg_catalog.int4: not a whole number in its range (value "many")"#);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    type_name: String,
    reason: &'static str,
    value: String,
}

/// How much of a value an error shows, in characters.
const SHOWN: usize = 24;

impl Error {
    pub(super) fn of_text(type_name: &str, reason: &'static str, text: &str) -> Self {
        let end = text.char_indices().nth(SHOWN).map(|(end, _)| end);
        let value = match end.and_then(|end| text.get(..end)) {
            Some(beginning) => format!("{beginning:?}…"),
            None => format!("{text:?}"),
        };
        Self { type_name: type_name.to_owned(), reason, value }
    }

    pub(super) fn of_binary(type_name: &str, reason: &'static str, binary: &[u8]) -> Self {
        let mut value = format!("of {} bytes: ", binary.len());
        for byte in binary.iter().take(SHOWN / 2) {
            value.push_str(&format!("{byte:02x}"));
        }
        if binary.len() > SHOWN / 2 {
            value.push('…');
        }
        Self { type_name: type_name.to_owned(), reason, value }
    }

    /// Returns the qualified name of the type.
    pub fn type_name(&self) -> &str {
        &self.type_name
    }

    /// Returns whether a name of an object of the database was not among the [`RegNames`](super::RegNames): these may be too old.
    pub fn is_unknown_name(&self) -> bool {
        self.reason == UNKNOWN_NAME
    }

    /// Returns whether a text in it holds a NUL, which Postgres refuses in every text.
    pub fn is_nul(&self) -> bool {
        self.reason == HOLDS_NUL
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { type_name, reason, value } = self;
        write!(formatter, "a value is not of the type {type_name}: {reason} (value {value})")
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::Error;

    #[test]
    fn long_values_are_cut() {
        let name = "pg_catalog.text";
        let text = Error::of_text(name, "no", &"é".repeat(1000)).to_string();
        assert!(text.len() < 200, "{text}");
        let binary = Error::of_binary(name, "no", &[0xab; 1000]).to_string();
        assert!(binary.ends_with("(value of 1000 bytes: abababababababababababab…)"), "{binary}");
    }
}
