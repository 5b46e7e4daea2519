use std::{error::Error, str::FromStr};

/// Why a value could not be converted.
type BoxError = Box<dyn Error + Send + Sync>;

/// A type that is read from Postgres's text of a value.
///
/// # Example
///
/// ```
/// use pgferry::http::FromText;
///
/// assert!(bool::from_text("t")?);
/// assert_eq!(Option::<f64>::from_text("-Infinity")?, Some(f64::NEG_INFINITY));
/// assert!(i16::from_text("40000").is_err());
/// assert!(i16::from_null().is_err());
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
pub trait FromText: Sized {
    /// Reads a value's text.
    ///
    /// # Errors
    ///
    /// The text is none of this type's.
    fn from_text(text: &str) -> Result<Self, BoxError>;

    /// Reads SQL's null, which is an error unless the type has a place for it.
    ///
    /// # Errors
    ///
    /// The type cannot be null.
    fn from_null() -> Result<Self, BoxError> {
        Err("the value is null: read it as an Option".into())
    }
}

impl<T: FromText> FromText for Option<T> {
    fn from_text(text: &str) -> Result<Self, BoxError> {
        T::from_text(text).map(Some)
    }

    fn from_null() -> Result<Self, BoxError> {
        Ok(None)
    }
}

impl FromText for String {
    fn from_text(text: &str) -> Result<Self, BoxError> {
        Ok(text.to_owned())
    }
}

impl FromText for bool {
    fn from_text(text: &str) -> Result<Self, BoxError> {
        match text {
            "t" => Ok(true),
            "f" => Ok(false),
            _ => Err("the value is neither t nor f".into()),
        }
    }
}

/// Reads the hexadecimal form of `bytea`; the `escape` form of `bytea_output` is an error.
impl FromText for Vec<u8> {
    fn from_text(text: &str) -> Result<Self, BoxError> {
        let digits = text.strip_prefix("\\x").ok_or("the value is no bytea in hexadecimal form")?;
        digits
            .as_bytes()
            .chunks(2)
            .map(|pair| match pair {
                [high, low] => Ok(digit(*high)? << 4 | digit(*low)?),
                _ => Err("the value has half a byte".into()),
            })
            .collect()
    }
}

fn digit(byte: u8) -> Result<u8, BoxError> {
    let digit = char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    digit.ok_or_else(|| "the value has a digit that is not hexadecimal".into())
}

/// Implements the trait where Rust reads what Postgres writes.
macro_rules! parsed {
    ($($type:ty),*) => {$(
        impl FromText for $type {
            fn from_text(text: &str) -> Result<Self, BoxError> {
                <$type as FromStr>::from_str(text).map_err(Into::into)
            }
        }
    )*};
}

parsed!(i8, i16, i32, i64, i128, u8, u16, u32, u64, u128, f32, f64, char);
