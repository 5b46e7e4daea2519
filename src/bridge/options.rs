use std::net::SocketAddr;

use super::Verification;
use crate::config::Password;

/// What a bridge is started with besides the configuration.
///
/// # Example
///
/// ```
/// use pgferry::{Config, bridge::{Address, Bridge, Options}};
///
/// let config = Config::new().host("db.example").user("app").password("p@ss");
/// let bridge = Bridge::start_with(&config, &Options::new().listen("127.0.0.1:0".parse()?).password("sesame"))?;
/// let Address::Tcp(address) = bridge.address() else { unreachable!("it was asked to listen on TCP") };
/// assert_ne!(address.port(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Options {
    pub(super) listen: Option<SocketAddr>,
    pub(super) password: Option<Password>,
    pub(super) verification: Verification,
}

impl Options {
    /// Returns the defaults: a private socket, a random password, connects that verify.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a port of a loopback address to listen on; port 0 takes a free one.
    ///
    /// Every user of the machine can reach it, and only the password keeps them out. Defaults to a private Unix socket.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = Some(address);
        self
    }

    /// Sets the password that clients are asked for. Defaults to a random one.
    pub fn password(mut self, password: impl Into<Password>) -> Self {
        self.password = Some(password.into());
        self
    }

    /// Sets whether a client's connect proves that the server is there. Defaults to [`Verification::Connect`].
    pub fn verification(mut self, verification: Verification) -> Self {
        self.verification = verification;
        self
    }
}
