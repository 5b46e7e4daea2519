use bytes::{BufMut, BytesMut};
use pgferry::SqlState;

use super::sqlstate;

/// The prepared statement that raises an error, of a name that no client has.
const STATEMENT: &[u8] = b"_pgferry_fault\0";

/// Writes a simple query that fails with this error.
pub(super) fn query(out: &mut BytesMut, code: &SqlState) {
    message(out, b'Q', |out| text(out, &statement(code)));
}

/// Writes messages of which the last fails with this error; whatever follows is skipped up to the client's own Sync. The
/// answers to all before are for nobody.
pub(super) fn extended(out: &mut BytesMut, code: &SqlState) {
    message(out, b'C', |out| {
        out.put_u8(b'S');
        out.put_slice(STATEMENT);
    });
    message(out, b'P', |out| {
        out.put_slice(STATEMENT);
        text(out, &statement(code));
        out.put_i16(0);
    });
    message(out, b'B', |out| {
        out.put_u8(0);
        out.put_slice(STATEMENT);
        out.put_bytes(0, 6);
    });
    message(out, b'E', |out| out.put_bytes(0, 5));
}

/// Postgres raises the error itself, so that it also knows what has become of the transaction.
fn statement(code: &SqlState) -> String {
    let error = sqlstate::error(code);
    let [message, detail] =
        [&error.message, error.detail.as_deref().unwrap_or_default()].map(|text| text.replace('\'', "''"));
    format!("DO $$BEGIN RAISE EXCEPTION USING ERRCODE = '{code}', MESSAGE = '{message}', DETAIL = '{detail}'; END$$")
}

fn text(out: &mut BytesMut, text: &str) {
    out.put_slice(text.as_bytes());
    out.put_u8(0);
}

fn message(out: &mut BytesMut, kind: u8, body: impl FnOnce(&mut BytesMut)) {
    out.put_u8(kind);
    let start = out.len();
    out.put_i32(0);
    body(out);
    let length = u32::try_from(out.len().saturating_sub(start)).unwrap_or(u32::MAX);
    if let Some(place) = out.get_mut(start..start.saturating_add(4)) {
        place.copy_from_slice(&length.to_be_bytes());
    }
}
