use std::fmt::Write as _;

use anyhow::{Result, anyhow};
use bytes::{BufMut, Bytes, BytesMut};
use pgferry::{
    error::{DbError, SqlState},
    wire::server,
};

/// Makes an error of the server's own, with what to do about it.
pub(crate) fn error(severity: &str, code: &str, message: impl Into<String>, hint: impl Into<String>) -> Box<DbError> {
    let mut error = DbError::new(severity, Some(SqlState::from_code(code)), message);
    let hint = hint.into();
    error.hint = (!hint.is_empty()).then_some(hint);
    Box::new(error)
}

/// Returns an error as the message that tells a client.
pub(crate) fn told(error: &DbError) -> BytesMut {
    let mut out = BytesMut::new();
    server::error_response(&mut out, error);
    out
}

/// Returns a simple query.
pub(crate) fn query(text: &str) -> Bytes {
    frame(b'Q', text.as_bytes())
}

/// Returns a Sync.
pub(crate) fn sync() -> Bytes {
    Bytes::from_static(b"S\0\0\0\x04")
}

/// Returns a Flush.
pub(crate) fn flush() -> Bytes {
    Bytes::from_static(b"H\0\0\0\x04")
}

/// Returns a message with one text in it.
pub(crate) fn frame(tag: u8, text: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(text.len() + 6);
    out.put_u8(tag);
    out.put_u32(u32::try_from(text.len() + 5).unwrap_or(u32::MAX));
    out.put_slice(text);
    out.put_u8(0);
    out.freeze()
}

/// Returns the first message of a session with the engine, in which the engine's superuser is logged in.
pub(crate) fn startup(database: &str) -> Bytes {
    let mut out = BytesMut::new();
    let length = 8 + "user\0postgres\0database\0".len() + database.len() + 2;
    out.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
    out.put_u32(3 << 16);
    out.put_slice(b"user\0postgres\0database\0");
    out.put_slice(database.as_bytes());
    out.put_slice(b"\0\0");
    out.freeze()
}

/// Returns a string constant of SQL.
pub(crate) fn literal(text: &str) -> String {
    let text = text.replace('\'', "''");
    if text.contains('\\') { format!(" E'{}'", text.replace('\\', "\\\\")) } else { format!("'{text}'") }
}

/// Returns a name of SQL.
pub(crate) fn name(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// Makes 32 hexadecimal digits that nobody can guess.
pub(crate) fn random() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| anyhow!("the system gives no random bytes: {error}"))?;
    Ok(bytes.iter().fold(String::new(), |mut digits, byte| {
        // Writing to a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
        digits
    }))
}
