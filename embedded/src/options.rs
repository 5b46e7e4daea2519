use std::{fmt, path::PathBuf, time::Duration};

use pgferry::config::Password;

/// What an [`Embedded`](crate::Embedded) is started with.
///
/// # Example
///
/// ```
/// use pgferry_embedded::Options;
///
/// let options = Options::new().data("pgdata").password("sesame");
/// assert!(!format!("{options:?}").contains("sesame"));
/// ```
#[derive(Clone)]
#[must_use]
pub struct Options {
    pub(crate) data: Option<PathBuf>,
    pub(crate) password: Option<Password>,
    pub(crate) port: u16,
    pub(crate) queue_timeout: Duration,
    pub(crate) program: Option<PathBuf>,
}

impl Options {
    /// Returns those of a throw-away server with a random password.
    pub fn new() -> Self {
        Self { data: None, password: None, port: 0, queue_timeout: Duration::from_secs(8), program: None }
    }

    /// Keeps the data in a directory, which is made where it does not exist. Defaults to a temporary one.
    pub fn data(mut self, directory: impl Into<PathBuf>) -> Self {
        self.data = Some(directory.into());
        self
    }

    /// Sets the password that every role logs in with. Defaults to a random one at each start.
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(Password::from(password.into()));
        self
    }

    /// Insists on a port on 127.0.0.1. Defaults to any free one.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Sets how long a session waits for its turn before its statement fails with 55P03. Defaults to 8 s: the gateway gives up a
    /// log-in after 10 s, with less to say.
    pub fn queue_timeout(mut self, timeout: Duration) -> Self {
        self.queue_timeout = timeout;
        self
    }

    /// Names the program that runs the engine and calls [`engine`](crate::engine) first of all. Defaults to this program itself.
    pub fn program(mut self, program: impl Into<PathBuf>) -> Self {
        self.program = Some(program.into());
        self
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { data, password, port, queue_timeout, program } = self;
        f.debug_struct("Options")
            .field("data", data)
            .field("password", password)
            .field("port", port)
            .field("queue_timeout", queue_timeout)
            .field("program", program)
            .finish()
    }
}
