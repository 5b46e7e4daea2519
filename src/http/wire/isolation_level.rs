use std::fmt;

/// How far a transaction is shielded from others that run beside it (PostgreSQL manual, section 13.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IsolationLevel {
    /// In Postgres the same as [`ReadCommitted`](Self::ReadCommitted).
    ReadUncommitted,
    /// Each statement sees what was committed before it began.
    ReadCommitted,
    /// Every statement sees what was committed before the first began.
    RepeatableRead,
    /// As if the transactions had run one after the other.
    Serializable,
}

impl IsolationLevel {
    const ALL: [Self; 4] = [Self::ReadUncommitted, Self::ReadCommitted, Self::RepeatableRead, Self::Serializable];

    /// Returns the value of the header [`BATCH_ISOLATION_LEVEL`](super::BATCH_ISOLATION_LEVEL).
    #[must_use]
    pub fn header_value(self) -> &'static str {
        match self {
            Self::ReadUncommitted => "ReadUncommitted",
            Self::ReadCommitted => "ReadCommitted",
            Self::RepeatableRead => "RepeatableRead",
            Self::Serializable => "Serializable",
        }
    }

    /// Returns the level that a header's value names; servers take exactly these four spellings.
    ///
    /// # Example
    ///
    /// ```
    /// use pgferry::http::wire::IsolationLevel;
    ///
    /// assert_eq!(IsolationLevel::from_header_value("RepeatableRead"), Some(IsolationLevel::RepeatableRead));
    /// assert_eq!(IsolationLevel::from_header_value("repeatable read"), None);
    /// ```
    #[must_use]
    pub fn from_header_value(value: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.header_value() == value)
    }

    /// Returns the words that follow `ISOLATION LEVEL` in SQL; `Display` writes the same.
    #[must_use]
    pub fn as_sql(self) -> &'static str {
        match self {
            Self::ReadUncommitted => "READ UNCOMMITTED",
            Self::ReadCommitted => "READ COMMITTED",
            Self::RepeatableRead => "REPEATABLE READ",
            Self::Serializable => "SERIALIZABLE",
        }
    }
}

impl fmt::Display for IsolationLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_sql())
    }
}
