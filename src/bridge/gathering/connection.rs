use std::{io, sync::Arc};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite};

use super::Plan;
use crate::{
    batch::{BatchOptions, Sender},
    bridge::{
        handshake::Local,
        shared::Shared,
        statement::Prepared,
        types::{Ask, Client, Lookup, Types},
    },
    error::{DbError, Error, Result, SqlState},
    execute::{Opening, Output, Statement},
    wire::{
        Format, MAX_MESSAGE, TransactionStatus,
        server::{self, Frontend},
    },
};

/// How much of an answer is gathered before it is written, in bytes.
const WRITE: usize = 64 * 1024;

/// Serves a client whose statements are gathered.
pub(in crate::bridge) async fn serve<S>(
    local: Local<S>,
    plan: Arc<Plan>,
    opening: &Opening,
    shared: &Shared,
) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let mut out = BytesMut::new();
    server::authentication_ok(&mut out);
    server::parameter_status(&mut out, "client_encoding", "UTF8");
    server::ready_for_query(&mut out, TransactionStatus::Idle);
    let connection = Connection {
        local,
        plan,
        out,
        parsed: None,
        bound: None,
        failed: false,
        sender: shared.batches().clone(),
        types: shared.types().of(opening),
        client: Client::default(),
    };
    connection.serve().await
}

struct Connection<S> {
    local: Local<S>,
    plan: Arc<Plan>,
    out: BytesMut,
    parsed: Option<Prepared>,
    bound: Option<Bound>,
    /// A step failed: everything up to the next Sync is skipped.
    failed: bool,
    sender: Sender,
    types: Arc<Types>,
    /// What the client has been told of types.
    client: Client,
}

/// What is executed next.
enum Bound {
    /// A statement of the batch's.
    Statement(Statement),
    /// The question for the next result.
    Result,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Connection<S> {
    async fn serve(mut self) -> io::Result<()> {
        self.write().await?;
        loop {
            match server::read(&mut self.local.read, MAX_MESSAGE) {
                Ok(Some(Frontend::Terminate)) => return Ok(()),
                Ok(Some(message)) => self.take(message).await?,
                Ok(None) => {
                    if !self.local.fill().await? {
                        return Ok(());
                    }
                }
                Err(error) => return self.local.send_fatal(&error).await,
            }
        }
    }

    async fn take(&mut self, message: Frontend) -> io::Result<()> {
        match message {
            Frontend::Sync => return self.ready().await,
            Frontend::Flush => return self.write().await,
            _ if self.failed => {}
            Frontend::Query(text) => {
                if text == self.plan.name() {
                    match self.plan.take_result() {
                        Ok(outputs) => self.answer_script(outputs).await?,
                        Err(error) => self.fail(&error),
                    }
                } else if let Err(error) = self.look_up(&text).await {
                    self.fail(&error);
                }
                return self.ready().await;
            }
            Frontend::Execute { .. } => match self.bound.take() {
                Some(Bound::Statement(statement)) => {
                    self.plan.note(statement);
                    server::command_complete(&mut self.out, "SELECT 0");
                }
                Some(Bound::Result) => match self.plan.take_result() {
                    Ok(outputs) => self.answer(outputs).await?,
                    Err(error) => self.fail(&error),
                },
                None => self.fail(&out_of_step("there is nothing to execute")),
            },
            message => {
                if let Err(error) = self.prepare(message) {
                    self.fail(&error);
                }
            }
        }
        Ok(())
    }

    fn prepare(&mut self, message: Frontend) -> Result<()> {
        match message {
            Frontend::Parse { text, param_types, .. } => {
                self.parsed = Some(Prepared::new(text, param_types));
                server::parse_complete(&mut self.out);
            }
            Frontend::DescribeStatement(_) => {
                let parsed = self.parsed.as_ref().ok_or_else(|| out_of_step("there is nothing to describe"))?;
                server::parameter_description(&mut self.out, &parsed.param_types);
                if *parsed.text == *self.plan.name() {
                    // With their types, so that the client asks for those that it does not know.
                    let columns = self.plan.see(|output| Arc::clone(&output.columns))?;
                    if !columns.is_empty() {
                        server::row_description(&mut self.out, &columns, Format::Text);
                        return Ok(());
                    }
                }
                server::no_data(&mut self.out);
            }
            Frontend::Bind { param_formats, params, result_formats, .. } => {
                let parsed = self.parsed.as_ref().ok_or_else(|| out_of_step("there is nothing to bind to"))?;
                // sqlx names one format for all.
                let format = |formats: &[Format]| formats.first().copied().unwrap_or(Format::Text);
                self.bound = Some(match *parsed.text == *self.plan.name() {
                    true => Bound::Result,
                    false => Bound::Statement(Statement {
                        param_types: parsed.param_types.clone(),
                        params,
                        param_format: format(&param_formats),
                        results: format(&result_formats),
                        ..Statement::new(Arc::clone(&parsed.text))
                    }),
                });
                server::bind_complete(&mut self.out);
            }
            Frontend::CloseStatement(_) | Frontend::ClosePortal(_) => server::close_complete(&mut self.out),
            _ => return Err(out_of_step("only the statements of a batch are gathered")),
        }
        Ok(())
    }

    async fn answer(&mut self, outputs: Vec<Output>) -> io::Result<()> {
        for output in outputs {
            self.answer_one(output).await?;
        }
        Ok(())
    }

    async fn answer_script(&mut self, outputs: Vec<Output>) -> io::Result<()> {
        if outputs.is_empty() {
            server::empty_query_response(&mut self.out);
        }
        for output in outputs {
            if !output.columns.is_empty() {
                server::row_description(&mut self.out, &output.columns, Format::Text);
            }
            self.answer_one(output).await?;
        }
        Ok(())
    }

    async fn answer_one(&mut self, output: Output) -> io::Result<()> {
        for row in output.rows {
            server::data_row(&mut self.out, &row);
            if self.out.len() >= WRITE {
                self.write().await?;
            }
        }
        match output.is_empty {
            true => server::empty_query_response(&mut self.out),
            false => server::command_complete(&mut self.out, &output.tag),
        }
        Ok(())
    }

    /// Answers what sqlx asks for itself: the types of arguments and of results.
    async fn look_up(&mut self, text: &str) -> Result<()> {
        let asker = Asker(&self.sender);
        let known = match Lookup::recognise(text) {
            Some(lookup) => lookup.answer(&*self.types.directory(&asker).await?, &mut self.client, "").transpose()?,
            None => None,
        };
        let (columns, rows, tag) = match known {
            Some(answer) => {
                let tag = format!("SELECT {}", answer.rows.len());
                (answer.columns.into(), answer.rows, tag)
            }
            None => {
                let question = Statement { results: Format::Text, ..Statement::new(text) };
                let Output { columns, rows, tag, .. } = asker.ask(&question).await?;
                (columns, rows, tag)
            }
        };
        server::row_description(&mut self.out, &columns, Format::Text);
        for row in &rows {
            server::data_row(&mut self.out, row);
        }
        server::command_complete(&mut self.out, &tag);
        Ok(())
    }

    fn fail(&mut self, error: &Error) {
        self.failed = true;
        server::error_response(&mut self.out, &error.to_db_error());
    }

    async fn ready(&mut self) -> io::Result<()> {
        self.failed = false;
        server::ready_for_query(&mut self.out, TransactionStatus::Idle);
        self.write().await
    }

    async fn write(&mut self) -> io::Result<()> {
        let out = self.out.split();
        self.local.send(&out).await
    }
}

/// Asks by what batches are sent with.
struct Asker<'a>(&'a Sender);

impl Ask for Asker<'_> {
    async fn ask(&self, question: &Statement) -> Result<Output> {
        let outputs = self
            .0
            .send(std::slice::from_ref(question), BatchOptions::new())
            .await
            .map_err(|failure| failure.into_error())?;
        Ok(outputs.into_iter().next().unwrap_or_default())
    }
}

fn out_of_step(message: &str) -> Error {
    Error::db(DbError::new("ERROR", Some(SqlState::PROTOCOL_VIOLATION), message))
}
