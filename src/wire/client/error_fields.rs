use bytes::{BufMut, BytesMut};
use fallible_iterator::FallibleIterator;
use postgres_protocol::message::backend::{ErrorFields, Message};

use crate::error::{DbError, SqlState};

/// Reads an error's or a notice's body; nothing where it is none.
pub(crate) fn read_body(body: &[u8]) -> DbError {
    let mut message = BytesMut::with_capacity(body.len() + 5);
    message.put_u8(b'E');
    message.put_u32(u32::try_from(body.len() + 4).unwrap_or(u32::MAX));
    message.put_slice(body);
    match Message::parse(&mut message) {
        Ok(Some(Message::ErrorResponse(error))) => read(error.fields()),
        _ => DbError::default(),
    }
}

/// Reads the fields of an error or a notice (manual, section 55.8); what cannot be read ends them, since an error that is
/// told in part is worth more than none.
pub(super) fn read(mut fields: ErrorFields<'_>) -> DbError {
    let mut error = DbError::default();
    let mut untranslated = false;
    while let Ok(Some(field)) = fields.next() {
        // Before the log-in is over, messages may be in any encoding.
        let value = String::from_utf8_lossy(field.value_bytes()).into_owned();
        match field.type_() {
            b'V' => {
                error.severity = value;
                untranslated = true;
            }
            b'S' if !untranslated => error.severity = value,
            b'C' => error.code = Some(SqlState::from_code(&value)),
            b'M' => error.message = value,
            b'D' => error.detail = Some(value),
            b'H' => error.hint = Some(value),
            b'P' => error.position = value.parse().ok(),
            b'p' => error.internal_position = value.parse().ok(),
            b'q' => error.internal_query = Some(value),
            b'W' => error.where_ = Some(value),
            b's' => error.schema = Some(value),
            b't' => error.table = Some(value),
            b'c' => error.column = Some(value),
            b'd' => error.data_type = Some(value),
            b'n' => error.constraint = Some(value),
            b'F' => error.file = Some(value),
            b'L' => error.line = value.parse().ok(),
            b'R' => error.routine = Some(value),
            _ => {}
        }
    }
    error
}

/// Whether the server closes the connection after it.
pub(super) fn is_fatal(error: &DbError) -> bool {
    matches!(error.severity.as_str(), "FATAL" | "PANIC")
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use postgres_protocol::message::backend::Message;

    use super::*;
    use crate::wire::server;

    #[test]
    fn what_the_server_side_writes_is_read_again() {
        let error = DbError {
            detail: Some("d".into()),
            hint: Some("h".into()),
            position: Some(3),
            internal_position: Some(4),
            internal_query: Some("select".into()),
            where_: Some("w".into()),
            schema: Some("s".into()),
            table: Some("t".into()),
            column: Some("c".into()),
            data_type: Some("dt".into()),
            constraint: Some("k".into()),
            file: Some("f.c".into()),
            line: Some(5),
            routine: Some("r".into()),
            ..DbError::new("FATAL", Some(SqlState::UNIQUE_VIOLATION), "m")
        };
        let mut out = BytesMut::new();
        server::error_response(&mut out, &error);
        let Ok(Some(Message::ErrorResponse(body))) = Message::parse(&mut out) else { panic!("an ErrorResponse") };
        assert_eq!(read(body.fields()), error);
        assert!(is_fatal(&error));
    }
}
