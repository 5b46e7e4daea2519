use super::{Config, Transport};
use crate::error::Result;

/// What a configuration's connections can do, as far as transport and pooler decide it.
///
/// With [`Transport::Auto`] it is what a WebSocket can, since a statement that needs one gets one.
///
/// # Example
///
/// ```
/// use pgferry::{Config, Transport};
///
/// let config: Config = "postgresql://app:secret@ep-a-b-1.us-east-2.aws.neon.tech/app".parse()?;
/// assert!(config.clone().transport(Transport::WebSocket).capabilities()?.listen());
/// assert!(!config.transport(Transport::Http).capabilities()?.interactive_transactions());
/// # Ok::<(), pgferry::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Capabilities {
    has_session: bool,
    pooled: bool,
}

impl Capabilities {
    /// Returns whether BEGIN and COMMIT work, with other statements sent in between.
    #[must_use]
    pub fn interactive_transactions(self) -> bool {
        self.has_session
    }

    /// Returns whether what a statement leaves in its session is there for the next: settings, temporary tables, session locks,
    /// PREPARE. Over HTTP it is not, nor behind a pooler in transaction mode.
    #[must_use]
    pub fn session_state(self) -> bool {
        self.has_session && !self.pooled
    }

    /// Returns whether COPY from and to the client works.
    #[must_use]
    pub fn copy(self) -> bool {
        self.has_session
    }

    /// Returns whether LISTEN brings notifications. Over HTTP it does not, nor behind a pooler in transaction mode.
    #[must_use]
    pub fn listen(self) -> bool {
        self.has_session && !self.pooled
    }

    /// Returns whether the server is a pooler in transaction mode, as [`Config::is_pooled`] says.
    #[must_use]
    pub fn pooled(self) -> bool {
        self.pooled
    }
}

impl Config {
    /// Returns what connections of this configuration can do.
    ///
    /// # Errors
    ///
    /// Those of [`Config::resolve_transport`].
    pub fn capabilities(&self) -> Result<Capabilities> {
        let has_session = self.resolve_transport()? != Transport::Http;
        Ok(Capabilities { has_session, pooled: self.is_pooled() })
    }
}
