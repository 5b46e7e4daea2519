use std::io;

use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    attend::attend,
    connection::Connection,
    types::{Lookup, Stranger, placeholder},
};
use crate::{
    Oid,
    error::{Error, Outcome, Result},
    sql,
    wire::{Column, Format, server},
};

/// A type that every client knows.
const TEXT: Oid = 25;

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Connection<'_, S> {
    /// Describes a statement. Where every parameter's type is declared, that takes no request: sqlx does so at a statement's
    /// first use, and is content to hear of the columns with the rows.
    ///
    /// The outer error means that the client is gone.
    pub(super) async fn describe(&mut self, name: &str) -> io::Result<Result<()>> {
        let prepared = match self.statement(name) {
            Ok(prepared) => prepared.clone(),
            Err(error) => return Ok(Err(error)),
        };
        if let Err(error) = prepared.check_declared() {
            return Ok(Err(error));
        }
        let columns = if sql::gives_rows(&prepared.text) {
            let asked = attend(&mut self.local, &self.registration, self.types.directory(&self.session));
            let directory = match asked.await? {
                Ok(directory) => directory,
                Err(error) => return Ok(Err(error)),
            };
            // A column of a type that the client does not know makes it ask.
            let unknown = self.client.unknown(&directory, &prepared.text);
            Some([placeholder(unknown.unwrap_or(TEXT))])
        } else {
            None
        };
        self.say(|out| {
            server::parameter_description(out, &prepared.param_types);
            match columns {
                Some(columns) => server::row_description(out, &columns, Format::Text),
                None => server::no_data(out),
            }
        });
        Ok(Ok(()))
    }

    /// Answers a question for types as the server would; false if the server must be asked.
    pub(super) async fn look_up(&mut self, lookup: &Lookup<'_>) -> io::Result<Result<bool>> {
        let asked = attend(&mut self.local, &self.registration, self.types.directory(&self.session));
        let directory = match asked.await? {
            Ok(directory) => directory,
            Err(error) => return Ok(Err(error)),
        };
        let answer = match lookup.answer(&directory, &mut self.client) {
            None => return Ok(Ok(false)),
            Some(Err(error)) => return Ok(Err(error)),
            Some(Ok(answer)) => answer,
        };
        server::row_description(&mut self.out, &answer.columns, Format::Text);
        for row in &answer.rows {
            server::data_row(&mut self.out, row);
        }
        server::command_complete(&mut self.out, &format!("SELECT {}", answer.rows.len()));
        Ok(Ok(true))
    }

    /// Refuses a result with a type that the client has not heard of: sqlx panics in its caller's task when it meets one.
    pub(super) async fn check_types(&mut self, columns: &[Column]) -> io::Result<Result<()>> {
        let oids = || columns.iter().map(|column| column.type_oid);
        if self.client.is_content(oids()) {
            return Ok(Ok(()));
        }
        let asked = attend(&mut self.local, &self.registration, self.types.directory(&self.session));
        let directory = match asked.await? {
            Ok(directory) => directory,
            Err(error) => return Ok(Err(error)),
        };
        let Some(Stranger::New(oid)) = self.client.stranger(&directory, oids()) else {
            return Ok(refuse_untellable(self.client.stranger(&directory, oids())));
        };
        let asked = attend(&mut self.local, &self.registration, self.types.directory_with(&self.session, oid));
        let directory = match asked.await? {
            Ok(directory) => directory,
            Err(error) => return Ok(Err(error)),
        };
        if !directory.can_tell(oid) {
            return Ok(refuse_untellable(Some(Stranger::Untellable(oid))));
        }
        // sqlx asks for types when it prepares a statement, and it prepares a text once on each connection.
        let error = Error::refused(format!(
            "the result has the type with OID {oid}, which sqlx asked about before it was as it is now; the statement has run, and the \
             connection ends: on another, the same statement is understood"
        ));
        let error = error.with_outcome(Outcome::Unknown);
        self.local.send(&self.out.split()).await?;
        self.local.send_fatal(&error).await?;
        Err(io::ErrorKind::ConnectionAborted.into())
    }
}

fn refuse_untellable(stranger: Option<Stranger>) -> Result<()> {
    match stranger {
        Some(Stranger::Untellable(oid) | Stranger::New(oid)) => Err(Error::refused(format!(
            "the result has the type with OID {oid}, which sqlx does not understand, though the statement has run: cast it to text in \
             the statement"
        ))
        .with_outcome(Outcome::Unknown)),
        None => Ok(()),
    }
}
