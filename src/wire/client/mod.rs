use super::{DataRow, TransactionStatus};
use crate::{
    Oid,
    config::{Password, RequireAuth},
    error::{DbError, Result},
};
use bytes::BytesMut;
use std::{borrow::Cow, sync::Arc};
use tokio::io::{AsyncRead, AsyncWrite};

/// stub
pub struct Client<S> {
    stream: S,
}

/// What a session is opened with.
#[derive(Clone, Debug)]
pub struct Startup {
    pub user: String,
    pub database: Option<String>,
    /// application_name, options, …
    pub parameters: Vec<(String, String)>,
    pub password: Option<Password>,
    pub require_auth: RequireAuth,
    /// Send the password with the startup, before it is asked for in cleartext (Neon)
    pub pipeline_password: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackendKey {
    pub process_id: i32,
    pub secret_key: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Text,
    Binary,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parse<'a> {
    Unnamed,
    Named(&'a str),
    AlreadyNamed(&'a str),
}

pub struct Params<'a> {
    pub format: Format,
    pub values: &'a [Option<Cow<'a, [u8]>>],
}

pub struct Statement<'a> {
    pub text: &'a str,
    pub parse: Parse<'a>,
    /// may be fewer than the parameters, or 0 each, where the server shall infer
    pub param_types: &'a [Oid],
    pub params: Params<'a>,
    pub results: Format,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub table_oid: Oid,
    pub column_id: i16,
    pub type_oid: Oid,
    pub type_size: i16,
    pub type_modifier: i32,
}

#[derive(Debug)]
pub enum Event {
    /// the statement gives rows of these columns (not sent for one that gives none)
    Columns(Arc<[Column]>),
    Row(DataRow),
    /// the whole command tag, as `INSERT 0 1`
    Complete(String),
    Empty,
    /// COPY was started by the statement: already refused to the server (CopyFail), an error follows
    Copy,
}

/// The results of one flight while they arrive; dropping it leaves the rest to be drained by the connection's next use.
pub struct Execution<'a, S> {
    client: &'a mut Client<S>,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Client<S> {
    /// startup, authentication, until ReadyForQuery
    pub async fn connect(stream: S, startup: &Startup) -> Result<Self> {
        todo!()
    }
    /// parse, bind, describe, execute, sync in one flight
    pub async fn execute(&mut self, statement: &Statement<'_>) -> Result<Execution<'_, S>> {
        todo!()
    }
    /// several statements each with its own events, without parameters, as psql
    pub async fn simple_query(&mut self, sql: &str) -> Result<Execution<'_, S>> {
        todo!()
    }
    /// closes a named statement with the next flight
    pub fn close_statement(&mut self, name: &str) {
        todo!()
    }
    /// value of a reported parameter such as server_version
    pub fn parameter(&self, name: &str) -> Option<&str> {
        todo!()
    }
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        std::iter::empty()
    }
    pub fn backend_key(&self) -> Option<BackendKey> {
        todo!()
    }
    pub fn transaction_status(&self) -> TransactionStatus {
        todo!()
    }
    /// false once the connection was lost or the protocol broken
    pub fn is_usable(&self) -> bool {
        todo!()
    }
    pub fn take_notices(&mut self) -> Vec<DbError> {
        todo!()
    }
    /// Terminate, then closes the stream
    pub async fn close(self) -> Result<()> {
        todo!()
    }
    /// the stream and whatever was read and not yet used, for a relay
    pub fn into_parts(self) -> (S, BytesMut) {
        todo!()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Execution<'_, S> {
    /// None after ReadyForQuery. An error of the server is returned once, after which the connection is drained and usable. Cancel safe.
    pub async fn next(&mut self) -> Result<Option<Event>> {
        todo!()
    }
}

/// Asks the server to cancel what the session of this key is running; the stream must be a fresh one.
pub async fn cancel<S: AsyncRead + AsyncWrite + Unpin + Send>(stream: S, key: BackendKey) -> Result<()> {
    todo!()
}
