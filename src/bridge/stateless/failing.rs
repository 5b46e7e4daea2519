use std::{io, mem};

use tokio::io::{AsyncRead, AsyncWrite};

use super::{connection::Connection, step::Step};
use crate::{
    bridge::attend::attend,
    error::{DbError, Error, Outcome, SqlState},
    sql,
    wire::server::{self, Frontend},
};

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Connection<'_, S> {
    /// Answers a group of messages that needs a session with the reason why there is none.
    pub(in crate::bridge) async fn refuse_group(&mut self, messages: Vec<Frontend>, error: Error) -> io::Result<()> {
        for message in messages {
            match message {
                Frontend::Query(script) if self.ends_for(&script) => return self.end_for_copy_out(&error).await,
                Frontend::Query(_) | Frontend::FunctionCall if !self.failed => {
                    self.tell(&error);
                    self.ready().await?;
                }
                Frontend::Sync | Frontend::Flush => {
                    self.tell(&error);
                    self.take(message).await?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether this simple query is a COPY to a client that does not survive its refusal.
    pub(super) fn ends_for(&self, script: &str) -> bool {
        self.client.may_be_sqlx && is_copy_out(script)
    }

    /// Refuses a COPY to the client by ending the connection; a pool opens another.
    pub(super) async fn end_for_copy_out(&mut self, error: &Error) -> io::Result<()> {
        self.client.local.send_fatal(error).await?;
        Err(io::ErrorKind::ConnectionAborted.into())
    }

    /// Fails at a step before anything was executed: what came before belongs to the same transaction, so it is not executed
    /// either.
    pub(super) async fn give_up(&mut self, error: Error) -> io::Result<()> {
        for step in mem::take(&mut self.steps) {
            let Step::Say(said) = step else { break };
            self.out.extend_from_slice(&said);
        }
        self.fail(error).await
    }

    /// Tells a failure, unless the messages are for a session to try: everything up to the next Sync is skipped in either case.
    pub(super) async fn fail(&mut self, error: Error) -> io::Result<()> {
        if !self.failed && error.is_of_results() {
            self.hand_over.note_failures(&self.started);
        }
        if !self.failed
            && self.hand_over.is_due(&error)
            && (error.outcome() == Outcome::NotExecuted || self.has_only_read().await?)
        {
            self.failed = true;
            self.hand_over.set_cause(error);
            return Ok(());
        }
        self.tell(&error);
        Ok(())
    }

    fn tell(&mut self, error: &Error) {
        // A single failure is told between two Syncs; what follows it is skipped.
        if !mem::replace(&mut self.failed, true) {
            server::error_response(&mut self.out, &error.to_db_error());
        }
    }

    /// Whether what was started last can be executed again without anybody noticing.
    async fn has_only_read(&mut self) -> io::Result<bool> {
        if self.may_have_written {
            return Ok(false);
        }
        let asked = self.session.only_reads(&self.started);
        let only_reads = attend(&mut self.client.local, self.registration, asked).await?;
        Ok(only_reads.unwrap_or_else(|error| {
            tracing::debug!(%error, "what a statement's functions do could not be asked");
            false
        }))
    }
}

/// Whether a simple query is a COPY to the client.
fn is_copy_out(script: &str) -> bool {
    sql::effect(script) == sql::Effect::Copy && script.to_ascii_lowercase().contains("stdout")
}

pub(super) fn told(code: &str, message: String) -> Error {
    Error::db(DbError::new("ERROR", Some(SqlState::from_code(code)), message))
}

pub(super) fn no_portal(name: &str) -> Error {
    told("34000", format!("portal \"{name}\" does not exist"))
}
