use async_trait::async_trait;

use super::Password;

/// What a caller proves itself with.
#[derive(Clone, Debug)]
pub enum Credential {
    /// The role's password.
    Password(Password),
    /// A token for SQL over HTTP, sent as `Authorization: Bearer`.
    Bearer(Password),
}

/// Gives a credential each time one is needed: once a request over HTTP, once a connection over WebSocket.
#[async_trait]
pub trait CredentialProvider: Send + Sync {
    /// Returns the credential to use now.
    ///
    /// # Errors
    ///
    /// Whatever the provider's own; the operation then fails without having been sent.
    async fn credential(&self) -> Result<Credential, Box<dyn std::error::Error + Send + Sync>>;
}
