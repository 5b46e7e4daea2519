use super::{Options, cancels::Cancels, secret, types::Registry};
use crate::{
    config::{Config, Password, Transport},
    error::Result,
    execute::HttpSession,
    runtime::Runtime,
};

/// Whether a client's connect proves that the server is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verification {
    /// Over HTTP the first connection sends one request, so that a wrong password is reported there.
    #[default]
    Connect,
    /// Over HTTP nothing is sent until the first statement.
    FirstStatement,
}

/// What a bridge's connections have in common.
#[derive(Debug)]
pub(super) struct Shared {
    config: Config,
    runtime: Runtime,
    password: Password,
    verification: Verification,
    http: Option<HttpSession>,
    cancels: Cancels,
    types: Registry,
}

impl Shared {
    pub(super) fn new(config: &Config, runtime: &Runtime, options: &Options) -> Result<Self> {
        let password = match &options.password {
            Some(password) => password.clone(),
            None => Password::from(secret::random(16)?),
        };
        let http = match config.resolve_transport()? {
            Transport::Http => Some(HttpSession::new(config, runtime)?),
            Transport::WebSocket | Transport::Auto => {
                config.endpoint_ws()?;
                None
            }
        };
        Ok(Self {
            config: config.clone(),
            runtime: runtime.clone(),
            password,
            verification: options.verification,
            http,
            cancels: Cancels::default(),
            types: Registry::default(),
        })
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    pub(super) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    pub(super) fn password(&self) -> &Password {
        &self.password
    }

    pub(super) fn cancels(&self) -> &Cancels {
        &self.cancels
    }

    /// The types that clients are told of.
    pub(super) fn types(&self) -> &Registry {
        &self.types
    }

    /// The session that every connection shares over HTTP, where there are none of their own.
    pub(super) fn http(&self) -> Option<&HttpSession> {
        self.http.as_ref()
    }

    /// Whether a connection may send something before its first statement.
    pub(super) fn verifies(&self) -> bool {
        self.verification == Verification::Connect
    }

    /// Proves that the server is there, where connections are to be verified.
    pub(super) async fn verify(&self, session: &HttpSession) -> Result<()> {
        if self.verifies() { session.server().await.map(drop) } else { Ok(()) }
    }
}
