//! An in-process Postgres endpoint on a private socket, for unmodified Postgres clients.
//!
//! A client connects to it as to any server. Over WebSocket its bytes are relayed; over HTTP each of its statements becomes
//! one request. The endpoint is this process's alone: a directory that only its user may enter, the peer's user checked, and
//! a random password on top.

mod address;
mod cancels;
mod frames;
mod handshake;
mod listener;
mod secret;
mod session;
mod shared;
mod stateless;
mod statement;
mod types;

use std::sync::Arc;

use tokio::sync::oneshot;

use self::{listener::Listener, shared::Shared};
use crate::{
    config::{Config, Password},
    error::Result,
    runtime::Runtime,
};

pub use address::Address;
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
    // What the accepting task waits for.
    _open: oneshot::Sender<()>,
}

impl Bridge {
    /// Starts an endpoint for the configuration's transport.
    ///
    /// # Errors
    ///
    /// When the configuration has no such endpoint, or the system gives no thread or no socket.
    pub fn start(config: &Config, verification: Verification) -> Result<Self> {
        let runtime = Runtime::start()?;
        let listener = Listener::bind()?;
        let shared = Arc::new(Shared::new(config, &runtime, verification)?);
        let (open, closed) = oneshot::channel();
        runtime.spawn(listener.accept_until(closed, Arc::clone(&shared))?);
        Ok(Self { listener, shared, _open: open })
    }

    /// Returns where clients connect.
    #[must_use]
    pub fn address(&self) -> &Address {
        self.listener.address()
    }

    /// Returns the password that clients are asked for, in cleartext.
    #[must_use]
    pub fn password(&self) -> &Password {
        self.shared.password()
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
