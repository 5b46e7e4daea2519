use std::mem;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    connection::Connection,
    failing::{no_portal, told},
    portal::Portal,
    step::Step,
};
use crate::{
    bridge::{statement::Prepared, types::nullability_of_placeholder},
    error::{DbError, Error, Result, SqlState},
    sql::Dialect,
    wire::server::{self, Frontend},
};

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Connection<'_, S> {
    /// Notes what a message of the extended protocol asks for.
    pub(super) fn prepare(&mut self, message: Frontend) -> Result<()> {
        self.check_described(&message)?;
        match message {
            Frontend::Parse { name, text, param_types } => {
                if !name.is_empty() && self.client.statements.contains(&name) {
                    return Err(told("42P05", format!("prepared statement \"{name}\" already exists")));
                }
                self.client.types.parsed(&name, &param_types);
                self.client.statements.insert(name, Prepared::new(text, param_types));
                self.say(server::parse_complete);
            }
            Frontend::Bind { portal, statement, param_formats, params, result_formats } => {
                self.described_late = None;
                let prepared = self.statement(&statement)?;
                check_count(self.session.dialect(), &statement, prepared, params.len())?;
                let bound = prepared.bind(&param_formats, params, &result_formats)?;
                if nullability_of_placeholder(&bound.text, &bound.params) {
                    // No session knows more of the column that stood for them.
                    return Err(told(
                        SqlState::FEATURE_NOT_SUPPORTED.as_str(),
                        "the columns of a statement without parameters are not known over HTTP before it is executed: add describe=always to the URL, with transport=auto or transport=websocket".to_owned(),
                    ));
                }
                self.client.types.bound(&statement);
                self.portals.insert(portal, Portal::Ready(bound));
                self.say(server::bind_complete);
            }
            Frontend::DescribePortal(name) => {
                if !self.portals.contains_key(&name) {
                    return Err(no_portal(&name));
                }
                self.described = Some(name);
            }
            Frontend::Execute { portal, max_rows } => self.execute(portal, max_rows)?,
            Frontend::CloseStatement(name) => {
                self.client.statements.remove(&name);
                self.say(server::close_complete);
            }
            Frontend::ClosePortal(name) => {
                self.portals.remove(&name);
                self.say(server::close_complete);
            }
            // Postgres too ignores what is left of a COPY that failed.
            Frontend::CopyData(_) | Frontend::CopyDone | Frontend::CopyFail(_) => {}
            other => return Err(told("08P01", format!("{other:?} makes no sense here"))),
        }
        Ok(())
    }

    fn execute(&mut self, name: String, max_rows: i32) -> Result<()> {
        if max_rows > 0 {
            return Err(Error::refused(
                "rows in portions need a session: fetch them all at once, or use transport=websocket",
            ));
        }
        if self.flushed {
            return Err(Error::refused(
                "a statement after a Flush would belong to a transaction that HTTP has ended: send a Sync first, or use transport=websocket",
            ));
        }
        let described = self.described.take_if(|described| *described == name).is_some();
        let portal = self.portals.get_mut(&name).ok_or_else(|| no_portal(&name))?;
        match mem::replace(portal, Portal::Done) {
            Portal::Ready(statement) => self.steps.push(Step::Run { statement, described }),
            // What it gives now depends on what kind of statement it was of.
            Portal::Done => {
                return Err(Error::refused(format!(
                    "portal \"{name}\" was executed to its end: bind another, or use transport=websocket"
                )));
            }
        }
        Ok(())
    }

    /// A portal is described by its execution's answer, so that must come next.
    pub(super) fn check_described(&self, message: &Frontend) -> Result<()> {
        match (&self.described, message) {
            (None, _) => Ok(()),
            (Some(described), Frontend::Execute { portal, .. }) if described == portal => Ok(()),
            (Some(_), _) => Err(Error::refused(
                "the columns of a portal are known over HTTP when it is executed: execute it next, or use transport=websocket",
            )),
        }
    }

    pub(super) fn statement(&self, name: &str) -> Result<&Prepared> {
        self.client
            .statements
            .get(name)
            .ok_or_else(|| told("26000", format!("prepared statement \"{name}\" does not exist")))
    }

    pub(super) fn say(&mut self, message: impl FnOnce(&mut BytesMut)) {
        if let Some(Step::Say(said)) = self.steps.last_mut() {
            return message(said);
        }
        let mut said = BytesMut::new();
        message(&mut said);
        self.steps.push(Step::Say(said));
    }
}

/// Checks how many parameters are bound, as the server would and with its words.
fn check_count(dialect: Dialect, name: &str, prepared: &Prepared, given: usize) -> Result<()> {
    if !dialect.is_preparable(&prepared.text) {
        // What looks like a parameter may be that of a function which is made.
        return Ok(());
    }
    let required = dialect.highest_parameter(&prepared.text).max(prepared.param_types.len());
    if given == required {
        return Ok(());
    }
    let message =
        format!("bind message supplies {given} parameters, but prepared statement \"{name}\" requires {required}");
    let error = DbError::new("ERROR", Some(SqlState::PROTOCOL_VIOLATION), message);
    Err(Error::db(DbError { routine: Some("exec_bind_message".to_owned()), ..error }))
}
