use super::{HttpSession, Output, Statement, WireSession, auto_session::AutoSession};
use crate::{
    config::{Config, Transport},
    error::Result,
    runtime::Runtime,
    wire::TransactionStatus,
};

/// A session over WebSocket, the lack of one over HTTP, or one that is opened when a statement needs it, as the configuration's
/// transport says.
///
/// With [`Transport::Auto`] statements ride HTTP. The first whose text needs a session opens a WebSocket with the same settings,
/// where all that follow go too, until the session has been idle for some seconds and holds nothing that a statement's text shows to
/// outlive its transaction. What HTTP refuses goes there as well, where nothing has run or the text can have written nothing. What a text does
/// not show, as a function that calls `set_config`, needs [`Transport::WebSocket`].
#[derive(Debug)]
pub struct Session(Kind);

#[derive(Debug)]
enum Kind {
    Auto(Box<AutoSession>),
    Http(Box<HttpSession>),
    WebSocket(Box<WireSession>),
}

impl Session {
    /// Opens a session; over HTTP, and with [`Transport::Auto`], it sends one request, so that a wrong password is reported here.
    ///
    /// Must run on the given runtime. Not cancel safe in that the attempt is lost.
    ///
    /// # Errors
    ///
    /// Those of [`HttpSession::server`] or [`WireSession::connect`]; nothing was executed.
    pub async fn connect(config: &Config, runtime: &Runtime) -> Result<Self> {
        match config.resolve_transport()? {
            Transport::Http => {
                let session = HttpSession::new(config, runtime)?;
                session.server().await?;
                Ok(Self(Kind::Http(Box::new(session))))
            }
            Transport::Auto => Ok(Self(Kind::Auto(Box::new(AutoSession::connect(config, runtime).await?)))),
            Transport::WebSocket => Ok(Self(Kind::WebSocket(Box::new(WireSession::connect(config).await?)))),
        }
    }

    /// Executes a statement and waits for its whole result.
    ///
    /// Cancel safe in that the session stays usable; whether the statement ended is unknown.
    ///
    /// # Errors
    ///
    /// Those of [`HttpSession::execute`] or [`WireSession::execute`].
    pub async fn execute(&mut self, statement: &Statement) -> Result<Output> {
        match &mut self.0 {
            Kind::Auto(session) => session.execute(statement).await,
            Kind::Http(session) => session.execute(statement).await?.collect().await,
            Kind::WebSocket(session) => session.execute(statement).await,
        }
    }

    /// Executes a script without parameters; what it returns is dropped. Over HTTP several statements are one transaction, as
    /// they are in a simple query.
    ///
    /// Cancel safe as [`execute`](Self::execute) is.
    ///
    /// # Errors
    ///
    /// As for [`execute`](Self::execute); over HTTP a statement that needs a session is refused and nothing of the script is
    /// sent.
    pub async fn batch_execute(&mut self, script: &str) -> Result<()> {
        match &mut self.0 {
            Kind::Auto(session) => session.batch_execute(script).await,
            Kind::Http(session) => session.execute_script(script).await,
            Kind::WebSocket(session) => session.batch_execute(script).await,
        }
    }

    /// Lets the server forget a named statement.
    pub fn forget(&mut self, name: u64) {
        match &mut self.0 {
            Kind::Auto(session) => session.forget(name),
            Kind::Http(_) => {}
            Kind::WebSocket(session) => session.forget(name),
        }
    }

    /// Returns the transaction status; over HTTP there is never a transaction between statements.
    #[must_use]
    pub fn transaction_status(&self) -> TransactionStatus {
        match &self.0 {
            Kind::Auto(session) => session.transaction_status(),
            Kind::Http(_) => TransactionStatus::Idle,
            Kind::WebSocket(session) => session.transaction_status(),
        }
    }

    /// Returns whether the session can go on; over HTTP nothing ends it.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        match &self.0 {
            Kind::Auto(session) => session.is_usable(),
            Kind::Http(_) => true,
            Kind::WebSocket(session) => session.is_usable(),
        }
    }

    /// Returns what carries statements now; [`Transport::Auto`] is one of the two at any moment.
    #[must_use]
    pub fn transport(&self) -> Transport {
        match &self.0 {
            Kind::Auto(session) => session.transport(),
            Kind::Http(_) => Transport::Http,
            Kind::WebSocket(_) => Transport::WebSocket,
        }
    }

    /// Ends the session.
    ///
    /// # Errors
    ///
    /// When the connection was lost before.
    pub async fn close(self) -> Result<()> {
        match self.0 {
            Kind::Auto(session) => session.close().await,
            Kind::Http(_) => Ok(()),
            Kind::WebSocket(session) => session.close().await,
        }
    }
}
