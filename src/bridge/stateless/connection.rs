use std::{collections::HashMap, io, mem, sync::Arc};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{attend::attend, hand_over::HandOver, portal::Portal, reads::only_reads, step::Step};
use crate::{
    Oid,
    bridge::{
        cancels::Registration,
        session::Client,
        statement::Prepared,
        types::{Lookup, Types, nullability_of_placeholder},
    },
    error::{DbError, Error, Outcome, Result, SqlState},
    execute::{Event, HttpSession, Rows, Script, Statement},
    http::BatchOptions,
    sql::{self, Dialect},
    wire::{
        DataRow, Format, TransactionStatus,
        server::{self, Frontend},
    },
};

/// The largest message that a client may send, in bytes: Postgres's own bound.
const MAX_MESSAGE: usize = 1 << 30;

/// How much of an answer is gathered before it is written, in bytes.
const WRITE: usize = 64 * 1024;

/// A logged-in client whose statements are requests.
pub(in crate::bridge) struct Connection<'a, S> {
    pub(in crate::bridge) client: Client<S>,
    pub(super) session: HttpSession,
    pub(super) registration: &'a Registration<'a>,
    pub(super) types: Arc<Types>,
    portals: HashMap<String, Portal>,
    /// The portal that the client had described and has not executed yet.
    described: Option<String>,
    steps: Vec<Step>,
    /// Something was executed since the last Sync, by a Flush.
    flushed: bool,
    /// What was started last.
    started: Vec<Arc<str>>,
    /// It may have written.
    pub(super) may_have_written: bool,
    /// What was started may change types, which is noted when it has ended.
    may_change_types: bool,
    /// A step failed: everything up to the next Sync is skipped.
    failed: bool,
    pub(super) out: BytesMut,
    pub(super) hand_over: HandOver,
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin + Send> Connection<'a, S> {
    pub(in crate::bridge) fn new(
        client: Client<S>,
        session: HttpSession,
        registration: &'a Registration<'a>,
        types: Arc<Types>,
    ) -> Self {
        Self {
            client,
            session,
            registration,
            types,
            portals: HashMap::new(),
            described: None,
            steps: Vec::new(),
            flushed: false,
            started: Vec::new(),
            may_have_written: false,
            may_change_types: false,
            failed: false,
            out: BytesMut::new(),
            hand_over: HandOver::default(),
        }
    }

    /// Gives the client to somebody else to serve; between two groups of messages nothing is left behind.
    pub(in crate::bridge) fn into_client(self) -> Client<S> {
        self.client
    }

    /// Serves one group of messages, unless it turns out to be none for HTTP: then nothing of it has taken effect, and the client
    /// has heard nothing.
    pub(in crate::bridge) async fn serve_group(&mut self, messages: Vec<Frontend>) -> io::Result<Option<Unserved>> {
        let before = self.statements_named_in(&messages);
        self.started.clear();
        self.hand_over.begin();
        for message in messages {
            self.take(message).await?;
        }
        let Some(cause) = self.hand_over.end() else { return Ok(None) };
        for (name, prepared) in before {
            match prepared {
                Some(prepared) => self.client.statements.insert(name, prepared),
                None => self.client.statements.remove(&name),
            }
        }
        let has_run = cause.outcome() != Outcome::NotExecuted;
        let texts = if has_run { mem::take(&mut self.started) } else { Vec::new() };
        Ok(Some(Unserved { cause, texts }))
    }

    /// Answers a group of messages that needs a session with the reason why there is none.
    pub(in crate::bridge) async fn refuse_group(&mut self, messages: Vec<Frontend>, error: Error) -> io::Result<()> {
        for message in messages {
            match message {
                Frontend::Query(script) if is_copy_out(&script) => return self.end_for_copy_out(&error).await,
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

    /// What statements are executed with and described by.
    pub(in crate::bridge) fn means(&self) -> (HttpSession, Arc<Types>) {
        (self.session.clone(), Arc::clone(&self.types))
    }

    /// How the server reads texts, as far as that is known.
    pub(in crate::bridge) fn dialect(&self) -> Dialect {
        self.session.dialect()
    }

    /// Whether all messages up to the next Sync are skipped, since one before them failed.
    pub(in crate::bridge) fn is_skipping(&self) -> bool {
        self.failed
    }

    /// The client's statements under the names that these messages may give to others.
    fn statements_named_in(&self, messages: &[Frontend]) -> Vec<(String, Option<Prepared>)> {
        let names = messages.iter().filter_map(|message| match message {
            Frontend::Parse { name, .. } | Frontend::CloseStatement(name) => Some(name.as_str()),
            Frontend::Query(_) => Some(""),
            _ => None,
        });
        names.map(|name| (name.to_owned(), self.client.statements.get(name).cloned())).collect()
    }

    /// Serves the client until it goes.
    pub(super) async fn serve(mut self) -> io::Result<()> {
        loop {
            match server::read(&mut self.client.local.read, MAX_MESSAGE) {
                Ok(Some(Frontend::Terminate)) => return Ok(()),
                Ok(Some(message)) => self.take(message).await?,
                Ok(None) => {
                    if !self.client.local.fill().await? {
                        return Ok(());
                    }
                }
                Err(error) => return self.client.local.send_fatal(&error).await,
            }
        }
    }

    async fn take(&mut self, message: Frontend) -> io::Result<()> {
        match message {
            Frontend::Sync => self.sync().await,
            Frontend::Flush => self.flush().await,
            _ if self.failed => Ok(()),
            Frontend::Query(script) if is_copy_out(&script) => {
                self.end_for_copy_out(&Error::refused(sql::Effect::Copy.remedy().unwrap_or_default())).await
            }
            Frontend::Query(script) => self.simple_query(&script).await,
            Frontend::DescribeStatement(name) => {
                if let Err(error) = self.describe(&name).await? {
                    self.give_up(error).await?;
                }
                Ok(())
            }
            message => {
                if let Err(error) = self.prepare(message) {
                    self.give_up(error).await?;
                }
                Ok(())
            }
        }
    }

    /// Notes what a message of the extended protocol asks for.
    fn prepare(&mut self, message: Frontend) -> Result<()> {
        match message {
            Frontend::Parse { name, text, param_types } => {
                if !name.is_empty() && self.client.statements.contains(&name) {
                    return Err(told("42P05", format!("prepared statement \"{name}\" already exists")));
                }
                self.client.statements.insert(name, Prepared::new(text, param_types));
                self.say(server::parse_complete);
            }
            Frontend::Bind { portal, statement, param_formats, params, result_formats } => {
                let bound = self.statement(&statement)?.bind(&param_formats, params, &result_formats)?;
                if nullability_of_placeholder(&bound.text, &bound.params) {
                    // No session knows more of the column that stood for them.
                    return Err(told(
                        SqlState::FEATURE_NOT_SUPPORTED.as_str(),
                        "the columns of a statement without parameters are not known over HTTP before it is executed: describe it over TCP, or use transport=websocket".to_owned(),
                    ));
                }
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
            Frontend::FunctionCall => {
                return Err(Error::refused("function calls by OID are not carried over HTTP: select the function"));
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
            Portal::Done => return Err(told("55000", format!("portal \"{name}\" cannot be run"))),
        }
        Ok(())
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

    async fn sync(&mut self) -> io::Result<()> {
        self.run_steps().await?;
        // The transaction ends here, and every portal with it.
        self.portals.clear();
        self.described = None;
        self.flushed = false;
        self.ready().await
    }

    async fn flush(&mut self) -> io::Result<()> {
        self.run_steps().await?;
        self.note_change_of_types();
        self.write().await
    }

    /// Does what was noted; an error ends it and is told.
    async fn run_steps(&mut self) -> io::Result<()> {
        let steps = mem::take(&mut self.steps);
        let mut statements = Vec::new();
        for step in &steps {
            if let Step::Run { statement, .. } = step {
                statements.push(statement.clone());
            }
        }
        self.flushed |= !statements.is_empty();
        let mut rows = None;
        for step in steps {
            let (format, described) = match step {
                Step::Say(said) => {
                    self.out.extend_from_slice(&said);
                    continue;
                }
                Step::Run { statement, described } => (statement.results, described),
            };
            let mut results = match rows.take() {
                Some(rows) => rows,
                None => match self.start(&statements).await? {
                    Ok(rows) => rows,
                    Err(error) => {
                        self.fail(error).await?;
                        return Ok(());
                    }
                },
            };
            if let Err(error) = self.answer(&mut results, Answer { format, described, lookup: false }).await? {
                self.fail(error).await?;
                return Ok(());
            }
            rows = Some(results);
        }
        // The response's end, where an error may still be.
        if let Some(mut results) = rows
            && let Err(error) = attend(&mut self.client.local, self.registration, results.next()).await?
        {
            self.fail(error).await?;
        }
        Ok(())
    }

    /// A simple query: its statements are one transaction, and their results are text.
    async fn simple_query(&mut self, script: &str) -> io::Result<()> {
        self.run_steps().await?;
        if self.failed {
            return Ok(());
        }
        let lookup = Lookup::recognise(script);
        if let Some(lookup) = &lookup {
            match self.look_up(lookup).await? {
                Ok(true) => return self.ready().await,
                Ok(false) => {}
                Err(error) => {
                    self.fail(error).await?;
                    return self.ready().await;
                }
            }
        }
        // The unnamed ones end with any simple query (manual, section 55.2.3); but sqlx asks between parsing such a statement and
        // binding to it.
        if lookup.is_none() {
            self.client.statements.remove("");
            self.portals.remove("");
        }
        let script = Script::new(self.session.dialect(), script);
        if script.statements().is_empty() {
            server::empty_query_response(&mut self.out);
        } else if let Err(error) = self.run_script(script.statements(), lookup.is_some()).await? {
            self.fail(script.place(error)).await?;
        }
        self.ready().await
    }

    /// Refuses a COPY to the client in a way that sqlx 0.9 survives: it leaves the ReadyForQuery behind such an error unread, and
    /// then takes each answer for that of the statement before. So the connection ends, and a pool opens another.
    async fn end_for_copy_out(&mut self, error: &Error) -> io::Result<()> {
        self.client.local.send_fatal(error).await?;
        Err(io::ErrorKind::ConnectionAborted.into())
    }

    async fn run_script(&mut self, statements: &[Statement], lookup: bool) -> io::Result<Result<()>> {
        let mut results = match self.start(statements).await? {
            Ok(rows) => rows,
            Err(error) => return Ok(Err(error)),
        };
        for _ in statements {
            if let Err(error) =
                self.answer(&mut results, Answer { format: Format::Text, described: false, lookup }).await?
            {
                return Ok(Err(error));
            }
        }
        attend(&mut self.client.local, self.registration, results.next()).await.map(|end| end.map(drop))
    }

    pub(super) async fn start(&mut self, statements: &[Statement]) -> io::Result<Result<Rows>> {
        let dialect = self.session.dialect();
        self.started = statements.iter().map(|statement| Arc::clone(&statement.text)).collect();
        self.may_have_written = statements.iter().any(|statement| dialect.may_write(&statement.text));
        self.may_change_types |= statements.iter().any(|statement| dialect.changes_types(&statement.text));
        let session = &self.session;
        let request = async {
            match statements {
                [statement] => session.execute(statement).await,
                several => session.execute_batch(several, BatchOptions::default()).await,
            }
        };
        attend(&mut self.client.local, self.registration, request).await
    }

    /// Passes one statement's result on.
    async fn answer(&mut self, results: &mut Rows, how: Answer) -> io::Result<Result<()>> {
        let mut columns_told = false;
        loop {
            let event = match attend(&mut self.client.local, self.registration, results.next()).await? {
                Ok(event) => event,
                Err(error) => return Ok(Err(error)),
            };
            match event {
                Some(Event::Columns(columns)) => {
                    if how.format == Format::Binary
                        && let Err(error) = self.check_types(&columns).await?
                    {
                        return Ok(Err(error));
                    }
                    server::row_description(&mut self.out, &columns, how.format);
                    columns_told = true;
                }
                Some(Event::Row(row)) => {
                    if how.lookup {
                        self.client.types.note_answer(first_oid(&row));
                    }
                    server::data_row(&mut self.out, &row);
                    if self.out.len() >= WRITE {
                        self.write().await?;
                    }
                }
                Some(ended @ (Event::Complete(_) | Event::Empty)) => {
                    if how.described && !columns_told {
                        server::no_data(&mut self.out);
                    }
                    match ended {
                        Event::Complete(tag) => {
                            server::command_complete(&mut self.out, &tag);
                        }
                        _ => server::empty_query_response(&mut self.out),
                    }
                    return Ok(Ok(()));
                }
                None => return Ok(Err(told("08P01", "the response ended before the statement's result".to_owned()))),
            }
        }
    }

    /// Fails at a step before anything was executed: what came before belongs to the same transaction, so it is not executed
    /// either.
    async fn give_up(&mut self, error: Error) -> io::Result<()> {
        for step in mem::take(&mut self.steps) {
            let Step::Say(said) = step else { break };
            self.out.extend_from_slice(&said);
        }
        self.fail(error).await
    }

    /// Tells a failure, unless the messages are for a session to try: everything up to the next Sync is skipped in either case.
    async fn fail(&mut self, error: Error) -> io::Result<()> {
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
        let dialect = self.session.dialect();
        let asked = only_reads(&self.session, self.started.iter().flat_map(|text| dialect.called(text)));
        let only_reads = attend(&mut self.client.local, self.registration, asked).await?;
        Ok(only_reads.unwrap_or_else(|error| {
            tracing::debug!(%error, "what a statement's functions do could not be asked");
            false
        }))
    }

    /// Not before all that was sent has ended: until then, others are told of types as they were.
    fn note_change_of_types(&mut self) {
        if mem::take(&mut self.may_change_types) {
            self.types.note_change();
        }
    }

    async fn ready(&mut self) -> io::Result<()> {
        self.failed = false;
        self.note_change_of_types();
        if self.hand_over.is_decided() {
            self.out.clear();
            return Ok(());
        }
        server::ready_for_query(&mut self.out, TransactionStatus::Idle);
        self.write().await
    }

    async fn write(&mut self) -> io::Result<()> {
        self.hand_over.answer_begins();
        let out = self.out.split();
        self.client.local.send(&out).await
    }
}

/// A group of messages that turned out to be none for HTTP.
#[derive(Debug)]
pub(in crate::bridge) struct Unserved {
    pub(in crate::bridge) cause: Error,
    /// What has run, changing nothing, and would fail over HTTP again.
    pub(in crate::bridge) texts: Vec<Arc<str>>,
}

/// How a result is passed on.
#[derive(Clone, Copy, Debug)]
struct Answer {
    format: Format,
    /// The client waits to hear of its columns, even if there are none.
    described: bool,
    /// It answers sqlx's question for types.
    lookup: bool,
}

/// The first value of a row in text, where that is an OID.
fn first_oid(row: &DataRow) -> Option<Oid> {
    std::str::from_utf8(row.values().next()??).ok()?.parse().ok()
}

/// Whether a simple query is a COPY to the client.
fn is_copy_out(script: &str) -> bool {
    sql::effect(script) == sql::Effect::Copy && script.to_ascii_lowercase().contains("stdout")
}

fn told(code: &str, message: String) -> Error {
    Error::db(DbError::new("ERROR", Some(SqlState::from_code(code)), message))
}

fn no_portal(name: &str) -> Error {
    told("34000", format!("portal \"{name}\" does not exist"))
}
