//! What a server reads and writes: the frontend's messages parsed, the backend's messages built.
use super::{BackendKey, Column, DataRow, Format, TransactionStatus};
use crate::{
    Oid,
    error::{DbError, Result},
};
use bytes::{Bytes, BytesMut};

/// The first message of a connection, which has no type byte.
pub enum Opening {
    Ssl,
    GssEnc,
    Cancel(BackendKey),
    Startup(StartupMessage),
}
pub struct StartupMessage {
    pub minor: u16,
    pub parameters: Vec<(String, String)>,
}

/// stub: every frontend message; None where the buffer holds no whole message yet
#[derive(Debug)]
pub enum Frontend {
    Query(String),
    Parse {
        name: String,
        text: String,
        param_types: Vec<Oid>,
    },
    Bind {
        portal: String,
        statement: String,
        param_formats: Vec<Format>,
        params: Vec<Option<Bytes>>,
        result_formats: Vec<Format>,
    },
    DescribeStatement(String),
    DescribePortal(String),
    Execute {
        portal: String,
        max_rows: i32,
    },
    CloseStatement(String),
    ClosePortal(String),
    Flush,
    Sync,
    Terminate,
    Password(Bytes),
    CopyData(Bytes),
    CopyDone,
    CopyFail(String),
    FunctionCall,
}

/// takes one opening message off the buffer, when it is whole (bounded length)
pub fn read_opening(buf: &mut BytesMut) -> Result<Option<Opening>> {
    todo!()
}
/// takes one message off the buffer, when it is whole; `max` bounds its length in bytes
pub fn read(buf: &mut BytesMut, max: usize) -> Result<Option<Frontend>> {
    todo!()
}

/// builders for backend messages, each appends to `out`
pub fn authentication_ok(out: &mut BytesMut) {
    todo!()
}
pub fn authentication_cleartext_password(out: &mut BytesMut) {
    todo!()
}
pub fn backend_key_data(out: &mut BytesMut, key: BackendKey) {
    todo!()
}
pub fn parameter_status(out: &mut BytesMut, name: &str, value: &str) {
    todo!()
}
pub fn ready_for_query(out: &mut BytesMut, status: TransactionStatus) {
    todo!()
}
pub fn row_description(out: &mut BytesMut, columns: &[Column], format: Format) {
    todo!()
}
pub fn data_row(out: &mut BytesMut, row: &DataRow) {
    todo!()
}
pub fn command_complete(out: &mut BytesMut, tag: &str) {
    todo!()
}
pub fn error_response(out: &mut BytesMut, error: &DbError) {
    todo!()
}
pub fn notice_response(out: &mut BytesMut, notice: &DbError) {
    todo!()
}
pub fn parameter_description(out: &mut BytesMut, types: &[Oid]) {
    todo!()
}
pub fn parse_complete(out: &mut BytesMut) {
    todo!()
}
pub fn bind_complete(out: &mut BytesMut) {
    todo!()
}
pub fn close_complete(out: &mut BytesMut) {
    todo!()
}
pub fn no_data(out: &mut BytesMut) {
    todo!()
}
pub fn empty_query_response(out: &mut BytesMut) {
    todo!()
}
pub fn portal_suspended(out: &mut BytesMut) {
    todo!()
}
pub fn negotiate_protocol_version(out: &mut BytesMut, minor: u16, unknown: &[&str]) {
    todo!()
}
