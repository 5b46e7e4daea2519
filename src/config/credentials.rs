use async_trait::async_trait;

use super::{Config, Password};
use crate::error::{Error, Result};

/// What a caller proves itself with.
#[derive(Clone, Debug)]
pub enum Credential {
    /// The role's password.
    Password(Password),
    /// A token for SQL over HTTP, sent as `Authorization: Bearer`.
    Bearer(Password),
}

/// Gives a credential each time one is needed: once a request over HTTP, once a connection over WebSocket.
///
/// # Example
///
/// ```
/// use std::{error::Error, sync::Arc};
///
/// use pgferry::config::{Config, Credential, CredentialProvider};
///
/// struct Vault;
///
/// #[async_trait::async_trait]
/// impl CredentialProvider for Vault {
///     async fn credential(&self) -> Result<Credential, Box<dyn Error + Send + Sync>> {
///         Ok(Credential::Password("fetched just now".into()))
///     }
/// }
///
/// let config = Config::new().host("db.example").user("app").credential_provider(Arc::new(Vault));
/// assert!(!format!("{config:?}").contains("fetched"));
/// ```
#[async_trait]
pub trait CredentialProvider: Send + Sync {
    /// Returns the credential to use now.
    ///
    /// # Errors
    ///
    /// Whatever the provider's own; the operation then fails without having been sent.
    async fn credential(&self) -> Result<Credential, Box<dyn std::error::Error + Send + Sync>>;
}

impl Config {
    /// Returns the credential for one request (HTTP) or one connection (WebSocket), asking the provider where there is one.
    ///
    /// Cancel safe as far as the configured [`CredentialProvider`] is.
    ///
    /// # Errors
    ///
    /// [`Error::is_auth`], with nothing executed: no credential is configured, or the provider failed (its error is the
    /// source).
    ///
    /// # Example
    ///
    /// ```
    /// # async fn example() -> pgferry::Result<()> {
    /// use pgferry::config::{Config, Credential};
    ///
    /// let config: Config = "postgresql://app:p%40ss@db.example/app".parse()?;
    /// let Credential::Password(password) = config.credential().await? else { unreachable!() };
    /// assert_eq!(password.reveal(), "p@ss");
    /// # Ok(()) }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(example()).unwrap();
    /// ```
    pub async fn credential(&self) -> Result<Credential> {
        self.optional_credential().await?.ok_or_else(|| {
            Error::auth(
                "no password is configured: put it in the URL (percent-encoded), set it with Config::password, or read it from \
                 PGPASSWORD or DATABASE_PASSWORD with Config::from_env",
            )
        })
    }

    /// Whether the credential is known to log in over HTTP only.
    pub(super) fn has_bearer_token(&self) -> bool {
        matches!(self.credential, Secret::Fixed(Credential::Bearer(_)))
    }

    /// Returns the credential as [`Config::credential`] does, or `None` where none is configured: a server may ask for none.
    ///
    /// Cancel safe as far as the configured [`CredentialProvider`] is.
    ///
    /// # Errors
    ///
    /// [`Error::is_auth`], with nothing executed: the provider failed (its error is the source).
    pub async fn optional_credential(&self) -> Result<Option<Credential>> {
        match &self.credential {
            Secret::None => Ok(None),
            Secret::Fixed(credential) => Ok(Some(credential.clone())),
            Secret::Provided(provider) => provider.credential().await.map(Some).map_err(|error| {
                // Its text is the provider's own and may tell what it should not, so it stays the source.
                Error::auth("the credential provider failed, so nothing was sent").with_source(error)
            }),
        }
    }
}

/// Where the credential comes from.
#[derive(Clone, Default)]
pub(super) enum Secret {
    #[default]
    None,
    Fixed(Credential),
    Provided(std::sync::Arc<dyn CredentialProvider>),
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Fixed(credential) => credential.fmt(f),
            Self::Provided(_) => f.write_str("CredentialProvider(…)"),
        }
    }
}
