//! An in-process Postgres endpoint on a private socket, for unmodified Postgres clients.
//!
//! A client connects to it as to any server. Over WebSocket its bytes are relayed; over HTTP each of its statements becomes
//! one request. The endpoint is this process's alone: a directory that only its user may enter, the peer's user checked, and
//! a random password on top. A port of the loopback interface takes its place where [`Options::listen`] asks for one: only the
//! password guards that.

mod address;
mod attend;
mod auto;
mod cancels;
mod closing;
#[cfg(unix)]
mod directory;
mod effects;
mod frames;
mod gathering;
mod handshake;
mod listener;
mod log_in;
mod options;
mod secret;
mod session;
mod shared;
mod stateless;
mod statement;
mod types;
mod url;

use std::sync::Arc;

use self::{closing::Closing, listener::Listener, shared::Shared};
use crate::{
    config::{Config, Password},
    error::Result,
    runtime::Runtime,
};

pub use address::Address;
pub use gathering::Gathering;
pub use options::Options;
pub use shared::Verification;

/// A running endpoint; dropping it takes no further connections, while those that are open go on until their clients close
/// them.
///
/// It runs on a thread of its own, so it outlives the async runtime it was started from and works without one. A process must
/// not fork after starting it: the thread stays behind.
#[derive(Debug)]
pub struct Bridge {
    listener: Listener,
    shared: Arc<Shared>,
    closing: Closing,
}

impl Bridge {
    /// Starts an endpoint for the configuration's transport.
    ///
    /// # Errors
    ///
    /// When the configuration has no such endpoint, or the system gives no thread or no socket.
    pub fn start(config: &Config, verification: Verification) -> Result<Self> {
        Self::start_with(config, &Options::new().verification(verification))
    }

    /// Starts an endpoint for the configuration's transport, with options.
    ///
    /// # Errors
    ///
    /// When the configuration has no such endpoint, the address to listen on is none of this machine's own or in use, or the
    /// system gives no thread or no socket.
    pub fn start_with(config: &Config, options: &Options) -> Result<Self> {
        let runtime = Runtime::start()?;
        let shared = Arc::new(Shared::new(config, &runtime, options)?);
        let listener = match options.listen {
            Some(address) => Listener::bind_to(address)?,
            None => Listener::bind()?,
        };
        let closing = Closing::new();
        runtime.spawn(listener.accept_until(closing.notice(), Arc::clone(&shared))?);
        Ok(Self { listener, shared, closing })
    }

    /// Takes no further connections and ends those that are open: each client is told so where it waits between two messages,
    /// and what it runs is cancelled on the server.
    ///
    /// Waits until that is done, for as long as the slowest server takes; a client that does not read is not waited for. Cancel safe: what has begun to end goes on ending.
    pub async fn shutdown(self) {
        let Self { listener, shared: _, closing } = self;
        drop(listener);
        closing.close().await;
    }

    /// Returns where clients connect.
    #[must_use]
    pub fn address(&self) -> &Address {
        self.listener.address()
    }

    /// Returns the URL with which Postgres clients connect to it, its password included: diesel's `PgConnection`, diesel-async's
    /// `AsyncPgConnection`, tokio-postgres, psql.
    ///
    /// It is good for as long as the bridge is there, so a pool of such connections must not outlive it. It works in this process
    /// and in others of this user. Over WebSocket nothing tells the bridge from the server behind it. Over HTTP alone, diesel's own
    /// connections are refused, since they set the time zone of a session when they open: take `pgferry-diesel`'s there.
    ///
    /// # Errors
    ///
    /// [`Error::is_config`](crate::Error::is_config): the configuration names no user.
    ///
    /// # Example
    ///
    /// ```
    /// use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
    /// use pgferry::{Config, Transport, bridge::{Bridge, Verification}};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let stage = pgferry_test_support::Stage::start();
    /// # let url = stage.url();
    /// // let url = "postgresql://app:secret@db.example.com/blog";
    /// let config: Config = url.parse()?;
    /// let bridge = Bridge::start(&config.transport(Transport::WebSocket), Verification::Connect)?;
    ///
    /// let mut connection = AsyncPgConnection::establish(bridge.url()?.reveal()).await?;
    /// connection
    ///     .transaction(async |connection| {
    ///         diesel::sql_query("create table posts (id int primary key)").execute(connection).await?;
    ///         diesel::sql_query("insert into posts values (1)").execute(connection).await
    ///     })
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn url(&self) -> Result<Password> {
        let config = self.config();
        Ok(url::url(self.address(), config.get_user()?, self.password(), config.get_dbname()?))
    }

    /// Returns the password that clients are asked for, in cleartext.
    #[must_use]
    pub fn password(&self) -> &Password {
        self.shared.password()
    }

    /// Proves over HTTP that the server is there, if that was not done before, and sends nothing else; over WebSocket each client's
    /// log-in proves it. Must be polled on the bridge's [runtime](Self::runtime).
    ///
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// Those of [`HttpSession::server`](crate::execute::HttpSession::server).
    pub async fn verify(&self) -> Result<()> {
        match self.shared.http() {
            Some(session) => session.server().await.map(drop),
            None => Ok(()),
        }
    }

    /// Begins to gather the statements of a client that is about to connect.
    ///
    /// # Errors
    ///
    /// When the system gives no random numbers.
    pub fn gather(&self) -> Result<Gathering> {
        Gathering::start(&self.shared)
    }

    /// Returns the configuration that it was started with.
    #[must_use]
    pub fn config(&self) -> &Config {
        self.shared.config()
    }

    /// Returns the thread that it runs on.
    #[must_use]
    pub fn runtime(&self) -> &Runtime {
        self.shared.runtime()
    }
}
