//! Everything that a connection is opened with, from a URL, the environment or code.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use crate::error::{Error, Result};

mod credentials;
mod password;
mod provider;
mod require_auth;
mod transport;

pub use credentials::{Credential, CredentialProvider};
pub use password::Password;
pub use provider::Provider;
pub use require_auth::RequireAuth;
pub use transport::Transport;

/// stub
#[derive(Clone, Default)]
pub struct Config {}

impl Config {
    pub fn new() -> Self {
        todo!()
    }
    pub fn from_env() -> Result<Self> {
        todo!()
    }
    // one path: every source calls this, and this calls the setters
    pub fn param(self, key: &str, value: &str) -> Result<Self> {
        todo!()
    }

    // setters (consuming, #[must_use]); host/port/user/password/dbname/application_name/options/transport/provider/http_url/ws_url/
    // require_auth/connect_timeout/request_timeout/max_request_size/max_response_size/root_certificate(s)/addresses/credential_provider/
    // bearer_token/allow_plain ...
    pub fn host(self, host: impl Into<String>) -> Self {
        todo!()
    }
    pub fn port(self, port: u16) -> Self {
        todo!()
    }
    pub fn user(self, user: impl Into<String>) -> Self {
        todo!()
    }
    pub fn password(self, password: impl Into<Password>) -> Self {
        todo!()
    }
    pub fn dbname(self, dbname: impl Into<String>) -> Self {
        todo!()
    }
    pub fn application_name(self, name: impl Into<String>) -> Self {
        todo!()
    }
    pub fn transport(self, transport: Transport) -> Self {
        todo!()
    }
    pub fn provider(self, provider: Provider) -> Self {
        todo!()
    }
    pub fn http_url(self, template: impl Into<String>) -> Self {
        todo!()
    }
    pub fn ws_url(self, template: impl Into<String>) -> Self {
        todo!()
    }
    pub fn request_timeout(self, timeout: Option<Duration>) -> Self {
        todo!()
    }
    pub fn connect_timeout(self, timeout: Duration) -> Self {
        todo!()
    }
    /// Connects to these addresses instead of asking DNS for the endpoint's host; a port of 0 means the URL's.
    pub fn addresses(self, addresses: impl IntoIterator<Item = SocketAddr>) -> Self {
        todo!()
    }
    pub fn credential_provider(self, provider: Arc<dyn CredentialProvider>) -> Self {
        todo!()
    }

    // getters
    pub fn get_host(&self) -> Result<&str> {
        todo!()
    }
    pub fn get_port(&self) -> u16 {
        todo!()
    }
    pub fn get_user(&self) -> Result<&str> {
        todo!()
    }
    /// The database; the user's name where none was given, as in libpq.
    pub fn get_dbname(&self) -> Result<&str> {
        todo!()
    }
    pub fn get_application_name(&self) -> Option<&str> {
        todo!()
    }
    pub fn get_options(&self) -> Option<&str> {
        todo!()
    }
    pub fn get_transport(&self) -> Transport {
        todo!()
    }
    /// Given, or detected from the host.
    pub fn get_provider(&self) -> Provider {
        todo!()
    }
    pub fn get_require_auth(&self) -> RequireAuth {
        todo!()
    }
    pub fn get_connect_timeout(&self) -> Duration {
        todo!()
    }
    pub fn get_request_timeout(&self) -> Option<Duration> {
        todo!()
    }
    /// Bytes.
    pub fn get_max_request_size(&self) -> usize {
        todo!()
    }
    /// Bytes.
    pub fn get_max_response_size(&self) -> usize {
        todo!()
    }
    pub fn get_addresses(&self) -> &[SocketAddr] {
        todo!()
    }
    /// DER certificates that are trusted instead of the platform's.
    pub fn get_root_certificates(&self) -> &[rustls_pki_types::CertificateDer<'static>] {
        todo!()
    }
    /// Where SQL over HTTP is served: template filled, provider's rule applied, plain http checked.
    pub fn endpoint_http(&self) -> Result<url::Url> {
        todo!()
    }
    /// The same when a bearer token is sent (Neon has a host of its own for it).
    pub fn endpoint_http_bearer(&self) -> Result<url::Url> {
        todo!()
    }
    /// Where Postgres is served over WebSocket, `?address=` included where the provider wants it.
    pub fn endpoint_ws(&self) -> Result<url::Url> {
        todo!()
    }
    /// Asked once per request (HTTP) or per connection (WebSocket).
    pub async fn credential(&self) -> Result<Credential> {
        todo!()
    }
    /// The value of `Neon-Connection-String` (percent-encoded), with the password unless the credential is a token.
    pub fn connection_string(&self, credential: &Credential) -> Result<Password> {
        todo!()
    }
}

impl std::str::FromStr for Config {
    type Err = Error;
    fn from_str(_: &str) -> Result<Self> {
        todo!()
    }
}
impl TryFrom<&str> for Config {
    type Error = Error;
    fn try_from(url: &str) -> Result<Self> {
        url.parse()
    }
}
impl TryFrom<String> for Config {
    type Error = Error;
    fn try_from(url: String) -> Result<Self> {
        url.parse()
    }
}
impl TryFrom<&String> for Config {
    type Error = Error;
    fn try_from(url: &String) -> Result<Self> {
        url.parse()
    }
}
impl From<&Config> for Config {
    fn from(config: &Config) -> Self {
        config.clone()
    }
}
