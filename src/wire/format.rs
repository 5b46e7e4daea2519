/// In which of its two forms a value is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Postgres's own text (code 0).
    Text,
    /// The type's binary form (code 1).
    Binary,
}

impl Format {
    /// Returns the protocol's code for the form.
    #[must_use]
    pub fn code(self) -> i16 {
        match self {
            Self::Text => 0,
            Self::Binary => 1,
        }
    }

    /// Returns the form of a code, `None` for a code that the protocol does not have.
    #[must_use]
    pub fn from_code(code: i16) -> Option<Self> {
        match code {
            0 => Some(Self::Text),
            1 => Some(Self::Binary),
            _ => None,
        }
    }
}
