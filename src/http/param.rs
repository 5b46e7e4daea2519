use std::{borrow::Cow, fmt, fmt::Write as _};

use crate::Oid;

/// A parameter's value in Postgres's text form, and its type where one is declared.
///
/// Without a declared type Postgres infers it from where the parameter stands, as for a literal in quotes: a text suits a
/// date or a uuid column. Rust's numbers, `bool` and bytes declare their type, so that `$1 + $2` and functions with several
/// signatures work as well.
///
/// # Example
///
/// ```
/// use pgferry::http::Param;
///
/// let params = [Param::from(7_i64), "2024-01-02".into(), None::<i32>.into(), Param::typed("{1,2}", 1007)];
/// # let _ = params;
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Param<'a> {
    text: Option<Cow<'a, str>>,
    type_oid: Oid,
}

impl<'a> Param<'a> {
    /// SQL's null, of an inferred type.
    pub const NULL: Self = Self { text: None, type_oid: 0 };

    /// Makes a parameter of an inferred type.
    pub fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self { text: Some(text.into()), type_oid: 0 }
    }

    /// Makes a parameter of a declared type, by its `pg_type.oid`; 0 stands for an inferred one.
    pub fn typed(text: impl Into<Cow<'a, str>>, type_oid: Oid) -> Self {
        Self { text: Some(text.into()), type_oid }
    }

    /// Returns the value's text, or `None` for SQL's null.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// Returns the declared type, or 0 where it is inferred.
    #[must_use]
    pub fn type_oid(&self) -> Oid {
        self.type_oid
    }
}

/// A value may be anybody's secret, so that only its type is shown.
impl fmt::Debug for Param<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text: _, type_oid } = self;
        f.debug_struct("Param").field("type_oid", type_oid).finish_non_exhaustive()
    }
}

impl<'a, T: Into<Param<'a>>> From<Option<T>> for Param<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::NULL, Into::into)
    }
}

impl<'a> From<&'a str> for Param<'a> {
    fn from(text: &'a str) -> Self {
        Self::text(text)
    }
}

impl<'a> From<&'a String> for Param<'a> {
    fn from(text: &'a String) -> Self {
        Self::text(text)
    }
}

impl From<String> for Param<'_> {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl<'a> From<Cow<'a, str>> for Param<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self::text(text)
    }
}

impl From<bool> for Param<'_> {
    fn from(value: bool) -> Self {
        Self::typed(if value { "t" } else { "f" }, 16)
    }
}

impl From<&[u8]> for Param<'_> {
    fn from(bytes: &[u8]) -> Self {
        let mut text = String::with_capacity(2 + 2 * bytes.len());
        text.push_str("\\x");
        for byte in bytes {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        Self::typed(text, 17)
    }
}

impl From<Vec<u8>> for Param<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        bytes.as_slice().into()
    }
}

/// Implements the conversion where Postgres reads what Rust writes.
macro_rules! written {
    ($($type:ty => $oid:literal),*) => {$(
        impl From<$type> for Param<'_> {
            fn from(value: $type) -> Self {
                Self::typed(value.to_string(), $oid)
            }
        }
    )*};
}

written!(i16 => 21, i32 => 23, i64 => 20, f32 => 700, f64 => 701);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rust_values_become_postgres_text() {
        let cases = [
            (Param::from("x"), Some("x"), 0),
            (Param::from(true), Some("t"), 16),
            (Param::from(-7_i16), Some("-7"), 21),
            (Param::from(i64::MIN), Some("-9223372036854775808"), 20),
            (Param::from(f64::NAN), Some("NaN"), 701),
            (Param::from(f32::NEG_INFINITY), Some("-inf"), 700),
            (Param::from(1e300), Some(&*1e300.to_string()), 701),
            (Param::from([0_u8, 0xab].as_slice()), Some("\\x00ab"), 17),
            (Param::from(Some(1_i32)), Some("1"), 23),
            (Param::from(None::<i32>), None, 0),
        ];
        for (param, text, type_oid) in cases {
            assert_eq!((param.as_text(), param.type_oid()), (text, type_oid));
        }
    }
}
