use std::time::{Duration, Instant};

use super::{HttpSession, Output, Statement, WireSession};
use crate::{
    config::{Config, Transport},
    error::{Error, Outcome, Result},
    runtime::Runtime,
    sql,
    wire::TransactionStatus,
};

/// How long a session that nothing holds is kept for the next statement. Shorter, and a loop of short transactions would open one
/// each time; longer, and a connection in a pool would keep a server's connection busy for nothing.
const LINGERS: Duration = Duration::from_secs(5);

/// Statements over HTTP until one needs a session; from then on over a WebSocket, until its session is idle and holds nothing.
#[derive(Debug)]
pub(super) struct AutoSession {
    config: Config,
    http: HttpSession,
    session: Option<Opened>,
}

/// A session over WebSocket that a statement needed.
#[derive(Debug)]
struct Opened {
    wire: Box<WireSession>,
    /// A statement ran that leaves something behind its transaction, so that the session is kept.
    holds_state: bool,
    changed_types: bool,
    used_at: Instant,
}

impl AutoSession {
    /// Sends one request over HTTP, as a proof that the server is there.
    pub(super) async fn connect(config: &Config, runtime: &Runtime) -> Result<Self> {
        let http = HttpSession::new(config, runtime)?;
        http.server().await?;
        Ok(Self { config: config.clone(), http, session: None })
    }

    pub(super) async fn execute(&mut self, statement: &Statement) -> Result<Output> {
        self.leave_if_idle();
        if self.session.is_none() && !self.needs_session(&statement.text) {
            let refusal = match over_http(&self.http, statement).await {
                Err(error) if self.is_worth_a_session(&error, &statement.text) => error,
                result => return result,
            };
            if let Err(error) = self.open().await {
                return Err(refusal.with_source(error));
            }
        }
        let opened = self.opened(&statement.text).await?;
        let result = opened.wire.execute(statement).await;
        opened.ended(&statement.text, result.is_ok());
        result
    }

    pub(super) async fn batch_execute(&mut self, script: &str) -> Result<()> {
        self.leave_if_idle();
        if self.session.is_none() && !self.needs_session(script) {
            return self.http.execute_script(script).await;
        }
        let opened = self.opened(script).await?;
        let result = opened.wire.batch_execute(script).await;
        opened.ended(script, result.is_ok());
        result
    }

    pub(super) fn forget(&mut self, name: u64) {
        if let Some(opened) = &mut self.session {
            opened.wire.forget(name);
        }
    }

    pub(super) fn transaction_status(&self) -> TransactionStatus {
        self.session.as_ref().map_or(TransactionStatus::Idle, |opened| opened.wire.transaction_status())
    }

    pub(super) fn is_usable(&self) -> bool {
        self.session.as_ref().is_none_or(|opened| opened.wire.is_usable())
    }

    pub(super) fn transport(&self) -> Transport {
        if self.session.is_some() { Transport::WebSocket } else { Transport::Http }
    }

    pub(super) async fn close(self) -> Result<()> {
        match self.session {
            Some(opened) => opened.wire.close().await,
            None => Ok(()),
        }
    }

    fn needs_session(&self, text: &str) -> bool {
        let effect = self.http.dialect().effect(text);
        effect.needs_session() || effect == sql::Effect::LeavesState
    }

    /// Whether a session may carry what HTTP did not, and nothing is done twice by trying.
    fn is_worth_a_session(&self, error: &Error, text: &str) -> bool {
        let is_of_transport = error.is_refused() || error.is_value() || error.is_limit();
        is_of_transport && (error.outcome() == Outcome::NotExecuted || !self.http.dialect().may_write(text))
    }

    async fn open(&mut self) -> Result<()> {
        let wire = Box::new(WireSession::connect(&self.config).await?);
        self.session = Some(Opened { wire, holds_state: false, changed_types: false, used_at: Instant::now() });
        Ok(())
    }

    /// Returns the session that a text is about to run on, with what it may leave there noted: whoever waits may stop waiting.
    async fn opened(&mut self, text: &str) -> Result<&mut Opened> {
        if self.session.is_none() {
            self.open().await?;
        }
        let dialect = self.http.dialect();
        match &mut self.session {
            Some(opened) => {
                opened.holds_state |= dialect.leaves_session_state(text);
                opened.changed_types |= dialect.changes_types(text);
                opened.used_at = Instant::now();
                Ok(opened)
            }
            None => Err(Error::closed("the session was lost: open another", Outcome::NotExecuted)),
        }
    }

    /// Goes back to HTTP where the session has been idle for a while and holds nothing.
    fn leave_if_idle(&mut self) {
        let leaves = |opened: &mut Opened| {
            !opened.holds_state
                && opened.wire.is_usable()
                && opened.wire.transaction_status() == TransactionStatus::Idle
                && opened.used_at.elapsed() >= LINGERS
        };
        let Some(opened) = self.session.take_if(leaves) else { return };
        if opened.changed_types {
            self.http.note_changed_types();
        }
        // Nobody waits for the closing handshake, nor to hear that the connection was lost meanwhile.
        tokio::spawn(async move { drop(opened.wire.close().await) });
    }
}

impl Opened {
    fn ended(&mut self, text: &str, is_ok: bool) {
        if is_ok && sql::discards_all(text) {
            self.holds_state = false;
        }
        self.used_at = Instant::now();
    }
}

async fn over_http(session: &HttpSession, statement: &Statement) -> Result<Output> {
    session.execute(statement).await?.collect().await
}
