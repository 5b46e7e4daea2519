use std::{borrow::Cow, fmt};

/// A five-character SQLSTATE code (PostgreSQL manual, appendix A).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SqlState(Cow<'static, str>);

impl SqlState {
    /// 08000.
    pub const CONNECTION_EXCEPTION: Self = Self::constant("08000");
    /// 08001: the connection could not be established, so nothing was executed.
    pub const SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION: Self = Self::constant("08001");
    /// 08007: the statement may or may not have run.
    pub const TRANSACTION_RESOLUTION_UNKNOWN: Self = Self::constant("08007");
    /// 08P01.
    pub const PROTOCOL_VIOLATION: Self = Self::constant("08P01");
    /// 0A000.
    pub const FEATURE_NOT_SUPPORTED: Self = Self::constant("0A000");
    /// 22021: not a character of the encoding.
    pub const CHARACTER_NOT_IN_REPERTOIRE: Self = Self::constant("22021");
    /// 22P02.
    pub const INVALID_TEXT_REPRESENTATION: Self = Self::constant("22P02");
    /// 23505.
    pub const UNIQUE_VIOLATION: Self = Self::constant("23505");
    /// 28000.
    pub const INVALID_AUTHORIZATION_SPECIFICATION: Self = Self::constant("28000");
    /// 28P01.
    pub const INVALID_PASSWORD: Self = Self::constant("28P01");
    /// 42601.
    pub const SYNTAX_ERROR: Self = Self::constant("42601");
    /// 54000.
    pub const PROGRAM_LIMIT_EXCEEDED: Self = Self::constant("54000");
    /// 57014.
    pub const QUERY_CANCELED: Self = Self::constant("57014");
    /// 57P01: the session is ended from outside.
    pub const ADMIN_SHUTDOWN: Self = Self::constant("57P01");
    /// 57P03: the server is still starting or shutting down.
    pub const CANNOT_CONNECT_NOW: Self = Self::constant("57P03");

    const fn constant(code: &'static str) -> Self {
        Self(Cow::Borrowed(code))
    }

    /// Takes a code as a server sent it.
    #[must_use]
    pub fn from_code(code: &str) -> Self {
        Self(Cow::Owned(code.to_owned()))
    }

    /// Returns the code's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SqlState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SqlState({})", self.0)
    }
}

impl fmt::Display for SqlState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
