mod http;
mod websocket;

use pgferry::{
    Config, Transport,
    sql::{self, Effect},
};
use tokio::sync::watch;

use super::{Output, Script};

/// What runs the statements.
pub(super) enum Session {
    Http(Box<http::Http>),
    WebSocket(Box<websocket::WebSocket>),
}

/// What became of statements that were sent together.
pub(super) struct Finished {
    /// The statement that was under way at last, where it is known.
    pub(super) count: Option<usize>,
    pub(super) result: anyhow::Result<()>,
}

impl Session {
    /// Opens a session; over HTTP, where there is none, nothing is sent yet.
    pub(super) async fn open(config: &Config) -> anyhow::Result<Self> {
        match config.resolve_transport()? {
            Transport::Http => Ok(Self::Http(Box::new(http::Http::new(config)?))),
            _ => Ok(Self::WebSocket(Box::new(websocket::WebSocket::open(config).await?))),
        }
    }

    /// Runs one statement in a transaction of its own, unless it is in one already.
    pub(super) async fn run(
        &mut self,
        statement: &str,
        params: &[Option<String>],
        output: &mut Output,
        interrupts: &mut watch::Receiver<bool>,
    ) -> anyhow::Result<()> {
        match self {
            Self::Http(http) => http.run(&[statement], params, output, interrupts, false).await.result,
            Self::WebSocket(session) => session.run(statement, params, output, interrupts).await,
        }
    }

    /// Runs statements in one transaction.
    pub(super) async fn run_together(
        &mut self,
        statements: &[&str],
        params: &[Option<String>],
        output: &mut Output,
        interrupts: &mut watch::Receiver<bool>,
    ) -> Finished {
        match self {
            Self::Http(http) => http.run(statements, params, output, interrupts, true).await,
            Self::WebSocket(session) => session.run_together(statements, params, output, interrupts).await,
        }
    }

    /// Returns whether another statement can follow.
    pub(super) fn is_usable(&self) -> bool {
        match self {
            Self::Http(_) => true,
            Self::WebSocket(session) => session.is_usable(),
        }
    }

    /// Ends the session.
    pub(super) async fn close(self) {
        if let Self::WebSocket(session) = self {
            session.close().await;
        }
    }
}

/// Settles what carries a script as a whole, where that was left open: HTTP, unless one of its statements needs a session. Where there
/// is nothing to carry it, opening the session says so.
pub(super) fn choose(config: Config, script: &Script) -> Config {
    let transport = match config.resolve_transport() {
        Ok(Transport::Auto) if needs_session(&config, script) => Transport::WebSocket,
        Ok(Transport::Auto) => Transport::Http,
        Ok(known) => known,
        Err(_) => return config,
    };
    config.transport(transport)
}

fn needs_session(config: &Config, script: &Script) -> bool {
    let has_settings = config.get_application_name().is_some() || config.get_options().is_some();
    script.statements().into_iter().any(|statement| {
        sql::effect(statement).belongs_in_session() || has_settings && sql::forbids_transaction_block(statement)
    })
}

/// Refuses what HTTP would lose in silence, before any statement is sent.
pub(super) fn check(transport: Transport, script: &Script, single_transaction: bool) -> anyhow::Result<()> {
    if transport != Transport::Http {
        return Ok(());
    }
    for (index, statement) in script.statements().into_iter().enumerate() {
        let effect = sql::effect(statement);
        // In a batch, settings and temporary tables serve its other statements.
        let lost = !single_transaction || matches!(effect, Effect::TransactionControl | Effect::Listen | Effect::Copy);
        if let Some(remedy) = effect.remedy().filter(|_| lost) {
            let place = script.place(index);
            let remedy = remedy.replace("transport=websocket", "--transport websocket");
            let remedy = remedy
                .replace("send the statements in one text or batch", "leave them out and say --single-transaction");
            return Err(pgferry::Error::refused(format!("{place}{remedy}")).into());
        }
    }
    Ok(())
}
