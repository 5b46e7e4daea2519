use super::{Options, auto::Failures, cancels::Cancels, gathering::Registry as Gatherings, secret, types::Registry};
use crate::{
    batch,
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
    transport: Transport,
    config: Config,
    runtime: Runtime,
    password: Password,
    verification: Verification,
    http: Option<HttpSession>,
    cancels: Cancels,
    types: Registry,
    failures: Failures,
    batches: batch::Sender,
    gatherings: Gatherings,
}

impl Shared {
    pub(super) fn new(config: &Config, runtime: &Runtime, options: &Options) -> Result<Self> {
        let password = match &options.password {
            Some(password) => password.clone(),
            None => Password::from(secret::random(16)?),
        };
        let transport = config.resolve_transport()?;
        if transport != Transport::Http {
            config.endpoint_ws()?;
        }
        let http = match transport {
            Transport::WebSocket => None,
            Transport::Http | Transport::Auto => Some(HttpSession::new(&for_http(config, transport), runtime)?),
        };
        let batches = batch::Sender::sharing(config, runtime, http.clone())?;
        Ok(Self {
            transport,
            config: config.clone(),
            runtime: runtime.clone(),
            password,
            verification: options.verification,
            http,
            cancels: Cancels::default(),
            types: Registry::default(),
            failures: Failures::default(),
            batches,
            gatherings: Gatherings::default(),
        })
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    /// The configuration of what goes over HTTP.
    pub(super) fn http_config(&self) -> Config {
        for_http(&self.config, self.transport)
    }

    /// What carries the clients' statements.
    pub(super) fn transport(&self) -> Transport {
        self.transport
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

    /// What HTTP has failed at, where there is a WebSocket for it.
    pub(super) fn failures(&self) -> &Failures {
        &self.failures
    }

    /// What sends batches.
    pub(super) fn batches(&self) -> &batch::Sender {
        &self.batches
    }

    /// The clients whose statements are gathered.
    pub(super) fn gatherings(&self) -> &Gatherings {
        &self.gatherings
    }

    /// The session that every connection shares over HTTP, where there are none of their own.
    pub(super) fn http(&self) -> Option<&HttpSession> {
        self.http.as_ref()
    }

    /// Whether a connection may send something before its first statement.
    pub(super) fn verifies(&self) -> bool {
        self.verification == Verification::Connect
    }
}

/// The rows of a result go on as they come, so that where a WebSocket would carry any result, HTTP need carry no less.
fn for_http(config: &Config, transport: Transport) -> Config {
    match transport {
        Transport::Auto => config.clone().max_response_size(usize::MAX),
        Transport::Http | Transport::WebSocket => config.clone(),
    }
}
