use std::{fmt, path::PathBuf};

/// What a [`Server`](crate::Server) is started with.
///
/// # Example
///
/// ```
/// use pgferry_local::Options;
///
/// let options = Options::new().data("pgdata").password("sesame");
/// assert!(!format!("{options:?}").contains("sesame"));
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct Options {
    pub(crate) data: Option<PathBuf>,
    pub(crate) password: Option<String>,
    pub(crate) port: Option<u16>,
}

impl Options {
    /// Returns those of a throw-away server with a random password.
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps the data in a directory, which is made where it does not exist. Defaults to a temporary one.
    pub fn data(mut self, directory: impl Into<PathBuf>) -> Self {
        self.data = Some(directory.into());
        self
    }

    /// Sets the password. Defaults to the one that kept data have, and to a random one where there are none.
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(password.into());
        self
    }

    /// Insists on a port on 127.0.0.1. Defaults to the one that kept data had last where that is free, and to any free one.
    pub fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { data, password, port } = self;
        f.debug_struct("Options")
            .field("data", data)
            .field("password", &password.as_ref().map(|_| "..."))
            .field("port", port)
            .finish()
    }
}
