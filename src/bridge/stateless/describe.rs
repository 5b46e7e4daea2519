use std::{io, sync::Arc};

use tokio::io::{AsyncRead, AsyncWrite};

use super::connection::Connection;
use crate::{
    Oid,
    bridge::{
        attend::attend,
        statement::Prepared,
        types::{Lookup, Named, StandIns, placeholder},
    },
    error::{Error, Outcome, Result},
    execute::{Event, Statement},
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
        // What is no command fails, and should where it is prepared.
        if self.client.describes_always || !prepared.is_declared() || !sql::is_command(&prepared.text) {
            return self.describe_at_server(name, prepared).await;
        }
        let columns = if sql::gives_builtin_types(&prepared.text) && prepared.has_builtin_params() {
            // It need not wait for types: what the client does not know it hears with another statement.
            Some([placeholder(TEXT)])
        } else if sql::gives_rows(&prepared.text) {
            let asked = self.types.recent_directory(&self.session);
            let directory = match attend(&mut self.client.local, self.registration, asked).await? {
                Ok(directory) => directory,
                Err(error) => return Ok(Err(error)),
            };
            let directory = match directory.names(&prepared.text) {
                Named::Known => directory,
                Named::Missing => {
                    let asked = self.types.directory_naming(&self.session, &prepared.text);
                    match attend(&mut self.client.local, self.registration, asked).await? {
                        Ok(directory) => directory,
                        Err(error) => return Ok(Err(error)),
                    }
                }
                // sqlx asks for it by itself then, and fails before anything runs.
                Named::Untellable => return self.describe_at_server(name, prepared).await,
            };
            // A column of a type that the client does not know makes it ask.
            let unknown = self.client.types.unknown(&directory, &prepared.text);
            Some([placeholder(unknown.unwrap_or(TEXT))])
        } else {
            None
        };
        self.note_described(columns.as_ref().map_or(&[], |columns| columns.as_slice()));
        self.described_late = columns.is_some().then(|| name.to_owned());
        self.say(|out| {
            server::parameter_description(out, &prepared.param_types);
            match columns {
                Some(columns) => server::row_description(out, &columns, Format::Text),
                None => server::no_data(out),
            }
        });
        Ok(Ok(()))
    }

    /// Asks the server for the types of a statement's parameters, and for its columns where it is a query.
    async fn describe_at_server(&mut self, name: &str, prepared: Prepared) -> io::Result<Result<()>> {
        if !sql::is_command(&prepared.text) {
            // EXPLAIN runs nothing, and fails as the statement itself would.
            let asked = self.columns_behind("explain (costs off) ", &prepared.text, "", &[]).await?;
            if let Err(error) = asked {
                return Ok(Err(error));
            }
        }
        let session = &self.session;
        let asked = session.describe(&prepared.text, &prepared.param_types);
        let param_types = match attend(&mut self.client.local, self.registration, asked).await? {
            Ok(types) => types,
            Err(error) => return Ok(Err(error)),
        };
        let columns = if sql::gives_rows(&prepared.text) {
            match self.columns_of(&prepared.text, &param_types).await? {
                Ok(columns) => Some(columns),
                Err(error) if self.client.describes_always && error.outcome() == Outcome::Failed => {
                    return Ok(Err(Error::refused(
                        "this statement's columns are not known over HTTP before it is executed: use transport=websocket",
                    )
                    .with_source(error)));
                }
                // A change of rows, say, cannot be selected from; the server has taken the statement itself already.
                Err(error) if error.outcome() == Outcome::Failed => Some([placeholder(TEXT)].into()),
                Err(error) => return Ok(Err(error)),
            }
        } else {
            None
        };
        self.note_described(columns.as_deref().unwrap_or_default());
        self.say(|out| {
            server::parameter_description(out, &param_types);
            match columns {
                Some(columns) => server::row_description(out, &columns, Format::Text),
                None => server::no_data(out),
            }
        });
        if let Some(prepared) = self.client.statements.get_mut(name) {
            prepared.param_types = param_types;
        }
        Ok(Ok(()))
    }

    fn note_described(&mut self, columns: &[Column]) {
        self.client.types.described(columns.iter().map(|column| column.type_oid));
    }

    /// Asks for the columns of a query by selecting from it without taking a row, so nothing of it is executed; the server
    /// refuses whatever cannot be selected from.
    async fn columns_of(&mut self, text: &str, param_types: &[Oid]) -> io::Result<Result<Arc<[Column]>>> {
        let text = text.trim_end().trim_end_matches(';');
        self.columns_behind("select * from (\n", text, "\n) as _ limit 0", param_types).await
    }

    /// Asks for the columns of a statement made of another, with nulls for its parameters. Places in errors refer to that other one.
    async fn columns_behind(
        &mut self,
        before: &str,
        text: &str,
        behind: &str,
        param_types: &[Oid],
    ) -> io::Result<Result<Arc<[Column]>>> {
        let statement = Statement {
            param_types: param_types.to_vec(),
            params: vec![None; param_types.len()],
            results: Format::Text,
            ..Statement::new(format!("{before}{text}{behind}"))
        };
        let shift = u32::try_from(before.chars().count()).unwrap_or(u32::MAX);
        let placed = |error: Error| error.map_position(|place| place.checked_sub(shift).filter(|&place| place > 0));
        let mut rows = match self.start(&[statement]).await? {
            Ok(rows) => rows,
            Err(error) => return Ok(Err(placed(error))),
        };
        let mut columns = None;
        loop {
            match attend(&mut self.client.local, self.registration, rows.next()).await? {
                Ok(Some(Event::Columns(found))) => columns = Some(found),
                Ok(Some(_)) => {}
                Ok(None) => return Ok(Ok(columns.unwrap_or_default())),
                Err(error) => return Ok(Err(placed(error))),
            }
        }
    }

    /// Has the server take the statement that the client was told the placeholder of: a client that asks for the placeholder's table only
    /// prepares it, and is to hear what is wrong with it now.
    async fn check_prepared(&mut self) -> io::Result<Result<()>> {
        let name = self.described_late.take();
        let Some(prepared) = name.and_then(|name| self.client.statements.get(&name)).cloned() else {
            return Ok(Ok(()));
        };
        let checked = self.session.check(&prepared.text, &prepared.param_types);
        let checked = attend(&mut self.client.local, self.registration, checked).await?;
        // An internal error tells of types that are gone by now, and is for the execution to tell.
        Ok(checked.or_else(|error| match error.code() {
            Some(code) if code.as_str().starts_with("XX") => Ok(()),
            _ => Err(error),
        }))
    }

    /// Answers a question for types as the server would; false if the server must be asked.
    pub(super) async fn look_up(&mut self, lookup: &Lookup<'_>) -> io::Result<Result<bool>> {
        if *lookup == Lookup::Placeholder
            && let Err(error) = self.check_prepared().await?
        {
            return Ok(Err(error));
        }
        let asked = attend(&mut self.client.local, self.registration, self.types.directory(&self.session));
        let directory = match asked.await? {
            Ok(directory) => directory,
            Err(error) => return Ok(Err(error)),
        };
        let prepared = self.client.types.preparing().and_then(|name| self.client.statements.get(name));
        let text = prepared.map(|prepared| prepared.text.as_ref()).unwrap_or_default();
        let answer = match lookup.answer(&directory, &mut self.client.types, text) {
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

    /// Returns a result's columns as the client is to hear of them: sqlx panics in its caller's task when it meets some types that it was not
    /// told of.
    pub(super) async fn understood(&mut self, columns: Arc<[Column]>) -> io::Result<Result<Arc<[Column]>>> {
        let oids = || columns.iter().map(|column| column.type_oid);
        if !self.client.may_be_sqlx && self.client.types.is_content(oids()) || self.client.types.knows(oids()) {
            return Ok(Ok(columns));
        }
        let asked = attend(&mut self.client.local, self.registration, self.types.directory(&self.session));
        let mut directory = match asked.await? {
            Ok(directory) => directory,
            Err(error) => return Ok(Err(error)),
        };
        let unknown: Vec<_> = oids().filter(|oid| !self.client.types.is_known(&directory, *oid)).collect();
        if !unknown.is_empty() {
            let asked = self.types.directory_with(&self.session, unknown);
            directory = match attend(&mut self.client.local, self.registration, asked).await? {
                Ok(directory) => directory,
                Err(error) => return Ok(Err(error)),
            };
        }
        let StandIns { columns: replaced, notice } = self.client.types.stand_ins(&self.types, &directory, oids());
        if replaced.is_empty() {
            return Ok(Ok(columns));
        }
        if let Some(notice) = notice {
            server::notice_response(&mut self.out, &notice);
        }
        let mut columns = columns.to_vec();
        for (index, type_oid) in replaced {
            if let Some(column) = columns.get_mut(index) {
                column.type_oid = type_oid;
            }
        }
        Ok(Ok(columns.into()))
    }
}
