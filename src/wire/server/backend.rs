use bytes::{BufMut, BytesMut};

use crate::{
    Oid,
    error::DbError,
    wire::{BackendKey, Column, DataRow, Format, TransactionStatus},
};

/// Appends an `AuthenticationOk`.
pub fn authentication_ok(out: &mut BytesMut) {
    message(out, b'R', |out| out.put_i32(0));
}

/// Appends an `AuthenticationCleartextPassword`.
pub fn authentication_cleartext_password(out: &mut BytesMut) {
    message(out, b'R', |out| out.put_i32(3));
}

/// Appends an `AuthenticationMD5Password`.
pub fn authentication_md5_password(out: &mut BytesMut, salt: [u8; 4]) {
    message(out, b'R', |out| {
        out.put_i32(5);
        out.put_slice(&salt);
    });
}

/// Appends an `AuthenticationSASL` that offers these mechanisms.
pub fn authentication_sasl(out: &mut BytesMut, mechanisms: &[&str]) {
    message(out, b'R', |out| {
        out.put_i32(10);
        for mechanism in mechanisms {
            text(out, mechanism);
        }
        out.put_u8(0);
    });
}

/// Appends a `BackendKeyData`.
pub fn backend_key_data(out: &mut BytesMut, key: BackendKey) {
    message(out, b'K', |out| {
        out.put_i32(key.process_id);
        out.put_i32(key.secret_key);
    });
}

/// Appends a `ParameterStatus`.
pub fn parameter_status(out: &mut BytesMut, name: &str, value: &str) {
    message(out, b'S', |out| {
        text(out, name);
        text(out, value);
    });
}

/// Appends a `ReadyForQuery`.
pub fn ready_for_query(out: &mut BytesMut, status: TransactionStatus) {
    message(out, b'Z', |out| out.put_u8(status.as_byte()));
}

/// Appends a `RowDescription`, with the same format for each column.
pub fn row_description(out: &mut BytesMut, columns: &[Column], format: Format) {
    message(out, b'T', |out| {
        list(out, columns, |out, column| {
            text(out, &column.name);
            out.put_u32(column.table_oid);
            out.put_i16(column.column_id);
            out.put_u32(column.type_oid);
            out.put_i16(column.type_size);
            out.put_i32(column.type_modifier);
            out.put_i16(format.code());
        });
    });
}

/// Appends a `DataRow`.
pub fn data_row(out: &mut BytesMut, row: &DataRow) {
    message(out, b'D', |out| out.put_slice(row.as_bytes()));
}

/// Appends a `CommandComplete` with this tag, as `INSERT 0 1`.
pub fn command_complete(out: &mut BytesMut, tag: &str) {
    message(out, b'C', |out| text(out, tag));
}

/// Appends an `ErrorResponse`; an error without a code of its own is sent as XX000, since every client expects one.
pub fn error_response(out: &mut BytesMut, error: &DbError) {
    message(out, b'E', |out| fields(out, error));
}

/// Appends a `NoticeResponse`; a notice without a code of its own is sent as XX000, since every client expects one.
pub fn notice_response(out: &mut BytesMut, notice: &DbError) {
    message(out, b'N', |out| fields(out, notice));
}

/// Appends a `NotificationResponse`: what NOTIFY sent from the session of this process.
pub fn notification_response(out: &mut BytesMut, process_id: i32, channel: &str, payload: &str) {
    message(out, b'A', |out| {
        out.put_i32(process_id);
        text(out, channel);
        text(out, payload);
    });
}

/// Appends a `ParameterDescription`.
pub fn parameter_description(out: &mut BytesMut, types: &[Oid]) {
    message(out, b't', |out| list(out, types, |out, oid| out.put_u32(*oid)));
}

/// Appends a `ParseComplete`.
pub fn parse_complete(out: &mut BytesMut) {
    message(out, b'1', |_| {});
}

/// Appends a `BindComplete`.
pub fn bind_complete(out: &mut BytesMut) {
    message(out, b'2', |_| {});
}

/// Appends a `CloseComplete`.
pub fn close_complete(out: &mut BytesMut) {
    message(out, b'3', |_| {});
}

/// Appends a `NoData`.
pub fn no_data(out: &mut BytesMut) {
    message(out, b'n', |_| {});
}

/// Appends an `EmptyQueryResponse`.
pub fn empty_query_response(out: &mut BytesMut) {
    message(out, b'I', |_| {});
}

/// Appends a `PortalSuspended`.
pub fn portal_suspended(out: &mut BytesMut) {
    message(out, b's', |_| {});
}

/// Appends a `NegotiateProtocolVersion`: the newest minor version of protocol 3 that is spoken, and the `_pq_.` options
/// that are not known.
pub fn negotiate_protocol_version(out: &mut BytesMut, minor: u16, unknown: &[&str]) {
    message(out, b'v', |out| {
        // The manual says the minor version; what Postgres sends and libpq reads is the whole one.
        out.put_u32(3 << 16 | u32::from(minor));
        out.put_u32(u32::try_from(unknown.len()).unwrap_or(u32::MAX));
        for option in unknown {
            text(out, option);
        }
    });
}

/// Appends a message; its length is patched in afterwards. Nothing that pgferry sends comes near 4 GiB.
fn message(out: &mut BytesMut, tag: u8, body: impl FnOnce(&mut BytesMut)) {
    out.put_u8(tag);
    let start = out.len();
    out.put_u32(0);
    body(out);
    let length = u32::try_from(out.len() - start).unwrap_or(u32::MAX);
    if let Some(prefix) = out.get_mut(start..start + 4) {
        prefix.copy_from_slice(&length.to_be_bytes());
    }
}

/// Appends a string and its closing zero byte; a zero byte within it would end it early, so it is cut there.
fn text(out: &mut BytesMut, text: &str) {
    let text = text.split_once('\0').map_or(text, |(text, _)| text);
    out.put_slice(text.as_bytes());
    out.put_u8(0);
}

fn list<T>(out: &mut BytesMut, items: &[T], item: impl Fn(&mut BytesMut, &T)) {
    let items = items.get(..usize::from(u16::MAX)).unwrap_or(items);
    out.put_u16(u16::try_from(items.len()).unwrap_or(u16::MAX));
    for each in items {
        item(out, each);
    }
}

/// The fields of an error or a notice (manual, section 55.8).
fn fields(out: &mut BytesMut, error: &DbError) {
    let number = |number: Option<u32>| number.map(|number| number.to_string());
    let (position, internal, line) = (number(error.position), number(error.internal_position), number(error.line));
    let code = error.code.as_ref().map_or("XX000", |code| code.as_str());
    let severity = if error.severity.is_empty() { "ERROR" } else { &error.severity };
    let fields = [
        (b'S', Some(severity)),
        (b'V', Some(severity)),
        (b'C', Some(code)),
        (b'M', Some(error.message.as_str())),
        (b'D', error.detail.as_deref()),
        (b'H', error.hint.as_deref()),
        (b'P', position.as_deref()),
        (b'p', internal.as_deref()),
        (b'q', error.internal_query.as_deref()),
        (b'W', error.where_.as_deref()),
        (b's', error.schema.as_deref()),
        (b't', error.table.as_deref()),
        (b'c', error.column.as_deref()),
        (b'd', error.data_type.as_deref()),
        (b'n', error.constraint.as_deref()),
        (b'F', error.file.as_deref()),
        (b'L', line.as_deref()),
        (b'R', error.routine.as_deref()),
    ];
    for (kind, value) in fields {
        if let Some(value) = value {
            out.put_u8(kind);
            text(out, value);
        }
    }
    out.put_u8(0);
}
