use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use super::{Config, Credential, Password, Provider, host::bracketed, neon};
use crate::error::Result;

/// What RFC 3986 (section 2.3) leaves unreserved stays as it is; everything else is encoded.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl Config {
    /// Returns the value of `Neon-Connection-String`, percent-encoded, with the password unless the credential is a token
    /// (PROTOCOL.md, section 2).
    ///
    /// At Neon the host's first label is the endpoint, without `-pooler`. Query parameters are ignored there, so there are none.
    ///
    /// # Errors
    ///
    /// [`Error::is_config`](crate::Error::is_config): the host or the user is missing or malformed.
    ///
    /// # Example
    ///
    /// ```
    /// use pgferry::config::{Config, Credential};
    ///
    /// let config = Config::new().host("db.example").user("app").dbname("my shop");
    /// let text = config.connection_string(&Credential::Password("p@ss".into()))?;
    /// assert_eq!(text.reveal(), "postgresql://app:p%40ss@db.example/my%20shop");
    /// # Ok::<(), pgferry::Error>(())
    /// ```
    pub fn connection_string(&self, credential: &Credential) -> Result<Password> {
        let host = match (self.get_provider(), self.get_host()?) {
            (Provider::Neon, host) => neon::endpoint_host(host, self.endpoint_option()),
            (_, host) => bracketed(host),
        };
        let mut text = format!("postgresql://{}", encoded(self.get_user()?.as_bytes()));
        if let Credential::Password(password) = credential {
            text.push(':');
            text.push_str(&encoded(password.reveal().as_bytes()));
        }
        text.push('@');
        text.push_str(&host);
        if let Some(port) = self.port {
            // A `String` takes whatever is written to it.
            let _ = write!(text, ":{port}");
        }
        text.push('/');
        text.push_str(&encoded(self.get_dbname()?.as_bytes()));
        Ok(Password::from(text))
    }
}

/// What stands for a part of a URL in it.
pub(crate) fn encoded(part: &[u8]) -> String {
    percent_encode(part, ENCODED).to_string()
}
