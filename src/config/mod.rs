//! Everything that a connection is opened with, from a URL, the environment or code.
//!
//! [`Config`] is the option reference.

mod capabilities;
mod connection_string;
mod credentials;
mod describe;
mod endpoints;
mod environment;
mod getters;
mod host;
mod neon;
mod options;
mod parameter;
mod parameter_report;
mod password;
mod pg_url;
mod provider;
mod require_auth;
mod root_certificates;
mod setters;
mod settings;
mod source;
mod template;
#[cfg(test)]
mod tests;
mod transport;

pub use capabilities::Capabilities;
pub(crate) use connection_string::encoded;
pub use credentials::{Credential, CredentialProvider};
pub use describe::Describe;
pub use parameter_report::{Fate, ParameterReport};
pub use password::Password;
pub use provider::Provider;
pub use require_auth::RequireAuth;
pub use settings::Config;
pub use transport::Transport;
