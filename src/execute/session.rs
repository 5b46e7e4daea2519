use super::{HttpSession, Output, Statement, WireSession};
use crate::{
    config::{Config, Transport},
    error::Result,
    runtime::Runtime,
    wire::TransactionStatus,
};

/// A session over WebSocket, or the lack of one over HTTP, as the configuration's transport says.
#[derive(Debug)]
pub struct Session(Kind);

#[derive(Debug)]
enum Kind {
    Http(Box<HttpSession>),
    WebSocket(Box<WireSession>),
}

impl Session {
    /// Opens a session; over HTTP it sends one request, so that a wrong password is reported here.
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
            Transport::WebSocket | Transport::Auto => {
                Ok(Self(Kind::WebSocket(Box::new(WireSession::connect(config).await?))))
            }
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
            Kind::Http(session) => session.execute_script(script).await,
            Kind::WebSocket(session) => session.batch_execute(script).await,
        }
    }

    /// Lets the server forget a named statement.
    pub fn forget(&mut self, name: u64) {
        if let Kind::WebSocket(session) = &mut self.0 {
            session.forget(name);
        }
    }

    /// Returns the transaction status; over HTTP there is never a transaction between statements.
    #[must_use]
    pub fn transaction_status(&self) -> TransactionStatus {
        match &self.0 {
            Kind::Http(_) => TransactionStatus::Idle,
            Kind::WebSocket(session) => session.transaction_status(),
        }
    }

    /// Returns whether the session can go on; over HTTP nothing ends it.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        match &self.0 {
            Kind::Http(_) => true,
            Kind::WebSocket(session) => session.is_usable(),
        }
    }

    /// Returns what carries the session.
    #[must_use]
    pub fn transport(&self) -> Transport {
        match &self.0 {
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
            Kind::Http(_) => Ok(()),
            Kind::WebSocket(session) => session.close().await,
        }
    }
}
